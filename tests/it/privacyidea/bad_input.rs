//! One bad input of each kind: a status, a code, and always JSON.

use keyway_tests::privacyidea::code_of;
use keyway_tests::wazo::send;
use reqwest::Method;

use super::house::{client, house};

#[tokio::test]
async fn a_body_that_is_no_request_is_400_in_json() {
    let host = house().start();
    let pi = client(&host);
    for body in [
        "{",
        "[1]",
        "{\"username\": 7, \"password\": \"x\"}",
        "{\"username\": [\"admin\"], \"password\": \"x\"}",
        "{\"username\": \"a\\u0000\", \"password\": \"x\"}",
        &format!("{{\"username\": \"{}\", \"password\": \"x\"}}", "a".repeat(5000)),
        &format!("{{\"username\": \"carol\", \"password\": \"{}\"}}", "x".repeat(100_000)),
    ] {
        let request = pi
            .request(Method::POST, "/auth")
            .header("Content-Type", "application/json");
        let answer = send(request.body(body.to_owned())).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.body["result"]["status"], false, "{body}: {answer:?}");
    }
    let missing = pi.post("/validate/check", &[("user", "carol")]).await;
    assert_eq!((missing.status, code_of(&missing)), (400, 905), "{missing:?}");
}

#[tokio::test]
async fn a_login_that_is_refused_has_the_originals_code() {
    let host = house().start();
    let pi = client(&host);
    let table = [
        (&[("username", "carol"), ("password", "wrong")][..], 401, 4031),
        (&[("username", "unknown"), ("password", "wrong")], 401, 4031),
        (&[("username", "carol")], 401, 4031),
        (&[("username", "carol"), ("password", "")], 401, 4031),
        (&[("username", ""), ("password", "x")], 401, 4031),
        (
            &[("username", "carol"), ("password", "c4rol-pw"), ("realm", "nosuch")],
            401,
            4031,
        ),
        (&[("password", "x")], 401, 4032),
    ];
    for (fields, status, code) in table {
        let answer = pi.auth(fields).await;
        assert_eq!(
            (answer.status, code_of(&answer)),
            (status, code),
            "{fields:?}: {answer:?}"
        );
        assert_eq!(answer.body["result"]["status"], false);
        assert!(answer.headers.get("www-authenticate").is_none(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_none_has_the_originals_code() {
    let host = house().start();
    let pi = client(&host);
    let carol = pi.token("carol", "c4rol-pw").await;
    let (head, _) = carol.rsplit_once('.').expect("a JWT");
    let none =
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ1c2VybmFtZSI6ImFkbWluIiwicm9sZSI6ImFkbWluIiwiZXhwIjo0MTAyNDQ0ODAwfQ.";
    for bad in ["x", "a.b.c", none, &format!("{head}.AAAA")] {
        let answer = pi.get_as(bad, "/auth/rights").await;
        assert_eq!((answer.status, code_of(&answer)), (401, 4304), "{bad}: {answer:?}");
    }
    let role = pi.get_as(&carol, "/realm/").await;
    assert_eq!((role.status, code_of(&role)), (401, 4306), "{role:?}");
    assert_eq!(pi.get_as(&format!("Bearer {carol}"), "/auth/rights").await.status, 200);
}

#[tokio::test]
async fn unknown_things_have_the_originals_code() {
    let host = house().start();
    let pi = client(&host);
    let admin = pi.token("admin", "4dmin-pw").await;
    let realm = pi.delete_as(&admin, "/realm/nosuch").await;
    assert_eq!((realm.status, code_of(&realm)), (404, 601), "{realm:?}");
    let resolver = pi.post_as(&admin, "/resolver/new", &[("fileName", "passwd1")]).await;
    assert_eq!((resolver.status, code_of(&resolver)), (400, 905), "{resolver:?}");
    let user = pi.validate("unknown", "x").await;
    assert_eq!((user.status, code_of(&user)), (400, 904), "{user:?}");
    let path = send(pi.request(Method::POST, "/auth/")).await;
    assert_eq!((path.status, code_of(&path)), (404, 601), "{path:?}");
    let method = send(pi.request(Method::GET, "/auth")).await;
    assert_eq!((method.status, code_of(&method)), (405, -405), "{method:?}");
    assert!(method.headers.get("allow").is_some(), "{method:?}");
}
