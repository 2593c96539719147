//! Who gets in, and who does not.

use keyway_tests::slapd::{SERVICE_PASSWORD, Slapd};
use keyway_tests::{TestHost, artefact};
use serde_json::{Value, json};

use super::corp::{Corp, log_in, log_in_through, start_all, status, status_through};

/// The names of [`both_ways`].
const BOTH_WAYS: [&str; 2] = ["searching", "direct"];

/// A backend that searches for users, and one that binds as the entry that a login stands for.
fn both_ways(slapd: &Slapd) -> [(String, Corp); 2] {
    let [searching, direct] = BOTH_WAYS.map(str::to_owned);
    [
        (searching, Corp::at(&slapd.plain())),
        (direct, Corp::directly(&slapd.plain())),
    ]
}

#[tokio::test]
async fn the_configuration_of_the_design_lets_its_users_in() {
    let slapd = Slapd::shared();
    let backend = format!(
        r#"name = "ldap_corp"
plugin = "ldap"
config = {{ user_base_dn = "ou=people,dc=example,dc=org", user_login_attribute = "uid" }}
grants.net.directory = {{ address = "{}", tls = "implicit", ca = "corp-ca.pem" }}
grants.credential = ["expose"]
secrets.bind_password = {{ file = "svc.pass" }}
limits = {{ deadline = "5s", memory = "64MiB", concurrency = 64 }}
"#,
        slapd.tls()
    );
    let host = TestHost::builder()
        .file("corp-ca.pem", slapd.authority().as_bytes())
        .file("svc.pass", SERVICE_PASSWORD.as_bytes())
        .plugin("ldap", artefact("ldap"))
        .backend(&backend)
        .start();
    host.wait_until_loaded();
    assert_eq!(status(&host, "alice", "s3cre7").await, 200);
    assert_eq!(status(&host, "alice", "wrong").await, 401);
    assert_eq!(host.plugin_status("ldap_corp")["state"], "serving");
}

#[tokio::test]
async fn a_user_is_the_same_identity_each_time_and_nobody_of_another_backend() {
    let host = Corp::at(&Slapd::shared().plain()).start();
    let wazo = host.wazo();
    let first = log_in(&wazo, "alice", "s3cre7").await;
    assert_eq!(first.status, 200, "{first:?}");
    let again = log_in(&wazo, "ALICE", "s3cre7").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(first.body["data"]["auth_id"], again.body["data"]["auth_id"]);
    assert_eq!(first.body["data"]["xivo_user_uuid"], Value::Null, "no user of the host");
    let other = log_in(&wazo, "bob", "b0bs-s3cre7").await;
    assert_eq!(other.status, 200, "{other:?}");
    assert_ne!(first.body["data"]["auth_id"], other.body["data"]["auth_id"]);
    assert_eq!(wazo.check(&first.token(), "").await, 204);
    let elsewhere = wazo.login("alice", "s3cre7", json!({"backend": "wazo_user"})).await;
    assert_eq!(elsewhere.status, 401);
}

#[tokio::test]
async fn whoever_is_refused_is_refused_in_one_wording() {
    let slapd = Slapd::shared();
    let host = start_all(both_ways(slapd));
    for (what, login, password) in [
        ("another's password", "alice", "b0bs-s3cre7"),
        ("a wrong password", "alice", "wrong"),
        ("no password", "alice", ""),
        ("nobody", "nobody", "s3cre7"),
        ("no login", "", "s3cre7"),
        ("somebody outside of the users", "outsider", "s3cre7"),
        ("one of two of the same name", "twin", "s3cre7"),
        ("a locked account", "locked", "s3cre7"),
        ("an expired password", "expired", "s3cre7"),
        ("a password that must be changed first", "mustchange", "s3cre7"),
        ("the service by its name", "svc", SERVICE_PASSWORD),
    ] {
        for how in BOTH_WAYS {
            let mut answer = log_in_through(&host.wazo(), how, login, password).await;
            assert_eq!(answer.status, 401, "{how}, {what}: {answer:?}");
            answer.body["timestamp"] = json!("[now]");
            let expected = json!({"reason": ["Authentication Failed"], "timestamp": "[now]", "status_code": 401});
            assert_eq!(answer.body, expected, "{what}");
        }
    }
    for how in BOTH_WAYS {
        let status = status_through(&host, how, "alice", "s3cre7").await;
        assert_eq!(status, 200, "nobody was locked out");
    }
}

#[tokio::test]
async fn a_name_of_any_characters_is_found_as_it_is() {
    let host = start_all(both_ways(Slapd::shared()));
    for login in ["Doe, John+x", "a*(b)\\c", "zoë"] {
        for how in BOTH_WAYS {
            assert_eq!(status_through(&host, how, login, "s3cre7").await, 200, "{login} {how}");
            assert_eq!(status_through(&host, how, login, "wrong").await, 401, "{login} {how}");
        }
    }
}

#[tokio::test]
async fn a_filter_of_the_operators_says_who_may_log_in_and_by_which_name() {
    let slapd = Slapd::shared();
    let staff = "search_filters = \"(&(employeeType=staff)({user_login_attribute}={username}))\"";
    let either = "search_filters = \"(|(uid={username})({user_email_attribute}={username}))\"";
    let host = start_all([
        ("staff".to_owned(), Corp::at(&slapd.plain()).config(staff)),
        ("either".to_owned(), Corp::at(&slapd.plain()).config(either)),
    ]);
    for (backend, login, password, expected) in [
        ("staff", "alice", "s3cre7", 200),
        ("staff", "bob", "b0bs-s3cre7", 401),
        ("either", "alice", "s3cre7", 200),
        ("either", "alice@example.org", "s3cre7", 200),
        ("either", "bob@example.org", "s3cre7", 401),
        ("either", "twin@example.org", "s3cre7", 401),
        ("either", "*@example.org", "s3cre7", 401),
    ] {
        let status = status_through(&host, backend, login, password).await;
        assert_eq!(status, expected, "{login} through {backend}");
    }
}
