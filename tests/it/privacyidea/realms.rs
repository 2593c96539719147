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

/// Of `s3cre7 pässword`, one of each format, as libxcrypt, passlib, Drupal and hashlib make them.
const HASHES: &[&str] = &[
    "$1$abcdefgh$vr8.8qoOObXiQ0E4Ff5im0",
    "$5$saltstring$NnbMBkSL1ODeDTmBNEnykSJBuo2UwZ8dT4uiRkusNX6",
    "$6$saltstring$zCnBvulZNStdCPxo9TYAqzAW5CQ0XyCUH1UnefJmHnjS2CB6nigJ1Aluuqh/raUDC1fxmOnXk9sM.bNPMC4h3/",
    "$2b$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    "$2a$05$abcdefghijklmnopqrstuuB7I15/gM.gaXv48joCZk6p.aSe2e9i6",
    "$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    "$y$j75$abcdefgh$gTaOz.MZ7CB2q6Bp.IHhj8cV4BFwUO9Uomzmys4V9y7",
    "$7$6/..../....abcd$4qiFq1UfOZD1T1Fi3XACAdmBMCCAMhO3q./Xu0rLJG.",
    "$P$6abcdefghCkmtDQaSd5xOHHDZrmpGv1",
    "$H$6abcdefghCkmtDQaSd5xOHHDZrmpGv1",
    "$S$6abcdefghug5CBo0AObXLeOfFOZCYRh0FqCKmvhAs3Cdd2dBjE6x",
    "{SSHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==",
    "{SSHA256}VHkJn47ISx96OwqN5tCfEsW+lmFzQkBTJTebnP0DeBBzYWx0",
    "{SSHA512}suMo7RNM/sY3QK/p5s44OOUK9thJoTaD4ibQ8/oYgyo+kSuohyq1EjPoKkQdRAdS2MtYNB8N/7+I+0bZ1vD2wHNhbHRzYWx0c2FsdHNhbHQ=",
    "{SHA}LVnvxZAGPZfgqBxvIRnhpmbbvBM=",
    "ad5759b6182dad6e52a4d5ea9f862415486e3c5a7c78d2dfbcdcbd7a8b6da2cf",
    "1|$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQxMjM0NTY3OA$C576Ae21RRuHWCb8nk6c7JvZTr4BaigKXFdZO/FIS9E",
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQxMjM0NTY3OA$vKP8I9vj+yvvlxu8yg3fwV3I+pyH/TTU6wsvH8NRtuw",
    "$pbkdf2-sha512$i=1000$c2FsdHNhbHQxMjM0NTY3OA$0WaWfZ4En6LfhxsSd2t2ehz5OKk4Ywb1eo97QJTeibGB1QwMBw8JKE5N2tNX6j/j/Frf6PqpJTiQJnkaAv+JaA",
    "$pbkdf2$1000$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA",
    "{PBKDF2}1000$c2FsdHNhbHT/.w$8RfZutTTCtWdtrQl8NpjZgapdWA",
    "$argon2id$v=19$m=8,t=1,p=1$b25seSBmb3IgdGVzdHM$RHmfdvwuOt8b5lPmGIFw8BXPXKs6NrZrTQye4NZk9+0",
];

#[tokio::test]
async fn a_hash_of_every_format_lets_its_owner_in_and_nobody_else() {
    let lines = HASHES.iter().enumerate();
    let lines: Vec<_> = lines
        .map(|(number, hash)| format!("user{number}:{hash}:{number}:100::/:/bin/sh\n"))
        .collect();
    let host = house().file("passwd1.txt", lines.concat().as_bytes()).start();
    let pi = client(&host);
    for (number, hash) in HASHES.iter().enumerate() {
        let user = format!("user{number}");
        let answer = pi.auth(&[("username", &user), ("password", "s3cre7 pässword")]).await;
        assert_eq!(answer.status, 200, "{hash}: {answer:?}");
        assert!(!answer.body.to_string().contains(hash), "no hash leaves the server");
        for wrong in ["s3cre7", hash] {
            let answer = pi.auth(&[("username", &user), ("password", wrong)]).await;
            assert_eq!((answer.status, code_of(&answer)), (401, 4031), "{hash}");
        }
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
