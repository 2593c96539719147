//! Realms: whose user is meant, and who decides.

use keyway_tests::privacyidea::code_of;
use serde_json::json;

use super::house::{PASSWD, bare_house, client, house};

#[tokio::test]
async fn every_hash_of_the_flat_file_lets_its_owner_in_and_nobody_else() {
    let host = house().start();
    let pi = client(&host);
    for (user, password) in [
        ("carol", "c4rol-pw"),
        ("dave", "d4ve-pw"),
        ("max", "m4x-pw"),
        ("yves", "y3s-pw"),
        ("bob", "b0b-pw"),
    ] {
        let answer = pi.auth(&[("username", user), ("password", password)]).await;
        assert_eq!(answer.status, 200, "{user}: {answer:?}");
        let value = &answer.body["result"]["value"];
        assert_eq!(
            (&value["username"], &value["realm"], &value["role"]),
            (&json!(user), &json!("realm1"), &json!("user"))
        );
        let wrong = pi.auth(&[("username", user), ("password", "wrong")]).await;
        assert_eq!((wrong.status, code_of(&wrong)), (401, 4031), "{user}");
        assert!(!answer.body.to_string().contains("$6$"), "no hash leaves the server");
    }
    for password in ["x", ""] {
        let answer = pi.auth(&[("username", "nobody"), ("password", password)]).await;
        assert_eq!(answer.status, 401, "{password}");
    }
}

#[tokio::test]
async fn a_user_name_is_split_as_the_original_splits_it() {
    let host = house().start();
    let pi = client(&host);
    let table = [
        ("carol", "", 200),
        ("carol@realm1", "", 200),
        ("carol@REALM1", "", 200),
        ("realm1\\carol", "", 200),
        ("carol", "realm1", 200),
        // The parameter beats the name's realm, and the name stays split.
        ("carol@house", "realm1", 200),
        ("carol@nosuch", "", 401),
        ("nosuch\\carol", "", 401),
        ("carol", "house", 401),
        ("carol", "nosuch", 401),
        ("Carol", "", 401),
    ];
    for (username, realm, status) in table {
        let fields = [("username", username), ("password", "c4rol-pw"), ("realm", realm)];
        let answer = pi.auth(&fields).await;
        assert_eq!(answer.status, status, "{username} in {realm:?}: {answer:?}");
    }
    let alice = pi.auth(&[("username", "alice@house"), ("password", "s3cre7")]).await;
    assert_eq!(alice.status, 200, "{alice:?}");
}

#[tokio::test]
async fn an_edit_of_the_file_is_live_at_the_next_login() {
    let host = house().start();
    let pi = client(&host);
    assert_eq!(
        pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await.status,
        200
    );
    let without = PASSWD.replace("carol:", "caroline:");
    std::fs::write(host.folder().join("passwd1.txt"), without).expect("a file");
    assert_eq!(
        pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await.status,
        401
    );
    assert_eq!(
        pi.auth(&[("username", "caroline"), ("password", "c4rol-pw")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_first_resolver_that_knows_the_login_decides_alone() {
    let host = bare_house("")
        .file(
            "second.txt",
            PASSWD
                .replace("c4rol", "other")
                .replace("$6$", "$6$rounds=5000$")
                .as_bytes(),
        )
        .backend(
            r#"name = "realms"
plugin = "realm"
config.default_realm = "both"
config.realms.both.resolvers = [{ name = "local", priority = 2 }, { name = "passwd1", priority = 1 }]
config.resolvers.passwd1 = { type = "passwd", file = "passwd1" }
config.resolvers.local = { type = "directory" }
grants.file.passwd1 = { path = "passwd1.txt" }
"#,
        )
        .user("carol", "the-hosts-carol")
        .start();
    let pi = client(&host);
    assert_eq!(
        pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await.status,
        200
    );
    // A wrong password is wrong: the next resolver, whose carol has it, is not asked.
    let other = pi.auth(&[("username", "carol"), ("password", "the-hosts-carol")]).await;
    assert_eq!(other.status, 401, "{other:?}");
    assert_eq!(
        pi.auth(&[("username", "alice"), ("password", "s3cre7")]).await.status,
        200
    );
}

#[tokio::test]
async fn a_resolver_that_is_down_fails_or_is_skipped_as_the_operator_says() {
    for (on_error, status) in [("fail", 503), ("skip", 200)] {
        let host = bare_house("")
            .backend(&format!(
                r#"name = "realms"
plugin = "realm"
config.default_realm = "both"
config.realms.both.resolvers = [{{ name = "gone", priority = 1 }}, {{ name = "passwd1", priority = 2 }}]
config.resolvers.gone = {{ type = "passwd", file = "gone", on_error = "{on_error}" }}
config.resolvers.passwd1 = {{ type = "passwd", file = "passwd1" }}
grants.file.passwd1 = {{ path = "passwd1.txt" }}
grants.file.gone = {{ path = "gone.txt" }}
"#
            ))
            .start();
        let pi = client(&host);
        let answer = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
        assert_eq!(answer.status, status, "{on_error}: {answer:?}");
        assert!(host.log().text().contains("gone"), "the log names the resolver");
    }
}

#[tokio::test]
async fn a_delegation_in_a_circle_is_refused_when_the_configuration_is_checked() {
    let host = bare_house("")
        .backend(
            r#"name = "realms"
plugin = "realm"
config.resolvers.other = { type = "backend", backend = "others" }
config.realms.r.resolvers = [{ name = "other" }]
grants.delegate = ["others"]
"#,
        )
        .backend(
            r#"name = "others"
plugin = "realm"
config.resolvers.back = { type = "backend", backend = "wazo_user" }
config.realms.r.resolvers = [{ name = "back" }]
grants.delegate = ["wazo_user"]
"#,
        )
        .start();
    let path = host.folder().join("keyway.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let circle = text.replace("grants.delegate = [\"wazo_user\"]", "grants.delegate = [\"realms\"]");
    std::fs::write(&path, circle).expect("a configuration");
    let checked = host.keyway(&["config", "check"]);
    assert_eq!(checked.status, 2, "{checked:?}");
    assert!(
        checked.stderr.contains("realms") && checked.stderr.contains("others"),
        "{checked:?}"
    );
}

#[tokio::test]
async fn realms_and_resolvers_are_listed_and_the_files_are_read_only() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let realms = pi.get_as(&admin, "/realm/").await;
    assert_eq!(realms.status, 200, "{realms:?}");
    let value = &realms.body["result"]["value"];
    assert_eq!(value["realm1"]["default"], json!(true), "{realms:?}");
    assert_eq!(value["realm1"]["resolver"][0]["name"], "passwd1");
    assert_eq!(value["realm1"]["resolver"][0]["priority"], 1);
    let resolvers = pi.get_as(&admin, "/resolver/").await;
    assert_eq!(
        resolvers.body["result"]["value"]["passwd1"]["type"], "passwdresolver",
        "{resolvers:?}"
    );
    let fixed = pi.post_as(&admin, "/realm/realm1", &[("resolvers", "local")]).await;
    assert_eq!(fixed.status, 403, "{fixed:?}");
    let users = pi.get_as(&admin, "/user/?realm=realm1&username=*a*").await;
    let names: Vec<_> = users.body["result"]["value"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| user["username"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["carol", "dave", "max"], "{users:?}");
    assert!(!users.body.to_string().contains("$6$"), "no hash leaves the server");
}

#[tokio::test]
async fn a_realm_made_through_the_api_is_there_at_the_next_login_and_after_a_restart() {
    let mut host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let unknown = pi.auth(&[("username", "carol@made"), ("password", "c4rol-pw")]).await;
    assert_eq!(unknown.status, 401, "{unknown:?}");
    let resolver = pi
        .post_as(
            &admin,
            "/resolver/flat2",
            &[("type", "passwdresolver"), ("fileName", "passwd1")],
        )
        .await;
    assert_eq!(resolver.status, 200, "{resolver:?}");
    let made = pi
        .post_as(
            &admin,
            "/realm/made",
            &[("resolvers", "flat2,nosuch"), ("priority.flat2", "7")],
        )
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(
        made.body["result"]["value"],
        json!({"added": ["flat2"], "failed": ["nosuch"]})
    );
    let carol = pi.auth(&[("username", "carol@made"), ("password", "c4rol-pw")]).await;
    assert_eq!(carol.status, 200, "{carol:?}");
    assert_eq!(carol.body["result"]["value"]["realm"], "made");
    host.kill();
    host.launch();
    let pi = client(&host);
    let carol = pi.auth(&[("username", "carol@made"), ("password", "c4rol-pw")]).await;
    assert_eq!(carol.status, 200, "{carol:?}");
    let admin = pi.token("admin", "4dmin-pw").await;
    let in_use = pi.delete_as(&admin, "/resolver/flat2").await;
    assert_eq!((in_use.status, code_of(&in_use)), (400, 302), "{in_use:?}");
    assert_eq!(pi.delete_as(&admin, "/realm/made").await.status, 200);
    assert_eq!(pi.delete_as(&admin, "/resolver/flat2").await.status, 200);
}
