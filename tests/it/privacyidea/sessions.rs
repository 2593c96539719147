//! A JWT is good while the session of the core behind it is.

use keyway_tests::privacyidea::code_of;
use keyway_tests::wazo::send;
use reqwest::Method;

use super::house::{PASSWD, client, house, house_with};

#[tokio::test]
async fn a_jwt_ends_with_a_logout_with_its_user_and_with_the_administrators_word() {
    let host = house().start();
    let pi = client(&host);
    let logged_out = pi.token("carol", "c4rol-pw").await;
    assert_eq!(pi.get_as(&logged_out, "/auth/rights").await.status, 200);
    let out = pi.delete_as(&logged_out, "/auth").await;
    assert!(out.status < 300, "{out:?}");
    let alices = pi.token("alice@house", "s3cre7").await;
    assert_eq!(pi.get_as(&alices, "/auth/rights").await.status, 200);
    host.keyway(&["user", "remove", "alice"]).ok();
    let admins = pi.token("admin", "4dmin-pw").await;
    host.keyway(&["token", "revoke", "--user", "admin"]).ok();
    for token in [logged_out, alices, admins] {
        let answer = pi.get_as(&token, "/auth/rights").await;
        assert_eq!((answer.status, code_of(&answer)), (401, 4304), "{answer:?}");
    }
}

#[tokio::test]
async fn a_user_of_a_superuser_realm_administers() {
    let host = house_with("superuser_realms = [\"realm1\"]").start();
    let pi = client(&host);
    let answer = pi.auth(&[("username", "carol"), ("password", "c4rol-pw")]).await;
    let value = &answer.body["result"]["value"];
    assert_eq!(
        (&value["role"], &value["realm"]),
        (&"admin".into(), &"realm1".into()),
        "{answer:?}"
    );
    let token = value["token"].as_str().expect("a token");
    assert_eq!(pi.get_as(token, "/realm/").await.status, 200);
}

#[tokio::test]
async fn who_is_named_like_an_administrator_is_none_by_that() {
    let namesake = PASSWD.replace("carol:", "admin:");
    let host = house().file("passwd1.txt", namesake.as_bytes()).start();
    let pi = client(&host);
    let table = [
        ("admin", "4dmin-pw", "admin", ""),
        // Another person, of the default realm.
        ("admin", "c4rol-pw", "user", "realm1"),
        ("admin@realm1", "c4rol-pw", "user", "realm1"),
        // The host's own user, through a realm.
        ("admin@house", "4dmin-pw", "user", "house"),
    ];
    for (username, password, role, realm) in table {
        let answer = pi.auth(&[("username", username), ("password", password)]).await;
        let value = &answer.body["result"]["value"];
        assert_eq!(
            (&value["role"], &value["realm"]),
            (&role.into(), &realm.into()),
            "{username}: {answer:?}"
        );
        let token = value["token"].as_str().expect("a token");
        let status = if role == "admin" { 200 } else { 401 };
        assert_eq!(pi.get_as(token, "/realm/").await.status, status, "{username}");
    }
    for username in ["admin@realm1", "realm1\\admin"] {
        let answer = pi.auth(&[("username", username), ("password", "4dmin-pw")]).await;
        assert_eq!(answer.status, 401, "{username}: {answer:?}");
    }
}

#[tokio::test]
async fn a_header_that_names_a_user_is_not_believed() {
    let host = house().start();
    let pi = client(&host);
    for header in ["REMOTE_USER", "Remote-User", "X-Remote-User"] {
        let login = pi.request(Method::POST, "/auth").header(header, "admin");
        let login = send(login.form(&[("username", "admin")])).await;
        assert_eq!((login.status, code_of(&login)), (401, 4031), "{header}: {login:?}");
        let rights = send(pi.request(Method::GET, "/auth/rights").header(header, "admin")).await;
        assert_eq!((rights.status, code_of(&rights)), (401, 4033), "{header}: {rights:?}");
    }
}

#[tokio::test]
async fn a_signed_answer_is_signed_over_its_sorted_text() {
    let host = house_with("sign_responses = true").start();
    let pi = client(&host);
    let answer = pi.auth(&[("username", "carol"), ("password", "wrong")]).await;
    let signature = answer.body["signature"].as_str().expect("a signature");
    let hex = signature.strip_prefix("rsa_sha256_pss:").expect("its kind");
    assert!(
        hex.len() >= 512 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{signature}"
    );
}
