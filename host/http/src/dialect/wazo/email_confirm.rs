//! The confirmation of addresses.
//!
//! A `GET` of the mailed link confirms, as the original has it. A mail scanner that follows links therefore confirms too, and that is all it
//! can do: the link's token has no other right, and is not used up, so that its reader sees the same page afterwards.

use axum::response::Response;
use http::StatusCode;
use keyway_core::model::{Email, EmailId, UserId};
use keyway_core::port::Page;
use serde_json::json;
use uuid::Uuid;

use super::ask::{Ask, Caller};
use super::document::email as tell;
use super::error::Failure;
use super::ids::Ids;
use super::wire::{self, ApiError};
use crate::document::{Routes, get};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/users/{user}/emails/{email}/confirm",
            get(tell::send_confirmation, send),
        )
        .route(
            "/emails/{email}/confirm",
            get(tell::follow, follow).put(tell::confirm, confirm),
        )
}

async fn send(ask: Ask, Ids([user, email]): Ids<2>) -> Response {
    let sent = async {
        let access = format!("auth.users.{user}.emails.{email}.confirm.read");
        let caller = ask.authorize(&access).await?;
        let notices = ask.wazo.notices();
        let request = notices.request_confirmation(UserId(user), EmailId(email), caller.scope());
        request.await?;
        Ok(wire::no_content())
    };
    ask.answer(sent.await)
}

async fn follow(ask: Ask, Ids([email]): Ids<1>) -> Response {
    let followed = async {
        let caller = ask.authorize_link(&access(email)).await?;
        let email = put(&ask, &caller, email).await?;
        let page = Page::EmailConfirmed {
            address: &email.address,
        };
        ask.page(StatusCode::OK, &page)
    };
    match followed.await {
        Err(Failure::Unauthorized(_)) if ask.reads_pages() => {
            ask.answer(ask.page(StatusCode::UNAUTHORIZED, &Page::LinkExpired))
        }
        followed => ask.answer(followed),
    }
}

async fn confirm(ask: Ask, Ids([email]): Ids<1>) -> Response {
    let confirmed = async {
        let caller = ask.authorize(&access(email)).await?;
        put(&ask, &caller, email).await?;
        Ok(wire::no_content())
    };
    ask.answer(confirmed.await)
}

async fn put(ask: &Ask, caller: &Caller, email: Uuid) -> Result<Email, Failure> {
    let confirmed = ask.wazo.directory().confirm_email(EmailId(email), caller.scope());
    Ok(confirmed.await?)
}

fn access(email: Uuid) -> String {
    format!("auth.emails.{email}.confirm.update")
}

/// What is said of an address that needs no confirmation.
pub(super) fn already_confirmed(email: EmailId) -> ApiError {
    let message = format!("The email is already confirmed: \"{email}\"");
    ApiError::new(
        StatusCode::CONFLICT,
        "email-already-confirmed",
        message,
        json!({ "uuid": email }),
    )
    .resource("emails")
}
