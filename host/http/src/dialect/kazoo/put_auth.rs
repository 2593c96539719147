//! `PUT /auth`, also of an account or of a user: a new token for a good one, and the end of all tokens.

use axum::response::Response;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{TenantId, TenantScope, UserId};
use keyway_core::port::RevokeTarget;
use keyway_core::rights::ROOT_ACCESS;
use keyway_core::token::RenewRequest;
use serde_json::json;

use super::ask::{Ask, Caller};
use super::envelope::Answer;
use super::error::Failure;
use super::schema::{Field, Kind, Schema};
use super::security::{BY_KEY, BY_USER};
use super::welcome::Welcome;
use crate::dialect::Dialect;

const REFRESH: &str = "refresh_token";
const RESET: &str = "reset_signature_secret";

/// `PUT /auth`.
pub(super) async fn of_all(ask: Ask) -> Response {
    let asked = async {
        let caller = ask.caller().await?;
        Ok::<_, Failure>((caller, action(&ask, &[REFRESH, RESET])?))
    };
    match asked.await {
        Ok((caller, REFRESH)) => ask.answer(refresh(&ask, &caller).await),
        Ok((caller, _)) => ask.answer(reset_all(&ask, &caller).await),
        Err(failure) => ask.refuse(failure),
    }
}

/// `PUT /accounts/{account}/auth`.
pub(super) async fn of_account(ask: Ask) -> Response {
    let reset = async {
        let caller = ask.caller().await?;
        let account = ask.account(&caller).await?;
        ask.admin(&caller)?;
        action(&ask, &[RESET])?;
        end(&ask, RevokeTarget::Tenant(account)).await
    };
    let result = reset.await;
    ask.answer(result)
}

/// `PUT /accounts/{account}/users/{user}/auth`.
pub(super) async fn of_user(ask: Ask) -> Response {
    let reset = async {
        let caller = ask.caller().await?;
        let account = ask.account(&caller).await?;
        let user = ask.user()?;
        if caller.user() != Some(user) {
            ask.admin(&caller)?;
        }
        known(&ask, user, account).await?;
        action(&ask, &[RESET])?;
        end(&ask, RevokeTarget::Identity(user.into())).await
    };
    let result = reset.await;
    ask.answer(result)
}

async fn reset_all(ask: &Ask, caller: &Caller) -> Result<Answer, Failure> {
    let index = ask.kazoo.accounts().index().await?;
    let master = index.master();
    if caller.account() != master || !caller.live.accesses.grants(ROOT_ACCESS) {
        return Err(Failure::Forbidden);
    }
    // The top one last, for the caller is of it.
    for account in index.descendants(master).into_iter().chain([master]) {
        ask.kazoo.tokens().revoke_all(&RevokeTarget::Tenant(account)).await?;
    }
    Ok(Answer::created(json!({})))
}

async fn refresh<'a>(ask: &'a Ask, caller: &Caller) -> Result<Answer<Welcome<'a>>, Failure> {
    // An account's own token is that of its key.
    let module = if caller.user().is_some() { BY_USER } else { BY_KEY };
    let request = RenewRequest {
        ttl: Some(ask.kazoo.ttl_of(caller.account(), module).await?),
        client: ask.client(),
        dialect: Dialect::Kazoo.name(),
        request_id: ask.call.id().to_owned(),
    };
    let issued = ask.kazoo.tokens().renew(&caller.token, request).await?;
    ask.kazoo.welcome(&issued).await
}

/// What is to be done: one of these.
fn action<'a>(ask: &'a Ask, known: &'static [&'static str]) -> Result<&'a str, Failure> {
    ask.data()?;
    match ask.text("action") {
        Some(action) if known.contains(&action) => Ok(action),
        Some(_) => Err(Failure::Forbidden),
        None => {
            const SCHEMA: Schema = Schema {
                fields: &[Field::of("action", Kind::Word(&[REFRESH, RESET])).required()],
                closed: false,
            };
            let mut data = ask.data()?.clone();
            data.extend(ask.aside("action").map(|action| ("action".to_owned(), action.clone())));
            SCHEMA.check(&data)?;
            Err(Failure::Forbidden)
        }
    }
}

/// Looks whether a user is one of the account.
async fn known(ask: &Ask, user: UserId, account: TenantId) -> Result<(), Failure> {
    let scope = TenantScope::Only(account);
    match ask.kazoo.directory().get_user_in(user, scope).await {
        Ok(_) => Ok(()),
        Err(DirectoryError::NotFound { .. }) => Err(Failure::BadIdentifier(user.0.simple().to_string())),
        Err(error) => Err(error.into()),
    }
}

async fn end(ask: &Ask, target: RevokeTarget) -> Result<Answer, Failure> {
    ask.kazoo.tokens().revoke_all(&target).await?;
    Ok(Answer::created(json!({})))
}
