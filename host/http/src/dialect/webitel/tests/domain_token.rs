//! `/api/v2/domains/{name}/settings/token`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{House, Pair, told};
use crate::testing::Reply;

const PATH: &str = "/api/v2/domains/mydomain.com/settings/token";
const WHOAMI: &str = "/api/v2/whoami";

impl House {
    /// In an hour, in milliseconds.
    fn soon(&self) -> i64 {
        self.state.state.clock.now().plus(Duration::from_hours(1)).0 / 1000
    }

    async fn make(&self, by: &Pair, path: &str, role: &str) -> Reply {
        let body = json!({"expire": self.soon(), "role": role});
        self.as_pair(by, "POST", path, body).await
    }

    /// A token of a domain, with its id for a key.
    async fn made(&self, by: &Pair, role: &str) -> Pair {
        let reply = self.make(by, PATH, role).await;
        let info = reply.json()["info"].take();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned();
        Pair {
            key: text(&info["data"]["uuid"]),
            token: text(&info["token"]),
        }
    }

    async fn whoami(&self, token: &str) -> Reply {
        self.ask("GET", WHOAMI, &[("x-access-token", token)], "").await
    }
}

#[tokio::test]
async fn token_of_a_domain_needs_no_key_and_is_somebody_of_the_domain() {
    let house = House::new().await;
    let made = house.made(&house.admin().await, "user").await;
    let body = house.whoami(&made.token).await.json();
    assert_eq!(
        (&body["id"], &body["domain"], &body["roleName"], &body["expires"]),
        (
            &json!(format!("{}@mydomain.com", made.key)),
            &json!("mydomain.com"),
            &json!("user"),
            &json!(house.soon())
        )
    );
    assert_eq!(house.as_pair(&made, "GET", WHOAMI, Value::Null).await.status, 200);
    // What stands in the place of a key is not looked at.
    let other = Pair {
        key: "nope".to_owned(),
        token: made.token.clone(),
    };
    assert_eq!(
        house.as_pair(&other, "GET", WHOAMI, Value::Null).await.json()["id"],
        body["id"]
    );
    let out = house.as_pair(&made, "POST", "/logout", Value::Null).await;
    assert_eq!(told(&out), "401 \"Invalid credentials.\"");
}

#[tokio::test]
async fn token_of_a_domain_is_listed_switched_and_removed() {
    let house = House::new().await;
    let admin = house.admin().await;
    let made = house.made(&admin, "user").await;
    let listed = house.as_pair(&admin, "GET", PATH, Value::Null).await;
    let now = house.state.state.clock.now().0 / 1000;
    let data = json!({"uuid": made.key, "expire": house.soon(), "roleName": "user", "createdBy": "admin@mydomain.com",
        "createdOn": now, "enabled": true});
    assert_eq!(listed.json(), json!({"status": "OK", "info": [data]}));
    let one = format!("{PATH}/{}", made.key);
    for (state, status) in [(false, 401), (true, 200)] {
        let switched = house.as_pair(&admin, "PATCH", &one, json!({"state": state})).await;
        assert_eq!(switched.json()["info"]["enabled"], json!(state));
        assert_eq!(house.whoami(&made.token).await.status, status);
    }
    assert_eq!(
        told(&house.as_pair(&admin, "PATCH", &one, json!({"state": 1})).await),
        "400 \"Bad state.\""
    );
    assert_eq!(house.as_pair(&admin, "DELETE", &one, Value::Null).await.status, 200);
    assert_eq!(told(&house.whoami(&made.token).await), "401 \"Not found token\"");
    for (method, body) in [("DELETE", json!(null)), ("PATCH", json!({"state": true}))] {
        let reply = house.as_pair(&admin, method, &one, body).await;
        assert_eq!(told(&reply), "404 \"Token not found.\"", "{method}");
    }
}

#[tokio::test]
async fn token_of_a_domain_ends_in_time_and_with_the_domain() {
    let house = House::new().await;
    let root = house.root().await;
    let made = house.made(&root, "user").await;
    house.state.clock.advance(Duration::from_secs(3599));
    assert_eq!(house.whoami(&made.token).await.status, 200);
    house.state.clock.advance(Duration::from_secs(1));
    assert_eq!(told(&house.whoami(&made.token).await), "401 \"Token Expired\"");
    let made = house.made(&root, "user").await;
    let listed = house.as_pair(&root, "GET", PATH, Value::Null).await.json();
    assert_eq!(
        listed["info"].as_array().map(Vec::len),
        Some(1),
        "the one before is gone: {listed}"
    );
    let directory = &house.state.state.directory;
    let tree = directory.tenant_tree().await.expect("a tree");
    let (tenant, top) = (
        tree.find("mydomain").expect("a tenant"),
        tree.master().expect("the top"),
    );
    directory.remove_whole_tenant(tenant, top).await.expect("removed");
    assert_eq!(told(&house.whoami(&made.token).await), "401 \"Not found token\"");
}

#[tokio::test]
async fn token_of_a_domain_is_not_good_while_the_account_is_closed() {
    let house = House::new().await;
    let made = house.made(&house.root().await, "user").await;
    let accounts = &house.state.state.accounts;
    let tree = house.state.state.directory.tenant_tree().await.expect("a tree");
    let tenant = tree.find("mydomain").expect("a tenant");
    for (enabled, status) in [(false, 401), (true, 200)] {
        let mut account = accounts.get_account(tenant).await.expect("an account");
        account.enabled = enabled;
        let changed = accounts.change_account(account.tenant, move |_| account.clone());
        changed.await.expect("written");
        assert_eq!(house.whoami(&made.token).await.status, status);
    }
}

#[tokio::test]
async fn nobody_makes_a_token_that_may_more_nor_becomes_one_later() {
    let house = House::new().await;
    let (root, admin, user) = (house.root().await, house.admin().await, house.user().await);
    for (by, role, status) in [
        (&root, "root", 200),
        (&admin, "admin", 200),
        (&admin, "root", 403),
        (&user, "user", 403),
    ] {
        assert_eq!(house.make(by, PATH, role).await.status, status, "{role}");
    }
    let made = house.made(&admin, "user").await;
    let change = json!({"allows": {"license": ["*"], "book": ["*"]}});
    assert_eq!(
        house
            .as_pair(&root, "PUT", "/api/v2/acl/roles/user", change)
            .await
            .status,
        200
    );
    let body = house.whoami(&made.token).await.json();
    assert_eq!(
        body["acl"],
        json!({"book": ["*"], "license": ["r"]}),
        "no more than its maker's"
    );
    // A token that was switched off comes back only by somebody who may all of it.
    let strong = house.made(&root, "root").await;
    let one = format!("{PATH}/{}", strong.key);
    for (state, status) in [(false, 200), (true, 403)] {
        let reply = house.as_pair(&admin, "PATCH", &one, json!({"state": state})).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

/// Roles are written by `root`.
async fn write_role(house: &House, root: &Pair, name: &str, body: Value) {
    let one = format!("/api/v2/acl/roles/{name}");
    let (method, path, body) = match house.as_pair(root, "GET", &one, Value::Null).await.status.as_u16() {
        404 => {
            let mut body = body;
            body["roles"] = json!(name);
            ("POST", "/api/v2/acl/roles", body)
        }
        _ => ("PUT", one.as_str(), body),
    };
    let written = house.as_pair(root, method, path, body).await;
    assert_eq!(written.status, 200, "{written:?}");
}

#[tokio::test]
async fn token_never_inherits_what_its_maker_may_not() {
    let house = House::new().await;
    let (root, admin) = (house.root().await, house.admin().await);
    write_role(&house, &root, "chief", json!({"allows": {"license": ["*"]}})).await;
    write_role(
        &house,
        &root,
        "clerk",
        json!({"allows": {"book": ["r"]}, "parents": "chief"}),
    )
    .await;
    let reply = house.make(&admin, PATH, "clerk").await;
    assert_eq!(told(&reply), "403 \"Permission denied!\"", "by its parent it may more");
    write_role(&house, &root, "chief", json!({"allows": {"cdr": ["r"]}})).await;
    let made = house.made(&admin, "clerk").await;
    let acl = async |token: &str| house.whoami(token).await.json()["acl"].take();
    assert_eq!(acl(&made.token).await, json!({"book": ["r"], "cdr": ["r"]}));
    // Its parent may more later, and its maker may more later: it does not.
    write_role(
        &house,
        &root,
        "chief",
        json!({"allows": {"cdr": ["*"], "license": ["*"]}}),
    )
    .await;
    assert_eq!(
        acl(&made.token).await,
        json!({"book": ["r"], "cdr": ["*"], "license": ["r"]})
    );
    write_role(
        &house,
        &root,
        "admin",
        json!({"allows": {"domain": ["uo"], "license": ["*"]}}),
    )
    .await;
    assert_eq!(acl(&made.token).await["license"], json!(["r"]));
    // Without its role it may nothing, and no more than before with another one of that name.
    write_role(&house, &root, "clerk", json!({"parents": null})).await;
    let removed = house
        .as_pair(&root, "DELETE", "/api/v2/acl/roles/clerk", Value::Null)
        .await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(acl(&made.token).await, json!({}));
    write_role(&house, &root, "clerk", json!({"parents": "root"})).await;
    let again = acl(&made.token).await;
    assert_eq!(
        (&again["license"], &again["system/reload"]),
        (&json!(["r"]), &json!(null)),
        "{again}"
    );
}

#[tokio::test]
async fn token_that_a_token_makes_may_no_more_than_that() {
    let house = House::new().await;
    let (root, admin) = (house.root().await, house.admin().await);
    let first = house.made(&admin, "admin").await;
    let second = house.made(&first, "admin").await;
    let admins = house
        .as_pair(&root, "GET", "/api/v2/acl/roles/admin", Value::Null)
        .await;
    let mut allows = admins.json()["info"]["allows"].take();
    allows["license"] = json!(["*"]);
    write_role(&house, &root, "admin", json!({"allows": allows})).await;
    assert_eq!(house.make(&admin, PATH, "admin").await.status, 200);
    assert_eq!(house.make(&first, PATH, "admin").await.status, 403);
    let acl = house.whoami(&second.token).await.json()["acl"].take();
    assert_eq!(acl["license"], json!(["r"]));
}

#[tokio::test]
async fn who_may_not_change_the_domain_is_denied() {
    let house = House::new().await;
    let (root, user) = (house.root().await, house.user().await);
    let one = format!("{PATH}/{}", house.made(&root, "user").await.key);
    let body = json!({"expire": house.soon(), "role": "user", "state": true});
    let table = [("GET", PATH), ("POST", PATH), ("PATCH", &one), ("DELETE", &one)];
    for (method, path) in table {
        let reply = house.as_pair(&user, method, path, body.clone()).await;
        assert_eq!(told(&reply), "403 \"Permission denied!\"", "{method}");
    }
    // Of one's own is of the own domain, and people of the top tenant have none.
    write_role(&house, &root, "user", json!({"allows": {"domain": ["uo"]}})).await;
    let stranger = house.pair("stranger", "x").await;
    for (by, status) in [(&user, 200), (&stranger, 403)] {
        let reply = house.as_pair(by, "GET", PATH, Value::Null).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

#[tokio::test]
async fn somebody_with_a_domain_has_that_one_alone_in_view() {
    let house = House::new().await;
    let (root, admin) = (house.root().await, house.admin().await);
    let other = "/api/v2/domains/other.com/settings/token";
    let made = house.make(&root, other, "user").await.json()["info"]["data"]["uuid"].take();
    let listed = house.as_pair(&admin, "GET", other, Value::Null).await;
    assert_eq!(listed.json()["info"], json!([]), "its own domain's");
    let one = format!("{other}/{}", made.as_str().expect("an id"));
    for (method, body) in [("DELETE", json!(null)), ("PATCH", json!({"state": false}))] {
        assert_eq!(house.as_pair(&admin, method, &one, body).await.status, 404, "{method}");
    }
    let nowhere = "/api/v2/domains/nosuch.com/settings/token";
    let reply = house.as_pair(&root, "GET", nowhere, Value::Null).await;
    assert_eq!(told(&reply), "404 \"Domain not found.\"");
    let made = house.made(&admin, "admin").await;
    assert_eq!(house.as_pair(&made, "GET", PATH, Value::Null).await.status, 200);
}

#[tokio::test]
async fn bad_tokens_are_refused_and_say_why() {
    let house = House::new().await;
    let root = house.root().await;
    let soon = house.soon();
    for (body, answer) in [
        (json!({"role": "user"}), "400 \"Bad expire date.\""),
        (
            json!({"role": "user", "expire": soon - 3_600_000}),
            "400 \"Bad expire date.\"",
        ),
        (json!({"role": "user", "expire": "soon"}), "400 \"Bad expire date.\""),
        (json!({"role": "user", "expire": i64::MAX}), "400 \"Bad expire date.\""),
        (json!({"expire": soon}), "400 \"Bad role name.\""),
        (json!({"expire": soon, "role": 5}), "400 \"Bad role name.\""),
        (json!({"expire": soon, "role": "nosuch"}), "400 \"Bad role name.\""),
    ] {
        assert_eq!(
            told(&house.as_pair(&root, "POST", PATH, body.clone()).await),
            answer,
            "{body}"
        );
    }
    for _ in 0..100 {
        assert_eq!(house.make(&root, PATH, "user").await.status, 200);
    }
    assert_eq!(
        told(&house.make(&root, PATH, "user").await),
        "400 \"A domain has at most 100 tokens.\""
    );
}
