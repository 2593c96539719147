//! `/validate/`: other programs ask whether somebody is who he says. A decided answer is 200, whatever was decided.

mod check;
mod reply;
mod serial;
mod trigger;

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use keyway_core::token::ChallengeState;
use serde_json::json;

use super::answer::Answer;
use super::ask::Ask;
use super::document::validate as tell;
use super::not_there;
use crate::document::{Routes, get};

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/validate/check", get(tell::check, check).post(tell::check_post, check))
        .route(
            "/validate/radiuscheck",
            get(tell::radius, radius_check).post(tell::radius_post, radius_check),
        )
        .route(
            "/validate/triggerchallenge",
            get(tell::trigger, trigger).post(tell::trigger_post, trigger),
        )
        .route("/validate/polltransaction", get(tell::poll, poll))
        .route("/validate/polltransaction/{transaction_id}", get(tell::poll_one, poll))
}

async fn check(ask: Ask) -> Response {
    if let Some(refused) = not_there::head(&ask).await {
        return refused;
    }
    let result = check::run(&ask).await.map(Answer::not_stored);
    ask.answer(result).await
}

/// The same for programs that look at the status alone.
async fn radius_check(ask: Ask) -> Response {
    if let Some(refused) = not_there::head(&ask).await {
        return refused;
    }
    let result = check::run(&ask).await;
    let is_yes = result.as_ref().is_ok_and(Answer::is_yes);
    let response = ask.answer(result).await;
    match response.status() {
        StatusCode::OK if is_yes => StatusCode::NO_CONTENT.into_response(),
        StatusCode::OK | StatusCode::BAD_REQUEST => StatusCode::BAD_REQUEST.into_response(),
        // Among them that it could not be written down.
        _ => response,
    }
}

async fn trigger(ask: Ask) -> Response {
    if let Some(refused) = not_there::head(&ask).await {
        return refused;
    }
    let result = trigger::run(&ask).await;
    ask.answer(result).await
}

async fn poll(ask: Ask) -> Response {
    let polled = async {
        let transaction = ask.params()?.needed("transaction_id")?;
        let (is_answered, status) = match ask.pi.tokens().challenge_state(transaction).await? {
            ChallengeState::Pending => (false, "pending"),
            ChallengeState::Accepted => (true, "accept"),
        };
        Ok(Answer::of(is_answered)
            .id(2)
            .detail(json!({"challenge_status": status})))
    };
    ask.answer(polled.await).await
}
