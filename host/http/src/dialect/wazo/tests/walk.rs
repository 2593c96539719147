//! One walk through the whole API: each operation that the document tells of succeeds once, and answers what it tells.

mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::Router;
use http::Method;
use serde_json::{Value, json};

use super::{basic, routes};
use crate::testing::told::Told;
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, WazoSettings};

/// What is not walked through: an answer that does not end, and what the edge answers.
const ELSEWHERE: &[(&str, &str)] = &[("GET", "/keyway/v1/events"), ("GET", "/livez"), ("GET", "/readyz")];

/// Where somebody is on the way, and with what in hand.
struct Walk {
    house: TestState,
    router: Router,
    /// What stands for names in braces.
    held: BTreeMap<&'static str, String>,
    done: BTreeSet<(String, String)>,
}

impl Walk {
    async fn begin() -> Self {
        let wazo = WazoSettings {
            registration: true,
            ..WazoSettings::default()
        };
        let house = TestState::with(DialectSettings {
            wazo,
            ..DialectSettings::default()
        })
        .await;
        house.grant_alice("#").await;
        Self {
            router: routes(&house),
            house,
            held: BTreeMap::new(),
            done: BTreeSet::new(),
        }
    }

    fn fill(&self, text: &str) -> String {
        let held = self.held.iter();
        held.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (path, body) = (self.fill(path), self.fill(body));
        let told = Told::by(&self.router).await.expect("a document");
        let found = told.find(
            &Method::try_from(method).expect("a method"),
            path.split('?').next().expect("a part"),
        );
        let found = found.expect("an operation");
        if let Some(schema) = found.operation.pointer("/requestBody/content/application~1json/schema") {
            let right = serde_json::from_str(&body).expect("JSON");
            told.check_shape(schema, &right);
            for wrong in wrong::bodies(&told, schema, &right) {
                let reply = ask(&self.router, method, &path, headers, &wrong.to_string()).await;
                assert_eq!(reply.status, 400, "{method} {path}: {wrong}: {reply:?}");
            }
        }
        for (query, is_right) in wrong::queries(&told, found.operation) {
            let reply = ask(&self.router, method, &format!("{path}?{query}"), headers, &body).await;
            let status = if is_right { 200 } else { 400 };
            assert_eq!(reply.status, status, "{method} {path}?{query}: {reply:?}");
        }
        let reply = ask(&self.router, method, &path, headers, &body).await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        self.done.insert((found.method, found.path.to_owned()));
        reply
    }

    /// One step of alice, who may do everything.
    async fn step(&mut self, method: &str, path: &str, body: Value) -> Reply {
        let token = self.held.get("token").cloned().unwrap_or_default();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask(method, &format!("/0.1{path}"), &[("x-auth-token", &token)], &body)
            .await
    }

    async fn steps(&mut self, steps: &[(&str, &str, Value)]) {
        for (method, path, body) in steps {
            self.step(method, path, body.clone()).await;
        }
    }

    /// A step that makes something: its id is `name` from then on.
    async fn make(&mut self, name: &'static str, path: &str, body: Value) {
        let made = self.step("POST", path, body).await.json();
        self.hold(name, &made["uuid"]);
    }

    fn hold(&mut self, name: &'static str, value: &Value) {
        self.held.insert(name, value.as_str().expect("a text").to_owned());
    }

    /// Logs alice in, for a client that wants to come back.
    async fn log_in(&mut self, client: &str) -> Value {
        let proof = basic("alice", "s3cre7");
        let body = json!({"access_type": "offline", "client_id": client}).to_string();
        let reply = self
            .ask("POST", "/0.1/token", &[("authorization", &proof)], &body)
            .await;
        reply.json()["data"].clone()
    }

    /// The token of the one mail that was sent.
    async fn hold_link(&mut self) {
        self.house.state.notices.settle(Duration::from_secs(30)).await;
        let letters = self.house.letters.take();
        let [letter] = letters.as_slice() else {
            panic!("{letters:?}");
        };
        self.held.insert("link", letter.token.expose().to_owned());
    }

    async fn tokens(&mut self) {
        let token = self.log_in("first").await;
        self.hold("token", &token["token"]);
        self.hold("alice", &token["auth_id"]);
        let second = self.log_in("second").await;
        self.hold("session", &second["session_uuid"]);
        let third = self.log_in("third").await;
        self.hold("other", &third["session_uuid"]);
        let none = Value::Null;
        self.steps(&[
            ("GET", "/token/{token}?scope=a", none.clone()),
            ("HEAD", "/token/{token}", none.clone()),
            ("POST", "/token/{token}/scopes/check", json!({"scopes": ["a", "b"]})),
            ("GET", "/tokens", none.clone()),
            ("GET", "/users/me/tokens", none.clone()),
            ("GET", "/users/{alice}/tokens", none.clone()),
            ("DELETE", "/users/me/tokens/second", none.clone()),
            ("DELETE", "/users/{alice}/tokens/third", none.clone()),
            ("GET", "/sessions", none.clone()),
            ("GET", "/users/{alice}/sessions", none.clone()),
            ("DELETE", "/sessions/{session}", none.clone()),
            ("DELETE", "/users/{alice}/sessions/{other}", none),
        ])
        .await;
    }

    async fn server(&mut self) {
        let none = Value::Null;
        let ldap = json!({"host": "ldap.example.org", "port": 636, "protocol_security": "ldaps", "user_base_dn": "ou=people",
            "user_login_attribute": "uid", "user_email_attribute": "mail", "bind_dn": "cn=a", "bind_password": "b"});
        self.steps(&[
            ("GET", "/backends", none.clone()),
            ("HEAD", "/status", none.clone()),
            ("GET", "/api/api.yml", none.clone()),
            ("GET", "/config", none.clone()),
            (
                "PATCH",
                "/config",
                json!([{"op": "replace", "path": "/debug", "value": true}]),
            ),
            ("GET", "/backends/ldap", none.clone()),
            ("PUT", "/backends/ldap", ldap),
            ("GET", "/backends/ldap", none.clone()),
            ("DELETE", "/backends/ldap", none.clone()),
            ("GET", "/idp", none),
        ])
        .await;
        for path in ["/api", "/api/openapi.json"] {
            self.ask("GET", path, &[], "").await;
        }
        let change = json!({"backend": "wazo_user", "login": "bob", "tenant": "a", "old_password": "s3cre7", "new_password": "b"});
        self.ask("POST", "/keyway/v1/password", &[], &change.to_string()).await;
    }

    async fn tenants(&mut self) {
        let tenant =
            json!({"name": "a", "slug": "a", "domain_names": ["a.example.org"], "address": {"city": "Montreal"}});
        self.make("tenant", "/tenants", tenant).await;
        self.make("parent", "/tenants", json!({})).await;
        let none = Value::Null;
        self.steps(&[
            ("GET", "/tenants", none.clone()),
            ("GET", "/tenants/{tenant}", none.clone()),
            (
                "PUT",
                "/tenants/{tenant}",
                json!({"name": "b", "domain_names": ["b.example.org"]}),
            ),
            ("GET", "/tenants/{tenant}/domains", none.clone()),
            ("PUT", "/tenants/{tenant}/parent/{parent}", none.clone()),
            ("DELETE", "/tenants/{tenant}", none),
        ])
        .await;
    }

    async fn users(&mut self) {
        let bob = json!({"username": "bob", "password": "old password", "email_address": "bob@example.org"});
        self.make("user", "/users", bob).await;
        self.steps(&[
            ("GET", "/users", Value::Null),
            ("GET", "/users/{user}", Value::Null),
            ("PUT", "/users/{user}", json!({"username": "bob", "firstname": "Bob"})),
            (
                "PUT",
                "/users/{user}/password",
                json!({"old_password": "old password", "new_password": "new password"}),
            ),
            ("PUT", "/idp/native/users/{user}", Value::Null),
            ("DELETE", "/idp/native/users/{user}", Value::Null),
            ("PUT", "/idp/native/users", json!({"users": [{"uuid": "{user}"}]})),
        ])
        .await;
        let eve = json!({"username": "eve", "password": "s3cre7", "email_address": "eve@example.org"});
        self.step("POST", "/users/register", eve).await;
        self.hold_link().await;
    }

    async fn mails(&mut self) {
        let emails = json!({"emails": [{"address": "bob@example.org", "main": true}]});
        self.step("PUT", "/users/{user}/emails", emails).await;
        let emails = json!({"emails": [{"address": "bob@example.org", "main": true, "confirmed": false}]});
        let set = self.step("PUT", "/admin/users/{user}/emails", emails).await.json();
        self.hold("email", &set[0]["uuid"]);
        self.step("GET", "/users/{user}/emails/{email}/confirm", Value::Null)
            .await;
        self.hold_link().await;
        self.ask("GET", "/0.1/emails/{email}/confirm?token={link}", &[], "")
            .await;
        self.step("PUT", "/emails/{email}/confirm", Value::Null).await;

        self.ask("GET", "/0.1/users/password/reset?username=bob", &[], "").await;
        self.hold_link().await;
        let form = "/0.1/users/password/reset/form?user_uuid={user}&token={link}";
        self.ask("GET", form, &[], "").await;
        self.ask("POST", form, &[], "password=another+password").await;
        self.ask("GET", "/0.1/users/password/reset?email=bob@example.org", &[], "")
            .await;
        self.hold_link().await;
        let path = "/0.1/users/password/reset?user_uuid={user}&token={link}";
        let body = json!({"password": "a third password"}).to_string();
        self.ask("POST", path, &[], &body).await;
    }

    async fn policies_and_groups(&mut self) {
        self.make(
            "policy",
            "/policies",
            json!({"name": "p", "acl": ["a.#"], "shared": true}),
        )
        .await;
        self.make("group", "/groups", json!({"name": "g"})).await;
        let none = Value::Null;
        self.steps(&[
            ("GET", "/policies", none.clone()),
            ("GET", "/policies/{policy}", none.clone()),
            (
                "PUT",
                "/policies/{policy}",
                json!({"name": "q", "description": "for all"}),
            ),
            ("PUT", "/policies/{policy}/acl/a.%23", none.clone()),
            ("DELETE", "/policies/{policy}/acl/a.%23", none.clone()),
            ("PUT", "/users/{user}/policies/{policy}", none.clone()),
            ("GET", "/users/{user}/policies", none.clone()),
            ("DELETE", "/users/{user}/policies/{policy}", none.clone()),
            ("GET", "/groups", none.clone()),
            ("GET", "/groups/{group}", none.clone()),
            ("PUT", "/groups/{group}", json!({"name": "h"})),
            ("PUT", "/groups/{group}/users/{user}", none.clone()),
            ("GET", "/groups/{group}/users", none.clone()),
            ("GET", "/users/{user}/groups", none.clone()),
            ("DELETE", "/groups/{group}/users/{user}", none.clone()),
            ("PUT", "/groups/{group}/policies/{policy}", none.clone()),
            ("GET", "/groups/{group}/policies", none.clone()),
            ("DELETE", "/groups/{group}/policies/{policy}", none.clone()),
            ("DELETE", "/groups/{group}", none.clone()),
            ("DELETE", "/policies/{policy}", none.clone()),
            ("DELETE", "/users/{user}", none.clone()),
            ("DELETE", "/token/{token}", none),
        ])
        .await;
    }
}

#[tokio::test]
async fn every_operation_of_the_document_succeeds_as_it_tells() {
    let mut walk = Walk::begin().await;
    walk.tokens().await;
    walk.server().await;
    walk.tenants().await;
    walk.users().await;
    walk.mails().await;
    walk.policies_and_groups().await;
    let told = Told::by(&walk.router).await.expect("a document");
    let all = told
        .operations()
        .map(|(_, found)| (found.method, found.path.to_owned()));
    let left: BTreeSet<_> = all.filter(|operation| !walk.done.contains(operation)).collect();
    let elsewhere = ELSEWHERE.iter();
    let elsewhere = elsewhere.map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(left, elsewhere.collect());
}
