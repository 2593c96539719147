-- Times are microseconds since 1970-01-01 UTC, lists are JSON texts. Names are compared by their `_key` columns, which hold the
-- lower-case form by Unicode's rules. Texts are compared and sorted by their bytes (COLLATE "C"), as in the other store.

CREATE TABLE tenant (
    id uuid NOT NULL PRIMARY KEY,
    parent uuid NOT NULL REFERENCES tenant (id), -- the top tenant is its own parent
    name text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    realm text COLLATE "C",
    realm_key text COLLATE "C",
    CONSTRAINT tenant_name_key_unique UNIQUE (parent, name_key),
    CONSTRAINT tenant_realm_key_unique UNIQUE (realm_key)
);

-- One top tenant, however many nodes start at once.
CREATE UNIQUE INDEX tenant_single_top ON tenant ((parent = id)) WHERE parent = id;

CREATE TABLE tenant_domain (
    domain_key text COLLATE "C" NOT NULL PRIMARY KEY,
    domain text COLLATE "C" NOT NULL,
    tenant uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    position integer NOT NULL
);
CREATE INDEX tenant_domain_by_tenant ON tenant_domain (tenant);

CREATE TABLE directory_user (
    id uuid NOT NULL PRIMARY KEY,
    tenant uuid NOT NULL REFERENCES tenant (id),
    login text COLLATE "C" NOT NULL,
    login_key text COLLATE "C" NOT NULL,
    display_name text COLLATE "C",
    enabled boolean NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT directory_user_login_key_unique UNIQUE (tenant, login_key)
);
CREATE INDEX directory_user_by_login ON directory_user (login_key, id);

CREATE TABLE user_email (
    tenant uuid NOT NULL REFERENCES tenant (id),
    address_key text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    directory_user uuid NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    position integer NOT NULL,
    main boolean NOT NULL,
    confirmed boolean NOT NULL,
    PRIMARY KEY (tenant, address_key)
);
CREATE INDEX user_email_by_user ON user_email (directory_user);
CREATE INDEX user_email_by_address ON user_email (address_key);

CREATE TABLE user_password (
    directory_user uuid NOT NULL PRIMARY KEY REFERENCES directory_user (id) ON DELETE CASCADE,
    verifier text NOT NULL, -- a PHC string
    set_at bigint NOT NULL
);

-- The ids of backends' own subjects. A directory user's identity is the user's id and has no row here.
CREATE TABLE identity (
    id uuid NOT NULL PRIMARY KEY,
    backend text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT identity_subject_unique UNIQUE (backend, subject)
);

CREATE TABLE policy (
    id uuid NOT NULL PRIMARY KEY,
    tenant uuid NOT NULL REFERENCES tenant (id),
    name text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    accesses text NOT NULL, -- JSON: an array of texts, in the operator's order
    CONSTRAINT policy_name_key_unique UNIQUE (tenant, name_key)
);

-- `identity` is a directory user's id or a row of `identity`: no one table to refer to.
CREATE TABLE policy_attachment (
    identity uuid NOT NULL,
    policy uuid NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    PRIMARY KEY (identity, policy)
);
CREATE INDEX policy_attachment_by_policy ON policy_attachment (policy);

CREATE TABLE session (
    id uuid NOT NULL PRIMARY KEY,
    identity uuid NOT NULL,
    directory_user uuid REFERENCES directory_user (id),
    tenant uuid NOT NULL REFERENCES tenant (id),
    backend text COLLATE "C" NOT NULL,
    login text COLLATE "C" NOT NULL,
    plugin_digest bytea NOT NULL,
    dialect text COLLATE "C" NOT NULL,
    client_address text COLLATE "C",
    user_agent text COLLATE "C",
    attributes text NOT NULL, -- JSON: an array of pairs
    opened_at bigint NOT NULL
);
CREATE INDEX session_by_identity ON session (identity);
CREATE INDEX session_by_user ON session (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX session_by_tenant ON session (tenant);
CREATE INDEX session_by_plugin ON session (plugin_digest);

-- Never the token: HMAC-SHA-256 under the server key `key_id`.
CREATE TABLE token (
    hash bytea NOT NULL,
    key_id integer NOT NULL,
    session uuid NOT NULL REFERENCES session (id),
    issued_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    accesses text NOT NULL, -- JSON: an array of texts
    PRIMARY KEY (hash, key_id)
);
CREATE INDEX token_by_session ON token (session);
CREATE INDEX token_by_expiry ON token (expires_at);

CREATE TABLE server_key (
    id integer NOT NULL PRIMARY KEY,
    purpose text COLLATE "C" NOT NULL,
    sealed bytea NOT NULL,
    created_at bigint NOT NULL
);
