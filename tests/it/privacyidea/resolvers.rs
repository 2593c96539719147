//! Resolvers that stand on something else: another backend, a database.

use std::process::Command;

use keyway_tests::postgres;
use keyway_tests::privacyidea::PrivacyideaClient;
use keyway_tests::slapd::{PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};
use keyway_tests::{TestHost, TestHostBuilder, artefact};

use super::house::{bare_house, client};

async fn status(pi: &PrivacyideaClient, user: &str, password: &str) -> u16 {
    pi.auth(&[("username", user), ("password", password)]).await.status
}

#[tokio::test]
async fn the_realm_of_the_design_stands_on_a_file_and_on_ldap() {
    let slapd = Slapd::shared();
    let host = bare_house("")
        .file("svc.pass", SERVICE_PASSWORD.as_bytes())
        .plugin("ldap", artefact("ldap"))
        .backend(&format!(
            r#"name = "ldap_corp"
plugin = "ldap"
config = {{ user_base_dn = "{PEOPLE}", user_login_attribute = "uid", bind_dn = "{SERVICE_DN}" }}
grants.net.directory = {{ address = "{}", tls = "none" }}
grants.credential = ["expose"]
secrets.bind_password = {{ file = "svc.pass" }}
"#,
            slapd.plain()
        ))
        .backend(
            r#"name = "realms"
plugin = "realm"
config.default_realm = "realm1"
config.realms.realm1.resolvers = [{ name = "passwd1", priority = 1 }, { name = "corp", priority = 2 }]
config.resolvers.passwd1 = { type = "passwd", file = "passwd1" }        # a granted file, by name
config.resolvers.corp = { type = "backend", backend = "ldap_corp" }
config.resolvers.local = { type = "directory" }
grants.file.passwd1 = { path = "passwd1.txt" }
grants.delegate = ["ldap_corp"]
"#,
        )
        .start();
    let pi = client(&host);
    assert_eq!(status(&pi, "carol", "c4rol-pw").await, 200);
    assert_eq!(status(&pi, "alice", "s3cre7").await, 200, "of LDAP");
    assert_eq!(status(&pi, "alice@realm1", "s3cre7").await, 200);
    assert_eq!(status(&pi, "alice", "wrong").await, 401);
    assert_eq!(status(&pi, "unknown", "wrong").await, 401);
    // Who comes through the realm is who comes through LDAP itself.
    let wazo = host.wazo();
    let auth_id = |backend: &'static str, login: &'static str| {
        let wazo = wazo.clone();
        async move {
            let answer = wazo
                .login(login, "s3cre7", serde_json::json!({ "backend": backend }))
                .await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.body["data"]["auth_id"].clone()
        }
    };
    assert_eq!(
        auth_id("realms", "alice@realm1").await,
        auth_id("ldap_corp", "alice").await
    );
}

/// A realm on the table `people` of this database.
fn on_database(url: &str, query: &str) -> TestHostBuilder {
    bare_house("").backend(&format!(
        r#"name = "realms"
plugin = "realm"
config.default_realm = "staff"
config.realms.staff.resolvers = [{{ name = "hr" }}]
grants.sql.hr = {{ url = "{url}" }}
[backend.config.resolvers.hr]
type = "sql"
database = "hr"
query = "{query}"
list_query = "SELECT id, login, hash, mail FROM people WHERE login LIKE $1 ORDER BY login"
map = {{ userid = "id", username = "login", password = "hash", email = "mail" }}
"#
    ))
}

const PEOPLE_TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, login TEXT, hash TEXT, mail TEXT);
INSERT INTO people VALUES (7, 'carol', '{SSHA}Bp0FMGZWJ8vBGqZ171M6ot9XFJ9zYWx0c2FsdA==', 'carol@example.org');
INSERT INTO people VALUES (8, 'dave', '$5$saltsaltsalt$sY7VnWGEAgvbaDp5Z.B5YzGHehcXBNCQXog9gDy.RB.', NULL);";

#[tokio::test]
async fn a_table_of_sqlite_is_a_resolver() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hr.db");
    let made = Command::new("python3")
        .args([
            "-c",
            "import sqlite3,sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])",
        ])
        .args([path.as_os_str(), PEOPLE_TABLE.as_ref()])
        .status()
        .expect("python3 runs");
    assert!(made.success());
    let url = format!("sqlite:{}", path.display());
    let host = on_database(&url, "SELECT id, login, hash, mail FROM people WHERE login = $1").start();
    check(&host).await;
}

#[tokio::test]
async fn a_table_of_postgresql_is_a_resolver() {
    let database = postgres::shared().database();
    database.execute(PEOPLE_TABLE);
    let host = on_database(
        &database.url(),
        "SELECT id, login, hash, mail FROM people WHERE login = $1",
    )
    .start();
    check(&host).await;
}

async fn check(host: &TestHost) {
    let pi = client(host);
    assert_eq!(status(&pi, "dave", "d4ve-pw").await, 200);
    assert_eq!(status(&pi, "dave", "wrong").await, 401);
    assert_eq!(status(&pi, "' OR 1=1 --", "d4ve-pw").await, 401);
    assert_eq!(status(&pi, "%", "d4ve-pw").await, 401);
    let log = host.log().text();
    assert!(!log.contains("did not answer a plugin"), "strangers too: {log}");
    let answer = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.to_string().contains("SSHA"), "no hash leaves the server");
}
