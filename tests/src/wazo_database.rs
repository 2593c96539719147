//! A database in wazo-auth's documented schema, with a little of everything in it.

use crate::postgres::{PostgresDatabase, PostgresServer};

/// The tables and columns of release 25.14 that matter here, with their types and the constraints that shape the data.
const TABLES: &str = "
    CREATE TABLE auth_access (id serial PRIMARY KEY, access text NOT NULL UNIQUE);
    CREATE TABLE auth_tenant (
        uuid varchar(38) PRIMARY KEY, name text, phone text, contact_uuid varchar(38), parent_uuid varchar(38) NOT NULL,
        slug varchar(10) NOT NULL UNIQUE, default_authentication_method text NOT NULL DEFAULT 'native');
    CREATE TABLE auth_tenant_domain (
        uuid varchar(36) PRIMARY KEY DEFAULT gen_random_uuid()::text, tenant_uuid varchar(38) NOT NULL, name varchar(253) NOT NULL UNIQUE);
    CREATE TABLE auth_address (
        id serial PRIMARY KEY, line_1 text, line_2 text, city text, state text, zip_code text, country text,
        tenant_uuid varchar(38) NOT NULL);
    CREATE TABLE auth_policy (
        uuid varchar(38) PRIMARY KEY, name varchar(80) NOT NULL, description text, tenant_uuid varchar(38) NOT NULL,
        config_managed boolean DEFAULT false, slug varchar(80) NOT NULL, shared boolean NOT NULL DEFAULT false);
    CREATE TABLE auth_policy_access (policy_uuid varchar(38) NOT NULL, access_id integer NOT NULL);
    CREATE TABLE auth_group (
        uuid varchar(38) PRIMARY KEY, name text NOT NULL, tenant_uuid varchar(38) NOT NULL,
        system_managed boolean NOT NULL DEFAULT false, slug varchar(80) NOT NULL);
    CREATE TABLE auth_group_policy (group_uuid varchar(38) NOT NULL, policy_uuid varchar(38) NOT NULL);
    CREATE TABLE auth_user (
        uuid varchar(38) PRIMARY KEY, username varchar(256), password_hash text, password_salt bytea, firstname text, lastname text,
        enabled boolean DEFAULT true, tenant_uuid varchar(38) NOT NULL, purpose text NOT NULL,
        authentication_method text NOT NULL DEFAULT 'default');
    CREATE TABLE auth_email (
        uuid varchar(38) PRIMARY KEY, address text NOT NULL UNIQUE, confirmed boolean NOT NULL, main boolean NOT NULL,
        user_uuid varchar(38) NOT NULL);
    CREATE TABLE auth_user_group (group_uuid varchar(38) NOT NULL, user_uuid varchar(38) NOT NULL);
    CREATE TABLE auth_user_policy (user_uuid varchar(38) NOT NULL, policy_uuid varchar(38) NOT NULL);
    CREATE TABLE auth_refresh_token (
        uuid varchar(36) PRIMARY KEY, client_id text, user_uuid varchar(36), backend text, login text, user_agent text, remote_addr text,
        created_at timestamptz DEFAULT now(), mobile boolean NOT NULL DEFAULT false, metadata json NOT NULL DEFAULT '{}',
        UNIQUE (client_id, user_uuid));
    CREATE TABLE auth_ldap_config (
        tenant_uuid varchar(38) PRIMARY KEY, host varchar(512) NOT NULL, port integer NOT NULL, protocol_version smallint,
        protocol_security text, bind_dn varchar(256), bind_password text, user_base_dn varchar(256) NOT NULL,
        user_login_attribute varchar(64), user_email_attribute varchar(64), search_filters text);
";

/// The top tenant.
pub const TOP: &str = "10000000-0000-4000-8000-000000000001";
/// The top tenant's group of all users.
pub const ALL_USERS_OF_TOP: &str = "30000000-0000-4000-8000-000000000001";
/// A tenant below it, with all that a tenant may have.
pub const COMPANY: &str = "10000000-0000-4000-8000-000000000002";
/// A tenant below that one, without a name.
pub const NAMELESS: &str = "10000000-0000-4000-8000-000000000003";
/// A policy of the company.
pub const READER: &str = "20000000-0000-4000-8000-000000000002";
/// A group of the company.
pub const STAFF: &str = "30000000-0000-4000-8000-000000000009";
/// A user of the company: `alice`, whose password is `s3cre7`.
pub const ALICE: &str = "40000000-0000-4000-8000-000000000001";
/// A user of the nameless tenant who logs in by email address and has no password.
pub const BOB: &str = "40000000-0000-4000-8000-000000000002";
/// A user whose password hash is of no known kind.
pub const CAROL: &str = "40000000-0000-4000-8000-000000000003";
/// A refresh token of alice's client `app`, in clear as wazo-auth keeps it.
pub const REFRESH_TOKEN: &str = "50000000-0000-4000-8000-000000000001";

/// The salt is the bytes from 0 to 63; the hash is what 250,000 rounds of PBKDF2-HMAC-SHA-512 make of it and `s3cre7`.
const HASH: &str = "878c7e9b145d950562fa716062f1afaf5103ec93eea153064c663398b1b4526c5a617187b34e5bf02588eb56e833b1d2b3a30d330839844a6cc24c95315806ff";

/// A fresh database in wazo-auth's schema, with these rows.
pub fn wazo_database(server: &PostgresServer) -> PostgresDatabase {
    let database = server.database();
    database.execute(TABLES);
    database.execute(&rows());
    database
}

fn rows() -> String {
    let salt = "(SELECT string_agg(set_byte('\\x00', 0, byte), '' ORDER BY byte) FROM generate_series(0, 63) AS byte)";
    format!(
        "
        INSERT INTO auth_tenant VALUES ('{TOP}', 'master', NULL, NULL, '{TOP}', 'master', 'native'),
            ('{COMPANY}', 'The company', '555-1234', '{ALICE}', '{TOP}', 'company', 'native'),
            ('{NAMELESS}', NULL, NULL, NULL, '{COMPANY}', 'abc', 'native');
        INSERT INTO auth_tenant_domain (tenant_uuid, name) VALUES ('{COMPANY}', 'b.example.org'), ('{COMPANY}', 'a.example.org');
        INSERT INTO auth_address (line_1, city, tenant_uuid) VALUES ('1, rue Principale', 'Québec', '{COMPANY}');
        INSERT INTO auth_access (id, access) VALUES (1, '#'), (2, 'confd.users.read'), (3, '!confd.users.me.delete');
        INSERT INTO auth_policy VALUES
            ('20000000-0000-4000-8000-000000000001', 'everything', 'All of it', '{TOP}', true, 'everything', true),
            ('{READER}', 'reader', NULL, '{COMPANY}', false, 'reader', false);
        INSERT INTO auth_policy_access VALUES ('20000000-0000-4000-8000-000000000001', 1), ('{READER}', 2), ('{READER}', 3);
        INSERT INTO auth_group VALUES
            ('{ALL_USERS_OF_TOP}', 'wazo-all-users-tenant-{TOP}', '{TOP}', true, 'wazo-all-users-tenant-{TOP}'),
            ('30000000-0000-4000-8000-000000000002', 'wazo-all-users-tenant-{COMPANY}', '{COMPANY}', true, 'wazo-all-users-tenant-{COMPANY}'),
            ('30000000-0000-4000-8000-000000000003', 'wazo-all-users-tenant-{NAMELESS}', '{NAMELESS}', true, 'wazo-all-users-tenant-{NAMELESS}'),
            ('{STAFF}', 'Staff', '{COMPANY}', false, 'staff');
        INSERT INTO auth_group_policy VALUES ('30000000-0000-4000-8000-000000000002', '{READER}'), ('{STAFF}', '{READER}');
        INSERT INTO auth_user (uuid, username, password_hash, password_salt, firstname, lastname, enabled, tenant_uuid, purpose) VALUES
            ('{ALICE}', 'alice', '{HASH}', {salt}, 'Alice', NULL, true, '{COMPANY}', 'user'),
            ('{BOB}', NULL, NULL, NULL, NULL, 'Bob', NULL, '{NAMELESS}', 'user'),
            ('{CAROL}', 'carol', 'md5:old', '\\x00', NULL, NULL, true, '{TOP}', 'internal');
        INSERT INTO auth_email VALUES
            ('60000000-0000-4000-8000-000000000001', 'alice@example.org', true, true, '{ALICE}'),
            ('60000000-0000-4000-8000-000000000002', 'alice@example.com', false, false, '{ALICE}'),
            ('60000000-0000-4000-8000-000000000003', 'bob@example.org', true, true, '{BOB}');
        INSERT INTO auth_user_group VALUES ('30000000-0000-4000-8000-000000000002', '{ALICE}'), ('{STAFF}', '{ALICE}'),
            ('30000000-0000-4000-8000-000000000003', '{BOB}'), ('{ALL_USERS_OF_TOP}', '{CAROL}');
        INSERT INTO auth_user_policy VALUES ('{ALICE}', '20000000-0000-4000-8000-000000000001');
        INSERT INTO auth_refresh_token VALUES
            ('{REFRESH_TOKEN}', 'app', '{ALICE}', 'wazo_user', 'alice', 'curl/8', '192.0.2.1', '2024-01-02 03:04:05.678901+00', false,
             '{{\"kept\": \"yes\", \"number\": 7}}'),
            ('50000000-0000-4000-8000-000000000002', 'app', '{CAROL}', 'wazo_user', 'carol', '', '', now(), true, '{{}}');
        INSERT INTO auth_ldap_config VALUES ('{COMPANY}', 'ldap.example.org', 636, 3, 'ldaps', 'cn=service', 'l-s3cre7', 'ou=people',
            'uid', 'mail', NULL);
        "
    )
}
