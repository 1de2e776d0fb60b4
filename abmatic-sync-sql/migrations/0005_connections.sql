-- Connections: everything but their secrets. status is JSON; blocked_until says when runs may begin: null at any time, else
-- microseconds since 1970, the largest number where nobody knows.
CREATE TABLE abmatic_connection (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    connector TEXT NOT NULL,
    base_url TEXT,
    account TEXT,
    status TEXT NOT NULL,
    blocked_until INTEGER
) WITHOUT ROWID;
CREATE INDEX abmatic_connection_tenant ON abmatic_connection (tenant, id);
CREATE INDEX abmatic_connection_account ON abmatic_connection (connector, account) WHERE account IS NOT NULL;

CREATE TABLE abmatic_schedule (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    resource TEXT NOT NULL,
    rhythm TEXT NOT NULL,
    scope TEXT NOT NULL,
    next_at INTEGER,
    marked_at INTEGER,
    push_at INTEGER,
    retry_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    starts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, connection, resource)
) WITHOUT ROWID;

-- When something of a schedule is due first, and its connection may run: null never, as where nobody knows.
CREATE VIEW abmatic_due AS
    SELECT s.*, MAX(
        NULLIF(MIN(IFNULL(next_at, 9e18), IFNULL(marked_at, 9e18), IFNULL(push_at, 9e18)), 9e18),
        IFNULL(retry_at, 0),
        IFNULL(c.blocked_until, 0)
    ) AS due_at
    FROM abmatic_schedule s JOIN abmatic_connection c ON c.id = s.connection AND c.tenant = s.tenant
    WHERE IFNULL(c.blocked_until, 0) < 9e18;

-- Records of a CRM that somebody said have changed.
CREATE TABLE abmatic_mark (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    resource TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, resource, id)
) WITHOUT ROWID;

-- Secrets, sealed with the key of that number, which is not in here.
CREATE TABLE abmatic_secret (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    version INTEGER NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    claimed_until INTEGER,
    PRIMARY KEY (tenant, connection)
) WITHOUT ROWID;
CREATE TABLE abmatic_pending (
    name TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) WITHOUT ROWID;
