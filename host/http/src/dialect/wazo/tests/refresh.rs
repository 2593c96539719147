//! Refresh tokens and sessions.

use axum::Router;
use keyway_core::directory::AddUser;
use keyway_core::model::{Purpose, UserId};
use keyway_core::port::DirectoryStore as _;
use serde_json::{Value, json};

use super::directory::Caller;
use super::{basic, routes};
use crate::testing::{Reply, TestState, ask};

const UNKNOWN: &str = "6f1d5d5e-0000-4000-8000-000000000000";

/// Alice's login with this body.
async fn log_in(router: &Router, body: &Value, mobile: bool) -> Reply {
    let authorization = basic("alice", "s3cre7");
    let mut headers = vec![("authorization", authorization.as_str())];
    if mobile {
        headers.push(("wazo-session-type", "Mobile"));
    }
    ask(router, "POST", "/0.1/token", &headers, &body.to_string()).await
}

fn offline(client: &str) -> Value {
    json!({"access_type": "offline", "client_id": client})
}

async fn offline_login(router: &Router, client: &str, mobile: bool) -> Value {
    let reply = log_in(router, &offline(client), mobile).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["data"].take()
}

/// A login without a password.
async fn refresh(router: &Router, token: &Value, client: &str) -> Reply {
    let body = json!({"refresh_token": token, "client_id": client});
    ask(router, "POST", "/0.1/token", &[], &body.to_string()).await
}

fn clients(list: &Reply) -> Vec<String> {
    let items = list.json()["items"].as_array().expect("a list").clone();
    let clients = items
        .iter()
        .map(|item| item["client_id"].as_str().expect("text").to_owned());
    clients.collect()
}

/// What a check of this token answers.
async fn check(router: &Router, token: &Value) -> u16 {
    let path = format!("/0.1/token/{}", id(token));
    ask(router, "HEAD", &path, &[], "").await.status.as_u16()
}

fn id(value: &Value) -> &str {
    value.as_str().expect("an id")
}

/// The second of a login's date, as lists write dates.
fn second(date: &Value) -> String {
    let date = date.as_str().expect("a date");
    format!("{}.000000+00:00", date.split('.').next().expect("a second"))
}

#[tokio::test]
async fn an_offline_login_answers_a_refresh_token_that_logs_in_without_a_password() {
    let house = TestState::new().await;
    let router = routes(&house);
    let first = offline_login(&router, "web", false).await;
    let keys: Vec<_> = first.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys.last().map(String::as_str), Some("refresh_token"));
    let reply = refresh(&router, &first["refresh_token"], "web").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("wazo-sessions-revoked"), Some("0"));
    let second = reply.json()["data"].take();
    assert!(
        second.get("refresh_token").is_none(),
        "only when one is made or given out"
    );
    assert_eq!(second["metadata"], first["metadata"]);
    assert_ne!(second["session_uuid"], first["session_uuid"]);
    assert_eq!(check(&router, &second["token"]).await, 204);
    for (token, client) in [
        (first["refresh_token"].clone(), "other"),
        (json!(UNKNOWN), "web"),
        (json!("nope"), "web"),
        (first["token"].clone(), "web"),
    ] {
        let reply = refresh(&router, &token, client).await;
        assert_eq!(reply.status, 401, "{token} {client}");
        assert_eq!(reply.json()["reason"], json!(["Authentication Failed"]));
    }
    // A refresh token is no token.
    assert_eq!(check(&router, &first["refresh_token"]).await, 404);
}

#[tokio::test]
async fn a_client_gets_its_refresh_token_again_and_another_client_another() {
    let house = TestState::new().await;
    let router = routes(&house);
    let first = offline_login(&router, "web", false).await;
    let again = offline_login(&router, "web", false).await;
    let other = offline_login(&router, "tab", false).await;
    assert_eq!(first["refresh_token"], again["refresh_token"]);
    assert_ne!(first["refresh_token"], other["refresh_token"]);
    assert_eq!(house.store.refresh_token_count(), 2);
}

#[tokio::test]
async fn a_new_mobile_client_ends_the_sessions_of_the_one_before() {
    let caller = Caller::with("#").await;
    let router = routes(&caller.house);
    offline_login(&router, "web", false).await;
    let first = offline_login(&router, "phone-1", true).await;
    let refreshed = refresh(&router, &first["refresh_token"], "phone-1").await.json()["data"].take();
    for ended in ["2", "1"] {
        let reply = log_in(&router, &offline("phone-2"), true).await;
        assert_eq!(reply.header("wazo-sessions-revoked"), Some(ended), "{reply:?}");
    }
    for token in [&first["token"], &refreshed["token"]] {
        assert_eq!(check(&router, token).await, 404);
    }
    assert_eq!(refresh(&router, &first["refresh_token"], "phone-1").await.status, 401);
    let listed = caller
        .ask("GET", "/users/me/tokens?order=client_id", &Value::Null)
        .await;
    assert_eq!(clients(&listed), ["phone-2", "web"]);
    assert_eq!(listed.json()["items"][0]["mobile"], true);
    let mobile = caller
        .ask("GET", "/sessions?order=mobile&direction=desc", &Value::Null)
        .await;
    let items = mobile.json()["items"].as_array().expect("a list").clone();
    assert_eq!(items.iter().filter(|session| session["mobile"] == true).count(), 1);
    assert_eq!(items[0]["mobile"], true);
}

#[tokio::test]
async fn refresh_tokens_are_listed_without_themselves() {
    let caller = Caller::with("#").await;
    let router = routes(&caller.house);
    for client in ["web", "tab", "Baz"] {
        offline_login(&router, client, client == "Baz").await;
        caller.house.clock.advance(std::time::Duration::from_secs(1));
    }
    let me = caller.ask("GET", "/users/me/tokens", &Value::Null).await;
    assert_eq!(clients(&me), ["web", "tab", "Baz"]);
    let body = me.json();
    let item = &body["items"][0];
    let user = id(&item["user_uuid"]).to_owned();
    assert_eq!(
        *item,
        json!({
            "client_id": "web",
            "created_at": "2026-01-01T00:00:00.123456+00:00",
            "mobile": false,
            "user_uuid": user,
            "tenant_uuid": item["tenant_uuid"],
            "metadata": {},
        })
    );
    assert_eq!((&body["total"], &body["filtered"]), (&json!(3), &json!(3)));
    for path in ["/tokens".to_owned(), format!("/users/{user}/tokens")] {
        let all = caller.ask("GET", &path, &Value::Null).await;
        assert_eq!(all.json(), body, "{path}");
        for (query, expected, filtered) in [
            ("search=baz", &["Baz"][..], 1),
            ("mobile=True", &["Baz"], 1),
            ("client_id=tab", &["tab"], 1),
            ("order=mobile&direction=desc&limit=1", &["Baz"], 3),
            ("order=created_at&direction=desc", &["Baz", "tab", "web"], 3),
            ("order=client_id&offset=1", &["tab", "web"], 3),
        ] {
            let list = caller.ask("GET", &format!("{path}?{query}"), &Value::Null).await;
            assert_eq!(clients(&list), expected, "{path}?{query}");
            assert_eq!(
                (&list.json()["filtered"], &list.json()["total"]),
                (&json!(filtered), &json!(3))
            );
        }
        for query in ["limit=x", "offset=-1", "order=lol", "direction=up", "mobile=maybe"] {
            let list = caller.ask("GET", &format!("{path}?{query}"), &Value::Null).await;
            assert_eq!(list.status, 400, "{query}");
            assert_eq!(list.json()["error_id"], "invalid-list-param");
        }
    }
    let unknown = caller
        .ask("GET", &format!("/users/{UNKNOWN}/tokens"), &Value::Null)
        .await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.json()["error_id"]),
        (404, &json!("unknown-user"))
    );
    assert_eq!(caller.ask("GET", "/users/nope/tokens", &Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_refresh_token_is_removed_once_and_what_it_issued_lives_on() {
    let caller = Caller::with("#").await;
    let router = routes(&caller.house);
    for (owner, client) in [("me", "a.b/c d"), ("user", "web")] {
        let login = offline_login(&router, client, false).await;
        let owner = if owner == "me" { "me" } else { id(&login["auth_id"]) };
        let path = format!(
            "/users/{owner}/tokens/{}",
            client.replace('/', "%2F").replace(' ', "%20")
        );
        let removed = caller.ask("DELETE", &path, &Value::Null).await;
        assert_eq!(removed.status, 204, "{removed:?}");
        assert_eq!(refresh(&router, &login["refresh_token"], client).await.status, 401);
        assert_eq!(check(&router, &login["token"]).await, 204);
        let again = caller.ask("DELETE", &path, &Value::Null).await;
        let body = again.json();
        assert_eq!(again.status, 404);
        assert_eq!(body["error_id"], "cannot-find-refresh-token-matching-client-id");
        assert_eq!(
            (&body["resource"], &body["details"]),
            (&json!("tokens"), &json!({"client_id": client}))
        );
    }
    let unknown = format!("/users/{UNKNOWN}/tokens/web");
    let reply = caller.ask("DELETE", &unknown, &Value::Null).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error_id"]),
        (404, &json!("unknown-user"))
    );
    for path in ["/users/nope/tokens/web", "/users/me/tokens/%ff"] {
        assert_eq!(caller.ask("DELETE", path, &Value::Null).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_access_to_a_refresh_token_names_its_client_without_dots() {
    let caller = Caller::with("auth.users.me.tokens.a_b.delete").await;
    offline_login(&routes(&caller.house), "a.b", false).await;
    let removed = caller.ask("DELETE", "/users/me/tokens/a.b", &Value::Null).await;
    assert_eq!(removed.status, 204);
    let denied = caller.ask("DELETE", "/users/me/tokens/x", &Value::Null).await;
    assert_eq!(denied.status, 401);
    assert_eq!(
        denied.json()["details"]["required_access"],
        "auth.users.me.tokens.x.delete"
    );
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let caller = Caller::with("#").await;
    let router = routes(&caller.house);
    let one = log_in(&router, &json!({}), true).await.json()["data"].take();
    let user = id(&one["auth_id"]).to_owned();
    for path in ["/sessions".to_owned(), format!("/users/{user}/sessions")] {
        let list = caller.ask("GET", &path, &Value::Null).await.json();
        assert_eq!((&list["total"], &list["filtered"]), (&json!(2), &json!(2)), "{path}");
        let items = list["items"].as_array().expect("a list");
        let tenant = &one["metadata"]["tenant_uuid"];
        let expected = json!({
            "uuid": one["session_uuid"],
            "mobile": true,
            "tenant_uuid": tenant,
            "user_uuid": user,
            "user_agent": one["user_agent"],
            "created_at": second(&one["utc_issued_at"]),
            "expires_at": second(&one["utc_expires_at"]),
            "refresh_token_client_id": null,
        });
        assert!(items.contains(&expected), "{items:?}");
        let page = caller
            .ask("GET", &format!("{path}?limit=1&offset=1"), &Value::Null)
            .await
            .json();
        assert_eq!(
            (page["items"].as_array().map(Vec::len), &page["total"]),
            (Some(1), &json!(2))
        );
        let wrong = caller.ask("GET", &format!("{path}?order=uuid"), &Value::Null).await;
        assert_eq!(wrong.status, 400);
    }
    let session = id(&one["session_uuid"]);
    // Somebody else's, by the path.
    let bob = AddUser {
        login: Some("bob".to_owned()),
        ..AddUser::default()
    };
    let bob = caller.house.state.directory.add_user(bob).await.expect("added").id;
    let path = format!("/users/{bob}/sessions/{session}");
    assert_eq!(caller.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(check(&router, &one["token"]).await, 204);
    for _ in 0..2 {
        let ended = caller
            .ask("DELETE", &format!("/sessions/{session}"), &Value::Null)
            .await;
        assert_eq!(ended.status, 204, "an unknown one is no error");
        assert_eq!(check(&router, &one["token"]).await, 404);
    }
    let two = log_in(&router, &json!({}), false).await.json()["data"].take();
    let path = format!("/users/{user}/sessions/{}", id(&two["session_uuid"]));
    assert_eq!(caller.ask("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(check(&router, &two["token"]).await, 404);
    let unknown = caller
        .ask("GET", &format!("/users/{UNKNOWN}/sessions"), &Value::Null)
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn a_session_tells_the_client_of_its_refresh_token_and_sessions_come_in_any_order() {
    let caller = Caller::with("#").await;
    let router = routes(&caller.house);
    let login = offline_login(&router, "phone", false).await;
    for order in [
        "created_at",
        "expires_at",
        "user_agent",
        "refresh_token_client_id",
        "mobile",
    ] {
        for direction in ["asc", "desc"] {
            let path = format!("/sessions?order={order}&direction={direction}");
            let list = caller.ask("GET", &path, &Value::Null).await.json();
            let mut items = list["items"].as_array().expect("a list").iter();
            let session = items.find(|session| session["uuid"] == login["session_uuid"]);
            assert_eq!(session.expect("its session")["refresh_token_client_id"], "phone");
        }
    }
}

#[tokio::test]
async fn a_session_of_a_tenant_above_stays_and_nobody_learns_of_it() {
    let caller = Caller::with("#").await;
    let below = caller.house.state.directory.add_tenant("below", None, None, &[]).await;
    let below = below.expect("added").id.to_string();
    let router = routes(&caller.house);
    let one = log_in(&router, &json!({}), false).await.json()["data"].take();
    let path = format!("/sessions/{}", id(&one["session_uuid"]));
    let header = [("wazo-tenant", below.as_str())];
    let ended = caller.ask_with("DELETE", &path, &header, &Value::Null).await;
    assert_eq!(ended.status, 204);
    assert_eq!(check(&router, &one["token"]).await, 204);
    for path in ["/sessions", "/tokens"] {
        let list = caller.ask_with("GET", path, &header, &Value::Null).await.json();
        assert_eq!(list["total"], 0);
    }
    let user = id(&one["auth_id"]);
    let list = caller
        .ask_with("GET", &format!("/users/{user}/sessions"), &header, &Value::Null)
        .await;
    assert_eq!(list.status, 404);
}

#[tokio::test]
async fn the_hundred_and_first_session_is_too_many() {
    let house = TestState::new().await;
    let router = routes(&house);
    let mut last = Value::Null;
    for _ in 0..100 {
        last = log_in(&router, &json!({}), false).await.json()["data"].take();
    }
    let refused = log_in(&router, &json!({}), false).await;
    assert_eq!(refused.status, 429);
    let user = id(&last["auth_id"]);
    let reason = format!("User {user} has exceeded the maximum number of active sessions");
    assert_eq!(refused.json()["reason"], json!([reason]));
    assert_eq!(refused.json()["status_code"], 429);
    ask(
        &router,
        "DELETE",
        &format!("/0.1/token/{}", id(&last["token"])),
        &[],
        "",
    )
    .await;
    assert_eq!(log_in(&router, &json!({}), false).await.status, 200);
}

#[tokio::test]
async fn metadata_says_what_the_user_is_there_for() {
    for (purpose, name) in [(Purpose::Internal, "internal"), (Purpose::ExternalApi, "external_api")] {
        let house = TestState::new().await;
        let router = routes(&house);
        let user = offline_login(&router, "c", false).await;
        let id = UserId(uuid::Uuid::parse_str(id(&user["auth_id"])).expect("a uuid"));
        let mut alice = house.store.find_user(id).await.expect("an answer").expect("alice");
        alice.purpose = purpose;
        house.store.replace_user(alice);
        let login = offline_login(&router, "c", false).await;
        let refreshed = refresh(&router, &user["refresh_token"], "c").await.json()["data"].take();
        for data in [login, refreshed] {
            assert_eq!(data["xivo_user_uuid"], Value::Null);
            let keys: Vec<_> = data["metadata"]
                .as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect();
            assert_eq!(
                keys.join(" "),
                "uuid tenant_uuid auth_id pbx_user_uuid xivo_uuid purpose"
            );
            assert_eq!(data["metadata"]["pbx_user_uuid"], Value::Null);
            assert_eq!(data["metadata"]["purpose"], name);
            assert_eq!(data["metadata"]["uuid"], data["auth_id"]);
        }
    }
}
