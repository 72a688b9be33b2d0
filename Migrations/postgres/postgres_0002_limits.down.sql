DROP INDEX credentials_account;
CREATE INDEX credentials_account ON credentials (account_id, created_at);
DROP INDEX uploads_container;
DROP INDEX containers_closed;
DROP INDEX uploads_reserved;
DROP INDEX revisions_superseded;
ALTER TABLE revisions DROP COLUMN superseded_at;
