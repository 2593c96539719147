//! A server with an account below the top one.

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, KazooSettings};

pub(super) const UI: &str = "https://ui.example.org/app/";

/// `alice`, who may do everything, is of the top account; `shop` is the id of an account below it.
pub(super) struct Tree {
    pub(super) state: TestState,
    pub(super) router: Router,
    /// Her token.
    pub(super) alice: String,
    pub(super) shop: String,
}

impl Tree {
    pub(super) async fn new() -> Self {
        let kazoo = KazooSettings {
            ui_urls: vec![UI.to_owned()],
            ..KazooSettings::default()
        };
        let state = TestState::with(DialectSettings {
            kazoo,
            ..DialectSettings::default()
        })
        .await;
        state.grant_alice("#").await;
        let directory = &state.state.directory;
        let accesses = keyway_core::rights::ACCOUNT_ADMIN_ACCESSES.map(str::to_owned);
        directory
            .add_policy("account_admin", accesses.to_vec())
            .await
            .expect("a policy");
        let router = router(Dialect::ALL, &state.state);
        let basic = format!("Basic {}", STANDARD.encode("alice:s3cre7"));
        let login = ask(&router, "POST", "/0.1/token", &[("authorization", &basic)], "{}").await;
        let alice = login.json()["data"]["token"].as_str().expect("a token").to_owned();
        let mut tree = Self {
            state,
            router,
            alice,
            shop: String::new(),
        };
        let made = tree
            .alice(
                "PUT",
                "/v2/accounts",
                json!({ "name": "Shop", "realm": "shop.example.org" }),
            )
            .await;
        tree.shop = id_of(&made, 201);
        tree
    }

    pub(super) async fn send(&self, token: &str, method: &str, path: &str, data: Value) -> Reply {
        let body = match data {
            Value::Null => String::new(),
            data => json!({ "data": data }).to_string(),
        };
        let headers = [("x-auth-token", token), ("content-type", "application/json")];
        ask(&self.router, method, path, &headers, &body).await
    }

    pub(super) async fn alice(&self, method: &str, path: &str, data: Value) -> Reply {
        self.send(&self.alice, method, path, data).await
    }

    pub(super) fn below_shop(&self, rest: &str) -> String {
        format!("/v2/accounts/{}{rest}", self.shop)
    }

    /// A user of the shop, and its token: alice acts in its place.
    pub(super) async fn user(&self, data: Value) -> (String, String) {
        let made = self.alice("PUT", &self.below_shop("/users"), data).await;
        let id = id_of(&made, 201);
        let path = self.below_shop(&format!("/users/{id}/user_auth"));
        let acting = self.alice("PUT", &path, json!({ "action": "impersonate_user" })).await;
        let token = acting.json()["auth_token"].as_str().map(str::to_owned);
        (id, token.unwrap_or_else(|| panic!("{acting:?}")))
    }
}

pub(super) fn id_of(reply: &Reply, status: u16) -> String {
    assert_eq!(reply.status, status, "{reply:?}");
    reply.json()["data"]["id"].as_str().expect("an id").to_owned()
}

pub(super) fn person(name: &str) -> Value {
    json!({ "first_name": name, "last_name": "N", "username": name, "password": "s3cret-pw", "email": format!("{name}@example.org") })
}
