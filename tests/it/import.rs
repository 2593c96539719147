//! Bringing in wazo-auth's directory.

use keyway_tests::TestHost;
use keyway_tests::postgres::{PostgresDatabase, shared};
use keyway_tests::wazo::{Answer, send};
use keyway_tests::wazo_database::{
    ALICE, BOB, CAROL, COMPANY, NAMELESS, READER, REFRESH_TOKEN, STAFF, TOP, wazo_database,
};
use reqwest::Method;
use serde_json::{Value, json};

const NOTHING_TO_DO: &str = "nothing to do: all that can be brought in is here";

/// A server that is down, over a database of its own, and a database of wazo-auth's.
struct Move {
    host: TestHost,
    store: PostgresDatabase,
    wazo: PostgresDatabase,
}

impl Move {
    fn new() -> Self {
        let (store, wazo) = (shared().database(), wazo_database(shared()));
        let mut host = TestHost::builder()
            .store(&store.url())
            .user_with("root", "s3cre7", &["--admin"])
            .start();
        host.kill();
        Self { host, store, wazo }
    }

    fn import(&self, options: &[&str]) -> String {
        let url = self.wazo.url();
        let arguments = [&["import", "wazo", "--url", &url], options].concat();
        self.host.keyway(&arguments).ok().stdout
    }

    fn report(&self, options: &[&str]) -> Value {
        let report = self.import(&[options, &["--json"]].concat());
        serde_json::from_str(&report).expect("a JSON report")
    }

    /// The kind of alice's verifier, `$argon2id` for example.
    fn verifier(&self) -> String {
        self.store.query(&format!(
            "SELECT substr(verifier, 1, 10) FROM user_password WHERE directory_user = '{ALICE}'"
        ))
    }

    async fn get(&self, token: &str, path: &str) -> Value {
        let request = self.host.wazo().request(Method::GET, path);
        send(request.header("x-auth-token", token)).await.body
    }

    async fn refresh(&self) -> Answer {
        let with_token = json!({"refresh_token": REFRESH_TOKEN, "client_id": "app"});
        self.host.wazo().login("", "", with_token).await
    }
}

fn tally(report: &Value, kind: &str) -> [u64; 3] {
    let tallies = report["tallies"].as_array().expect("a list");
    let found = tallies.iter().find(|tally| tally["kind"] == kind).expect("a kind");
    ["added", "present", "skipped"].map(|key| found[key].as_u64().expect("a number"))
}

#[test]
fn a_dry_run_says_what_an_import_does_and_writes_nothing() {
    let it = Move::new();
    let before = (it.store.content(), it.wazo.content());
    let dry = it.report(&["--dry-run"]);
    let text = it.import(&["--dry-run"]);
    assert_eq!((it.store.content(), it.wazo.content()), before);
    assert!(text.contains("users                   2        0        1\n"), "{text}");
    assert!(text.trim_end().ends_with("a dry run: nothing was changed"), "{text}");

    let real = it.report(&[]);
    assert_eq!(dry["tallies"], real["tallies"]);
    assert_eq!(dry["skipped"], real["skipped"]);
    assert_eq!((&dry["dry_run"], &real["dry_run"]), (&json!(true), &json!(false)));
    for (kind, numbers) in [
        ("tenant", [2, 1, 0]),
        ("domain", [2, 0, 0]),
        ("policy", [2, 0, 0]),
        ("group", [1, 3, 0]),
        ("user", [2, 0, 1]),
        ("membership", [1, 0, 0]),
        ("attachment", [3, 0, 0]),
        ("contact", [1, 0, 0]),
        ("refresh_token", [1, 0, 1]),
        ("ldap_settings", [1, 0, 0]),
    ] {
        assert_eq!(tally(&real, kind), numbers, "{kind}");
    }
    let skipped = real["skipped"].as_array().expect("a list");
    assert!(skipped.iter().any(|row| row["id"] == CAROL), "{skipped:?}");
    assert!(!real.to_string().contains(REFRESH_TOKEN), "no token is shown");
    assert_ne!(it.store.content(), before.0);
    assert_eq!(it.wazo.content(), before.1, "it is only read");
}

#[test]
fn a_second_run_changes_nothing() {
    let it = Move::new();
    let text = it.import(&[]);
    assert!(
        text.contains(&format!("skipped users `{CAROL}`: its password hash is of no kind")),
        "{text}"
    );
    assert!(text.trim_end().ends_with("done"), "{text}");
    let before = it.store.content();
    let again = it.import(&[]);
    assert!(again.trim_end().ends_with(NOTHING_TO_DO), "{again}");
    assert_eq!(it.store.content(), before);
}

#[tokio::test]
async fn an_imported_user_logs_in_with_the_old_password_and_gets_a_new_verifier() {
    let mut it = Move::new();
    it.import(&[]);
    assert_eq!(it.verifier(), "$pbkdf2-sh");
    it.host.launch();
    let wrong = it.host.wazo().login("alice", "wrong", json!({})).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(it.verifier(), "$pbkdf2-sh", "a wrong password renews nothing");
    for login in ["alice", "alice@example.org"] {
        // The second time it is the renewed verifier that is compared.
        let answer = it.host.wazo().login(login, "s3cre7", json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["data"]["auth_id"], ALICE);
        assert_eq!(answer.body["data"]["metadata"]["tenant_uuid"], COMPANY);
        assert_eq!(
            answer.body["data"]["acl"],
            json!(["confd.users.read", "!confd.users.me.delete", "#"])
        );
        assert_eq!(it.verifier(), "$argon2id$");
    }
    let wrong = it.host.wazo().login("alice", "wrong", json!({})).await;
    assert_eq!(wrong.status, 401);
    let bob = it.host.wazo().login("bob@example.org", "s3cre7", json!({})).await;
    assert_eq!(bob.status, 401, "he is disabled and has no password");

    it.host.kill();
    let again = it.import(&[]);
    assert!(again.trim_end().ends_with(NOTHING_TO_DO), "{again}");
    assert_eq!(it.verifier(), "$argon2id$", "the old one does not come back");
}

#[tokio::test]
async fn an_imported_refresh_token_issues_tokens_until_it_is_revoked_for_good() {
    let mut it = Move::new();
    it.import(&[]);
    it.host.launch();
    for _ in 0..2 {
        let refreshed = it.refresh().await;
        assert_eq!(
            (refreshed.status, &refreshed.body["data"]["auth_id"]),
            (200, &json!(ALICE))
        );
        assert_eq!(
            it.host
                .wazo()
                .check(&refreshed.token(), "?scope=confd.users.read")
                .await,
            204
        );
    }
    let alice = it.host.wazo().token("wazo_user", "alice", "s3cre7").await;
    let revoke = it.host.wazo().request(Method::DELETE, "/users/me/tokens/app");
    assert_eq!(send(revoke.header("x-auth-token", alice)).await.status, 204);
    assert_eq!(it.refresh().await.status, 401);

    it.host.kill();
    let again = it.report(&[]);
    assert_eq!(tally(&again, "refresh_token"), [0, 0, 2]);
    it.host.launch();
    assert_eq!(it.refresh().await.status, 401, "no import brings it back");
}

#[tokio::test]
async fn what_was_imported_is_served_under_its_own_ids() {
    let mut it = Move::new();
    it.import(&[]);
    it.host.launch();
    let tenants = it.host.keyway(&["tenant", "list", "--json"]).ok().json();
    let parent = |id: &str| {
        let mut tenants = tenants.as_array().expect("a list").iter();
        tenants.find(|tenant| tenant["id"] == id).expect("it is here")["parent"].clone()
    };
    assert_eq!(
        [parent(TOP), parent(COMPANY), parent(NAMELESS)],
        [json!(TOP), json!(TOP), json!(COMPANY)]
    );
    let root = it.host.wazo().token("wazo_user", "root", "s3cre7").await;
    let members = it.get(&root, &format!("/groups/{STAFF}/users")).await;
    assert_eq!(members["items"][0]["uuid"], ALICE);
    let bob = it.get(&root, &format!("/users/{BOB}")).await;
    assert_eq!(
        (&bob["tenant_uuid"], &bob["enabled"]),
        (&json!(NAMELESS), &json!(false))
    );
    let reader = it.get(&root, &format!("/policies/{READER}")).await;
    assert_eq!(reader["acl"], json!(["confd.users.read", "!confd.users.me.delete"]));
    let company = it.get(&root, &format!("/tenants/{COMPANY}")).await;
    assert_eq!(
        (&company["slug"], &company["contact"]),
        (&json!("company"), &json!(ALICE))
    );
    assert_eq!(company["domain_names"], json!(["a.example.org", "b.example.org"]));
    let ldap = it.host.wazo().request(Method::GET, "/backends/ldap");
    let ldap = send(ldap.header("x-auth-token", &root).header("wazo-tenant", COMPANY)).await;
    assert_eq!(
        (&ldap.body["host"], &ldap.body["port"]),
        (&json!("ldap.example.org"), &json!(636))
    );
    assert!(!ldap.body.to_string().contains("l-s3cre7"), "{ldap:?}");
}

#[tokio::test]
async fn a_login_that_is_taken_is_left_out_and_the_rest_comes() {
    let mut it = Move::new();
    it.host
        .keyway_with_input(&["user", "add", "ALICE@example.com", "--password-stdin"], "0wn")
        .ok();
    for options in [&["--dry-run"][..], &[]] {
        let report = it.report(options);
        assert_eq!(tally(&report, "user"), [1, 0, 2], "{report}");
        let skipped = report["skipped"].as_array().expect("a list");
        let alice = skipped.iter().find(|row| row["id"] == ALICE).expect("she is named");
        assert!(
            alice["reason"].as_str().expect("a text").contains("taken here"),
            "{alice}"
        );
    }
    it.host.launch();
    assert_eq!(it.host.wazo().login("alice", "s3cre7", json!({})).await.status, 401);
    let own = it.host.wazo().login("alice@example.com", "0wn", json!({})).await;
    assert_eq!(own.status, 200, "whoever was here first is untouched");
}

#[tokio::test]
async fn what_is_secret_is_not_at_rest_in_clear() {
    let mut host = TestHost::builder().start();
    let url = wazo_database(shared()).url();
    let up = host.keyway(&["import", "wazo", "--url", &url]);
    assert_eq!(up.status, 1, "{up:?}");
    assert!(up.stderr.contains("a server is running"), "{up:?}");
    host.kill();
    host.keyway(&["import", "wazo", "--url", &url]).ok();
    let mut at_rest = Vec::new();
    for file in std::fs::read_dir(host.folder().join("var")).expect("a folder") {
        at_rest.extend(std::fs::read(file.expect("a file").path()).unwrap_or_default());
    }
    let holds = |text: &[u8]| at_rest.windows(text.len()).any(|part| part == text);
    assert!(holds(b"alice@example.org"), "the store is here");
    let token = uuid::Uuid::parse_str(REFRESH_TOKEN).expect("a UUID");
    assert!(!holds(REFRESH_TOKEN.as_bytes()) && !holds(token.as_bytes()));
    assert!(!holds(b"l-s3cre7"), "passwords of service accounts are sealed");
}

#[test]
fn a_database_that_is_not_there_or_not_wazo_auths_is_refused_without_its_password() {
    let mut host = TestHost::bare().start();
    host.kill();
    let empty = shared().database().url();
    for (url, said, next) in [
        (empty.as_str(), "lacks `auth_access.id`", "check its name and user"),
        (
            "postgres://u:hidden7@127.0.0.1:1/x",
            "cannot connect to the database `x` at `127.0.0.1:1` as `u`",
            "check that it runs and accepts this user",
        ),
        (
            "postgres://u:hidden7@127.0.0.1:port/x",
            "the url of the database to be brought in cannot be read",
            "write `postgres://USER@HOST/DATABASE`",
        ),
        (
            "mysql://u:hidden7@h/x",
            "names no PostgreSQL database",
            "write `postgres://USER@HOST/DATABASE`",
        ),
    ] {
        let refused = host.keyway(&["import", "wazo", "--url", url]);
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(
            refused.stderr.contains(said) && refused.stderr.contains(next),
            "{refused:?}"
        );
        assert!(
            !refused.stderr.contains("hidden7") && refused.stdout.is_empty(),
            "{refused:?}"
        );
    }
}
