-- A list of files by path: however many folders lie between them, they are not walked over.
CREATE INDEX files_by_path ON files (container_id, path) WHERE type = 'file';
