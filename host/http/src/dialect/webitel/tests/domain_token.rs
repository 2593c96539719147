//! `/api/v2/domains/{name}/settings/token`.

use std::time::Duration;

use futures::future::join_all;
use keyway_core::access::AccessList;
use keyway_core::model::{Client, IdentityId, SessionId};
use keyway_core::port::{Clock as _, DirectoryStore as _, Uniqueness, UserChange};
use keyway_core::token::KeyLogin;
use serde_json::{Value, json};
use uuid::Uuid;

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
async fn nobody_makes_a_token_or_brings_one_back_that_outlives_who_answers_for_it() {
    let house = House::new().await;
    let admin = house.admin().await;
    let token = house.made(&admin, "admin").await.token;
    let acted = house.acted("admin").await;
    let one = format!("{PATH}/{}", house.made(&admin, "user").await.key);
    let body = json!({"expire": house.soon(), "role": "user"});
    for (name, by) in [("a token", &token), ("somebody in another's place", &acted)] {
        let listed = house.as_token(by, "GET", PATH, json!({})).await;
        assert_eq!(listed.status, 200, "{name}: {listed:?}");
        for (method, path, body, status) in [
            ("POST", PATH, body.clone(), 403),
            ("PATCH", &one, json!({"state": false}), 200),
            ("PATCH", &one, json!({"state": true}), 403),
        ] {
            let reply = house.as_token(by, method, path, body.clone()).await;
            assert_eq!(reply.status, status, "{name}: {method} {body}: {reply:?}");
        }
    }
    let on = house.as_pair(&admin, "PATCH", &one, json!({"state": true})).await;
    assert_eq!(on.status, 200, "{on:?}");
    let removed = house.as_token(&acted, "DELETE", &one, json!({})).await;
    assert_eq!(removed.status, 200, "{removed:?}");
}

/// Longer than what is known of makers is taken for granted.
const LATER: Duration = Duration::from_secs(6);

#[tokio::test]
async fn token_never_does_what_its_maker_may_not_any_more() {
    let house = House::new().await;
    let made = house.made(&house.admin().await, "admin").await;
    let acl = async || house.whoami(&made.token).await.json()["acl"].take();
    assert_eq!(acl().await["license"], json!(["r"]));
    let directory = &house.state.state.directory;
    directory.detach_policy("admins", "admin").await.expect("detached");
    house.state.clock.advance(LATER);
    assert_eq!(
        (&acl().await["license"], &acl().await["cdr"]),
        (&json!(null), &json!(["ro"]))
    );
    directory.attach_policy("admins", "admin").await.expect("attached");
    house.state.clock.advance(LATER);
    assert_eq!(acl().await["license"], json!(["r"]));
}

#[tokio::test]
async fn token_is_good_while_its_maker_is_there_and_may_log_in() {
    let house = House::new().await;
    let (admin, root) = (house.admin().await, house.root().await);
    let (made, other) = (house.made(&admin, "user").await, house.made(&root, "user").await);
    let directory = &house.state.state.directory;
    let user = directory.get_user("admin").await.expect("a user");
    for (enabled, answer) in [(false, "401 \"Not found token\""), (true, "200")] {
        let change = UserChange {
            login: user.login.clone(),
            firstname: None,
            lastname: None,
            purpose: None,
            authentication_method: None,
            enabled: Some(enabled),
        };
        let now = house.state.clock.now();
        let changed = house
            .state
            .store
            .update_user(user.id, &change, Uniqueness::Everywhere, now);
        changed.await.expect("a store").expect("a user");
        house.state.clock.advance(LATER);
        assert_eq!(told(&house.whoami(&made.token).await), answer);
    }
    directory.remove_user("admin").await.expect("removed");
    house.state.clock.advance(LATER);
    assert_eq!(told(&house.whoami(&made.token).await), "401 \"Not found token\"");
    assert_eq!(house.whoami(&other.token).await.status, 200);
}

#[tokio::test]
async fn what_a_backend_says_at_a_login_is_nothing_to_make_tokens_of() {
    let house = House::new().await;
    let people = &house.state.backends;
    people.change("people", |slot| slot.acl_ceiling = Some(vec!["#".to_owned()].into()));
    let stranger = house.pair("stranger", "x").await;
    let shown = house.as_pair(&stranger, "GET", WHOAMI, Value::Null).await;
    assert_eq!(shown.json()["roleName"], json!("root"));
    for (role, status) in [("admin", 403), ("user", 200)] {
        assert_eq!(house.make(&stranger, PATH, role).await.status, status, "{role}");
    }
}

#[tokio::test]
async fn a_domain_has_no_more_tokens_however_many_are_made_at_once() {
    let house = House::new().await;
    let root = house.root().await;
    for _ in 0..95 {
        assert_eq!(house.make(&root, PATH, "user").await.status, 200);
    }
    let all = join_all((0..20).map(|_| house.make(&root, PATH, "user"))).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 5);
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

#[tokio::test]
async fn token_that_an_api_key_made_ends_with_the_key() {
    let house = House::new().await;
    let state = &house.state.state;
    let accesses = vec!["keyway.admin".to_owned()];
    state
        .directory
        .add_policy("account_admin", accesses.clone())
        .await
        .expect("a policy");
    let nobody = (IdentityId(Uuid::nil()), SessionId(Uuid::nil()));
    let everything = AccessList::new(&["#".to_owned()], nobody.0, nobody.1);
    let tree = state.directory.tenant_tree().await.expect("a tree");
    let tenant = tree.find("mydomain").expect("a tenant");
    let accounts = &state.accounts;
    accounts.api_key(tenant, &everything).await.expect("a key");
    let login = KeyLogin {
        tenant,
        api_key: accounts.get_account(tenant).await.expect("an account").api_key,
        accesses,
        ttl: None,
        client: Client::default(),
        dialect: "kazoo",
        request_id: String::new(),
        attributes: Vec::new(),
    };
    let token = state
        .tokens
        .login_by_key(login)
        .await
        .expect("a session")
        .value
        .reveal();
    let body = json!({"expire": house.soon(), "role": "admin"});
    let made = house.as_token(&token, "POST", PATH, body).await;
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json()["info"]["token"].as_str().expect("a token").to_owned();
    assert_eq!(house.whoami(&made).await.status, 200);
    accounts.renew_api_key(tenant, &everything).await.expect("a key");
    house.state.clock.advance(LATER);
    assert_eq!(told(&house.whoami(&made).await), "401 \"Not found token\"");
}
