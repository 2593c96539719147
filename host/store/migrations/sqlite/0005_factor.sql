-- Second factors and challenges, the audit, and what is configured through APIs for the whole installation.

CREATE TABLE factor (
    id BLOB NOT NULL PRIMARY KEY,
    serial TEXT NOT NULL,
    serial_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    digits INTEGER NOT NULL,
    period INTEGER NOT NULL,
    owner BLOB, -- an identity: a directory user's id or a row of `identity`; none: nobody's
    directory_user BLOB REFERENCES directory_user (id) ON DELETE CASCADE, -- the owner, if it is one
    tenant BLOB REFERENCES tenant (id), -- the owner's
    login TEXT NOT NULL, -- this and the next ones are empty without an owner
    login_key TEXT NOT NULL,
    realm TEXT NOT NULL,
    realm_key TEXT NOT NULL,
    resolver TEXT NOT NULL,
    resolver_key TEXT NOT NULL,
    state TEXT NOT NULL,
    pin TEXT, -- a PHC string
    counter INTEGER NOT NULL, -- the first that is still good
    drift INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    max_failures INTEGER NOT NULL,
    otp_window INTEGER NOT NULL,
    sync_window INTEGER NOT NULL,
    description TEXT NOT NULL,
    description_key TEXT NOT NULL,
    attributes TEXT NOT NULL, -- JSON: an array of pairs
    sealed_seed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    CONSTRAINT factor_serial_key_unique UNIQUE (serial_key)
) STRICT;
CREATE INDEX factor_by_owner ON factor (owner, serial_key) WHERE owner IS NOT NULL;
CREATE INDEX factor_by_user ON factor (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX factor_by_tenant ON factor (tenant) WHERE tenant IS NOT NULL;
CREATE INDEX factor_by_login ON factor (login_key, serial_key);
CREATE INDEX factor_by_realm ON factor (realm_key, serial_key);
CREATE INDEX factor_by_digits ON factor (digits) WHERE state = 'active' AND owner IS NOT NULL AND kind <> 'recovery';

-- Recovery codes that are left: a keyed hash of each.
CREATE TABLE factor_code (
    factor BLOB NOT NULL REFERENCES factor (id) ON DELETE CASCADE,
    code BLOB NOT NULL,
    PRIMARY KEY (factor, code)
) STRICT;

CREATE TABLE challenge (
    digest BLOB NOT NULL PRIMARY KEY, -- a keyed hash of the transaction id
    sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    answered INTEGER NOT NULL
) STRICT;
CREATE INDEX challenge_by_expiry ON challenge (expires_at);

-- Who asked for what, and how it ended. A `_key` column holds the lower-case form of a text by Unicode's rules where `lower` makes something
-- else of it, which is seldom.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    success INTEGER NOT NULL,
    duration INTEGER NOT NULL, -- microseconds
    action TEXT NOT NULL,
    authentication TEXT NOT NULL,
    login TEXT NOT NULL,
    realm TEXT NOT NULL,
    resolver TEXT NOT NULL,
    administrator TEXT NOT NULL,
    serial TEXT NOT NULL,
    token_type TEXT NOT NULL,
    policies TEXT NOT NULL,
    info TEXT NOT NULL,
    client TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action_key TEXT,
    authentication_key TEXT,
    login_key TEXT,
    realm_key TEXT,
    resolver_key TEXT,
    administrator_key TEXT,
    serial_key TEXT,
    token_type_key TEXT,
    policies_key TEXT,
    info_key TEXT,
    client_key TEXT,
    user_agent_key TEXT,
    request_id_key TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
-- Strangers choose how long a login is, and PostgreSQL's indexes take no long texts.
CREATE INDEX audit_by_login ON audit (substr(login, 1, 64), at);

-- What is configured through APIs, one JSON document each; what is secret in it is sealed under the master key.
CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- clients know it by this: never given out again
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    content TEXT NOT NULL,
    sealed BLOB,
    CONSTRAINT document_name_unique UNIQUE (kind, name)
) STRICT;

-- Counts the changes of documents. One row: a revision is given out once, even if a document goes and another one of its name comes.
CREATE TABLE document_clock (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO document_clock (id, revision) VALUES (1, 0);
