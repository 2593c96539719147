//! What is read of other systems' databases.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "foreign/privacyidea.rs"]
mod privacyidea;

use std::sync::Arc;
use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::Timestamp;
use keyway_core::port::{ForeignCounts, ForeignDirectory};
use keyway_store::{OpenError, open_wazo};
use keyway_tests::postgres::shared;
use keyway_tests::wazo_database::{
    ALICE, ALL_USERS_OF_TOP, BOB, COMPANY, NAMELESS, READER, REFRESH_TOKEN, STAFF, TOP, wazo_database,
};

async fn open() -> Arc<dyn ForeignDirectory> {
    let url = wazo_database(shared()).url();
    open_wazo(&url, Duration::from_mins(1))
        .await
        .expect("wazo-auth's database")
}

#[tokio::test]
async fn wazo_auths_directory_is_read_as_it_is() {
    let wazo = open().await;
    let counts = ForeignCounts {
        tenants: 3,
        policies: 2,
        groups: 4,
        users: 3,
        refresh_tokens: 2,
        ldap_settings: 1,
    };
    assert_eq!(wazo.counts().await.expect("numbers"), counts);
    let tenants = wazo.tenants().await.expect("tenants");
    let [top, company, nameless] = tenants.as_slice() else {
        panic!("three tenants: {tenants:?}");
    };
    assert_eq!((top.id.as_str(), top.parent.as_str()), (TOP, TOP));
    assert_eq!(top.all_users.as_deref(), Some(ALL_USERS_OF_TOP));
    assert_eq!(
        (company.id.as_str(), company.contact.as_deref()),
        (COMPANY, Some(ALICE))
    );
    assert_eq!(company.domains, ["a.example.org", "b.example.org"]);
    assert_eq!(company.address.city.as_deref(), Some("Québec"));
    assert_eq!((nameless.name.as_deref(), nameless.slug.as_str()), (None, "abc"));

    let policies = wazo.policies("", 10).await.expect("policies");
    assert_eq!((policies[0].managed, policies[0].shared), (true, true));
    assert_eq!(policies[1].accesses, ["confd.users.read", "!confd.users.me.delete"]);
    let groups = wazo.groups("", 10).await.expect("groups");
    assert_eq!((groups[3].id.as_str(), groups[3].system), (STAFF, false));
    assert_eq!(groups[3].policies, [READER]);
}

#[tokio::test]
async fn wazo_auths_users_are_read_with_what_hangs_on_them() {
    let wazo = open().await;
    let users = wazo.users("", 10).await.expect("users");
    let (alice, bob, carol) = (&users[0], &users[1], &users[2]);
    assert_eq!((alice.login.as_deref(), alice.enabled), (Some("alice"), true));
    assert_eq!(alice.groups, [STAFF], "without the group of all users");
    assert_eq!(alice.policies, ["20000000-0000-4000-8000-000000000001"]);
    let emails: Vec<_> = alice
        .emails
        .iter()
        .map(|email| (email.address.as_str(), email.main, email.confirmed))
        .collect();
    assert_eq!(
        emails,
        [("alice@example.org", true, true), ("alice@example.com", false, false)]
    );
    let verifier = alice
        .verifier
        .as_ref()
        .expect("a known kind")
        .as_ref()
        .expect("a password");
    assert!(verifier.expose().starts_with("$pbkdf2-sha512$i=250000$AAECAwQF"));
    assert_eq!(
        (bob.tenant.as_str(), bob.login.as_deref(), bob.enabled),
        (NAMELESS, None, false)
    );
    assert!(matches!(bob.verifier, Ok(None)));
    assert!(carol.verifier.is_err());
    assert!(!format!("{users:?}").contains("pbkdf2"), "no verifier is shown");
}

#[tokio::test]
async fn wazo_auths_secrets_are_read_and_not_shown() {
    let wazo = open().await;
    let tokens = wazo
        .refresh_tokens(&Secret::new(String::new()), 10)
        .await
        .expect("tokens");
    assert_eq!(tokens[0].value.expose(), REFRESH_TOKEN);
    assert_eq!(tokens[0].created_at, Some(Timestamp(1_704_164_645_678_901)));
    assert_eq!(tokens[0].attributes, [("kept".to_owned(), "yes".to_owned())]);
    assert_eq!((tokens[1].user_agent.as_deref(), tokens[1].mobile), (None, true));
    assert!(!format!("{tokens:?}").contains(REFRESH_TOKEN));
    let ldap = wazo.ldap_settings().await.expect("settings");
    assert!(!format!("{ldap:?}").contains("l-s3cre7"));
    assert_eq!(
        ldap[0]
            .bind_password
            .as_ref()
            .map(|password| password.expose().as_str()),
        Some("l-s3cre7")
    );
}

#[tokio::test]
async fn ids_may_be_of_postgresqls_own_type() {
    let database = wazo_database(shared());
    database.execute(
        "DO $$ DECLARE c record; BEGIN
            ALTER TABLE auth_tenant_domain ALTER uuid DROP DEFAULT;
            FOR c IN SELECT table_name AS t, column_name AS n FROM information_schema.columns
                WHERE table_name LIKE 'auth\\_%' AND column_name LIKE '%uuid' LOOP
                EXECUTE format('ALTER TABLE %I ALTER %I TYPE uuid USING %I::uuid', c.t, c.n, c.n);
            END LOOP;
        END $$",
    );
    assert_eq!(database.query("SELECT pg_typeof(uuid) FROM auth_user LIMIT 1"), "uuid");
    let wazo = open_wazo(&database.url(), Duration::from_mins(1))
        .await
        .expect("wazo-auth's database");
    let tenants = wazo.tenants().await.expect("tenants");
    assert_eq!(
        (tenants[0].id.as_str(), tenants[0].all_users.as_deref()),
        (TOP, Some(ALL_USERS_OF_TOP))
    );
    assert_eq!(wazo.policies("", 10).await.expect("policies").len(), 2);
    assert_eq!(wazo.groups(ALL_USERS_OF_TOP, 10).await.expect("groups").len(), 3);
    let users = wazo.users("", 10).await.expect("users");
    assert_eq!(
        (users[0].emails.len(), users[0].groups.as_slice()),
        (2, [STAFF.to_owned()].as_slice())
    );
    let first = Secret::new(String::new());
    assert_eq!(
        wazo.refresh_tokens(&first, 10).await.expect("tokens")[0].value.expose(),
        REFRESH_TOKEN
    );
    assert_eq!(wazo.ldap_settings().await.expect("settings").len(), 1);
}

#[tokio::test]
async fn a_database_is_read_as_it_was_when_it_was_opened() {
    let database = wazo_database(shared());
    let wazo = open_wazo(&database.url(), Duration::from_mins(1))
        .await
        .expect("wazo-auth's database");
    database.execute("DELETE FROM auth_refresh_token");
    assert_eq!(wazo.counts().await.expect("numbers").refresh_tokens, 2);
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let wazo = open().await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = wazo.users(&after, 2).await.expect("a page");
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        seen.push(page.len());
    }
    assert_eq!(seen, [2, 1]);
    assert_eq!(wazo.users(ALICE, 1).await.expect("a page")[0].id, BOB);
}

#[tokio::test]
async fn what_is_no_database_of_wazo_auths_says_so() {
    let url = shared().database().url();
    let Err(error) = open_wazo(&url, Duration::from_mins(1)).await else {
        panic!("an empty database was taken");
    };
    assert!(
        matches!(&error, OpenError::Foreign { missing, .. } if missing == "auth_access.id"),
        "{error}"
    );
    for url in ["nonsense", "postgres://u:s3cre7@127.0.0.1:1/x"] {
        let Err(error) = open_wazo(url, Duration::from_secs(1)).await else {
            panic!("{url} was taken");
        };
        assert!(!error.to_string().contains("s3cre7"), "{error}");
    }
}
