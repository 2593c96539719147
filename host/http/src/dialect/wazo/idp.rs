//! By which method users prove who they are.

use axum::response::Response;
use http::StatusCode;
use keyway_core::model::{AuthenticationMethod, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, word};
use super::document::idp as tell;
use super::error::Failure;
use super::fields::Fields;
use super::ids::{self, Names};
use super::wire::{self, ApiError};
use crate::document::{Routes, get, put};
use crate::edge::{Payload, PayloadError};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/idp", get(tell::list, list))
        .route("/idp/{type}/users", put(tell::add_many, add_many))
        .route(
            "/idp/{type}/users/{user}",
            put(tell::add, add).delete(tell::remove, remove),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        ask.authorize("auth.idp.read").await?;
        let items = AuthenticationMethod::ALL.map(AuthenticationMethod::as_str);
        Ok(wire::ok(
            &json!({"items": items, "total": items.len(), "filtered": items.len()}),
        ))
    };
    ask.answer(listed.await)
}

async fn add(ask: Ask, Names([method, user]): Names<2>) -> Response {
    let Some(user) = ids::parse(&user) else {
        return wire::not_found_page();
    };
    let added = async {
        let caller = ask.authorize(&access(&method, user, "create")).await?;
        let method = parse(&method)?;
        let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
        directory
            .set_authentication_method(&[UserId(user)], method, None, caller.scope(), by)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(added.await)
}

/// A user whose method is another one keeps it.
async fn remove(ask: Ask, Names([method, user]): Names<2>) -> Response {
    let Some(user) = ids::parse(&user) else {
        return wire::not_found_page();
    };
    let removed = async {
        let caller = ask.authorize(&access(&method, user, "delete")).await?;
        let method = parse(&method)?;
        let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
        let default = AuthenticationMethod::Default;
        directory
            .set_authentication_method(&[UserId(user)], default, Some(method), caller.scope(), by)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

async fn add_many(ask: Ask, Names([method]): Names<1>, payload: Result<Payload, PayloadError>) -> Response {
    let added = async {
        let access = format!("auth.idp.{}.users.update", word(&method));
        let caller = ask.authorize(&access).await?;
        let users = users(Fields::parse(payload)?)?;
        let method = parse(&method)?;
        let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
        directory
            .set_authentication_method(&users, method, None, caller.scope(), by)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(added.await)
}

fn users(mut fields: Fields) -> Result<Vec<UserId>, Failure> {
    let mut users = Vec::new();
    match fields.take("users") {
        Some(Some(Value::Array(items))) => {
            for item in items {
                let mut item = Fields::of(item, "users")?;
                if !item.has("uuid") {
                    item.problems.required("uuid");
                }
                users.extend(item.uuid("uuid").map(UserId));
                item.finish("users")?;
            }
        }
        Some(Some(_)) => fields.problems.kind("users", "list"),
        Some(None) => fields.problems.null("users"),
        None => fields.problems.required("users"),
    }
    fields.finish("users")?;
    Ok(users)
}

fn parse(method: &str) -> Result<AuthenticationMethod, Failure> {
    AuthenticationMethod::parse(method).ok_or_else(|| {
        let message = format!("No such IDP type: \"{method}\"");
        let details = json!({ "idp_type": method });
        ApiError::new(StatusCode::NOT_FOUND, "unknown-idp-type", message, details)
            .resource("idp")
            .into()
    })
}

fn access(method: &str, user: Uuid, verb: &str) -> String {
    format!("auth.idp.{}.users.{user}.{verb}", word(method))
}
