//! A user's addresses, set by the user or by an administrator, who alone says which are confirmed.

use axum::response::Response;
use keyway_core::directory::{DirectoryError, SetEmail};
use keyway_core::model::{Email, UserId};
use keyway_core::port::StoreError;
use serde_json::{Value, json};

use crate::dialect::wazo::ask::Ask;
use crate::dialect::wazo::error::Failure;
use crate::dialect::wazo::fields::Fields;
use crate::dialect::wazo::ids::Ids;
use crate::dialect::wazo::wire::{self, ApiError};
use crate::edge::{Payload, PayloadError};

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    Administrator,
}

pub(super) async fn set(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let access = format!("auth.users.{id}.emails.update");
    ask.answer(set_by(&ask, By::User, &access, UserId(id), payload).await)
}

pub(super) async fn set_as_admin(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let access = format!("auth.admin.users.{id}.emails.update");
    ask.answer(set_by(&ask, By::Administrator, &access, UserId(id), payload).await)
}

async fn set_by(
    ask: &Ask,
    by: By,
    access: &str,
    id: UserId,
    payload: Result<Payload, PayloadError>,
) -> Result<Response, Failure> {
    let caller = ask.authorize(access).await?;
    let emails = read(Fields::parse(payload)?, by)?;
    let addresses: Vec<_> = emails.iter().map(|email| email.address.clone()).collect();
    let (directory, by) = (ask.wazo.directory(), &caller.live.accesses);
    let set = directory.set_emails(id, emails, caller.scope(), by).await;
    let emails = set.map_err(|error| refused(error, &addresses.join(", ")))?;
    Ok(wire::ok(&emails.iter().map(body).collect::<Vec<_>>()))
}

fn read(mut fields: Fields, by: By) -> Result<Vec<SetEmail>, Failure> {
    let items = match fields.take("emails") {
        Some(Some(Value::Array(items))) => items,
        Some(Some(_)) => {
            fields.problems.kind("emails", "list");
            Vec::new()
        }
        Some(None) => {
            fields.problems.null("emails");
            Vec::new()
        }
        None => {
            fields.problems.required("emails");
            Vec::new()
        }
    };
    fields.finish("emails")?;
    items.into_iter().map(|item| read_one(item, by)).collect()
}

fn read_one(item: Value, by: By) -> Result<SetEmail, Failure> {
    let mut fields = Fields::of(item, "emails")?;
    let address = fields.required_text("address", 1..=254);
    if !fields.has("main") {
        fields.problems.required("main");
    }
    let main = fields.boolean("main").unwrap_or_default();
    let confirmed = match by {
        By::User => None,
        By::Administrator => fields.nullable_boolean("confirmed"),
    };
    fields.finish("emails")?;
    Ok(SetEmail {
        address,
        main,
        confirmed,
    })
}

fn refused(error: DirectoryError, addresses: &str) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { .. }) => ApiError::conflict("emails", "address", addresses).into(),
        DirectoryError::Invalid { rule, .. } => ApiError::refused("emails", "emails", rule).into(),
        error => error.into(),
    }
}

/// An address as this dialect writes it.
pub(super) fn body(email: &Email) -> Value {
    json!({"uuid": email.id, "address": email.address, "main": email.main, "confirmed": email.confirmed})
}
