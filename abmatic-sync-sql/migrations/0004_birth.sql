-- A record that was made just as a CRM holds it: its fields are at once the base of its link and what its line of the log
-- tells. All three stand in its row until one of them changes: then link and line move to their own tables.
ALTER TABLE abmatic_record ADD COLUMN link_scope INTEGER;
ALTER TABLE abmatic_record ADD COLUMN remote_id TEXT;
ALTER TABLE abmatic_record ADD COLUMN remote_modified_at INTEGER;
ALTER TABLE abmatic_record ADD COLUMN waiting_for TEXT;
ALTER TABLE abmatic_record ADD COLUMN log_scope INTEGER;
ALTER TABLE abmatic_record ADD COLUMN log_line INTEGER;
ALTER TABLE abmatic_record ADD COLUMN run INTEGER;
ALTER TABLE abmatic_record ADD COLUMN more_changes TEXT;
CREATE UNIQUE INDEX abmatic_birth_remote ON abmatic_record (link_scope, remote_id) WHERE link_scope IS NOT NULL;
CREATE INDEX abmatic_birth_log ON abmatic_record (log_scope, log_line) WHERE log_scope IS NOT NULL;
CREATE INDEX abmatic_birth_waiting ON abmatic_record (link_scope, id) WHERE waiting_for IS NOT NULL;

-- The last line given to the log, wherever it stands.
ALTER TABLE abmatic_version ADD COLUMN last_line INTEGER NOT NULL DEFAULT 0;
UPDATE abmatic_version SET last_line = COALESCE((SELECT MAX(id) FROM abmatic_log), 0);
