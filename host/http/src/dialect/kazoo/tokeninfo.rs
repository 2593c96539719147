//! `GET` and `POST /auth/tokeninfo`: what any token says that the caller has. Nothing else is asked of the caller.

use axum::response::Response;
use http::StatusCode;
use keyway_core::token::{CheckRequest, TokenError};
use serde_json::json;

use super::ask::Ask;
use super::envelope::Answer;
use super::error::{Failure, Told};
use super::welcome::Described;
use crate::presented::{Unpresentable, Unreadable, token_of};

pub(super) async fn handle(ask: Ask) -> Response {
    ask.call.note_routine();
    let result = show(&ask).await;
    ask.answer(result)
}

async fn show(ask: &Ask) -> Result<Answer<Described<'_>>, Failure> {
    ask.data()?;
    let missing = || Told::new(StatusCode::NOT_FOUND, "missing token in request", json!({}));
    let text = ask.text("token").ok_or_else(missing)?;
    let token = match token_of(&ask.kazoo.0, text).await {
        Ok(token) => token,
        Err(Unpresentable::None(reason)) => return Err(bad(reason)),
        Err(Unpresentable::Key(error)) => return Err(error.into()),
    };
    match ask.kazoo.tokens().check(&token, CheckRequest::default()).await {
        Ok(live) => Ok(Answer::of(ask.kazoo.describe(&token, &live).await?).token(text.to_owned())),
        Err(TokenError::NotFound) => Err(bad(Unreadable::Identity)),
        Err(error) => Err(error.into()),
    }
}

/// What is wrong with a token is told to whoever has it.
fn bad(reason: Unreadable) -> Failure {
    Told::new(StatusCode::UNAUTHORIZED, words(reason), json!({})).into()
}

/// As clients of this API read it.
fn words(reason: Unreadable) -> &'static str {
    match reason {
        Unreadable::Malformed => "malformed_token",
        Unreadable::Algorithm => "unsupported_algorithm",
        Unreadable::Signature => "invalid_jwt_signature",
        Unreadable::Identity => "invalid_identity_signature",
        Unreadable::Expired => "token_expired",
    }
}
