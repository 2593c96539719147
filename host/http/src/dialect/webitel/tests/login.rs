//! `POST /login`.

use keyway_core::model::{Query, TenantScope};
use keyway_core::port::{DocumentKind, DocumentStore as _, NewDocument, SessionStore as _};
use serde_json::json;

use super::{House, JSON, told};
use crate::{CdrSettings, UnknownUser, WebitelSettings};

#[tokio::test]
async fn login_of_a_domain_s_user_answers_what_the_original_does() {
    let house = House::with(WebitelSettings {
        cdr: CdrSettings {
            host: "http://cdr:10023".to_owned(),
            use_proxy: true,
        },
        ..WebitelSettings::default()
    })
    .await;
    let reply = house.log_in("100@mydomain.com", "secret").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let mut body = reply.json();
    let token = body["token"].take();
    assert!(
        token
            .as_str()
            .expect("a token")
            .starts_with("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.")
    );
    assert!(uuid::Uuid::try_parse(body["key"].take().as_str().expect("a key")).is_ok());
    insta::assert_snapshot!(body, @r#"{"key":null,"domain":"mydomain.com","username":"100","expires":1767312000123,"token":null,"role":0,"roleName":"user","acl":{"account":["r","uo"],"acl/roles":["r"],"blacklist":["c","r","u"],"cc/tiers":["r"],"cdr":["ro"],"cdr/files":["ro"],"channels":["*"],"hotdesk":["*"],"kibana":["r"],"metadata":["r"],"vmail":["ro"]},"cdr":{"host":"http://cdr:10023","useProxy":"true"}}"#);
}

#[tokio::test]
async fn domain_is_any_name_of_the_tenant_and_none_is_the_top_one() {
    let house = House::new().await;
    for (name, password, domain, role) in [
        ("100@MyDomain.com", "secret", json!("mydomain.com"), 0),
        ("100@mydomain", "secret", json!("mydomain.com"), 0),
        ("admin@mydomain.com", "4dmin", json!("mydomain.com"), 1),
        ("alice", "s3cre7", json!(null), 2),
    ] {
        let reply = house.log_in(name, password).await;
        let body = reply.json();
        assert_eq!(
            (reply.status.as_u16(), &body["domain"], &body["role"]),
            (200, &domain, &json!(role)),
            "{name}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn nobody_is_let_in_under_another_domain_than_its_own() {
    let house = House::new().await;
    for name in ["100", "100@other.com", "alice@mydomain.com", "stranger@mydomain.com"] {
        let password = if name.starts_with("alice") { "s3cre7" } else { "secret" };
        assert_eq!(
            told(&house.log_in(name, password).await),
            "401 \"secret incorrect\"",
            "{name}"
        );
    }
    assert_eq!(house.log_in("stranger", "x").await.status, 200);
}

#[tokio::test]
async fn refusals_are_in_the_original_s_words() {
    let house = House::new().await;
    let table = [
        (
            "a wrong password",
            json!({"username": "100@mydomain.com", "password": "no"}),
        ),
        (
            "an unknown user",
            json!({"username": "999@mydomain.com", "password": "no"}),
        ),
        (
            "an unknown domain",
            json!({"username": "100@nosuch.com", "password": "no"}),
        ),
        ("an empty domain", json!({"username": "100@", "password": "no"})),
        (
            "no user before the domain",
            json!({"username": "@mydomain.com", "password": "no"}),
        ),
        ("no password", json!({"username": "100@mydomain.com"})),
        (
            "an empty password",
            json!({"username": "100@mydomain.com", "password": ""}),
        ),
        (
            "a password that is none",
            json!({"username": "100@mydomain.com", "password": 5}),
        ),
        ("no name", json!({"password": "secret"})),
        ("an empty name", json!({"username": "", "password": "secret"})),
        ("a name that is none", json!({"username": 5, "password": "secret"})),
        ("a list", json!([])),
    ];
    let mut lines = Vec::new();
    for (case, body) in table {
        let reply = house.ask("POST", "/login", &[JSON], &body.to_string()).await;
        lines.push(format!("{case}: {}", told(&reply)));
    }
    for (case, body) in [("no JSON", "{"), ("nothing", "")] {
        let reply = house.ask("POST", "/login", &[JSON], body).await;
        lines.push(format!("{case}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a wrong password: 401 "secret incorrect"
    an unknown user: 401 "secret incorrect"
    an unknown domain: 401 "secret incorrect"
    an empty domain: 401 "secret incorrect"
    no user before the domain: 401 "secret incorrect"
    no password: 401 "secret incorrect"
    an empty password: 401 "secret incorrect"
    a password that is none: 400 "The password is to be a text."
    no name: 400 "User name is required"
    an empty name: 400 "User name is required"
    a name that is none: 400 "User name is required"
    a list: 400 "The body is no JSON object."
    no JSON: 400 "The body is no JSON."
    nothing: 400 "User name is required"
    "#);
}

#[tokio::test]
async fn who_is_not_there_is_told_only_where_the_operator_says_so() {
    let house = House::with(WebitelSettings {
        unknown_user: UnknownUser::NotFound,
        ..WebitelSettings::default()
    })
    .await;
    for (name, answer) in [
        ("999@mydomain.com", "404 \"User not found\""),
        ("100@nosuch.com", "404 \"User not found\""),
        ("100@mydomain.com", "401 \"secret incorrect\""),
    ] {
        assert_eq!(told(&house.log_in(name, "no").await), answer, "{name}");
    }
}

#[tokio::test]
async fn fault_is_503_and_says_nothing_of_the_reason() {
    let house = House::new().await;
    let reply = house.log_in("unavailable", "x").await;
    assert_eq!(told(&reply), "503 \"The service is unavailable.\"");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert!(!reply.body.contains("secret-host"), "{reply:?}");
    house.state.store.set_down(true);
    assert_eq!(house.log_in("alice", "s3cre7").await.status, 503);
}

#[tokio::test]
async fn question_of_a_backend_is_answered_by_the_query() {
    let house = House::new().await;
    let body = json!({"username": "asked", "password": "x"}).to_string();
    for (uri, answer) in [
        ("/login", "301 \"Set security code\""),
        ("/login?code=", "301 \"Set security code\""),
        ("/login?code=123456", "200"),
        ("/login?code=654321", "401 \"code incorrect\""),
    ] {
        assert_eq!(told(&house.ask("POST", uri, &[JSON], &body).await), answer, "{uri}");
    }
}

#[tokio::test]
async fn login_in_a_domain_that_is_not_there_takes_the_same_way() {
    let house = House::new().await;
    house.enroll("100@mydomain.com", "secret").await;
    let mut asked = Vec::new();
    // In six digits may end a one-time password, too.
    for name in ["999@mydomain.com", "999@nosuch.com"] {
        let before = house.backend.calls().len();
        assert_eq!(
            told(&house.log_in(name, "secret123456").await),
            "401 \"secret incorrect\"",
            "{name}"
        );
        asked.push(house.backend.calls().len() - before);
    }
    assert_eq!(asked, [2, 2]);
    let calls = house.backend.calls();
    let tenant = calls.last().and_then(|call| call.context.tenant.clone());
    let tree = house.state.state.directory.tenant_tree().await.expect("a tree");
    assert_eq!(tree.find(&tenant.expect("a tenant")), None);
    for (name, password) in [("admin@nosuch.com", "4dmin"), ("stranger@nosuch.com", "x")] {
        assert_eq!(told(&house.log_in(name, password).await), "401 \"secret incorrect\"");
    }
}

#[tokio::test]
async fn nobody_has_more_sessions_than_the_operator_allows() {
    let house = House::new().await;
    let pair = house.user().await;
    for _ in 1..100 {
        assert_eq!(house.log_in("100@mydomain.com", "secret").await.status, 200);
    }
    assert_eq!(
        told(&house.log_in("100@mydomain.com", "secret").await),
        "429 \"There are too many sessions.\""
    );
    assert_eq!(house.log_in("admin@mydomain.com", "4dmin").await.status, 200);
    let out = house.as_pair(&pair, "POST", "/logout", json!({})).await;
    assert_eq!(out.status, 200, "{out:?}");
    assert_eq!(house.log_in("100@mydomain.com", "secret").await.status, 200);
}

#[tokio::test]
async fn login_that_cannot_be_answered_leaves_no_session() {
    let house = House::new().await;
    let bad = NewDocument {
        name: "clerk".to_owned(),
        document: "{}".to_owned(),
        sealed: None,
        replaces: None,
    };
    let written = house.state.store.put_document(DocumentKind::WebitelRole, &bad).await;
    written.expect("written");
    assert_eq!(house.log_in("100@mydomain.com", "secret").await.status, 500);
    let sessions = house.state.store.list_sessions(&Query::all(TenantScope::All)).await;
    assert_eq!(sessions.expect("a list").items, []);
}
