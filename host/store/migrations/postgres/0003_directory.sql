-- What wazo's API keeps of users, groups, policies and tenants; refresh tokens; events.

ALTER TABLE directory_user
    ALTER COLUMN login DROP NOT NULL, -- none: logs in by email address only
    ADD COLUMN firstname text COLLATE "C",
    ADD COLUMN firstname_key text COLLATE "C" NOT NULL DEFAULT '', -- empty without a name, as login_key without a login
    ADD COLUMN lastname text COLLATE "C",
    ADD COLUMN lastname_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN purpose text COLLATE "C" NOT NULL DEFAULT 'user',
    ADD COLUMN authentication_method text COLLATE "C" NOT NULL DEFAULT 'default',
    ADD COLUMN search_key text COLLATE "C" NOT NULL DEFAULT '', -- login, names and addresses, each on its line, lower case
    DROP CONSTRAINT directory_user_login_key_unique;
UPDATE directory_user u SET firstname = u.display_name, firstname_key = lower(coalesce(u.display_name, '')),
    search_key = u.login_key || chr(10) || lower(coalesce(u.display_name, '')) || chr(10)
        || coalesce((SELECT string_agg(e.address_key, chr(10)) FROM user_email e WHERE e.directory_user = u.id), '');
ALTER TABLE directory_user DROP COLUMN display_name;
CREATE UNIQUE INDEX directory_user_login_key_unique ON directory_user (tenant, login_key) WHERE login IS NOT NULL;
CREATE INDEX directory_user_by_firstname ON directory_user (firstname_key, id);
CREATE INDEX directory_user_by_lastname ON directory_user (lastname_key, id);
CREATE INDEX directory_user_by_tenant_login ON directory_user (tenant, login_key, id);
CREATE INDEX directory_user_by_tenant_firstname ON directory_user (tenant, firstname_key, id);
CREATE INDEX directory_user_by_tenant_lastname ON directory_user (tenant, lastname_key, id);
-- For searches, where the database may have the extension, which comes with PostgreSQL: without it they read all users, and find the same.
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX directory_user_by_search ON directory_user USING gin (search_key gin_trgm_ops);
EXCEPTION WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR undefined_object THEN
    RAISE NOTICE 'searches among users have no index: %', SQLERRM;
END $$;

ALTER TABLE user_email ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;
ALTER TABLE user_email ALTER COLUMN id DROP DEFAULT;

ALTER TABLE tenant
    ALTER COLUMN name DROP NOT NULL, -- the key is empty without a name
    ADD COLUMN slug text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN slug_key text COLLATE "C" NOT NULL DEFAULT '', -- for order and search alone: slugs are unique in their spelling
    ADD COLUMN phone text COLLATE "C",
    ADD COLUMN contact uuid REFERENCES directory_user (id) ON DELETE SET NULL,
    ADD COLUMN address text NOT NULL DEFAULT '{}', -- JSON: an object
    ADD COLUMN authentication_method text COLLATE "C" NOT NULL DEFAULT 'native',
    DROP CONSTRAINT tenant_name_key_unique;
UPDATE tenant SET slug = CASE WHEN parent = id THEN 'master' ELSE right(replace(id::text, '-', ''), 10) END;
UPDATE tenant SET slug_key = slug;
ALTER TABLE tenant ADD CONSTRAINT tenant_slug_unique UNIQUE (slug);
CREATE INDEX tenant_by_parent ON tenant (parent);
CREATE INDEX tenant_by_name ON tenant (name_key, id);
CREATE INDEX tenant_by_slug ON tenant (slug_key, id);
CREATE INDEX tenant_by_contact ON tenant (contact) WHERE contact IS NOT NULL;

ALTER TABLE policy
    ADD COLUMN slug text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN slug_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN description text COLLATE "C",
    ADD COLUMN shared boolean NOT NULL DEFAULT false,
    ADD COLUMN managed boolean NOT NULL DEFAULT false;
UPDATE policy SET slug = CASE WHEN name ~ '^[A-Za-z0-9_-]+$' THEN name ELSE replace(id::text, '-', '') END;
UPDATE policy SET slug_key = lower(slug);
CREATE UNIQUE INDEX policy_slug_key_unique ON policy (tenant, slug_key);
CREATE INDEX policy_by_name ON policy (name_key, id);

-- "group" is a word of SQL.
CREATE TABLE directory_group (
    id uuid NOT NULL PRIMARY KEY,
    tenant uuid NOT NULL REFERENCES tenant (id),
    name text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    slug text COLLATE "C" NOT NULL,
    slug_key text COLLATE "C" NOT NULL,
    system boolean NOT NULL,
    provided boolean NOT NULL DEFAULT false, -- made because the configuration says so
    CONSTRAINT directory_group_name_key_unique UNIQUE (tenant, name_key),
    CONSTRAINT directory_group_slug_key_unique UNIQUE (tenant, slug_key)
);
CREATE INDEX directory_group_by_name ON directory_group (name_key, id);

CREATE TABLE group_member (
    directory_group uuid NOT NULL REFERENCES directory_group (id) ON DELETE CASCADE,
    directory_user uuid NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    PRIMARY KEY (directory_group, directory_user)
);
CREATE INDEX group_member_by_user ON group_member (directory_user);

CREATE TABLE group_policy (
    directory_group uuid NOT NULL REFERENCES directory_group (id) ON DELETE CASCADE,
    policy uuid NOT NULL REFERENCES policy (id) ON DELETE CASCADE,
    PRIMARY KEY (directory_group, policy)
);
CREATE INDEX group_policy_by_policy ON group_policy (policy);

ALTER TABLE session ADD COLUMN mobile boolean NOT NULL DEFAULT false, ADD COLUMN refresh uuid,
    ADD COLUMN purpose text COLLATE "C" NOT NULL DEFAULT 'user', ADD COLUMN admin boolean; -- none: not asked
CREATE INDEX session_by_refresh ON session (refresh) WHERE refresh IS NOT NULL;
DROP INDEX session_by_tenant;
CREATE INDEX session_by_tenant ON session (tenant, opened_at, id);
CREATE INDEX session_by_opening ON session (opened_at, id);

-- Never the token: HMAC-SHA-256 under the server key `key_id`.
CREATE TABLE refresh_token (
    id uuid NOT NULL PRIMARY KEY,
    hash bytea NOT NULL,
    key_id integer NOT NULL,
    identity uuid NOT NULL,
    directory_user uuid REFERENCES directory_user (id) ON DELETE CASCADE,
    tenant uuid NOT NULL REFERENCES tenant (id),
    backend text COLLATE "C" NOT NULL,
    login text COLLATE "C" NOT NULL,
    plugin_digest bytea NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    client_key text COLLATE "C" NOT NULL,
    mobile boolean NOT NULL,
    client_address text COLLATE "C",
    user_agent text COLLATE "C",
    attributes text NOT NULL, -- JSON: an array of pairs
    created_at bigint NOT NULL,
    expires_at bigint,
    CONSTRAINT refresh_token_hash_unique UNIQUE (hash, key_id),
    CONSTRAINT refresh_token_client_unique UNIQUE (identity, client_id)
);
CREATE INDEX refresh_token_by_user ON refresh_token (directory_user) WHERE directory_user IS NOT NULL;
CREATE INDEX refresh_token_by_tenant ON refresh_token (tenant, created_at, id);
CREATE INDEX refresh_token_by_creation ON refresh_token (created_at, id);
CREATE INDEX refresh_token_by_plugin ON refresh_token (plugin_digest);
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at) WHERE expires_at IS NOT NULL;

-- What a tenant sets for itself, one JSON document for each kind; what is secret in it is sealed under the master key.
CREATE TABLE tenant_setting (
    tenant uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    kind text COLLATE "C" NOT NULL,
    document text NOT NULL,
    sealed bytea,
    PRIMARY KEY (tenant, kind)
);

-- What happened, written in the transaction in which it happened. Transactions end in another order than they take numbers, so a reader
-- goes by (transaction, id), and reads only those of transactions before the oldest that is still open.
CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- By the one clock that all nodes share.
    at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    kind text COLLATE "C" NOT NULL,
    tenant uuid,
    identity uuid,
    document text NOT NULL -- JSON: an object
);
CREATE INDEX event_by_transaction ON event (transaction, id);
CREATE INDEX event_by_time ON event (at);

-- How far each receiver of events has come.
CREATE TABLE event_receiver (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    position bigint NOT NULL,
    at bigint NOT NULL
);
