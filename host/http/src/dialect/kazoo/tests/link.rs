//! Mailed links: whoever holds one may do what it says, and is nobody's login.

use std::time::Duration;

use keyway_core::model::{TenantScope, UserId};
use keyway_core::notice::Whose;
use keyway_core::token::ResetId;
use serde_json::{Value, json};

use super::house::{Tree, UI, person};
use crate::testing::ask;

const MINUTE: Duration = Duration::from_mins(1);

impl Tree {
    /// Gives alice a confirmed address and one that is not, and returns who she is.
    async fn addresses(&self) -> UserId {
        let alice = self.state.state.directory.get_user("alice").await.expect("alice").id;
        let address = |address: &str, main: bool| json!({ "address": address, "main": main, "confirmed": main });
        let both = json!({ "emails": [address("alice@example.org", true), address("new@example.org", false)] });
        let headers = [
            ("x-auth-token", self.alice.as_str()),
            ("content-type", "application/json"),
        ];
        let path = format!("/0.1/admin/users/{alice}/emails");
        let set = ask(&self.router, "PUT", &path, &headers, &both.to_string()).await;
        assert_eq!(set.status, 200, "{set:?}");
        alice
    }

    /// The token of the one letter that was written.
    async fn letter(&self) -> String {
        self.state.state.notices.settle(MINUTE).await;
        let letters = self.state.letters.take();
        let [letter] = letters.as_slice() else {
            panic!("{} letters", letters.len())
        };
        letter.token.expose().clone()
    }

    /// The status with which each route is answered that shows or changes who somebody is.
    async fn statuses(&self, token: &str, own: &str) -> Vec<(&'static str, u16)> {
        let (user, _) = self.user(person("nina")).await;
        let place = self.below_shop(&format!("/users/{user}"));
        let kazoo = async |method, path: &str, data| self.send(token, method, path, data).await.status.as_u16();
        let shown = format!("/v2/user_auth/{token}");
        let impersonation = format!("{place}/user_auth");
        let none = Value::Null;
        let statuses = vec![
            ("token_auth", kazoo("GET", "/v2/token_auth", none.clone()).await),
            ("user_auth", kazoo("GET", &shown, none.clone()).await),
            (
                "tokeninfo",
                kazoo("POST", "/v2/auth/tokeninfo", json!({ "token": token })).await,
            ),
            (
                "refresh",
                kazoo("PUT", "/v2/auth", json!({ "action": "refresh_token" })).await,
            ),
            (
                "impersonate",
                kazoo("PUT", &impersonation, json!({ "action": "impersonate_user" })).await,
            ),
            (
                "read an account",
                kazoo("GET", &self.below_shop(""), none.clone()).await,
            ),
            (
                "change a user",
                kazoo("PATCH", own, json!({ "timezone": "Europe/Berlin" })).await,
            ),
            (
                "privacyIDEA",
                self.elsewhere("/auth/rights", "authorization", token).await,
            ),
            (
                "Webitel",
                self.elsewhere("/api/v2/whoami", "x-access-token", token).await,
            ),
        ];
        let removed = self.alice("DELETE", &place, none).await;
        assert_eq!(removed.status, 200, "{removed:?}");
        statuses
    }

    async fn elsewhere(&self, path: &str, header: &str, token: &str) -> u16 {
        let reply = ask(&self.router, "GET", path, &[(header, token)], "").await;
        reply.status.as_u16()
    }
}

#[tokio::test]
async fn the_token_of_a_link_is_nobodys_login_in_any_dialect() {
    let tree = Tree::new().await;
    let alice = tree.addresses().await;
    let own = tree.alice("GET", "/v2/token_auth", Value::Null).await.json()["data"].clone();
    let account = own["account_id"].as_str().expect("an account");
    let place = format!("/v2/accounts/{account}/users/{}", alice.0.simple());
    let control = tree.statuses(&tree.alice, &place).await;
    assert!(
        control.iter().all(|(_, status)| *status < 300),
        "a login's: {control:?}"
    );
    let notices = &tree.state.state.notices;
    let directory = &tree.state.state.directory;
    let user = directory.get_user("alice").await.expect("alice");
    let new = user
        .emails
        .iter()
        .find(|email| !email.confirmed)
        .expect("an address")
        .id;

    let asked = notices.request_confirmation(alice, new, TenantScope::All).await;
    asked.expect("a letter");
    let confirmation = tree.letter().await;
    notices.request_password_reset(Whose::Login("alice".to_owned()));
    let password = tree.letter().await;
    let asking = json!({ "username": "alice", "account_name": "master", "ui_url": UI });
    let asked = tree.send("", "PUT", "/v2/user_auth/recovery", asking).await;
    assert_eq!(asked.status, 201, "{asked:?}");
    let reset_id = tree.letter().await;
    let recovery = ResetId::parse(&reset_id).expect("a reset id").token.reveal();
    for (name, token) in [
        ("confirmation", confirmation),
        ("password", password),
        ("recovery", recovery),
    ] {
        let statuses = tree.statuses(&token, &place).await;
        assert!(
            statuses.iter().all(|(_, status)| *status == 401),
            "{name}: {statuses:?}"
        );
    }
    let followed = json!({ "reset_id": reset_id });
    let followed = tree.send("", "POST", "/v2/user_auth/recovery", followed).await;
    assert_eq!(followed.status, 200, "a link is good for what it says: {followed:?}");
}

#[tokio::test]
async fn a_link_is_good_with_the_account_that_it_names_and_no_other() {
    let tree = Tree::new().await;
    let (id, _) = tree.user(person("nina")).await;
    let asking = json!({ "username": "nina", "account_realm": "shop.example.org", "ui_url": UI });
    let asked = tree.send("", "PUT", "/v2/user_auth/recovery", asking).await;
    assert_eq!(asked.status, 201, "{asked:?}");
    let reset_id = tree.letter().await;
    let (_, token) = reset_id.split_at(32);
    let answer = async |account: &str| {
        let data = json!({ "reset_id": format!("{account}{token}") });
        tree.send("", "POST", "/v2/user_auth/recovery", data).await
    };
    let master = tree.alice("GET", "/v2/token_auth", Value::Null).await.json()["data"]["account_id"].clone();
    let other = answer(master.as_str().expect("an account")).await;
    assert_eq!(other.status, 400, "{other:?}");
    // Accounts that there are not have one bucket, however many are made up.
    for number in 0..9 {
        let nobody = answer(&format!("{number:032x}")).await;
        assert_eq!(nobody.status, 400, "{number}: {nobody:?}");
    }
    // What asked for the link took one attempt of the shop's own bucket.
    tree.state.clock.advance(MINUTE);
    for number in 10..20 {
        let nobody = answer(&format!("{number:032x}")).await;
        assert_eq!(nobody.status, 400, "{number}: {nobody:?}");
    }
    let many = answer(&format!("{:032x}", 20)).await;
    assert_eq!(many.status, 429, "{many:?}");
    let done = answer(&tree.shop).await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["data"]["owner_id"]),
        (200, &json!(id))
    );
}
