//! `PUT /accounts/{account}/users/{user}/user_auth`: an administrator acts in the place of a user of an account below its own.

use axum::response::Response;
use keyway_core::model::{IdentityId, TenantId};
use keyway_core::rights::{ADMIN_ACCESS, PrivLevel};
use keyway_core::token::{ImpersonateError, ImpersonateRequest, IssuedToken, TokenError};
use serde_json::json;

use super::Impersonation;
use super::ask::{Ask, Caller};
use super::attempts::Ended;
use super::document::user as tell;
use super::envelope::Answer;
use super::error::Failure;
use super::security::BY_USER;
use super::welcome::Welcome;
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

async fn impersonate(ask: &Ask) -> Result<Answer<Welcome<'_>>, Failure> {
    let caller = ask.caller().await?;
    let account = ask.named_account(&caller).await?;
    ask.take_attempt(Some(account))?;
    match ask.text("action") {
        Some(ACTION) => {}
        Some(_) => return Err(Failure::Forbidden),
        None => {
            let detail = json!({ "message": "Field is required but missing", "value": ask.data()? });
            return Err(("action", "required", detail).into());
        }
    }
    match act_as(ask, &caller, account).await {
        Ok(issued) => {
            ask.record(KIND, account, Ended::LetIn(&issued.live)).await;
            ask.kazoo.welcome(&issued).await
        }
        Err(NotDone { failure, reason }) => {
            if let Some(reason) = reason {
                let ended = Ended::RefusedTo {
                    actor: caller.live.record.session.identity.id,
                    target: ask.user().ok().map(IdentityId::from),
                    reason: &reason,
                };
                ask.record(KIND, account, ended).await;
            }
            Err(failure)
        }
    }
}

/// Why nobody became anybody.
struct NotDone {
    failure: Failure,
    /// What administrators read of it; `None` where nobody was refused, but something did not answer.
    reason: Option<String>,
}

async fn act_as(ask: &Ask, caller: &Caller, account: TenantId) -> Result<IssuedToken, NotDone> {
    ask.reaches(caller, account).await?;
    let right = ask.right(caller);
    if right.kazoo != PrivLevel::Admin {
        return Err(Failure::Forbidden.into());
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
    let acted = ask.kazoo.tokens().impersonate(request).await;
    acted.map_err(NotDone::from)
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        let reason = match failure {
            Failure::Forbidden => Some("refused: the caller may not act in this user's place"),
            Failure::BadIdentifier(_) => Some("refused: the account has no such user"),
            _ => None,
        };
        Self {
            reason: reason.map(str::to_owned),
            failure,
        }
    }
}

impl From<ImpersonateError> for NotDone {
    fn from(error: ImpersonateError) -> Self {
        let is_fault = matches!(&error, ImpersonateError::Token(inner) if !matches!(inner, TokenError::Refused(_)));
        Self {
            reason: (!is_fault).then(|| error.to_string()),
            failure: refused(error),
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
