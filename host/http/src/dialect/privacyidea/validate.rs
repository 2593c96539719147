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
    let result = check::run(&ask).await.map(Answer::not_stored);
    ask.answer(result).await
}

/// The same for programs that look at the status alone.
async fn radius_check(ask: Ask) -> Response {
    let result = check::run(&ask).await;
    let Ok(answer) = &result else {
        return ask.answer(result).await;
    };
    let status = if answer.is_yes() {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::BAD_REQUEST
    };
    let response = ask.answer(result).await;
    // It may not have been possible to write it down.
    if response.status() == StatusCode::OK {
        status.into_response()
    } else {
        response
    }
}

async fn trigger(ask: Ask) -> Response {
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
