//! Users.

mod content;
mod email;
mod group;
mod password;
mod policy;

use axum::response::Response;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{GroupId, PolicyId, Purpose, Query, User, UserId};
use keyway_core::port::{StoreError, UserFilter, UserOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, Caller};
use super::document::{self, user as tell};
use super::error::Failure;
use super::ids::Ids;
use super::list_query::list_query;
use super::wire::{self, ApiError};
use crate::document::{Routes, get, put};
use crate::edge::{Payload, PayloadError};

pub(super) use password::{MAX_PASSWORD, secret};

pub(super) const ORDERS: [(&str, UserOrder); 3] = [
    ("username", UserOrder::Login),
    ("firstname", UserOrder::Firstname),
    ("lastname", UserOrder::Lastname),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/users", get(tell::list, list).post(tell::create, create))
        .route(
            "/users/{user}",
            get(tell::show, show)
                .put(tell::update, update)
                .delete(tell::remove, remove),
        )
        .route(
            "/users/{user}/password",
            put(document::password::change, password::change),
        )
        .route("/users/{user}/emails", put(document::email::set, email::set))
        .route(
            "/admin/users/{user}/emails",
            put(document::email::set_as_admin, email::set_as_admin),
        )
        .route("/users/{user}/groups", get(tell::list_groups, group::list))
        .route("/users/{user}/policies", get(tell::list_policies, policy::list))
        .route(
            "/users/{user}/policies/{policy}",
            put(tell::add_policy, policy::add).delete(tell::remove_policy, policy::remove),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.users.read").await?;
        let query = query(&ask, &caller, &UserFilter::default())?;
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

async fn create(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let created = async {
        let caller = ask.authorize("auth.users.create").await?;
        let new = content::new_user(caller.tenant, payload)?;
        let sent = Sent {
            id: new.id,
            login: new.login.clone(),
            email: new.email.clone(),
        };
        let added = ask.wazo.directory().add_user(new).await;
        let user = added.map_err(|error| refused(error, &sent))?;
        Ok(wire::ok(&body(&user)))
    };
    ask.answer(created.await)
}

async fn update(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let updated = async {
        let caller = ask.authorize(&format!("auth.users.{id}.update")).await?;
        let change = content::change(payload)?;
        let sent = Sent {
            login: change.login.clone(),
            ..Sent::default()
        };
        let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
        let changed = directory.update_user(UserId(id), change, caller.scope(), by);
        let user = changed.await.map_err(|error| refused(error, &sent))?;
        Ok(wire::ok(&body(&user)))
    };
    ask.answer(updated.await)
}

async fn remove(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let removed = async {
        let caller = ask.authorize(&format!("auth.users.{id}.delete")).await?;
        let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
        directory.remove_user_in(UserId(id), caller.scope(), by).await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

/// What part of a list of users the request wants.
pub(super) fn query(ask: &Ask, caller: &Caller, filter: &UserFilter) -> Result<Query<UserFilter, UserOrder>, Failure> {
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
        "emails": user.emails.iter().map(email::body).collect::<Vec<_>>(),
    })
}

/// The names that a request gives to a user.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) id: Option<UserId>,
    pub(super) login: Option<String>,
    pub(super) email: Option<String>,
}

/// What is wrong with a user as a request has it, by the name that the field has here.
pub(super) fn refused(error: DirectoryError, sent: &Sent) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { what }) => {
            let (column, value) = match what {
                "user id" => ("uuid", sent.id.map(|id| id.to_string())),
                "email" => ("email_address", sent.email.clone()),
                _ => ("username", sent.login.clone()),
            };
            ApiError::conflict("users", column, &value.unwrap_or_default()).into()
        }
        DirectoryError::Invalid { field, rule } => {
            let field = match field {
                "login" => "username",
                "email" => "email_address",
                field => field,
            };
            ApiError::refused("users", field, rule).into()
        }
        error => error.into(),
    }
}
