-- The few whose bytes are known to be damaged: what a row has of such a blob is not believed.
CREATE UNIQUE INDEX blobs_corrupt ON blobs (id) WHERE state = 'corrupt';
