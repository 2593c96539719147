//! Bringing in wazo-auth's directory.

use keyway_tests::TestHost;
use keyway_tests::postgres::shared;
use keyway_tests::wazo::send;
use keyway_tests::wazo_database::{ALICE, BOB, CAROL, COMPANY, NAMELESS, REFRESH_TOKEN, STAFF, TOP, wazo_database};
use reqwest::Method;
use serde_json::{Value, json};

fn tally(report: &Value, kind: &str) -> [u64; 3] {
    let tallies = report["tallies"].as_array().expect("a list");
    let found = tallies.iter().find(|tally| tally["kind"] == kind).expect("a kind");
    ["added", "present", "skipped"].map(|key| found[key].as_u64().expect("a number"))
}

#[tokio::test]
async fn an_imported_user_logs_in_with_the_old_password_and_gets_a_new_verifier() {
    let mut host = TestHost::builder().user_with("root", "s3cre7", &["--admin"]).start();
    let url = wazo_database(shared()).url();
    let up = host.keyway(&["import", "wazo", "--url", &url]);
    assert_eq!(up.status, 1, "{up:?}");
    assert!(up.stderr.contains("a server is running"), "{up:?}");
    host.kill();

    let dry = host
        .keyway(&["import", "wazo", "--url", &url, "--dry-run", "--json"])
        .ok()
        .json();
    let real = host.keyway(&["import", "wazo", "--url", &url, "--json"]).ok().json();
    assert_eq!(dry["tallies"], real["tallies"]);
    assert_eq!((&dry["dry_run"], &real["dry_run"]), (&json!(true), &json!(false)));
    assert_eq!(tally(&real, "tenant"), [2, 1, 0]);
    assert_eq!(tally(&real, "user"), [2, 0, 1]);
    assert_eq!(tally(&real, "refresh_token"), [1, 0, 1]);
    let skipped = real["skipped"].as_array().expect("a list");
    assert!(skipped.iter().any(|row| row["id"] == CAROL), "{skipped:?}");
    assert!(!real.to_string().contains(REFRESH_TOKEN), "no token is shown");
    let again = host.keyway(&["import", "wazo", "--url", &url]).ok();
    assert!(
        again
            .stdout
            .trim_end()
            .ends_with("nothing to do: all that can be brought in is here"),
        "{again:?}"
    );

    host.launch();
    let alice = host.keyway(&["user", "show", "alice", "--json"]).ok().json();
    assert_eq!((&alice["id"], &alice["tenant"]), (&json!(ALICE), &json!(COMPANY)));
    for _ in 0..2 {
        // The second time it is the renewed verifier that is compared.
        let login = host.wazo().login("alice", "s3cre7", json!({})).await;
        assert_eq!(login.status, 200, "{login:?}");
        assert_eq!(login.body["data"]["auth_id"], ALICE);
        assert_eq!(login.body["data"]["metadata"]["tenant_uuid"], COMPANY);
        assert_eq!(
            login.body["data"]["acl"],
            json!(["confd.users.read", "!confd.users.me.delete", "#"])
        );
    }
    assert_eq!(
        host.wazo().login("alice@example.org", "s3cre7", json!({})).await.status,
        200
    );
    assert_eq!(host.wazo().login("alice", "wrong", json!({})).await.status, 401);
    let with_token = json!({"refresh_token": REFRESH_TOKEN, "client_id": "app"});
    let refreshed = host.wazo().login("", "", with_token).await;
    assert_eq!(
        (refreshed.status, &refreshed.body["data"]["auth_id"]),
        (200, &json!(ALICE))
    );

    host.kill();
    let mut at_rest = Vec::new();
    for file in std::fs::read_dir(host.folder().join("var")).expect("a folder") {
        at_rest.extend(std::fs::read(file.expect("a file").path()).unwrap_or_default());
    }
    let holds = |text: &[u8]| at_rest.windows(text.len()).any(|part| part == text);
    assert!(holds(b"alice@example.org") && holds(b"$argon2id$"), "the store is here");
    assert!(
        !holds(REFRESH_TOKEN.as_bytes()) && !holds(&uuid::Uuid::parse_str(REFRESH_TOKEN).expect("a UUID").into_bytes())
    );
    assert!(!holds(b"l-s3cre7"), "passwords of service accounts are sealed");
    host.launch();
    let tenants = host.keyway(&["tenant", "list", "--json"]).ok().json();
    let parent = |id: &str| {
        let found = tenants
            .as_array()
            .expect("a list")
            .iter()
            .find(|tenant| tenant["id"] == id);
        found.expect("it is here")["parent"].clone()
    };
    assert_eq!(
        [parent(TOP), parent(COMPANY), parent(NAMELESS)],
        [json!(TOP), json!(TOP), json!(COMPANY)]
    );
    let root = host.wazo().token("wazo_user", "root", "s3cre7").await;
    let get = async |path: &str| {
        let request = host.wazo().request(Method::GET, path).header("x-auth-token", &root);
        send(request).await.body
    };
    let members = get(&format!("/groups/{STAFF}/users")).await;
    assert_eq!(members["items"][0]["uuid"], ALICE);
    let bob = get(&format!("/users/{BOB}")).await;
    assert_eq!(
        (&bob["tenant_uuid"], &bob["enabled"]),
        (&json!(NAMELESS), &json!(false))
    );
    let company = get(&format!("/tenants/{COMPANY}")).await;
    assert_eq!(
        (&company["slug"], &company["contact"]),
        (&json!("company"), &json!(ALICE))
    );
    assert_eq!(company["domain_names"], json!(["a.example.org", "b.example.org"]));
}

#[test]
fn a_database_that_is_not_there_or_not_wazo_auths_is_refused_without_its_password() {
    let mut host = TestHost::bare().start();
    host.kill();
    let empty = shared().database().url();
    for (url, said) in [
        (empty.as_str(), "lacks `auth_access.id`"),
        (
            "postgres://u:hidden7@127.0.0.1:1/x",
            "cannot connect to the database `x`",
        ),
        ("mysql://u:hidden7@h/x", "the store's url"),
    ] {
        let refused = host.keyway(&["import", "wazo", "--url", url]);
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
        assert!(!refused.stderr.contains("hidden7"), "{refused:?}");
    }
}
