//! The admin API, route by route.

use std::fmt::Write as _;

use axum::Router;
use insta::assert_snapshot;
use keyway_core::key::MasterKey;
use serde_json::{Value, json};

use super::router;
use crate::testing::{Reply, TestState, ask, ask_full};
use crate::{AppParts, AppState, KazooSettings, KazooState, PrivacyideaKeys, PrivacyideaPolicies, WebitelState};

async fn send(router: &Router, method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    ask(router, method, &format!("/keyway/v1{path}"), &[], &body).await
}

#[tokio::test]
async fn a_user_is_added_shown_listed_and_removed() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let new =
        json!({"login": "Carol", "password": "s3cre7", "email": "c@example.org", "firstname": "Carol", "admin": true});
    let added = send(&router, "POST", "/users", &new).await;
    assert_eq!(added.status, 201, "{added:?}");
    let user = added.json();
    assert_eq!((&user["login"], &user["enabled"]), (&json!("Carol"), &json!(true)));
    assert!(
        !added.body.contains("s3cre7") && !added.body.contains("argon2"),
        "{added:?}"
    );

    let id = user["id"].as_str().expect("an id").to_owned();
    for selector in ["carol", &id] {
        let shown = send(&router, "GET", &format!("/users/{selector}"), &Value::Null).await;
        assert_eq!((shown.status.as_u16(), shown.json()), (200, user.clone()), "{selector}");
    }
    let listed = send(&router, "GET", "/users?tenant=master&limit=1&offset=1", &Value::Null).await;
    assert_eq!(listed.json(), json!({"items": [user], "total": 2}));
    let password = send(&router, "PUT", "/users/carol/password", &json!({"password": "new"})).await;
    assert_eq!(password.status, 200, "{password:?}");
    assert_eq!(send(&router, "DELETE", "/users/carol", &Value::Null).await.status, 200);
    assert_eq!(send(&router, "GET", "/users/carol", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn tenants_and_policies_are_added_listed_and_removed() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let new = json!({"name": "acme", "realm": "acme.sip", "domains": ["acme.example"]});
    let tenant = send(&router, "POST", "/tenants", &new).await;
    assert_eq!(tenant.status, 201, "{tenant:?}");
    assert_eq!(
        send(&router, "GET", "/tenants", &Value::Null)
            .await
            .json()
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    assert_eq!(
        send(&router, "DELETE", "/tenants/acme.example", &Value::Null)
            .await
            .json(),
        tenant.json()
    );

    let policy = send(
        &router,
        "POST",
        "/policies",
        &json!({"name": "staff", "accesses": ["a.#"]}),
    )
    .await;
    assert_eq!(policy.status, 201, "{policy:?}");
    assert_eq!(
        send(&router, "PUT", "/policies/staff/attachments/alice", &Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        send(&router, "DELETE", "/policies/staff/attachments/alice", &Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        send(&router, "GET", "/policies", &Value::Null).await.json(),
        json!([policy.json()])
    );
    assert_eq!(
        send(&router, "DELETE", "/policies/staff", &Value::Null).await.status,
        200
    );
}

async fn log_in(state: &AppState) -> String {
    let dialect = crate::dialect::router(crate::dialect::Dialect::ALL, state);
    let headers = [("authorization", "Basic YWxpY2U6czNjcmU3")];
    let reply = ask(&dialect, "POST", "/0.1/token", &headers, "{}").await;
    reply.json()["data"]["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_token_is_checked_without_being_shown() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let token = log_in(&house.state).await;
    let good = send(&router, "POST", "/tokens/check", &json!({"token": token})).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert!(!good.body.contains(&token));
    let shown = good.json();
    assert_eq!(
        (&shown["login"], &shown["backend"], &shown["dialect"]),
        (&json!("alice"), &json!("wazo_user"), &json!("wazo"))
    );
    let lacking = send(
        &router,
        "POST",
        "/tokens/check",
        &json!({"token": token, "scope": "a.b"}),
    )
    .await;
    assert_eq!(lacking.status, 403, "{lacking:?}");
    for unknown in ["nope", "6f1d5d5e-0000-4000-8000-000000000000"] {
        let reply = send(&router, "POST", "/tokens/check", &json!({"token": unknown})).await;
        assert_eq!(reply.status, 404, "{reply:?}");
    }
}

#[tokio::test]
async fn tokens_are_revoked_one_by_one_by_user_and_by_plugin() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let token = log_in(&house.state).await;
    let revoke = async |body: Value| {
        let reply = send(&router, "POST", "/tokens/revoke", &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    assert_eq!(revoke(json!({"token": token})).await, json!({"tokens": 1}));
    assert_eq!(revoke(json!({"token": token})).await, json!({"tokens": 0}));
    for body in [
        json!({"user": "alice"}),
        json!({"plugin": format!("sha256:{}", "07".repeat(32))}),
    ] {
        log_in(&house.state).await;
        log_in(&house.state).await;
        assert_eq!(revoke(body).await, json!({"sessions": 2, "tokens": 2}));
    }
    let nobody = json!({"user": "6f1d5d5e-0000-4000-8000-000000000000"});
    assert_eq!(
        revoke(nobody).await,
        json!({"sessions": 0, "tokens": 0}),
        "a user who is gone may have left tokens"
    );
    assert_eq!(house.store.token_count(), 0);
}

#[tokio::test]
async fn plugins_are_listed_with_their_history() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let listed = send(&router, "GET", "/plugins", &Value::Null).await.json();
    assert_eq!(
        (&listed[0]["backend"], &listed[0]["state"]),
        (&json!("wazo_user"), &json!("serving"))
    );
    let history = send(&router, "GET", "/plugins/wazo_user/history", &Value::Null).await;
    assert_eq!(history.json()[0]["remark"], "installed");
    assert_eq!(
        send(&router, "POST", "/plugins/wazo_user/promote", &Value::Null)
            .await
            .status,
        200
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the table of answers")]
async fn every_error_says_what_to_do_next() {
    let house = TestState::new().await;
    let router = router(&house.state);
    let null = Value::Null;
    let mut table = String::new();
    for (method, path, body) in [
        ("POST", "/users", null.clone()),
        ("POST", "/users", json!({"login": "x", "passwrd": "s3cre7"})),
        ("POST", "/users", json!({"login": "x", "password": 4711})),
        ("POST", "/users", json!({"login": ""})),
        ("POST", "/users", json!({"login": "alice", "password": "s3cre7"})),
        ("POST", "/users", json!({"login": "x", "tenant": "nowhere"})),
        ("GET", "/users?limit=many", null.clone()),
        ("GET", "/users?tenant=nowhere", null.clone()),
        ("GET", "/users/nobody", null.clone()),
        ("PUT", "/users/nobody/password", json!({"password": "s3cre7"})),
        ("POST", "/policies", json!({"name": "staff"})),
        ("DELETE", "/policies/nothing", null.clone()),
        ("PUT", "/policies/nothing/attachments/alice", null.clone()),
        ("DELETE", "/tenants/master", null.clone()),
        ("POST", "/tokens/revoke", json!({})),
        ("POST", "/tokens/revoke", json!({"user": "alice", "token": "t"})),
        ("POST", "/tokens/revoke", json!({"user": "nobody"})),
        ("POST", "/tokens/revoke", json!({"plugin": "md5:1"})),
        ("GET", "/plugins/nope/history", null.clone()),
        ("POST", "/plugins/wazo_user/rollback", null.clone()),
        ("POST", "/reload", null.clone()),
        ("GET", "/nothing", null.clone()),
        ("PATCH", "/users", null.clone()),
    ] {
        let reply = send(&router, method, path, &body).await;
        assert!(reply.status.is_client_error(), "{method} {path}: {reply:?}");
        let (error, next) = (&reply.json()["error"], &reply.json()["next"]);
        assert!(error.is_string() && next.is_string(), "{reply:?}");
        assert!(
            !reply.body.contains("s3cre7") && !reply.body.contains("4711"),
            "{reply:?}"
        );
        let body = if body.is_null() {
            String::new()
        } else {
            format!(" {body}")
        };
        writeln!(
            table,
            "{method} {path}{body}\n    {} {error}\n        next: {next}",
            reply.status.as_u16()
        )
        .expect("text");
    }
    assert_snapshot!(table, @r#"
    POST /users
        400 "the body is not as expected: EOF while parsing a value at line 1 column 0"
            next: "correct the request's body"
    POST /users {"login":"x","passwrd":"s3cre7"}
        400 "the body is not as expected: unknown field `passwrd`, expected one of `login`, `password`, `email`, `firstname`, `lastname`, `tenant`, `admin` at line 1 column 22"
            next: "correct the request's body"
    POST /users {"login":"x","password":4711}
        400 "the body is not as expected: a password is text, not a number at line 1 column 28"
            next: "correct the request's body"
    POST /users {"login":""}
        400 "login: 1 to 256 characters, none of them a control character"
            next: "correct the value"
    POST /users {"login":"alice","password":"s3cre7"}
        409 "`login` exists already"
            next: "choose another"
    POST /users {"login":"x","tenant":"nowhere"}
        404 "no such tenant: `nowhere`"
            next: "look for it in a list; names ignore case"
    GET /users?limit=many
        400 "the query takes `tenant`, `offset` and `limit`, the last two as numbers"
            next: "correct the request"
    GET /users?tenant=nowhere
        404 "no such tenant: `nowhere`"
            next: "look for it in a list; names ignore case"
    GET /users/nobody
        404 "no such user: `nobody`"
            next: "look for it in a list; names ignore case"
    PUT /users/nobody/password {"password":"s3cre7"}
        404 "no such user: `nobody`"
            next: "look for it in a list; names ignore case"
    POST /policies {"name":"staff"}
        400 "the body is not as expected: missing field `accesses` at line 1 column 16"
            next: "correct the request's body"
    DELETE /policies/nothing
        404 "no such policy: `nothing`"
            next: "look for it in a list; names ignore case"
    PUT /policies/nothing/attachments/alice
        404 "no such policy: `nothing`"
            next: "look for it in a list; names ignore case"
    DELETE /tenants/master
        400 "tenant: the top tenant cannot be removed"
            next: "correct the value"
    POST /tokens/revoke {}
        400 "name exactly one of `token`, `user` and `plugin`"
            next: "correct the request"
    POST /tokens/revoke {"user":"alice","token":"t"}
        400 "name exactly one of `token`, `user` and `plugin`"
            next: "correct the request"
    POST /tokens/revoke {"user":"nobody"}
        404 "no such user: `nobody`"
            next: "look for it in a list; names ignore case"
    POST /tokens/revoke {"plugin":"md5:1"}
        400 "a plugin digest is `sha256:` and 64 hexadecimal digits"
            next: "correct the request"
    GET /plugins/nope/history
        404 "no backend `nope` is configured"
            next: "list the plugins to see the backends"
    POST /plugins/wazo_user/rollback
        409 "backend `wazo_user` has no earlier generation to go back to"
            next: "see the backend's history"
    POST /reload
        400 "keyway.toml:3: unknown key `tokn`"
            next: "correct the configuration and reload again; the server goes on with the old one"
    GET /nothing
        404 "the admin API has no such address"
            next: "check that the command and the server are of the same version"
    PATCH /users
        405 "the address does not have this method"
            next: "use one of the methods in the header `Allow`"
    "#);
}

#[tokio::test]
async fn without_a_server_the_store_still_answers_and_the_rest_says_so() {
    let house = TestState::new().await;
    let parts = AppParts {
        tokens: house.state.tokens.clone(),
        backends: house.state.backends.clone(),
        store: house.state.store.clone(),
        directory: house.state.directory.clone(),
        accounts: house.state.accounts.clone(),
        notices: house.state.notices.clone(),
        pages: house.state.pages.clone(),
        tenant_settings: house.state.tenant_settings.clone(),
        own_settings: None,
        plugins: None,
        reload: None,
        desk: None,
        factors: house.state.factors.clone(),
        privacyidea_keys: PrivacyideaKeys::new(&MasterKey::new([1; 32])),
        privacyidea_policies: PrivacyideaPolicies::new(house.state.store.clone()),
        kazoo: KazooState::new(&MasterKey::new([1; 32]), &KazooSettings::default(), house.clock.clone()),
        webitel: WebitelState::new(&MasterKey::new([1; 32]), house.state.store.clone()),
        events: house.state.events.clone(),
        clock: house.state.clock.clone(),
        random: house.state.random.clone(),
        dialects: house.state.dialects.clone(),
    };
    let router = router(&AppState::new(parts));
    assert_eq!(send(&router, "GET", "/users", &Value::Null).await.status, 200);
    for (method, path) in [("GET", "/plugins"), ("POST", "/reload")] {
        let reply = send(&router, method, path, &Value::Null).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (503, &json!("no server is running"))
        );
    }
    house.store.set_down(true);
    assert_eq!(send(&router, "GET", "/users", &Value::Null).await.status, 503);
}

#[tokio::test]
async fn a_body_without_room_is_503_and_names_the_setting() {
    let house = TestState::new().await;
    let reply = ask_full(&router(&house.state), "POST", "/keyway/v1/users", &[], "{}").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert!(reply.body.contains("`http.max_buffered`"), "{reply:?}");
}
