//! What is read of a database that the real privacyIDEA has written, wherever it has written it.

use std::sync::Arc;
use std::time::Duration;

use keyway_core::port::{
    PrivacyideaCounts, PrivacyideaDatabase, PrivacyideaMember, PrivacyideaToken, PrivacyideaValue,
};
use keyway_store::{OpenError, open_privacyidea};
use keyway_tests::mariadb::MariaServer;
use keyway_tests::postgres::shared as postgres;
use keyway_tests::privacyidea_database::{in_mariadb, in_postgres, shared};

const PATIENCE: Duration = Duration::from_mins(1);

async fn open(url: &str) -> Arc<dyn PrivacyideaDatabase> {
    open_privacyidea(url, PATIENCE).await.expect("privacyIDEA's database")
}

async fn token(database: &dyn PrivacyideaDatabase, serial: &str) -> PrivacyideaToken {
    let tokens = database.tokens(0, 100).await.expect("tokens");
    let found = tokens.into_iter().find(|token| token.serial == serial);
    found.expect("a token")
}

async fn all_of_it_is_read(database: &dyn PrivacyideaDatabase) {
    let counts = PrivacyideaCounts {
        resolvers: 3,
        realms: 3,
        tokens: 8,
        policies: 3,
    };
    assert_eq!(database.counts().await.expect("numbers"), counts);
    realms_are_read(database).await;
    tokens_are_read(database).await;
    policies_are_read(database).await;
    let settings = database.settings().await.expect("settings");
    assert!(settings.iter().any(|(key, _)| key == "__timestamp__"), "{settings:?}");
}

async fn realms_are_read(database: &dyn PrivacyideaDatabase) {
    let resolvers = database.resolvers().await.expect("resolvers");
    let names: Vec<_> = resolvers
        .iter()
        .map(|resolver| (resolver.name.as_str(), resolver.kind.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("hr", "sqlresolver"),
            ("ldap1", "ldapresolver"),
            ("passwd1", "passwdresolver")
        ]
    );
    let password = resolvers[1].settings.iter().find(|(key, _)| key == "BINDPW");
    let Some((_, PrivacyideaValue::Encrypted(password))) = password else {
        panic!("{password:?}");
    };
    assert!(password.expose().contains(':') && !password.expose().contains("l-s3cre7"));
    let realms = database.realms().await.expect("realms");
    let names: Vec<_> = realms
        .iter()
        .map(|realm| (realm.name.as_str(), realm.is_default))
        .collect();
    assert_eq!(names, [("corp", false), ("mixed", false), ("realm1", true)]);
    let member = |resolver: &str, priority| PrivacyideaMember {
        resolver: resolver.to_owned(),
        priority,
        node: String::new(),
    };
    assert_eq!(realms[2].resolvers, [member("passwd1", Some(3))]);
    assert_eq!(realms[1].resolvers.len(), 2);
    assert!(realms[1].resolvers.contains(&member("hr", Some(2))));
}

async fn tokens_are_read(database: &dyn PrivacyideaDatabase) {
    let first = token(database, "HOTP1").await;
    assert_eq!((first.kind.as_str(), first.description.as_str()), ("hotp", "the first"));
    assert_eq!(
        (first.digits, first.counter, first.failures, first.max_failures),
        (6, 1, 1, 10)
    );
    assert_eq!((first.window, first.sync_window), (10, 1000));
    assert_eq!(
        (first.active, first.revoked, first.rollout_state.as_str()),
        (true, false, "enrolled")
    );
    assert!(first.has_seed() && first.pin.expose().starts_with("$argon2id$"));
    assert_eq!(first.info("hashlib"), Some("sha1"));
    let owner = &first.owners[0];
    assert_eq!(
        (owner.resolver.as_str(), owner.userid.as_str(), owner.realm.as_str()),
        ("passwd1", "1000", "realm1")
    );
    let off = token(database, "OFF").await;
    assert_eq!((off.active, off.revoked, off.owners.len()), (false, false, 0));
    let revoked = token(database, "REVOKED").await;
    assert_eq!((revoked.active, revoked.revoked, revoked.locked), (false, true, true));
    assert!(token(database, "HOTP2").await.pin.expose().starts_with("@@"));
    let other = token(database, "TOTP2").await;
    assert_eq!(
        (other.digits, other.info("hashlib"), other.info("timeStep")),
        (8, Some("sha256"), Some("60"))
    );

    // Page by page it is the same.
    let (mut after, mut serials) = (0, Vec::new());
    while let Some(token) = database.tokens(after, 1).await.expect("a token").pop() {
        after = token.id;
        serials.push((token.serial, token.owners.len()));
    }
    let all = database.tokens(0, 100).await.expect("tokens");
    let all: Vec<_> = all
        .into_iter()
        .map(|token| (token.serial, token.owners.len()))
        .collect();
    assert_eq!(serials, all);
}

async fn policies_are_read(database: &dyn PrivacyideaDatabase) {
    let policies = database.policies().await.expect("policies");
    let names: Vec<_> = policies
        .iter()
        .map(|policy| (policy.name.as_str(), policy.active))
        .collect();
    assert_eq!(names, [("asks", false), ("joins", true), ("session", true)]);
    let session = &policies[2];
    assert_eq!((session.scope.as_str(), session.priority), ("webui", 2));
    assert!(session.action.contains("jwt_validity=600"), "{}", session.action);
    let limit = |key| {
        session
            .limits
            .iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(
        (limit("realm"), limit("time"), limit("user")),
        (Some("realm1"), Some("Mon-Fri: 8-17"), None)
    );
    let condition = &session.conditions[0];
    assert_eq!(
        (condition.section.as_str(), condition.key.as_str()),
        ("userinfo", "email")
    );
    assert_eq!(
        (
            condition.comparator.as_str(),
            condition.value.as_str(),
            condition.active
        ),
        ("equals", "a@b.c", true)
    );
}

#[tokio::test]
async fn privacyideas_database_is_read_from_sqlite() {
    all_of_it_is_read(&*open(&shared().await.url()).await).await;
}

#[tokio::test]
async fn privacyideas_database_is_read_from_postgresql() {
    let database = postgres().database();
    let written = in_postgres(&database).await;
    // As the program's configuration has it, and as the store's does.
    drop(open(&written.url()).await);
    all_of_it_is_read(&*open(&database.url()).await).await;
}

#[tokio::test]
async fn privacyideas_database_is_read_from_mariadb() {
    let server = MariaServer::start();
    let written = in_mariadb(&server.database()).await;
    all_of_it_is_read(&*open(&written.url()).await).await;
}

#[tokio::test]
async fn a_database_that_is_none_of_privacyideas_is_refused() {
    let refused = open_privacyidea(&postgres().database().url(), PATIENCE).await.err();
    let Some(OpenError::NotPrivacyidea { missing, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(missing, "config");
    let refused = open_privacyidea("sqlite:/nowhere/pi.sqlite", PATIENCE).await.err();
    let refused = refused.map(|error| error.to_string());
    assert!(refused.is_some_and(|refused| refused.contains("`/nowhere/pi.sqlite`")));
}
