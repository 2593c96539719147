-- What wazo's API keeps of users, groups, policies and tenants; refresh tokens; events.
--
-- SQLite cannot loosen a constraint, so three tables are made anew. Foreign keys are off while migrations run: dropping a table would
-- otherwise empty those that refer to it.

CREATE TABLE directory_user_new (
    id BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    login TEXT, -- none: logs in by email address only
    login_key TEXT NOT NULL, -- empty without a login
    firstname TEXT,
    firstname_key TEXT NOT NULL, -- empty without a name
    lastname TEXT,
    lastname_key TEXT NOT NULL,
    purpose TEXT NOT NULL,
    authentication_method TEXT NOT NULL,
    search_key TEXT NOT NULL, -- login, names and addresses, each on its line, lower case
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO directory_user_new
    SELECT u.id, u.tenant, u.login, u.login_key, u.display_name, lower(coalesce(u.display_name, '')), NULL, '', 'user', 'default',
        u.login_key || char(10) || lower(coalesce(u.display_name, '')) || char(10)
            || coalesce((SELECT group_concat(e.address_key, char(10)) FROM user_email e WHERE e.directory_user = u.id), ''),
        u.enabled, u.created_at
    FROM directory_user u;
DROP TABLE directory_user;
ALTER TABLE directory_user_new RENAME TO directory_user;
CREATE UNIQUE INDEX directory_user_login_key_unique ON directory_user (tenant, login_key) WHERE login IS NOT NULL;
CREATE INDEX directory_user_by_login ON directory_user (login_key, id);
CREATE INDEX directory_user_by_firstname ON directory_user (firstname_key, id);
CREATE INDEX directory_user_by_lastname ON directory_user (lastname_key, id);
CREATE INDEX directory_user_by_tenant_login ON directory_user (tenant, login_key, id);
CREATE INDEX directory_user_by_tenant_firstname ON directory_user (tenant, firstname_key, id);
CREATE INDEX directory_user_by_tenant_lastname ON directory_user (tenant, lastname_key, id);

CREATE TABLE user_email_new (
    id BLOB NOT NULL UNIQUE,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    address_key TEXT NOT NULL,
    address TEXT NOT NULL,
    directory_user BLOB NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    main INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    PRIMARY KEY (tenant, address_key)
) STRICT;
INSERT INTO user_email_new
    SELECT randomblob(16), tenant, address_key, address, directory_user, position, main, confirmed FROM user_email;
DROP TABLE user_email;
ALTER TABLE user_email_new RENAME TO user_email;
CREATE INDEX user_email_by_user ON user_email (directory_user);
CREATE INDEX user_email_by_address ON user_email (address_key);

CREATE TABLE tenant_new (
    id BLOB NOT NULL PRIMARY KEY,
    parent BLOB NOT NULL REFERENCES tenant (id), -- the top tenant is its own parent
    name TEXT,
    name_key TEXT NOT NULL, -- empty without a name
    realm TEXT,
    realm_key TEXT,
    slug TEXT NOT NULL,
    slug_key TEXT NOT NULL, -- for order and search alone: slugs are unique in their spelling
    phone TEXT,
    contact BLOB REFERENCES directory_user (id) ON DELETE SET NULL,
    address TEXT NOT NULL DEFAULT '{}', -- JSON: an object
    authentication_method TEXT NOT NULL DEFAULT 'native',
    CONSTRAINT tenant_realm_key_unique UNIQUE (realm_key),
    CONSTRAINT tenant_slug_unique UNIQUE (slug)
) STRICT;
INSERT INTO tenant_new
    SELECT id, parent, name, name_key, realm, realm_key,
        CASE WHEN parent = id THEN 'master' ELSE substr(lower(hex(id)), 23) END,
        CASE WHEN parent = id THEN 'master' ELSE substr(lower(hex(id)), 23) END,
        NULL, NULL, '{}', 'native'
    FROM tenant;
DROP TABLE tenant;
ALTER TABLE tenant_new RENAME TO tenant;
CREATE UNIQUE INDEX tenant_single_top ON tenant ((parent = id)) WHERE parent = id;
CREATE INDEX tenant_by_parent ON tenant (parent);
CREATE INDEX tenant_by_name ON tenant (name_key, id);
CREATE INDEX tenant_by_slug ON tenant (slug_key, id);
CREATE INDEX tenant_by_contact ON tenant (contact) WHERE contact IS NOT NULL;

ALTER TABLE policy ADD COLUMN slug TEXT NOT NULL DEFAULT '';
ALTER TABLE policy ADD COLUMN slug_key TEXT NOT NULL DEFAULT '';
ALTER TABLE policy ADD COLUMN description TEXT;
ALTER TABLE policy ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE policy ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;
UPDATE policy SET slug = CASE WHEN name NOT GLOB '*[^A-Za-z0-9_-]*' THEN name ELSE lower(hex(id)) END;
UPDATE policy SET slug_key = lower(slug);
CREATE UNIQUE INDEX policy_slug_key_unique ON policy (tenant, slug_key);
CREATE INDEX policy_by_name ON policy (name_key, id);

-- "group" is a word of SQL.
CREATE TABLE directory_group (
    id BLOB NOT NULL PRIMARY KEY,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    slug TEXT NOT NULL,
    slug_key TEXT NOT NULL,
    system INTEGER NOT NULL,
    provided INTEGER NOT NULL DEFAULT 0, -- made because the configuration says so
    CONSTRAINT directory_group_name_key_unique UNIQUE (tenant, name_key),
    CONSTRAINT directory_group_slug_key_unique UNIQUE (tenant, slug_key)
) STRICT;
CREATE INDEX directory_group_by_name ON directory_group (name_key, id);

CREATE TABLE group_member (
    directory_group BLOB NOT NULL REFERENCES directory_group (id) ON DELETE CASCADE,
    directory_user BLOB NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    PRIMARY KEY (directory_group, directory_user)
) STRICT;
CREATE INDEX group_member_by_user ON group_member (directory_user);

CREATE TABLE group_policy (
    directory_group BLOB NOT NULL REFERENCES directory_group (id) ON DELETE CASCADE,
    policy BLOB NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    PRIMARY KEY (directory_group, policy)
) STRICT;
CREATE INDEX group_policy_by_policy ON group_policy (policy);

ALTER TABLE session ADD COLUMN mobile INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN refresh BLOB;
ALTER TABLE session ADD COLUMN purpose TEXT NOT NULL DEFAULT 'user';
ALTER TABLE session ADD COLUMN admin INTEGER; -- none: not asked
CREATE INDEX session_by_refresh ON session (refresh) WHERE refresh IS NOT NULL;
DROP INDEX session_by_tenant;
CREATE INDEX session_by_tenant ON session (tenant, opened_at, id);
CREATE INDEX session_by_opening ON session (opened_at, id);

-- Never the token: HMAC-SHA-256 under the server key `key_id`.
CREATE TABLE refresh_token (
    id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL,
    key_id INTEGER NOT NULL,
    identity BLOB NOT NULL,
    directory_user BLOB REFERENCES directory_user (id) ON DELETE CASCADE,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    backend TEXT NOT NULL,
    login TEXT NOT NULL,
    plugin_digest BLOB NOT NULL,
    client_id TEXT NOT NULL,
    client_key TEXT NOT NULL,
    mobile INTEGER NOT NULL,
    client_address TEXT,
    user_agent TEXT,
    attributes TEXT NOT NULL, -- JSON: an array of pairs
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    CONSTRAINT refresh_token_hash_unique UNIQUE (hash, key_id),
    CONSTRAINT refresh_token_client_unique UNIQUE (identity, client_id)
) STRICT;
CREATE INDEX refresh_token_by_user ON refresh_token (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX refresh_token_by_tenant ON refresh_token (tenant, created_at, id);
CREATE INDEX refresh_token_by_creation ON refresh_token (created_at, id);
CREATE INDEX refresh_token_by_plugin ON refresh_token (plugin_digest);
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at) WHERE expires_at IS NOT NULL;

-- What a tenant sets for itself, one JSON document for each kind; what is secret in it is sealed under the master key.
CREATE TABLE tenant_setting (
    tenant BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    sealed BLOB,
    PRIMARY KEY (tenant, kind)
) STRICT;

-- What happened, written in the transaction in which it happened.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    kind TEXT NOT NULL,
    tenant BLOB,
    identity BLOB,
    document TEXT NOT NULL -- JSON: an object
) STRICT;
CREATE INDEX event_by_time ON event (at);

-- How far each receiver of events has come.
CREATE TABLE event_receiver (
    name TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
