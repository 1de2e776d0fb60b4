-- The side whose record is gone: 0 for the host's, 1 for the CRM's.
ALTER TABLE abmatic_link ADD COLUMN gone INTEGER;
