-- Records that failed and are set aside. side is 0 for the host's, 1 for the CRM's.
CREATE TABLE abmatic_quarantine (
    scope INTEGER NOT NULL,
    side INTEGER NOT NULL,
    id TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    retry_at INTEGER NOT NULL,
    seen_version INTEGER,
    seen_modified_at INTEGER,
    PRIMARY KEY (scope, side, id)
) WITHOUT ROWID;
CREATE INDEX abmatic_quarantine_due ON abmatic_quarantine (scope, side, retry_at, id);
