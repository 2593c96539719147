//! Refresh tokens: everybody's and a user's. Never the tokens themselves.

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::StatusCode;
use keyway_core::model::{IdentityId, Query, RefreshToken, TenantScope, UserId};
use keyway_core::port::{RefreshFilter, RefreshOrder};
use keyway_core::token::GROUP_ATTRIBUTE;
use serde_json::{Map, Value, json};

use super::ask::{Ask, Caller, word};
use super::document::refresh_token as tell;
use super::error::Failure;
use super::ids::Ids;
use super::list_query::{boolean, list_query, problems_or};
use super::post_token::OWN_ATTRIBUTES;
use super::validation::Problems;
use super::wire::ApiError;
use super::{ids, wire};
use crate::document::{Routes, delete, get};

pub(super) const ORDERS: [(&str, RefreshOrder); 3] = [
    ("created_at", RefreshOrder::Created),
    ("client_id", RefreshOrder::Client),
    ("mobile", RefreshOrder::Mobile),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/tokens", get(tell::list, list))
        .route("/users/{user}/tokens", get(tell::list_of_user, list_of_user))
        .route("/users/me/tokens", get(tell::list_of_me, list_of_me))
        .route(
            "/users/{user}/tokens/{client}",
            delete(tell::remove_of_user, remove_of_user),
        )
        .route("/users/me/tokens/{client}", delete(tell::remove_of_me, remove_of_me))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.tokens.read").await?;
        let query = query(&ask, &caller, None)?;
        page(&ask, &query).await
    };
    ask.answer(listed.await)
}

async fn list_of_user(ask: Ask, Ids([user]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.users.{user}.tokens.read")).await?;
        let user = ask.wazo.directory().get_user_in(UserId(user), caller.scope()).await?;
        let query = query(&ask, &caller, Some(user.id.into()))?;
        page(&ask, &query).await
    };
    ask.answer(listed.await)
}

async fn list_of_me(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.users.me.tokens.read").await?;
        let query = query(&ask, &caller, Some(me(&caller)))?;
        page(&ask, &query).await
    };
    ask.answer(listed.await)
}

async fn remove_of_user(ask: Ask, path: Result<Path<(String, String)>, PathRejection>) -> Response {
    let named = path.ok().map(|Path((user, client))| (ids::parse(&user), client));
    let Some((Some(user), client)) = named else {
        return wire::not_found_page();
    };
    let removed = async {
        let access = format!("auth.users.{user}.tokens.{}.delete", word(&client));
        let caller = ask.authorize(&access).await?;
        let user = ask.wazo.directory().get_user_in(UserId(user), caller.scope()).await?;
        remove(&ask, user.id.into(), &client).await
    };
    ask.answer(removed.await)
}

async fn remove_of_me(ask: Ask, path: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(client)) = path else {
        return wire::not_found_page();
    };
    let removed = async {
        let access = format!("auth.users.me.tokens.{}.delete", word(&client));
        let caller = ask.authorize(&access).await?;
        remove(&ask, me(&caller), &client).await
    };
    ask.answer(removed.await)
}

fn me(caller: &Caller) -> IdentityId {
    caller.live.record.session.identity.id
}

async fn remove(ask: &Ask, identity: IdentityId, client: &str) -> Result<Response, Failure> {
    if ask.wazo.tokens().remove_refresh_token(identity, client).await? {
        return Ok(wire::no_content());
    }
    let error = ApiError::new(
        StatusCode::NOT_FOUND,
        "cannot-find-refresh-token-matching-client-id",
        "No refresh token of this client",
        json!({ "client_id": client }),
    );
    Err(error.resource("tokens").into())
}

/// What part of a list of refresh tokens the request wants; one identity's are listed whatever tenant it was of when they were made.
fn query(
    ask: &Ask,
    caller: &Caller,
    identity: Option<IdentityId>,
) -> Result<Query<RefreshFilter, RefreshOrder>, Failure> {
    let mut problems = Problems::default();
    let mobile = boolean(ask, "mobile", &mut problems);
    problems_or(&problems)?;
    let filter = RefreshFilter {
        identity,
        client_id: ask.query("client_id").map(str::to_owned),
        mobile,
    };
    let query = list_query(ask, caller, &ORDERS, RefreshOrder::Created, filter)?;
    Ok(match identity {
        Some(_) => Query {
            scope: TenantScope::All,
            ..query
        },
        None => query,
    })
}

async fn page(ask: &Ask, query: &Query<RefreshFilter, RefreshOrder>) -> Result<Response, Failure> {
    Ok(wire::page(
        ask.wazo.tokens().list_refresh_tokens(query).await?,
        |token| body(&token),
    ))
}

/// A refresh token as this dialect writes it.
fn body(token: &RefreshToken) -> Value {
    json!({
        "client_id": token.client_id,
        "created_at": wire::utc(token.created_at),
        "mobile": token.mobile,
        "user_uuid": token.identity.id,
        "tenant_uuid": token.identity.tenant,
        "metadata": metadata(token),
    })
}

/// What the backend wanted kept; the first of each name counts, as everywhere.
fn metadata(token: &RefreshToken) -> Map<String, Value> {
    let mut metadata = Map::new();
    for (name, value) in &token.attributes {
        if !name.starts_with(OWN_ATTRIBUTES) && name != GROUP_ATTRIBUTE {
            metadata.entry(name.clone()).or_insert_with(|| json!(value));
        }
    }
    metadata
}
