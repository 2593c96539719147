//! `PUT /accounts/{account}/users/{user}/user_auth`: an administrator acts in the place of a user of an account below its own.

use axum::response::Response;
use keyway_core::rights::{ADMIN_ACCESS, PrivLevel};
use keyway_core::token::{ImpersonateError, ImpersonateRequest, TokenError};
use serde_json::json;

use super::Impersonation;
use super::ask::Ask;
use super::attempts::Ended;
use super::document::user as tell;
use super::envelope::Answer;
use super::error::Failure;
use super::security::BY_USER;
use crate::dialect::Dialect;
use crate::document::{Routes, put};

/// Under which kind an attempt is written.
const KIND: &str = "impersonation";

const ACTION: &str = "impersonate_user";

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/accounts/{account}/users/{user}/user_auth",
        put(tell::impersonate, handle),
    )
}

async fn handle(ask: Ask) -> Response {
    let result = impersonate(&ask).await;
    ask.answer(result)
}

async fn impersonate(ask: &Ask) -> Result<Answer, Failure> {
    let caller = ask.caller().await?;
    let account = ask.account(&caller).await?;
    ask.take_attempt(Some(account))?;
    let data = ask.data()?;
    match ask.text("action") {
        Some(ACTION) => {}
        Some(_) => return Err(Failure::Forbidden),
        None => {
            let detail = json!({ "message": "Field is required but missing", "value": data });
            return Err(("action", "required", detail).into());
        }
    }
    let right = ask.right(&caller);
    if right.kazoo != PrivLevel::Admin {
        return Err(Failure::Forbidden);
    }
    let user = ask.user_of(account).await?;
    let request = ImpersonateRequest {
        actor: &caller.live,
        target: user.id,
        // A table by which everybody is an administrator does not let everybody be anybody.
        needs: right.access.as_deref().unwrap_or(ADMIN_ACCESS),
        master_only: ask.kazoo.settings().impersonation == Impersonation::Master,
        ttl: Some(ask.kazoo.ttl_of(account, BY_USER).await?),
        client: ask.client(),
        dialect: Dialect::Kazoo.name(),
        request_id: ask.call.id().to_owned(),
        attributes: Vec::new(),
    };
    match ask.kazoo.tokens().impersonate(request).await {
        Ok(issued) => {
            ask.record(KIND, account, Ended::LetIn(&issued.live)).await;
            ask.kazoo.welcome(&issued).await
        }
        Err(error) => {
            ask.record(KIND, account, Ended::Refused(&error.to_string())).await;
            Err(refused(error))
        }
    }
}

fn refused(error: ImpersonateError) -> Failure {
    match error {
        ImpersonateError::UnknownUser(user) => Failure::BadIdentifier(user.0.simple().to_string()),
        ImpersonateError::Closed(closed) => TokenError::Closed(closed).into(),
        // A refusal is one of the user: who the caller is, is known.
        ImpersonateError::Forbidden | ImpersonateError::Nested | ImpersonateError::Token(TokenError::Refused(_)) => {
            Failure::Forbidden
        }
        ImpersonateError::Token(error) => error.into(),
    }
}
