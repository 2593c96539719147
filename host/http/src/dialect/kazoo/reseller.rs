//! `/accounts/{account}/reseller`: the top account says who resells.

use axum::response::Response;

use super::account::refused;
use super::ask::Ask;
use super::document::account as tell;
use super::envelope::Answer;
use super::error::Failure;
use crate::document::{Routes, put};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/accounts/{account}/reseller",
        put(tell::promote, promote).delete(tell::demote, demote),
    )
}

async fn promote(ask: Ask) -> Response {
    let result = set(&ask, true).await.map(Answer::created);
    ask.answer(result)
}

async fn demote(ask: Ask) -> Response {
    let result = set(&ask, false).await.map(Answer::ok);
    ask.answer(result)
}

async fn set(ask: &Ask, reseller: bool) -> Result<serde_json::Value, Failure> {
    let caller = ask.caller().await?;
    let account = ask.administered(&caller).await?;
    let index = ask.kazoo.accounts().index().await?;
    if caller.account() != index.master() {
        return Err(Failure::Forbidden);
    }
    let set = ask.kazoo.accounts().set_reseller(account, reseller).await;
    set.map_err(refused)?;
    Ok(ask.account_body(account).await?.into())
}
