-- Integers stand for what repeats: a scope is a tenant with, where they matter, connection and resources.
-- Times are microseconds since 1970. Texts of fields, bases and changes are JSON.
CREATE TABLE abmatic_scope (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    resource TEXT NOT NULL,
    remote_resource TEXT NOT NULL,
    UNIQUE (tenant, connection, resource, remote_resource)
);

-- One row: the last version given to a record.
CREATE TABLE abmatic_version (last INTEGER NOT NULL);
INSERT INTO abmatic_version (last) VALUES (0);

CREATE TABLE abmatic_record (
    row_id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    match_key TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    fields TEXT NOT NULL,
    edited_at TEXT,
    deleted INTEGER
);
CREATE UNIQUE INDEX abmatic_record_id ON abmatic_record (scope, id);
CREATE INDEX abmatic_record_version ON abmatic_record (scope, version);

-- Match keys come in no order, so that each new one would change another page of an index: those of records up to
-- `up_to` stand here, those of later ones are remembered by whoever has the database open, until they are many and
-- move here in one go. A hash stands for scope and key: the record itself has the last word.
CREATE TABLE abmatic_key (
    hash INTEGER NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (hash, record)
) WITHOUT ROWID;
CREATE TABLE abmatic_key_settled (up_to INTEGER NOT NULL);
INSERT INTO abmatic_key_settled (up_to) VALUES (0);

CREATE TABLE abmatic_link (
    row_id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    local_id TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    local_version INTEGER,
    remote_modified_at INTEGER,
    base TEXT NOT NULL,
    waiting_for TEXT
);
CREATE UNIQUE INDEX abmatic_link_local ON abmatic_link (scope, local_id);
CREATE UNIQUE INDEX abmatic_link_remote ON abmatic_link (scope, remote_id);
CREATE INDEX abmatic_link_waiting ON abmatic_link (scope, local_id) WHERE waiting_for IS NOT NULL;

CREATE TABLE abmatic_settings (
    scope INTEGER PRIMARY KEY,
    settings TEXT NOT NULL
);

CREATE TABLE abmatic_cursor (
    scope INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (scope, name)
);

CREATE TABLE abmatic_intent (
    scope INTEGER NOT NULL,
    id TEXT NOT NULL,
    local_id TEXT NOT NULL,
    announced_at INTEGER NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (scope, id)
);

-- holder is null once the lease was given back; token only ever grows.
CREATE TABLE abmatic_lease (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    token INTEGER NOT NULL,
    holder TEXT,
    until INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection)
);

-- log_first and log_last bound the run's lines of the log: no index on the log's run is needed.
CREATE TABLE abmatic_run (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    connection TEXT,
    started_at INTEGER,
    record TEXT,
    log_first INTEGER,
    log_last INTEGER,
    UNIQUE (tenant, id)
);
CREATE INDEX abmatic_run_started ON abmatic_run (tenant, connection, started_at);

CREATE TABLE abmatic_log (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    run INTEGER NOT NULL,
    status INTEGER NOT NULL,
    direction INTEGER NOT NULL,
    at INTEGER NOT NULL,
    local_id TEXT,
    remote_id TEXT,
    code TEXT,
    message TEXT NOT NULL,
    changes TEXT
);
CREATE INDEX abmatic_log_scope ON abmatic_log (scope);
CREATE INDEX abmatic_log_local ON abmatic_log (local_id) WHERE local_id IS NOT NULL;
CREATE INDEX abmatic_log_remote ON abmatic_log (remote_id) WHERE remote_id IS NOT NULL;
