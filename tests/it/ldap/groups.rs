//! The groups of whoever logs in, as `keyway plugin test` shows them.

use keyway_tests::TestHost;
use keyway_tests::slapd::{GROUPS, Slapd};
use serde_json::{Value, json};

use super::corp::{BACKEND, Corp, start_all};

/// The groups of a user who logs in through a backend, sorted.
fn groups(host: &TestHost, backend: &str, login: &str, password: &str) -> Value {
    let plugin = host.plugin_path("ldap.wasm");
    let file = plugin.to_str().expect("a path of text");
    let mut arguments = vec!["plugin", "test", file, "--backend", backend, "--login", login];
    arguments.extend(["--password-stdin", "--json"]);
    let outcome = host.keyway_with_input(&arguments, password).ok().json();
    let mut groups = outcome["groups"]
        .as_array()
        .unwrap_or_else(|| panic!("no groups in {outcome}"))
        .clone();
    groups.sort_by_key(ToString::to_string);
    Value::Array(groups)
}

#[test]
fn groups_are_those_of_the_user_and_where_wanted_those_around_them() {
    let slapd = Slapd::shared();
    let corp = || Corp::at(&slapd.plain());
    let searching = || corp().config(&format!("group_base_dn = \"{GROUPS}\""));
    let nested = "nested_groups = true";
    let host = start_all([
        ("member_of".to_owned(), corp()),
        ("member_of_nested".to_owned(), corp().config(nested)),
        ("search".to_owned(), searching()),
        ("search_nested".to_owned(), searching().config(nested)),
        ("direct".to_owned(), Corp::directly(&slapd.plain())),
    ]);
    for (backend, alices) in [
        ("member_of", json!(["engineers"])),
        // Two of them are members of each other.
        ("member_of_nested", json!(["circle", "engineers", "everybody"])),
        ("search", json!(["engineers"])),
        ("search_nested", json!(["circle", "engineers", "everybody"])),
        ("direct", json!(["engineers"])),
    ] {
        assert_eq!(groups(&host, backend, "alice", "s3cre7"), alices, "{backend}");
        assert_eq!(groups(&host, backend, "nomail", "s3cre7"), json!([]), "{backend}");
    }
    assert_eq!(groups(&host, "search", "bob", "b0bs-s3cre7"), json!(["managers"]));
}

#[test]
fn a_filter_of_the_operators_says_which_groups_count() {
    let corp = Corp::at(&Slapd::shared().plain())
        .config(&format!("group_base_dn = \"{GROUPS}\""))
        .config("group_filter = \"(&(cn=e*)(member={user_dn}))\"");
    let host = start_all([("some".to_owned(), corp)]);
    assert_eq!(groups(&host, "some", "alice", "s3cre7"), json!(["engineers"]));
    assert_eq!(groups(&host, "some", "bob", "b0bs-s3cre7"), json!([]));
}

#[tokio::test]
async fn a_group_is_worth_the_policies_that_the_operator_names() {
    let host = Corp::at(&Slapd::shared().plain())
        .group_policy("engineers = [\"work\", \"calls\"]")
        .group_policy("managers = [\"calls\"]")
        .start();
    host.keyway(&["policy", "add", "work", "--access", "work.#"]).ok();
    host.keyway(&["policy", "add", "calls", "--access", "calls.#"]).ok();
    for (login, password, works, calls) in [
        ("alice", "s3cre7", 204, 204),
        ("bob", "b0bs-s3cre7", 403, 204),
        ("nomail", "s3cre7", 403, 403),
    ] {
        let token = host.wazo().token(BACKEND, login, password).await;
        assert_eq!(host.wazo().check(&token, "?scope=work.do").await, works, "{login}");
        assert_eq!(host.wazo().check(&token, "?scope=calls.do").await, calls, "{login}");
    }
}
