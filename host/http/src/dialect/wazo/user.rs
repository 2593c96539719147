//! Users.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use keyway_core::model::{Email, GroupId, PolicyId, Purpose, Query, User, UserId};
use keyway_core::port::{UserFilter, UserOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, Caller};
use super::error::Failure;
use super::ids::Ids;
use super::list_query::list_query;
use super::wire;
use crate::AppState;

const ORDERS: [(&str, UserOrder); 3] = [
    ("username", UserOrder::Login),
    ("firstname", UserOrder::Firstname),
    ("lastname", UserOrder::Lastname),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/users", get(list))
        .route("/users/{user}", get(show))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.users.read").await?;
        let query = query(&ask, &caller, UserFilter::default())?;
        Ok(wire::page(ask.wazo.directory().list_users(&query).await?, |user| {
            body(&user)
        }))
    };
    ask.answer(listed.await)
}

async fn show(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let shown = async {
        let caller = ask.authorize(&format!("auth.users.{id}.read")).await?;
        let user = ask.wazo.directory().get_user_in(UserId(id), caller.scope()).await?;
        Ok(wire::ok(&body(&user)))
    };
    ask.answer(shown.await)
}

/// What part of a list of users the request wants.
pub(super) fn query(ask: &Ask, caller: &Caller, filter: UserFilter) -> Result<Query<UserFilter, UserOrder>, Failure> {
    let text = |key: &str| ask.query(key).map(str::to_owned);
    // What is no id, nobody has.
    let id = |key: &str| ask.query(key).map(|text| Uuid::try_parse(text).unwrap_or(Uuid::nil()));
    let filter = UserFilter {
        id: id("uuid").map(UserId),
        login: text("username"),
        firstname: text("firstname"),
        lastname: text("lastname"),
        purpose: ask.query("purpose").and_then(Purpose::parse),
        email: text("email_address"),
        group: filter.group.or(id("group_uuid").map(GroupId)),
        policy: filter.policy.or(id("policy_uuid").map(PolicyId)),
        policy_slug: text("policy_slug"),
        has_policy: id("has_policy_uuid").map(PolicyId),
        has_policy_slug: text("has_policy_slug"),
    };
    list_query(ask, caller, &ORDERS, UserOrder::Login, filter)
}

/// A user as this dialect writes it.
pub(super) fn body(user: &User) -> Value {
    json!({
        "uuid": user.id,
        "tenant_uuid": user.tenant,
        "username": user.login,
        "firstname": user.firstname,
        "lastname": user.lastname,
        "purpose": user.purpose.as_str(),
        "authentication_method": user.authentication_method.as_str(),
        "enabled": user.enabled,
        "emails": user.emails.iter().map(email).collect::<Vec<_>>(),
    })
}

fn email(email: &Email) -> Value {
    json!({"uuid": email.id, "address": email.address, "main": email.main, "confirmed": email.confirmed})
}
