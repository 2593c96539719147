//! A shell with curl and jq, as Kazoo's own script and the lines of its documents have it. `make curl-jq` installs them.

use std::path::Path;

use keyway_tests::kazoo::md5_of;
use keyway_tests::kazoo_clients::run_shell;
use reqwest::Method;
use serde_json::json;

use crate::kazoo::house::{House, house};

fn run(house: &House, lines: &str) -> String {
    let clients = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/it/kazoo/clients"));
    let variables = [("SERVER", &*house.host.url("")), ("ACME", &*house.acme)];
    run_shell(lines, clients, &variables)
}

#[tokio::test]
async fn a_shell_takes_over_the_account_and_the_token() {
    let house = house();
    let root = house.kazoo.token("master", "root", "r00t-pw").await;
    let path = format!("/v2/accounts/{}", house.acme);
    let numbered = json!({ "phone_numbers": ["+14155550100"] });
    let numbered = house.kazoo.send_as(&root, Method::PATCH, &path, numbered).await;
    assert_eq!(numbered.status, 200, "{numbered:?}");
    let key = house.kazoo.get_as(&root, &format!("{path}/api_key")).await;
    let key = key.body["data"]["api_key"].as_str().expect("a key").to_owned();
    for (login, users) in [
        ("account_name acme \"$CREDENTIALS\"", "boss john@example.com"),
        (
            "account_realm acme.example.org \"$CREDENTIALS\"",
            "boss john@example.com",
        ),
        ("phone_number +14155550100 \"$CREDENTIALS\"", "boss john@example.com"),
        (&*format!("api_key {key}"), "boss john@example.com"),
    ] {
        let lines = format!(
            "CREDENTIALS=$(printf %s boss:b0ss-pw | md5sum | cut -d ' ' -f 1)\n\
             eval \"$(sh \"$CLIENTS/export_token.sh\" \"$SERVER\" {login})\"\n\
             test \"$ACCOUNT_ID\" = \"$ACME\"\n\
             curl -s -H \"X-Auth-Token: $AUTH_TOKEN\" \"$SERVER/v2/accounts/$ACCOUNT_ID/users\" | jq -r '.data[].username'"
        );
        let listed = run(&house, &lines);
        assert_eq!(
            listed.split_whitespace().collect::<Vec<_>>().join(" "),
            users,
            "{login}"
        );
    }
}

#[tokio::test]
async fn a_shell_is_told_why_not() {
    let house = house();
    let wrong = md5_of("boss", "wr0ng");
    for (login, told) in [
        (format!("account_name acme {wrong}"), "error 401 invalid_credentials"),
        (format!("account_name nosuch {wrong}"), "error 401 invalid_credentials"),
        ("account_name acme ''".to_owned(), "error 400 validation error"),
        (format!("api_key {}", "a".repeat(64)), "error 404 bad_identifier"),
    ] {
        let lines = format!("eval \"$(sh \"$CLIENTS/export_token.sh\" \"$SERVER\" {login})\"");
        assert_eq!(run(&house, &lines).trim_end(), told, "{login}");
    }
}

#[tokio::test]
async fn the_account_and_the_digest_do_without_a_token() {
    let house = house();
    let lines = "curl -s --basic --user \"$ACME:$(printf %s boss:b0ss-pw | md5sum | cut -d ' ' -f 1)\" \
                 \"$SERVER/v2/accounts/$ACME\" | jq -r .data.name";
    assert_eq!(run(&house, lines).trim_end(), "acme");
    let wrong = lines.replace("b0ss-pw", "wr0ng").replace(".data.name", ".error");
    assert_eq!(run(&house, &wrong).trim_end(), "401");
}
