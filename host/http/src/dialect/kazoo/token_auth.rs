//! `GET /token_auth`: what the caller's token says. `DELETE /token_auth`: its end.

use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::envelope::Answer;
use super::error::Failure;

pub(super) async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        Ok(Answer::of(ask.kazoo.describe(&caller.token, &caller.live).await?))
    };
    let result = shown.await;
    ask.answer(result)
}

pub(super) async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.caller().await?;
        ask.kazoo.tokens().revoke(&caller.token).await?;
        Ok::<_, Failure>(Answer::ok(json!({})))
    };
    let result = removed.await;
    ask.answer(result)
}
