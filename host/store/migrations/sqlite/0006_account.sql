-- What Kazoo's and Webitel's clients know of tenants and users; digests that stand for passwords; who acts in whose place; attempts to log in.

-- In which order tenants took their names: whoever takes one later is looked at later. The top tenant comes first.
ALTER TABLE tenant ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
UPDATE tenant SET named = place.number
    FROM (SELECT id, row_number() OVER (ORDER BY parent <> id, name_key, id) - 1 AS number FROM tenant) place
    WHERE place.id = tenant.id;
CREATE INDEX tenant_by_named ON tenant (named);

CREATE TABLE account (
    tenant BLOB NOT NULL PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL,
    trial_expires_at INTEGER,
    reseller INTEGER NOT NULL,
    language TEXT,
    timezone TEXT,
    api_key INTEGER NOT NULL, -- how often it was made anew
    document TEXT NOT NULL -- JSON: an object
) STRICT;

CREATE TABLE account_number (
    number_key TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    tenant BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    position INTEGER NOT NULL
) STRICT;
CREATE INDEX account_number_by_tenant ON account_number (tenant);

CREATE TABLE user_profile (
    directory_user BLOB NOT NULL PRIMARY KEY REFERENCES directory_user (id) ON DELETE CASCADE,
    language TEXT,
    timezone TEXT,
    verified INTEGER NOT NULL,
    require_password_update INTEGER NOT NULL,
    document TEXT NOT NULL -- JSON: an object
) STRICT;

-- Argon2id over a digest of login and password, salted with a keyed hash of the tenant, so that one computation finds the user.
CREATE TABLE user_digest (
    directory_user BLOB NOT NULL REFERENCES directory_user (id) ON DELETE CASCADE,
    algorithm TEXT NOT NULL,
    tenant BLOB NOT NULL REFERENCES tenant (id),
    cost TEXT NOT NULL, -- `m=65536,t=3,p=1`
    hash BLOB NOT NULL,
    PRIMARY KEY (directory_user, algorithm)
) STRICT;
CREATE INDEX user_digest_by_hash ON user_digest (tenant, algorithm, hash);
CREATE INDEX user_digest_by_cost ON user_digest (tenant, algorithm, cost);

-- Who acts in the place of the session's owner, and in which session of its own. When that one ends, so does this.
ALTER TABLE session ADD COLUMN actor_session BLOB;
ALTER TABLE session ADD COLUMN actor TEXT; -- JSON: an object
CREATE INDEX session_by_actor ON session (actor_session) WHERE actor_session IS NOT NULL;

CREATE TABLE login_attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    tenant BLOB NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    identity BLOB,
    actor BLOB,
    kind TEXT NOT NULL,
    success INTEGER NOT NULL,
    message TEXT NOT NULL,
    client TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;
CREATE INDEX login_attempt_by_tenant ON login_attempt (tenant, at, id);
CREATE INDEX login_attempt_by_time ON login_attempt (at);
