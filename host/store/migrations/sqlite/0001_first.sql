-- Times are microseconds since 1970-01-01 UTC, ids are 16 bytes, lists are JSON texts. Names are compared by their `_key`
-- columns, which hold the lower-case form by Unicode's rules; SQLite's own NOCASE knows ASCII only.

CREATE TABLE tenant (
    id BLOB NOT NULL PRIMARY KEY,
    parent BLOB NOT NULL REFERENCES tenant (id), -- the top tenant is its own parent
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    realm TEXT,
    realm_key TEXT,
    CONSTRAINT tenant_name_key_unique UNIQUE (parent, name_key),
    CONSTRAINT tenant_realm_key_unique UNIQUE (realm_key)
) STRICT;

-- One top tenant, however many nodes start at once.
CREATE UNIQUE INDEX tenant_single_top ON tenant ((parent = id)) WHERE parent = id;

CREATE TABLE tenant_domain (
    domain_key TEXT NOT NULL PRIMARY KEY,
    domain TEXT NOT NULL,
    tenant BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX tenant_domain_by_tenant ON tenant_domain (tenant);

CREATE TABLE directory_user (
    id BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    login TEXT NOT NULL,
    login_key TEXT NOT NULL,
    display_name TEXT,
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT directory_user_login_key_unique UNIQUE (tenant, login_key)
) STRICT;
CREATE INDEX directory_user_by_login ON directory_user (login_key, id);

CREATE TABLE user_email (
    tenant BLOB NOT NULL REFERENCES tenant (id),
    address_key TEXT NOT NULL,
    address TEXT NOT NULL,
    directory_user BLOB NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    main INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    PRIMARY KEY (tenant, address_key)
) STRICT;
CREATE INDEX user_email_by_user ON user_email (directory_user);
CREATE INDEX user_email_by_address ON user_email (address_key);

CREATE TABLE user_password (
    directory_user BLOB NOT NULL PRIMARY KEY REFERENCES directory_user (id) ON DELETE CASCADE,
    verifier TEXT NOT NULL, -- a PHC string
    set_at INTEGER NOT NULL
) STRICT;

-- The ids of backends' own subjects. A directory user's identity is the user's id and has no row here.
CREATE TABLE identity (
    id BLOB NOT NULL PRIMARY KEY,
    backend TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT identity_subject_unique UNIQUE (backend, subject)
) STRICT;

CREATE TABLE policy (
    id BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    accesses TEXT NOT NULL, -- JSON: an array of texts, in the operator's order
    CONSTRAINT policy_name_key_unique UNIQUE (tenant, name_key)
) STRICT;

-- `identity` is a directory user's id or a row of `identity`: no one table to refer to.
CREATE TABLE policy_attachment (
    identity BLOB NOT NULL,
    policy BLOB NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    PRIMARY KEY (identity, policy)
) STRICT;
CREATE INDEX policy_attachment_by_policy ON policy_attachment (policy);

CREATE TABLE session (
    id BLOB NOT NULL PRIMARY KEY,
    identity BLOB NOT NULL,
    directory_user BLOB REFERENCES directory_user (id),
    tenant BLOB NOT NULL REFERENCES tenant (id),
    backend TEXT NOT NULL,
    login TEXT NOT NULL,
    plugin_digest BLOB NOT NULL,
    dialect TEXT NOT NULL,
    client_address TEXT,
    user_agent TEXT,
    attributes TEXT NOT NULL, -- JSON: an array of pairs
    opened_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_identity ON session (identity);
CREATE INDEX session_by_user ON session (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX session_by_tenant ON session (tenant);
CREATE INDEX session_by_plugin ON session (plugin_digest);

-- Never the token: HMAC-SHA-256 under the server key `key_id`.
CREATE TABLE token (
    hash BLOB NOT NULL,
    key_id INTEGER NOT NULL,
    session BLOB NOT NULL REFERENCES session (id),
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    accesses TEXT NOT NULL, -- JSON: an array of texts
    PRIMARY KEY (hash, key_id)
) STRICT;
CREATE INDEX token_by_session ON token (session);
CREATE INDEX token_by_expiry ON token (expires_at);

CREATE TABLE server_key (
    id INTEGER NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
