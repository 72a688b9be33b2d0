-- What a full container lets go first: older revisions, by the moment when they stopped being current.
ALTER TABLE revisions ADD COLUMN superseded_at BIGINT;
UPDATE revisions SET superseded_at = created_at
    WHERE id NOT IN (SELECT revision_id FROM files WHERE revision_id IS NOT NULL);
CREATE INDEX revisions_superseded ON revisions (container_id, superseded_at, id) WHERE superseded_at IS NOT NULL;

CREATE INDEX uploads_reserved ON uploads (heartbeat_at) WHERE reserved > 0;

-- Accounts on their way out.
CREATE INDEX containers_closed ON containers (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX uploads_container ON uploads (container_id);

-- The credentials of an account, page by page.
DROP INDEX credentials_account;
CREATE INDEX credentials_account ON credentials (account_id, id);
