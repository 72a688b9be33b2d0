DROP INDEX files_by_path;
