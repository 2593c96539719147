//! `/accounts/{account}/api_key`: the key by which programs log in for an account.

use axum::response::Response;
use serde_json::json;

use super::ask::Ask;
use super::document::account as tell;
use super::envelope::Answer;
use crate::document::{Routes, get};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/accounts/{account}/api_key",
        get(tell::show_key, show).put(tell::renew_key, renew),
    )
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let key = ask.kazoo.accounts().api_key(account, &caller.live.accesses).await?;
        Ok(Answer::ok(json!({ "api_key": key.expose() })))
    };
    let result = shown.await;
    ask.answer(result)
}

async fn renew(ask: Ask) -> Response {
    let renewed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let by = &caller.live.accesses;
        let key = ask.kazoo.accounts().renew_api_key(account, by).await?;
        Ok(Answer::created(json!({ "api_key": key.expose() })))
    };
    let result = renewed.await;
    ask.answer(result)
}
