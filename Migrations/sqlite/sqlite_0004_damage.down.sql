DROP INDEX blobs_corrupt;
