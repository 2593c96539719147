-- The order in which revocations were committed. One row: whoever revokes updates it last before the commit, so marks are committed in their order.
CREATE TABLE revocation_clock (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    mark bigint NOT NULL, -- how many revocations there were
    swept bigint NOT NULL -- the latest mark of which the row in `revocation` was removed
);
INSERT INTO revocation_clock (id, mark, swept) VALUES (1, 0, 0);

-- What refuses logins that were under way: when the sessions of an identity or a plugin were last revoked as a whole.
CREATE TABLE revocation (
    kind text COLLATE "C" NOT NULL, -- `identity` or `plugin`
    target bytea NOT NULL, -- an identity's id, or a plugin's digest
    mark bigint NOT NULL,
    revoked_at bigint NOT NULL, -- for the sweep alone
    PRIMARY KEY (kind, target)
);
CREATE INDEX revocation_by_time ON revocation (revoked_at);
