-- Times are microseconds since 1970-01-01T00:00:00Z; identifiers are the 16 bytes of a UUID, digests 32 bytes.

CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('registered', 'token', 'built_in')),
    login BLOB UNIQUE,
    email TEXT,
    password_phc TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    serial INTEGER NOT NULL UNIQUE,
    disabled_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    id BLOB NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    account_id BLOB NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL CHECK (kind IN ('session', 'container')),
    label TEXT,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    idle_until INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_account ON credentials (account_id, created_at);
CREATE INDEX credentials_expires ON credentials (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX credentials_idle ON credentials (idle_until) WHERE idle_until IS NOT NULL;
-- Revoked tokens of containers are kept: a sweep must not come across them.
CREATE INDEX credentials_revoked ON credentials (revoked_at) WHERE revoked_at IS NOT NULL AND kind = 'session';

CREATE TABLE containers (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL UNIQUE REFERENCES accounts (id),
    space BLOB NOT NULL,
    limit_bytes INTEGER,
    limit_files INTEGER,
    used_bytes INTEGER NOT NULL DEFAULT 0,
    used_files INTEGER NOT NULL DEFAULT 0,
    revision_bytes INTEGER NOT NULL DEFAULT 0,
    reserved_bytes INTEGER NOT NULL DEFAULT 0,
    closed_at INTEGER
) STRICT, WITHOUT ROWID;

-- What happened to containers without a limit since the last fold, so that their uploads do not queue for one row.
CREATE TABLE usage_deltas (
    id BLOB NOT NULL PRIMARY KEY,
    container_id BLOB NOT NULL REFERENCES containers (id),
    bytes INTEGER NOT NULL,
    files INTEGER NOT NULL,
    revision_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_deltas_container ON usage_deltas (container_id);

CREATE TABLE blobs (
    id BLOB NOT NULL PRIMARY KEY,
    space BLOB NOT NULL,
    hash BLOB NOT NULL,
    gen INTEGER NOT NULL,
    size INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'live', 'doomed', 'gone', 'corrupt')),
    claimed_until INTEGER,
    released_at INTEGER,
    state_at INTEGER NOT NULL,
    verified_at INTEGER,
    UNIQUE (space, hash, gen)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX blobs_current ON blobs (space, hash) WHERE state IN ('pending', 'live');
CREATE INDEX blobs_released ON blobs (released_at) WHERE state = 'live' AND released_at IS NOT NULL;
CREATE INDEX blobs_claimed ON blobs (claimed_until) WHERE state = 'pending';
CREATE INDEX blobs_doomed ON blobs (state_at) WHERE state = 'doomed';
CREATE INDEX blobs_gone ON blobs (state_at) WHERE state = 'gone' AND gen <> 0;

CREATE TABLE files (
    id BLOB NOT NULL PRIMARY KEY,
    container_id BLOB NOT NULL REFERENCES containers (id),
    path BLOB NOT NULL,
    depth INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('file', 'folder')),
    revision_id BLOB,
    kind TEXT NOT NULL CHECK (kind IN ('image', 'media', 'text', 'other')),
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CHECK ((type = 'file') = (revision_id IS NOT NULL)),
    UNIQUE (container_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_depth ON files (container_id, depth, path);
CREATE INDEX files_folder_kind ON files (container_id, depth, kind, path) WHERE type = 'file';
CREATE INDEX files_kind ON files (container_id, kind, path) WHERE type = 'file';

-- Revisions and links hang on a file and through it on the container that they name: a reference of their own to that would
-- need an index, only so that deleting a container does not read them all.
CREATE TABLE revisions (
    id BLOB NOT NULL PRIMARY KEY,
    file_id BLOB NOT NULL REFERENCES files (id),
    container_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    blob_id BLOB NOT NULL REFERENCES blobs (id),
    size INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    sent_name TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (file_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX revisions_blob ON revisions (blob_id);

CREATE TABLE links (
    kind TEXT NOT NULL CHECK (kind IN ('hash', 'uid')),
    key BLOB NOT NULL,
    container_id BLOB NOT NULL,
    revision_id BLOB NOT NULL REFERENCES revisions (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key, container_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_revision ON links (revision_id);
CREATE INDEX links_oldest ON links (kind, key, created_at, container_id);

CREATE TABLE uploads (
    id BLOB NOT NULL PRIMARY KEY,
    container_id BLOB NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0,
    blob_id BLOB,
    file_id BLOB,
    created INTEGER,
    node TEXT,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    abandoned_at INTEGER,
    committed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_open ON uploads (heartbeat_at) WHERE committed_at IS NULL;
CREATE INDEX uploads_abandoned ON uploads (abandoned_at) WHERE abandoned_at IS NOT NULL AND committed_at IS NULL;
CREATE INDEX uploads_committed ON uploads (committed_at) WHERE committed_at IS NOT NULL;

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    account_id BLOB,
    act TEXT NOT NULL,
    subject TEXT,
    address TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_at ON audit (at);
