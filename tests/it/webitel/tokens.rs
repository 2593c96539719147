//! Tokens of domains.

use std::time::{Duration, Instant};

use keyway_tests::wazo::{Answer, send};
use keyway_tests::webitel::{Pair, WebitelClient, now};
use reqwest::Method;
use serde_json::{Value, json};

use super::seed::house;

const PATH: &str = "/api/v2/domains/mydomain.com/settings/token";

fn far() -> i64 {
    now() + 3_600_000
}

async fn make(webitel: &WebitelClient, by: &Pair, role: &str) -> Answer {
    let body = json!({ "expire": far(), "role": role });
    webitel.send_as(by, Method::POST, PATH, Some(body)).await
}

async fn whoami(webitel: &WebitelClient, token: &str) -> Answer {
    send(
        webitel
            .request(Method::GET, "/api/v2/whoami")
            .header("X-Access-Token", token),
    )
    .await
}

#[tokio::test]
async fn a_token_of_a_domain_needs_no_key_and_can_be_switched_off() {
    let (_host, webitel) = house("");
    let admin = webitel.pair("admin@mydomain.com", "4dmin-pw").await;
    let made = make(&webitel, &admin, "user").await;
    assert_eq!(made.status, 200, "{made:?}");
    let data = &made.body["info"]["data"];
    assert_eq!((&data["roleName"], &data["enabled"]), (&json!("user"), &json!(true)));
    let uuid = data["uuid"].as_str().expect("an id").to_owned();
    let token = made.body["info"]["token"].as_str().expect("a token").to_owned();
    let seen = whoami(&webitel, &token).await;
    assert_eq!(
        (seen.status, &seen.body["id"]),
        (200, &json!(format!("{uuid}@mydomain.com"))),
        "{seen:?}"
    );
    let listed = webitel.send_as(&admin, Method::GET, PATH, None).await;
    assert!(listed.body.to_string().contains(&uuid), "{listed:?}");
    assert!(!listed.body.to_string().contains(&token), "{listed:?}");
    let path = format!("{PATH}/{uuid}");
    let off = webitel
        .send_as(&admin, Method::PATCH, &path, Some(json!({ "state": false })))
        .await;
    assert_eq!(off.status, 200, "{off:?}");
    assert_eq!(whoami(&webitel, &token).await.status, 401);
    let on = webitel
        .send_as(&admin, Method::PATCH, &path, Some(json!({ "state": true })))
        .await;
    assert_eq!(on.status, 200, "{on:?}");
    assert_eq!(whoami(&webitel, &token).await.status, 200);
    let gone = webitel.send_as(&admin, Method::DELETE, &path, None).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(whoami(&webitel, &token).await.status, 401);
}

#[tokio::test]
async fn nobody_makes_a_token_that_may_more() {
    let (_host, webitel) = house("");
    let admin = webitel.pair("admin@mydomain.com", "4dmin-pw").await;
    let user = webitel.pair("100@mydomain.com", "secret").await;
    assert_eq!(make(&webitel, &admin, "admin").await.status, 200);
    assert_eq!(make(&webitel, &admin, "root").await.status, 403);
    assert_eq!(make(&webitel, &user, "user").await.status, 403);
    let bodies: [(Value, &str); 3] = [
        (json!({ "role": "user" }), "Bad expire date."),
        (json!({ "expire": 1, "role": "user" }), "Bad expire date."),
        (json!({ "expire": far() }), "Bad role name."),
    ];
    for (body, info) in bodies {
        let answer = webitel.send_as(&admin, Method::POST, PATH, Some(body)).await;
        assert_eq!((answer.status, &answer.body["info"]), (400, &json!(info)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_of_a_domain_ends_with_its_maker() {
    let (host, webitel) = house("");
    let admin = webitel.pair("admin@mydomain.com", "4dmin-pw").await;
    let root = webitel.pair("root", "r00t-pw").await;
    let token = async |by: &Pair| {
        let made = make(&webitel, by, "user").await;
        assert_eq!(made.status, 200, "{made:?}");
        made.body["info"]["token"].as_str().expect("a token").to_owned()
    };
    let (made, other) = (token(&admin).await, token(&root).await);
    assert_eq!(whoami(&webitel, &made).await.status, 200);
    host.keyway(&["user", "remove", "admin"]).ok();
    let late = Instant::now() + Duration::from_secs(20);
    while whoami(&webitel, &made).await.status != 401 {
        assert!(Instant::now() < late, "it does not end");
    }
    assert_eq!(whoami(&webitel, &other).await.status, 200);
}
