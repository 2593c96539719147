//! What the seed's document says, line by line, and what is said to bad input.

use keyway_tests::TestHost;
use keyway_tests::wazo::{Answer, send};
use keyway_tests::webitel::{Pair, WebitelClient, now};
use reqwest::Method;
use serde_json::{Value, json};

/// A hundred days, in milliseconds.
const LIFE: i64 = 100 * 86_400_000;

/// What the seed's `root` has all permissions on.
const RESOURCES: [&str; 27] = [
    "license",
    "system/reload",
    "account",
    "domain/item",
    "domain",
    "gateway/profile",
    "gateway",
    "outbound/list",
    "cdr/media",
    "cdr/files",
    "cdr",
    "hook",
    "book",
    "dialer/members",
    "dialer",
    "cc/queue",
    "cc/members",
    "cc/tiers",
    "channels",
    "rotes/domain",
    "rotes/extension",
    "rotes/public",
    "rotes/default",
    "calendar",
    "blacklist",
    "acl/resource",
    "acl/roles",
];

/// `100@mydomain.com` / `secret` is the seed's user, `admin@mydomain.com` / `4dmin-pw` administers the domain, `root` / `r00t-pw` everything.
pub(super) fn house(config: &str) -> (TestHost, WebitelClient) {
    let host = TestHost::builder()
        .config(config)
        .user_with("root", "r00t-pw", &["--admin"])
        .start();
    let client = furnish(&host);
    (host, client)
}

/// Adds the domain and its users to a server.
pub(super) fn furnish(host: &TestHost) -> WebitelClient {
    host.wait_until_loaded();
    host.keyway(&["tenant", "add", "mydomain", "--domain", "mydomain.com"])
        .ok();
    for (login, password) in [("100", "secret"), ("admin", "4dmin-pw")] {
        let arguments = ["user", "add", login, "--password-stdin", "--tenant", "mydomain.com"];
        host.keyway_with_input(&arguments, password).ok();
    }
    host.keyway(&["policy", "attach", "account_admin", "--user", "admin"])
        .ok();
    WebitelClient::new(host.url(""))
}

#[tokio::test]
async fn a_login_gives_a_key_a_token_and_what_it_may_do() {
    let (_host, webitel) = house("");
    let answer = webitel.login("root", "r00t-pw").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = &answer.body;
    assert_eq!(
        (&body["username"], &body["role"], &body["roleName"]),
        (&json!("root"), &json!(2), &json!("root"))
    );
    assert!(body["domain"].is_null(), "{body}");
    assert!(uuid::Uuid::parse_str(body["key"].as_str().expect("a key")).is_ok());
    // Milliseconds, and 100 days.
    let expires = body["expires"].as_i64().expect("a time");
    let left = expires - now();
    assert!((LIFE - 60_000..=LIFE).contains(&left), "{left}");
    for resource in RESOURCES {
        assert_eq!(body["acl"][resource], json!(["*"]), "{resource}");
    }
    let claims = keyway_tests::kazoo::claims_of(body["token"].as_str().expect("a token"));
    assert_eq!(claims["exp"], body["expires"]);
    assert_eq!(
        claims["acl"],
        json!({ "cdr": ["*"], "cdr/files": ["*"], "cdr/media": ["*"] })
    );
    let user = webitel.login("100@mydomain.com", "secret").await;
    assert_eq!(user.status, 200, "{user:?}");
    let body = &user.body;
    assert_eq!(
        (&body["role"], &body["roleName"], &body["domain"]),
        (&json!(0), &json!("user"), &json!("mydomain.com"))
    );
    assert_eq!(body["acl"]["account"], json!(["r", "uo"]));
    let admin = webitel.login("admin@mydomain.com", "4dmin-pw").await;
    assert_eq!(
        (&admin.body["role"], &admin.body["roleName"]),
        (&json!(1), &json!("admin")),
        "{admin:?}"
    );
}

#[tokio::test]
async fn to_log_out_ends_the_pair_and_no_other() {
    let (_host, webitel) = house("");
    let pair = webitel.pair("100@mydomain.com", "secret").await;
    let other = webitel.pair("100@mydomain.com", "secret").await;
    let out = webitel.logout(&pair).await;
    assert_eq!(out.status, 200, "{out:?}");
    assert_eq!(out.body, json!({ "status": "OK", "info": "Successful logout." }));
    assert_eq!(webitel.logout(&pair).await.status, 401);
    assert_eq!(webitel.whoami(&pair).await.status, 401);
    let seen = webitel.whoami(&other).await;
    assert_eq!(
        (seen.status, &seen.body["id"], &seen.body["domain"]),
        (200, &json!("100@mydomain.com"), &json!("mydomain.com")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn key_and_token_may_stand_in_header_query_and_body() {
    let (_host, webitel) = house("");
    let Pair { key, token } = webitel.pair("100@mydomain.com", "secret").await;
    let get = |path: &str| webitel.request(Method::GET, path);
    let table = [
        get("/api/v2/whoami")
            .header("X-Key", &key)
            .header("X-Access-Token", &token),
        get(&format!("/api/v2/whoami?x_key={key}&access_token={token}")),
        get("/api/v2/whoami").json(&json!({ "x_key": key, "access_token": token })),
    ];
    for request in table {
        let answer = send(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let body = json!({ "x_key": key, "access_token": token });
    for half in ["x_key", "access_token"] {
        let answer = send(get("/api/v2/whoami").json(&json!({ half: body[half] }))).await;
        assert_eq!(answer.status, 401, "{half} alone: {answer:?}");
    }
    let out = send(webitel.request(Method::POST, "/logout").json(&body)).await;
    assert_eq!(out.status, 200, "{out:?}");
}

#[tokio::test]
async fn bad_logins_are_answered_as_the_seed_says() {
    let (_host, webitel) = house("");
    let post = |body: Value| webitel.request(Method::POST, "/login").json(&body);
    let table: [(&str, Answer, u16); 6] = [
        ("no name", send(post(json!({ "password": "x" }))).await, 400),
        (
            "an empty name",
            send(post(json!({ "username": "", "password": "x" }))).await,
            400,
        ),
        (
            "a name that is none",
            send(post(json!({ "username": 5, "password": "x" }))).await,
            400,
        ),
        (
            "a wrong password",
            webitel.login("100@mydomain.com", "wrong").await,
            401,
        ),
        ("nobody", webitel.login("999@mydomain.com", "secret").await, 401),
        ("no such domain", webitel.login("100@nosuch.com", "secret").await, 401),
    ];
    for (name, answer, status) in &table {
        assert_eq!(answer.status, *status, "{name}: {answer:?}");
        assert!(
            answer.body["info"].is_string() || answer.body["message"].is_string(),
            "{name}: {answer:?}"
        );
    }
    assert_eq!(table[3].1.body, table[4].1.body, "one wording");
    let no_json = webitel
        .request(Method::POST, "/login")
        .header("Content-Type", "application/json")
        .body("{");
    assert_eq!(send(no_json).await.status, 400);
    let unknown = send(webitel.request(Method::GET, "/api/v2/nosuch")).await;
    assert_eq!(
        (unknown.status, &unknown.body["info"]),
        (404, &json!("/api/v2/nosuch not found.")),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn an_operator_may_tell_who_is_not_there() {
    let (_host, webitel) = house("[dialect.webitel]\nunknown_user = \"not-found\"");
    assert_eq!(webitel.login("999@mydomain.com", "secret").await.status, 404);
    assert_eq!(webitel.login("100@mydomain.com", "wrong").await.status, 401);
}
