//! Logins with digests, and the tokens that follow.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyway_core::account::NewAccount;
use keyway_core::model::{Credential, DigestAlgorithm, Outcome, Refusal, Subject, UserId};
use keyway_core::port::{BackendFault, Step, VerifyRequest};
use keyway_core::testing::{FakeBackend, principal};
use serde_json::{Value, json};

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, KazooSettings};

/// MD5 over `alice:s3cre7`, as far as these tests care.
const DIGEST: &str = "0123456789abcdef0123456789abcdef";

/// A server whose backend knows one digest: that of `alice`, of the top account.
struct House {
    state: TestState,
    router: Router,
}

impl House {
    async fn new() -> Self {
        let kazoo = KazooSettings {
            backend: "digests".to_owned(),
            ..KazooSettings::default()
        };
        let state = TestState::with(DialectSettings {
            kazoo,
            ..DialectSettings::default()
        })
        .await;
        let alice = state.state.directory.get_user("alice").await.expect("alice").id;
        let backend = FakeBackend::new(move |request| judge(request, alice));
        state.backends.add("digests", Arc::new(backend)).expect("a name");
        Self {
            router: router(Dialect::ALL, &state.state),
            state,
        }
    }

    async fn log_in(&self, data: Value) -> Reply {
        let body = json!({ "data": data }).to_string();
        ask(&self.router, "PUT", "/v2/user_auth", &[], &body).await
    }

    async fn token(&self) -> String {
        let reply = self
            .log_in(json!({ "credentials": DIGEST, "account_name": "master" }))
            .await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["auth_token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        ask(&self.router, "GET", path, &[("x-auth-token", token)], "").await
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what backends answer")]
fn judge(request: &VerifyRequest, alice: UserId) -> Result<Outcome, BackendFault> {
    let Step::Start {
        identifier,
        credential: Credential::Digest { algorithm, value },
    } = &request.step
    else {
        return Ok(Outcome::Refused(Refusal::UnsupportedCredential));
    };
    let is_hers = identifier.is_empty() && *algorithm == DigestAlgorithm::Md5 && value.expose() == DIGEST.as_bytes();
    if is_hers && request.context.tenant.is_some() {
        return Ok(Outcome::Verified(principal(Subject::Directory(alice), "alice")));
    }
    Ok(Outcome::Refused(Refusal::WrongCredential))
}

#[tokio::test]
async fn a_digest_is_a_token_wherever_it_is_shown() {
    let house = House::new().await;
    let token = house.token().await;
    for path in [
        "/v2/token_auth",
        "/v1/token_auth",
        &format!("/v2/user_auth/{token}"),
        &format!("/v2/auth/tokeninfo?token={token}"),
        &format!("/v2/account/user_auth/{token}"),
    ] {
        let reply = house.get(&token, path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        let body = reply.json();
        assert_eq!(body["auth_token"], token, "{path}");
        assert_eq!(body["data"]["method"], "cb_user_auth", "{path}");
        assert_eq!(body["data"]["is_master_account"], true, "{path}");
    }
    let checked = ask(&house.router, "HEAD", &format!("/0.1/token/{token}"), &[], "").await;
    assert_eq!(checked.status, 204, "another dialect takes it");
}

#[tokio::test]
async fn a_token_ends_when_it_is_removed_and_when_its_time_is_over() {
    let house = House::new().await;
    let (token, other) = (house.token().await, house.token().await);
    let headers = [("x-auth-token", token.as_str())];
    let removed = ask(&house.router, "DELETE", "/v2/token_auth", &headers, "").await;
    assert_eq!(removed.status, 200, "{removed:?}");
    let reply = house.get(&token, "/v2/token_auth").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["message"]),
        (401, &json!("invalid_credentials"))
    );
    assert_eq!(house.get(&other, "/v2/token_auth").await.status, 200);
    house.state.clock.advance(Duration::from_hours(1));
    let reply = house.get(&other, "/v2/token_auth").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["message"]),
        (401, &json!("invalid credentials"))
    );
    // An expired token stops no login.
    let body = json!({ "data": { "credentials": DIGEST, "account_name": "master" } }).to_string();
    let headers = [("x-auth-token", other.as_str())];
    let again = ask(&house.router, "PUT", "/v2/user_auth", &headers, &body).await;
    assert_eq!(again.status, 201, "{again:?}");
}

#[tokio::test]
async fn an_authorization_has_its_scheme_in_any_case_and_comes_last_where_it_is_no_header() {
    let house = House::new().await;
    let token = house.token().await;
    let get = async |query: &str, headers: &[(&str, &str)]| {
        let path = format!("/v2/token_auth?{query}");
        let reply = ask(&house.router, "GET", &path, headers, "").await;
        reply.status.as_u16()
    };
    let own = house.get(&token, "/v2/token_auth").await.json()["data"]["account_id"].clone();
    let basic = STANDARD.encode(format!("{}:{DIGEST}", own.as_str().expect("an account")));
    for scheme in ["Basic", "basic", "BASIC"] {
        let authorization = format!("{scheme} {basic}");
        assert_eq!(get("", &[("authorization", &authorization)]).await, 200, "{scheme}");
    }
    for said in [
        format!("basic {basic}"),
        format!("Bearer {token}"),
        format!("bearer {token}"),
    ] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("authorization", &said)
            .finish();
        assert_eq!(get(&query, &[]).await, 200, "{said}");
        for header in [("authorization", "Bearer x.y.z"), ("x-auth-token", "x.y.z")] {
            assert_eq!(get(&query, &[header]).await, 401, "{said}: {header:?}");
        }
        assert_eq!(get(&format!("auth_token=x.y.z&{query}"), &[]).await, 401, "{said}");
    }
}

#[tokio::test]
async fn a_token_that_is_too_long_is_a_bad_token() {
    let house = House::new().await;
    let token = house.token().await;
    let long = format!("{token}{}", "A".repeat(4096));
    let own = house.get(&token, "/v2/token_auth").await.json()["data"]["account_id"].clone();
    let basic = STANDARD.encode(format!("{}:{DIGEST}", own.as_str().expect("an account")));
    let basic = format!("Basic {basic}");
    let headers = [("x-auth-token", long.as_str()), ("authorization", &basic)];
    let reply = ask(&house.router, "GET", "/v2/token_auth", &headers, "").await;
    assert_eq!(reply.status, 401, "nothing else is looked at: {reply:?}");
    assert!(reply.json().get("auth_token").is_none(), "it is not repeated");
}

#[tokio::test]
async fn somebody_of_another_account_is_not_let_in() {
    let house = House::new().await;
    let index = house.state.state.accounts.index().await.expect("accounts");
    let accounts = &house.state.state.accounts;
    let made = accounts.create_account(index.master(), NewAccount::named("acme")).await;
    made.expect("an account");
    house.token().await;
    let before = house.state.store.session_count();
    // The backend names alice, whatever account is asked for.
    let reply = house
        .log_in(json!({ "credentials": DIGEST, "account_name": "acme" }))
        .await;
    assert_eq!(reply.status, 401, "{reply:?}");
    assert_eq!(house.state.store.session_count(), before);
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_to_whoever_has_it() {
    let house = House::new().await;
    let login = json!({ "username": "alice", "password": "s3cre7" }).to_string();
    let headers = [("content-type", "application/json")];
    let login = ask(&house.router, "POST", "/login", &headers, &login).await;
    let webitel = login.json()["token"].as_str().expect("a token").to_owned();
    let kazoo = house.token().await;
    let tell = async |token: &str| {
        let path = format!("/v2/auth/tokeninfo?token={token}");
        let reply = ask(&house.router, "GET", &path, &[], "").await;
        (
            reply.status.as_u16(),
            reply.json()["message"].as_str().map(str::to_owned),
        )
    };
    let bad = |words: &str| (401, Some(words.to_owned()));
    assert_eq!((tell(&kazoo).await.0, tell(&webitel).await.0), (200, 200));
    let (signed, _) = kazoo.rsplit_once('.').expect("a signature");
    assert_eq!(tell("x").await, bad("malformed_token"));
    assert_eq!(tell("eyJhbGciOiJub25lIn0.e30.").await, bad("unsupported_algorithm"));
    assert_eq!(tell(&format!("{signed}.AAAA")).await, bad("invalid_jwt_signature"));
    assert_eq!(tell(&format!("{webitel}AAAA")).await, bad("invalid_jwt_signature"));
    house.state.clock.advance(Duration::from_hours(24 * 366));
    assert_eq!(tell(&kazoo).await, bad("token_expired"));
    assert_eq!(tell(&webitel).await, bad("token_expired"));
}

#[tokio::test]
async fn nobody_has_more_sessions_than_the_operator_allows() {
    let house = House::new().await;
    let first = house.token().await;
    for _ in 1..100 {
        house.token().await;
        // So that the bucket has tokens for the next one.
        house.state.clock.advance(Duration::from_secs(1));
    }
    let data = json!({ "credentials": DIGEST, "account_name": "master" });
    assert_eq!(house.log_in(data.clone()).await.status, 429);
    let out = ask(
        &house.router,
        "DELETE",
        "/v2/token_auth",
        &[("X-Auth-Token", &first)],
        "",
    )
    .await;
    assert_eq!(out.status, 200, "{out:?}");
    assert_eq!(house.log_in(data).await.status, 201);
}

#[tokio::test]
async fn nobody_is_let_in_by_something_else() {
    let house = House::new().await;
    for data in [
        json!({ "credentials": DIGEST.to_uppercase(), "account_name": "master" }),
        json!({ "credentials": DIGEST, "account_name": "master", "method": "sha" }),
        json!({ "credentials": DIGEST, "account_name": "nosuch" }),
        json!({ "credentials": DIGEST }),
    ] {
        let reply = house.log_in(data.clone()).await;
        assert_eq!(reply.status, 401, "{data}: {reply:?}");
        assert_eq!(reply.json()["data"], json!({ "message": "invalid credentials" }));
    }
    let token = house.token().await;
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let (_, claims) = signed.split_once('.').expect("claims");
    for text in [
        format!("{signed}."),
        format!("{signed}.{}", &signature[4..]),
        // `{"alg":"none","typ":"JWT"}` and `{"alg":"HS256"}`
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."),
        format!("eyJhbGciOiJIUzI1NiJ9.{claims}.{signature}"),
    ] {
        let reply = house.get(&text, "/v2/token_auth").await;
        assert_eq!(reply.status, 401, "{text}: {reply:?}");
    }
}
