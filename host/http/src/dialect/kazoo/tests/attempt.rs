//! What administrators read of those who tried.

use serde_json::{Value, json};

use super::house::{Tree, id_of, person};

impl Tree {
    /// Tries to act in the place of a user of the shop.
    async fn impersonate(&self, token: &str, user: &str) -> u16 {
        let path = self.below_shop(&format!("/users/{user}/user_auth"));
        let reply = self
            .send(token, "PUT", &path, json!({ "action": "impersonate_user" }))
            .await;
        reply.status.as_u16()
    }

    /// The newest attempt on the shop.
    async fn newest(&self) -> Value {
        let list = self
            .alice("GET", &self.below_shop("/security/attempts"), Value::Null)
            .await;
        let id = list.json()["data"][0]["id"].as_str().expect("an attempt").to_owned();
        let path = self.below_shop(&format!("/security/attempts/{id}"));
        self.alice("GET", &path, Value::Null).await.json()["data"].clone()
    }
}

#[tokio::test]
async fn who_was_refused_to_act_in_anothers_place_is_named() {
    let tree = Tree::new().await;
    let (target, _) = tree.user(person("nina")).await;
    let (user, users) = tree.user(person("otto")).await;
    let mut boss = person("boss");
    boss["priv_level"] = json!("admin");
    let (boss, bosss) = tree.user(boss).await;
    let other = tree.alice("PUT", "/v2/accounts", json!({ "name": "Other" })).await;
    let below = format!("/v2/accounts/{}/users", id_of(&other, 201));
    let stranger = id_of(&tree.alice("PUT", &below, person("eve")).await, 201);
    let acting = format!("{below}/{stranger}/user_auth");
    let acting = tree
        .alice("PUT", &acting, json!({ "action": "impersonate_user" }))
        .await;
    let strangers = acting.json()["auth_token"].as_str().expect("a token").to_owned();
    let nobody = "0".repeat(32);
    for (name, token, actor, target, status) in [
        ("no administrator", &users, &user, &target, 403),
        ("an administrator of the same account", &bosss, &boss, &target, 403),
        ("somebody of another account", &strangers, &stranger, &target, 403),
        ("in nobody's place", &bosss, &boss, &nobody, 404),
    ] {
        assert_eq!(tree.impersonate(token, target).await, status, "{name}");
        let attempt = tree.newest().await;
        let said = (&attempt["auth_type"], &attempt["status"]);
        assert_eq!(said, (&json!("impersonation"), &json!("failed")), "{name}: {attempt}");
        let who = (
            &attempt["metadata"]["original_owner_id"],
            &attempt["metadata"]["owner_id"],
        );
        assert_eq!(who, (&json!(actor), &json!(target)), "{name}: {attempt}");
    }
}
