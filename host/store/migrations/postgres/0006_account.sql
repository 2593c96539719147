-- What Kazoo's and Webitel's clients know of tenants and users; digests that stand for passwords; who acts in whose place; attempts to log in.

-- In which order tenants took their names: whoever takes one later is looked at later. The top tenant comes first.
ALTER TABLE tenant ADD COLUMN named bigint NOT NULL DEFAULT 0;
UPDATE tenant SET named = place.number
    FROM (SELECT id, row_number() OVER (ORDER BY parent <> id, name_key, id) - 1 AS number FROM tenant) place
    WHERE place.id = tenant.id;
CREATE INDEX tenant_by_named ON tenant (named);

CREATE TABLE account (
    tenant uuid NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    enabled boolean NOT NULL,
    trial_expires_at bigint,
    reseller boolean NOT NULL,
    language text COLLATE "C",
    timezone text COLLATE "C",
    api_key bigint NOT NULL, -- how often it was made anew
    document text NOT NULL -- JSON: an object
);

CREATE TABLE account_number (
    number_key text COLLATE "C" NOT NULL PRIMARY KEY,
    number text COLLATE "C" NOT NULL,
    tenant uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    position integer NOT NULL
);
CREATE INDEX account_number_by_tenant ON account_number (tenant);

CREATE TABLE user_profile (
    directory_user uuid NOT NULL PRIMARY KEY REFERENCES directory_user (id) ON DELETE CASCADE,
    language text COLLATE "C",
    timezone text COLLATE "C",
    verified boolean NOT NULL,
    require_password_update boolean NOT NULL,
    document text NOT NULL -- JSON: an object
);

-- Argon2id over a digest of login and password, salted with a keyed hash of the tenant, so that one computation finds the user.
CREATE TABLE user_digest (
    directory_user uuid NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    algorithm text COLLATE "C" NOT NULL,
    tenant uuid NOT NULL REFERENCES tenant (id),
    cost text COLLATE "C" NOT NULL, -- `m=65536,t=3,p=1`
    hash bytea NOT NULL,
    PRIMARY KEY (directory_user, algorithm)
);
CREATE INDEX user_digest_by_hash ON user_digest (tenant, algorithm, hash);
CREATE INDEX user_digest_by_cost ON user_digest (tenant, algorithm, cost);

-- Who acts in the place of the session's owner, and in which session of its own. When that one ends, so does this.
ALTER TABLE session ADD COLUMN actor_session uuid;
ALTER TABLE session ADD COLUMN actor text; -- JSON: an object
CREATE INDEX session_by_actor ON session (actor_session) WHERE actor_session IS NOT NULL;
-- Lest who plans to end sessions takes it that many have an actor.
ANALYZE session (actor_session);

CREATE TABLE login_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- By the one clock that all nodes share.
    at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    tenant uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    identity uuid,
    actor uuid,
    kind text COLLATE "C" NOT NULL,
    success boolean NOT NULL,
    message text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    user_agent text COLLATE "C" NOT NULL,
    request_id text COLLATE "C" NOT NULL
);
CREATE INDEX login_attempt_by_tenant ON login_attempt (tenant, at, id);
CREATE INDEX login_attempt_by_time ON login_attempt (at);
