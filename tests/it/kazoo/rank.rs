//! Nobody becomes somebody who may do more, by whichever API it tries.

use keyway_tests::wazo::send;
use reqwest::Method;
use serde_json::{Value, json};

use super::house::{House, house};

impl House {
    /// Lets a user have these accesses, by a policy of its own.
    fn grant(&self, login: &str, accesses: &[&str]) {
        let mut arguments = vec!["policy", "add", login];
        for access in accesses {
            arguments.extend(["--access", access]);
        }
        self.host.keyway(&arguments).ok();
        self.host.keyway(&["policy", "attach", login, "--user", login]).ok();
    }

    /// What wazo's API answers to this token.
    async fn ask_wazo(&self, token: &str, method: Method, path: &str, body: Value) -> u16 {
        let request = self.host.wazo().request(method, path).header("X-Auth-Token", token);
        send(request.json(&body)).await.status
    }
}

#[tokio::test]
async fn who_administers_an_account_does_not_become_who_may_more() {
    let house = house();
    let users = [
        ("chief", &["#"][..]),
        ("service", &["auth.#"]),
        ("phones", &["confd.#"]),
    ];
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let core = house.host.wazo().token("wazo_user", "boss", "b0ss-pw").await;
    for (login, accesses) in users {
        let id = house.add(login, "0wn-pw", &["--tenant", "acme"]);
        house.grant(login, accesses);
        let user = format!("/v2/accounts/{}/users/{id}", house.acme);
        for (method, data) in [
            (Method::PATCH, json!({ "password": "taken" })),
            (Method::PATCH, json!({ "email": "taken@example.org" })),
            (Method::DELETE, json!({})),
        ] {
            let refused = house.kazoo.send_as(&boss, method, &user, data).await;
            assert_eq!(refused.status, 403, "{login}: {refused:?}");
        }
        // The policy has no access to anybody's password, whoever it is.
        let reset = format!("/users/password/reset?user_uuid={id}");
        let reset = house
            .ask_wazo(&core, Method::POST, &reset, json!({ "password": "taken" }))
            .await;
        assert_eq!(reset, 401, "{login}");
        assert_eq!(house.kazoo.login("acme", login, "0wn-pw").await.status, 201, "{login}");
    }
    let chief = house.host.keyway(&["user", "show", "chief", "--json"]).ok().json();
    let chief = chief["uuid"]
        .as_str()
        .or_else(|| chief["id"].as_str())
        .expect("an id")
        .to_owned();
    for (method, path, body) in [
        (
            Method::PUT,
            format!("/users/{chief}"),
            json!({ "username": "taken", "enabled": false }),
        ),
        (
            Method::PUT,
            format!("/users/{chief}/emails"),
            json!({ "emails": [{ "address": "taken@example.org", "main": true }] }),
        ),
        (Method::DELETE, format!("/users/{chief}"), json!({})),
    ] {
        let refused = house.ask_wazo(&core, method, &path, body).await;
        assert_eq!(refused, 401, "{path}");
    }
    // Those who may no more than everybody, it administers.
    let john = format!("/v2/accounts/{}/users", house.acme);
    let listed = house
        .kazoo
        .get_as(&boss, &format!("{john}?filter_username=john@example.com"))
        .await;
    let john = format!("{john}/{}", listed.body["data"][0]["id"].as_str().expect("an id"));
    let changed = house
        .kazoo
        .send_as(&boss, Method::PATCH, &john, json!({ "password": "n3w-pw" }))
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

#[tokio::test]
async fn nobody_acts_in_the_place_of_a_service_that_may_more() {
    let house = house();
    let id = house.add("service", "0wn-pw", &["--tenant", "acme-sub"]);
    house.grant("service", &["auth.#"]);
    let path = format!("/v2/accounts/{}/users/{id}/user_auth", house.sub);
    let act = async |login: (&str, &str, &str)| {
        let (account, name, password) = login;
        let token = house.kazoo.token(account, name, password).await;
        let request = house.kazoo.request(Method::PUT, &path).header("X-Auth-Token", &token);
        send(request.json(&json!({ "action": "impersonate_user", "data": {} })))
            .await
            .status
    };
    assert_eq!(act(("acme", "boss", "b0ss-pw")).await, 403);
    assert_eq!(act(("master", "root", "r00t-pw")).await, 201);
}

#[tokio::test]
async fn a_key_that_gives_more_than_its_reader_has_is_not_shown() {
    let house = house();
    house.add("clerk", "cl3rk-pw", &["--tenant", "acme"]);
    house.grant("clerk", &["keyway.admin"]);
    let clerk = house.kazoo.token("acme", "clerk", "cl3rk-pw").await;
    let boss = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let path = format!("/v2/accounts/{}/api_key", house.acme);
    for method in [Method::GET, Method::PUT] {
        let refused = house.kazoo.send_as(&clerk, method, &path, json!({})).await;
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    assert_eq!(house.kazoo.get_as(&boss, &path).await.status, 200);
    let users = format!("/v2/accounts/{}/users", house.acme);
    assert_eq!(
        house.kazoo.get_as(&clerk, &users).await.status,
        200,
        "it is an administrator"
    );
}
