//! `/accounts/{account}/security`: how users and programs of an account log in, and who tried.

mod attempt;
mod config;

use axum::response::Response;
use keyway_core::model::{Account, TenantId};
use serde_json::{Map, Value, json};

use super::account::{merge, refused};
use super::ask::Ask;
use super::document::security as tell;
use super::envelope::Answer;
use super::error::Failure;
use crate::document::{Routes, get};

/// Under which name an account keeps it. Clients neither see nor write it in the account itself.
const KEPT: &str = "pvt_security";

/// By what somebody logs in.
pub(super) const MODULES: [&str; 2] = [BY_USER, BY_KEY];
pub(super) const BY_USER: &str = "cb_user_auth";
pub(super) const BY_KEY: &str = "cb_api_auth";

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/security", get(tell::list_modules, list_modules))
        .route(
            "/accounts/{account}/security",
            get(tell::show, show)
                .post(tell::replace, replace)
                .patch(tell::change, change)
                .delete(tell::remove, remove),
        )
        .route(
            "/accounts/{account}/security/attempts",
            get(tell::list_attempts, attempt::list),
        )
        .route(
            "/accounts/{account}/security/attempts/{attempt}",
            get(tell::show_attempt, attempt::show),
        )
}

async fn list_modules(ask: Ask) -> Response {
    let listed = async {
        ask.caller().await?;
        Ok(Answer::ok(json!({ "available_auth_modules": MODULES })))
    };
    let result = listed.await;
    ask.answer(result)
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let index = ask.kazoo.accounts().index().await?;
        let mut inherited = config::of_server(ask.kazoo.ttl());
        for above in index.ancestors(account) {
            merge(&mut inherited, &config::kept(&index, above));
        }
        let own = config::kept(&index, account);
        Ok(Answer::ok(json!({ "account": own, "inherited_config": inherited })))
    };
    let result = shown.await;
    ask.answer(result)
}

async fn replace(ask: Ask) -> Response {
    let replaced = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        keep(&ask, account, config::checked(ask.data()?)?).await
    };
    let result = replaced.await;
    ask.answer(result)
}

async fn change(ask: Ask) -> Response {
    let changed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let index = ask.kazoo.accounts().index().await?;
        let mut merged = config::kept(&index, account);
        merge(&mut merged, ask.data()?);
        keep(&ask, account, config::checked(&merged)?).await
    };
    let result = changed.await;
    ask.answer(result)
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let index = ask.kazoo.accounts().index().await?;
        let before = config::kept(&index, account);
        keep(&ask, account, Map::new()).await?;
        Ok(Answer::ok(before))
    };
    let result = removed.await;
    ask.answer(result)
}

async fn keep(ask: &Ask, account: TenantId, config: Map<String, Value>) -> Result<Answer, Failure> {
    let put = config.clone();
    let edit = move |mut current: Account| {
        current.document.remove(KEPT);
        if !put.is_empty() {
            current.document.insert(KEPT.to_owned(), Value::Object(put.clone()));
        }
        current
    };
    let kept = ask.kazoo.accounts().change_account(account, edit).await;
    kept.map_err(refused)?;
    Ok(Answer::ok(config))
}
