//! Commands without a server: the same routes, in process, over a SQLite file.

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A folder with a configuration whose passwords are cheap to hash.
struct Fixture {
    folder: TempDir,
    config: Config,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "password = { memory = \"19MiB\", iterations = 2 }";
        let config = Config::parse(&folder.path().join("keyway.toml"), text, &[]).expect("it is a good one");
        Self { folder, config }
    }

    async fn ask(&self, method: Method, steps: &[&str], body: Value) -> Result<Value, Failure> {
        send(&self.config, &Call::new(method, steps).body(body)).await
    }

    async fn get(&self, steps: &[&str]) -> Result<Value, Failure> {
        send(&self.config, &Call::new(Method::GET, steps)).await
    }
}

#[tokio::test]
async fn what_one_command_writes_the_next_one_finds() {
    let fixture = Fixture::new();
    let body = json!({ "login": "a/ lice?%#&é", "password": "s3cre7", "email": "alice@example.org", "admin": true });
    let added = fixture.ask(Method::POST, &["users"], body).await.expect("it is added");
    let shown = fixture
        .get(&["users", "a/ lice?%#&é"])
        .await
        .expect("whatever the name holds, it is found");
    assert_eq!(shown, added);
    let policies = fixture.get(&["policies"]).await.expect("a list");
    assert_eq!(policies[0]["accesses"], json!(["#"]));
    let list = Call::new(Method::GET, &["users"])
        .query("tenant", "master")
        .query("limit", "5");
    let users = send(&fixture.config, &list).await.expect("a list");
    assert_eq!(users["total"], 1);
    assert!(fixture.folder.path().join("var/keyway.db").exists());
}

#[tokio::test]
async fn a_refusal_says_what_and_what_next() {
    let fixture = Fixture::new();
    let missing = fixture
        .get(&["users", "nobody"])
        .await
        .expect_err("nobody has this name");
    assert_eq!(
        missing.text(),
        "no such user: `nobody`; look for it in a list; names ignore case"
    );
    let body = json!({ "login": "alice", "password": "s3cre7" });
    fixture
        .ask(Method::POST, &["users"], body.clone())
        .await
        .expect("it is added");
    let twice = fixture
        .ask(Method::POST, &["users"], body)
        .await
        .expect_err("the name is taken");
    assert!(twice.text().contains("exists already"), "{twice:?}");
    let token = json!({ "token": "00000000-0000-4000-8000-000000000000" });
    let unknown = fixture
        .ask(Method::POST, &["tokens", "check"], token)
        .await
        .expect_err("there is none");
    assert!(unknown.text().starts_with("no such token"), "{unknown:?}");
}

#[tokio::test]
async fn plugins_are_a_running_servers_business() {
    let fixture = Fixture::new();
    let call = Call::new(Method::GET, &["plugins"]).on_server();
    let failure = send(&fixture.config, &call).await.expect_err("no server runs");
    let folder = fixture.folder.path().display();
    assert_eq!(
        failure.text(),
        format!("no server is running on `{folder}/var`; start it with `keyway -c {folder}/keyway.toml`")
    );
    assert!(
        !fixture.folder.path().join("var").exists(),
        "nothing is made for a question that has no answer"
    );
}

#[tokio::test]
async fn a_command_with_another_master_key_changes_nothing() {
    let fixture = Fixture::new();
    fixture.get(&["users"]).await.expect("the key is made");
    std::fs::write(fixture.folder.path().join("var/master.key"), "0f".repeat(32)).expect("a file");
    let failure = fixture.get(&["users"]).await.expect_err("it opens nothing");
    assert!(failure.text().contains("another master key"), "{failure:?}");
}

#[tokio::test]
async fn an_answer_without_words_is_still_an_error() {
    let failure = read(StatusCode::BAD_GATEWAY, b"<html>").expect_err("no success");
    assert_eq!(failure.text(), "the server answered 502 Bad Gateway");
}
