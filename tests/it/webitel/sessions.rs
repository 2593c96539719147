//! How sessions end, and where that counts.

use std::time::{Duration, Instant};

use keyway_tests::webitel::WebitelClient;
use keyway_tests::{TestHost, postgres};
use reqwest::Method;
use serde_json::json;

use super::seed::{furnish, house};

const PATH: &str = "/api/v2/domains/mydomain.com/settings/token";

#[tokio::test]
async fn a_pair_that_has_expired_can_still_log_out() {
    let (_host, webitel) = house("[dialect.webitel]\ntoken_ttl = \"1s\"");
    let pair = webitel.pair("100@mydomain.com", "secret").await;
    let late = Instant::now() + Duration::from_secs(20);
    let seen = loop {
        let seen = webitel.whoami(&pair).await;
        if seen.status != 200 {
            break seen;
        }
        assert!(Instant::now() < late, "it never expires");
    };
    assert_eq!(
        (seen.status, &seen.body["info"]),
        (401, &json!("Token Expired")),
        "{seen:?}"
    );
    let out = webitel.logout(&pair).await;
    assert_eq!(
        (out.status, &out.body["info"]),
        (200, &json!("Successful logout.")),
        "{out:?}"
    );
}

#[tokio::test]
async fn sessions_end_with_their_user() {
    let (host, webitel) = house("");
    let pair = webitel.pair("100@mydomain.com", "secret").await;
    let admin = webitel.pair("admin@mydomain.com", "4dmin-pw").await;
    host.keyway(&["user", "remove", "100"]).ok();
    let seen = webitel.whoami(&pair).await;
    assert_eq!(
        (seen.status, &seen.body["info"]),
        (401, &json!("Invalid User")),
        "{seen:?}"
    );
    assert_eq!(webitel.logout(&pair).await.status, 401);
    assert_eq!(webitel.whoami(&admin).await.status, 200);
}

#[tokio::test]
async fn what_one_node_switches_off_no_other_takes() {
    let database = postgres::shared().database();
    let url = database.url();
    let builder = || TestHost::builder().store(&url);
    let first = builder().user_with("root", "r00t-pw", &["--admin"]).start();
    let key = std::fs::read(first.folder().join("var/master.key")).expect("a key");
    let second = builder().file("var/master.key", &key).start();
    let here = furnish(&first);
    second.wait_until_loaded();
    let there = WebitelClient::new(second.url(""));
    let admin = here.pair("admin@mydomain.com", "4dmin-pw").await;
    let claims = keyway_tests::kazoo::claims_of(&admin.token);
    let body = json!({ "expire": claims["exp"], "role": "user" });
    let made = here.send_as(&admin, Method::POST, PATH, Some(body)).await;
    assert_eq!(made.status, 200, "{made:?}");
    let info = &made.body["info"];
    let token = info["token"].as_str().expect("a token").to_owned();
    let one = format!("{PATH}/{}", info["data"]["uuid"].as_str().expect("an id"));
    let status = async || {
        let request = there.request(Method::GET, "/api/v2/whoami");
        keyway_tests::wazo::send(request.header("X-Access-Token", &token))
            .await
            .status
    };
    for (state, wanted) in [(true, 200), (false, 401), (true, 200)] {
        let switched = here
            .send_as(&admin, Method::PATCH, &one, Some(json!({ "state": state })))
            .await;
        assert_eq!(switched.status, 200, "{switched:?}");
        let late = Instant::now() + Duration::from_secs(20);
        while status().await != wanted {
            assert!(Instant::now() < late, "{wanted} after {state} elsewhere");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_ask() {
    let (_host, webitel) = house("");
    for path in ["/login", "/logout", "/api/v2/whoami", PATH, "/api/v2/acl/roles"] {
        let request = webitel
            .request(Method::OPTIONS, path)
            .header("Origin", "https://web.example.org")
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "x-access-token,x-key");
        let answer = keyway_tests::wazo::send(request).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.headers["access-control-allow-origin"], "https://web.example.org");
        assert_eq!(answer.headers["access-control-max-age"], "86400");
        let headers = answer.headers["access-control-allow-headers"].to_str().expect("ASCII");
        assert_eq!(headers, "Content-type, Accept, X-Access-Token, X-Key");
    }
}
