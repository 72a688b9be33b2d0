-- What a lookup tells of a file's current revision and of its blob stands in the file's own row too: one row instead of three.
-- `copy_of` is the revision that they were copied from; where it is not the current one, a version without these columns wrote last,
-- and they say nothing. Housekeeping fills the rows that are there (`files.facts` in `settings` says how far it is).
ALTER TABLE files ADD COLUMN copy_of BLOB;
ALTER TABLE files ADD COLUMN number INTEGER;
ALTER TABLE files ADD COLUMN size INTEGER;
ALTER TABLE files ADD COLUMN media_type TEXT;
ALTER TABLE files ADD COLUMN sent_name TEXT;
ALTER TABLE files ADD COLUMN revised_at INTEGER;
ALTER TABLE files ADD COLUMN blob_id BLOB;
ALTER TABLE files ADD COLUMN space BLOB;
ALTER TABLE files ADD COLUMN hash BLOB;
ALTER TABLE files ADD COLUMN gen INTEGER;
