-- Times are microseconds since 1970-01-01T00:00:00Z; identifiers are the 16 bytes of a UUID, digests 32 bytes.

CREATE TABLE accounts (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('registered', 'token', 'built_in')),
    login BYTEA UNIQUE,
    email TEXT,
    password_phc TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    serial BIGINT NOT NULL UNIQUE,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE TABLE credentials (
    id BYTEA NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    account_id BYTEA NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL CHECK (kind IN ('session', 'container')),
    label TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    idle_until BIGINT,
    revoked_at BIGINT
);
CREATE INDEX credentials_account ON credentials (account_id, created_at);
CREATE INDEX credentials_expires ON credentials (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX credentials_idle ON credentials (idle_until) WHERE idle_until IS NOT NULL;
-- Revoked tokens of containers are kept: a sweep must not come across them.
CREATE INDEX credentials_revoked ON credentials (revoked_at) WHERE revoked_at IS NOT NULL AND kind = 'session';

CREATE TABLE containers (
    id BYTEA NOT NULL PRIMARY KEY,
    account_id BYTEA NOT NULL UNIQUE REFERENCES accounts (id),
    space BYTEA NOT NULL,
    limit_bytes BIGINT,
    limit_files BIGINT,
    used_bytes BIGINT NOT NULL DEFAULT 0,
    used_files BIGINT NOT NULL DEFAULT 0,
    revision_bytes BIGINT NOT NULL DEFAULT 0,
    reserved_bytes BIGINT NOT NULL DEFAULT 0,
    closed_at BIGINT
);

-- What happened to containers without a limit since the last fold, so that their uploads do not queue for one row.
CREATE TABLE usage_deltas (
    id BYTEA NOT NULL PRIMARY KEY,
    container_id BYTEA NOT NULL REFERENCES containers (id),
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL,
    revision_bytes BIGINT NOT NULL
);
CREATE INDEX usage_deltas_container ON usage_deltas (container_id);

CREATE TABLE blobs (
    id BYTEA NOT NULL PRIMARY KEY,
    space BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    gen BIGINT NOT NULL,
    size BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'live', 'doomed', 'gone', 'corrupt')),
    claimed_until BIGINT,
    released_at BIGINT,
    state_at BIGINT NOT NULL,
    verified_at BIGINT,
    UNIQUE (space, hash, gen)
);
CREATE UNIQUE INDEX blobs_current ON blobs (space, hash) WHERE state IN ('pending', 'live');
CREATE INDEX blobs_released ON blobs (released_at) WHERE state = 'live' AND released_at IS NOT NULL;
CREATE INDEX blobs_claimed ON blobs (claimed_until) WHERE state = 'pending';
CREATE INDEX blobs_doomed ON blobs (state_at) WHERE state = 'doomed';
CREATE INDEX blobs_gone ON blobs (state_at) WHERE state = 'gone' AND gen <> 0;

CREATE TABLE files (
    id BYTEA NOT NULL PRIMARY KEY,
    container_id BYTEA NOT NULL REFERENCES containers (id),
    path BYTEA NOT NULL,
    depth BIGINT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('file', 'folder')),
    revision_id BYTEA,
    kind TEXT NOT NULL CHECK (kind IN ('image', 'media', 'text', 'other')),
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    CHECK ((type = 'file') = (revision_id IS NOT NULL)),
    UNIQUE (container_id, path)
);
CREATE INDEX files_depth ON files (container_id, depth, path);
CREATE INDEX files_folder_kind ON files (container_id, depth, kind, path) WHERE type = 'file';
CREATE INDEX files_kind ON files (container_id, kind, path) WHERE type = 'file';

-- Revisions and links hang on a file and through it on the container that they name: a reference of their own to that would
-- need an index, only so that deleting a container does not read them all.
CREATE TABLE revisions (
    id BYTEA NOT NULL PRIMARY KEY,
    file_id BYTEA NOT NULL REFERENCES files (id),
    container_id BYTEA NOT NULL,
    number BIGINT NOT NULL,
    blob_id BYTEA NOT NULL REFERENCES blobs (id),
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    sent_name TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (file_id, number)
);
CREATE INDEX revisions_blob ON revisions (blob_id);

CREATE TABLE links (
    kind TEXT NOT NULL CHECK (kind IN ('hash', 'uid')),
    key BYTEA NOT NULL,
    container_id BYTEA NOT NULL,
    revision_id BYTEA NOT NULL REFERENCES revisions (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, key, container_id)
);
CREATE INDEX links_revision ON links (revision_id);
CREATE INDEX links_oldest ON links (kind, key, created_at, container_id);

CREATE TABLE uploads (
    id BYTEA NOT NULL PRIMARY KEY,
    container_id BYTEA NOT NULL,
    reserved BIGINT NOT NULL DEFAULT 0,
    blob_id BYTEA,
    file_id BYTEA,
    created BIGINT,
    node TEXT,
    started_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    abandoned_at BIGINT,
    committed_at BIGINT
);
CREATE INDEX uploads_open ON uploads (heartbeat_at) WHERE committed_at IS NULL;
CREATE INDEX uploads_abandoned ON uploads (abandoned_at) WHERE abandoned_at IS NOT NULL AND committed_at IS NULL;
CREATE INDEX uploads_committed ON uploads (committed_at) WHERE committed_at IS NOT NULL;

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE audit (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    account_id BYTEA,
    act TEXT NOT NULL,
    subject TEXT,
    address TEXT
);
CREATE INDEX audit_at ON audit (at);
