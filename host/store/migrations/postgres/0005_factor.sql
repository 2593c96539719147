-- Second factors and challenges, the audit, and what is configured through APIs for the whole installation.

CREATE TABLE factor (
    id uuid NOT NULL PRIMARY KEY,
    serial text COLLATE "C" NOT NULL,
    serial_key text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    algorithm text COLLATE "C" NOT NULL,
    digits integer NOT NULL,
    period integer NOT NULL,
    owner uuid, -- an identity: a directory user's id or a row of `identity`; none: nobody's
    directory_user uuid REFERENCES directory_user (id) ON DELETE CASCADE, -- the owner, if it is one
    tenant uuid REFERENCES tenant (id), -- the owner's
    login text COLLATE "C" NOT NULL, -- this and the next ones are empty without an owner
    login_key text COLLATE "C" NOT NULL,
    realm text COLLATE "C" NOT NULL,
    realm_key text COLLATE "C" NOT NULL,
    resolver text COLLATE "C" NOT NULL,
    resolver_key text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    pin text, -- a PHC string
    counter bigint NOT NULL, -- the first that is still good
    drift bigint NOT NULL,
    failures bigint NOT NULL,
    max_failures bigint NOT NULL,
    otp_window bigint NOT NULL,
    sync_window bigint NOT NULL,
    description text COLLATE "C" NOT NULL,
    description_key text COLLATE "C" NOT NULL,
    attributes text NOT NULL, -- JSON: an array of pairs
    sealed_seed bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint,
    CONSTRAINT factor_serial_key_unique UNIQUE (serial_key)
);
CREATE INDEX factor_by_owner ON factor (owner, serial_key) WHERE owner IS NOT NULL;
CREATE INDEX factor_by_user ON factor (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX factor_by_tenant ON factor (tenant) WHERE tenant IS NOT NULL;
CREATE INDEX factor_by_login ON factor (login_key, serial_key);
CREATE INDEX factor_by_realm ON factor (realm_key, serial_key);
CREATE INDEX factor_by_digits ON factor (digits) WHERE state = 'active' AND owner IS NOT NULL AND kind <> 'recovery';

-- Recovery codes that are left: a keyed hash of each.
CREATE TABLE factor_code (
    factor uuid NOT NULL REFERENCES factor (id) ON DELETE CASCADE,
    code bytea NOT NULL,
    PRIMARY KEY (factor, code)
);

CREATE TABLE challenge (
    digest bytea NOT NULL PRIMARY KEY, -- a keyed hash of the transaction id
    sealed bytea NOT NULL,
    expires_at bigint NOT NULL,
    answered boolean NOT NULL
);
CREATE INDEX challenge_by_expiry ON challenge (expires_at);

-- Who asked for what, and how it ended. A `_key` column holds the lower-case form of a text by Unicode's rules where `lower` makes something
-- else of it, which is seldom.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- By the one clock that all nodes share.
    at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    success boolean NOT NULL,
    duration bigint NOT NULL, -- microseconds
    action text COLLATE "C" NOT NULL,
    authentication text COLLATE "C" NOT NULL,
    login text COLLATE "C" NOT NULL,
    realm text COLLATE "C" NOT NULL,
    resolver text COLLATE "C" NOT NULL,
    administrator text COLLATE "C" NOT NULL,
    serial text COLLATE "C" NOT NULL,
    token_type text COLLATE "C" NOT NULL,
    policies text COLLATE "C" NOT NULL,
    info text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    user_agent text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    action_key text COLLATE "C",
    authentication_key text COLLATE "C",
    login_key text COLLATE "C",
    realm_key text COLLATE "C",
    resolver_key text COLLATE "C",
    administrator_key text COLLATE "C",
    serial_key text COLLATE "C",
    token_type_key text COLLATE "C",
    policies_key text COLLATE "C",
    info_key text COLLATE "C",
    client_key text COLLATE "C",
    user_agent_key text COLLATE "C",
    request_id_key text COLLATE "C"
);
CREATE INDEX audit_by_time ON audit (at);
-- Strangers choose how long a login is, and PostgreSQL's indexes take no long texts.
CREATE INDEX audit_by_login ON audit (substr(login, 1, 64), at);

-- What is configured through APIs, one JSON document each; what is secret in it is sealed under the master key.
CREATE TABLE document (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- clients know it by this: never given out again
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    content text NOT NULL,
    sealed bytea,
    CONSTRAINT document_name_unique UNIQUE (kind, name)
);

-- Counts the changes of documents. One row: a revision is given out once, even if a document goes and another one of its name comes.
CREATE TABLE document_clock (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    revision bigint NOT NULL
);
INSERT INTO document_clock (id, revision) VALUES (1, 0);
