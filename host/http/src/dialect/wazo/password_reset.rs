//! New passwords for those who forgot theirs: the request for a link, the link's page, and the password itself.

mod form;

use axum::response::Response;
use http::StatusCode;
use keyway_core::model::UserId;
use keyway_core::notice::{Whose, reset_access};
use serde_json::json;
use uuid::Uuid;

use super::ask::Ask;
use super::document::password as tell;
use super::error::Failure;
use super::fields::Fields;
use super::user::{MAX_PASSWORD, Sent, refused, secret};
use super::wire::{self, ApiError};
use crate::document::{Routes, get};
use crate::edge::{Payload, PayloadError};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/users/password/reset",
            get(tell::request, request).post(tell::set, set),
        )
        .route(
            "/users/password/reset/form",
            get(tell::show_form, form::show).post(tell::submit_form, form::submit),
        )
}

/// The same answer in the same time, whoever is named: the search for that user begins after it.
async fn request(ask: Ask) -> Response {
    let requested = whose(&ask).map(|whose| {
        ask.wazo.notices().request_password_reset(whose);
        wire::no_content()
    });
    ask.answer(requested)
}

/// By exactly one of `username`, `email` and `login`.
fn whose(ask: &Ask) -> Result<Whose, Failure> {
    let text = |key| ask.query(key).map(str::to_owned);
    match (text("username"), text("email"), text("login")) {
        (Some(login), None, None) => Ok(Whose::Login(login)),
        (None, Some(address), None) => Ok(Whose::Email(address)),
        (None, None, Some(either)) => Ok(Whose::Either(either)),
        _ => {
            let message = "\"username\", \"email\" or \"login\" should be used";
            let error = ApiError::new(StatusCode::BAD_REQUEST, "invalid-data", message, json!({}));
            Err(error.resource("reset").into())
        }
    }
}

async fn set(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let set = async {
        let user = user(&ask)?;
        let caller = ask.authorize_link(&reset_access(user)).await?;
        let mut fields = Fields::parse(payload)?;
        if !fields.has("password") {
            fields.problems.required("password");
        }
        let password = fields.nullable_text("password", 1..=MAX_PASSWORD).map(secret);
        fields.finish("users")?;
        let notices = ask.wazo.notices();
        let reset = notices.reset_password(&caller.token, &caller.live, user, password.as_ref(), caller.scope());
        reset.await.map_err(|error| match Failure::from(error) {
            Failure::Directory(error) => refused(error, &Sent::default()),
            failure => failure,
        })?;
        Ok(wire::no_content())
    };
    ask.answer(set.await)
}

/// Whose password it is, by `user_uuid`.
fn user(ask: &Ask) -> Result<UserId, Failure> {
    let text = ask.query("user_uuid").unwrap_or_default();
    Uuid::try_parse(text).map(UserId).map_err(|_| {
        let message = "\"user_uuid\" should be the UUID of a user";
        let error = ApiError::new(StatusCode::BAD_REQUEST, "invalid-data", message, json!({}));
        error.resource("reset").into()
    })
}
