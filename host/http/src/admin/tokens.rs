//! Tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use keyway_core::directory::{DirectoryError, DirectoryService};
use keyway_core::model::{IdentityId, PluginDigest};
use keyway_core::port::RevokeTarget;
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenService};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::Body;
use super::error::AdminError;
use crate::edge::Call;
use crate::{AppState, presented};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    token: String,
    scope: Option<String>,
    tenant: Option<String>,
}

pub(super) async fn check(
    State(state): State<AppState>,
    call: Call,
    Body(question): Body<Question>,
) -> Result<Json<Value>, AdminError> {
    call.note_routine();
    let token = presented::token_of(&state, &question.token)
        .await
        .map_err(TokenError::from)?;
    let request = CheckRequest {
        scope: question.scope.as_deref(),
        tenant: question.tenant.as_deref(),
    };
    Ok(Json(describe(&*state.tokens.check(&token, request).await?)))
}

/// What stands behind a token; never the token.
fn describe(live: &LiveToken) -> Value {
    let (token, session) = (&live.record.token, &live.record.session);
    json!({
        "identity": session.identity.id,
        "user": session.identity.user,
        "login": session.identity.login,
        "tenant": session.identity.tenant,
        "backend": session.identity.backend,
        "plugin": session.plugin,
        "dialect": session.dialect,
        "session": session.id,
        "client_address": session.client.address,
        "user_agent": session.client.user_agent,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "accesses": token.accesses.as_ref(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revocation {
    token: Option<String>,
    user: Option<String>,
    plugin: Option<String>,
}

/// Ends one token, all of a user's (or any identity's), or everything that one plugin file ever let in. Answers how many ended.
pub(super) async fn revoke(
    State(state): State<AppState>,
    State(tokens): State<Arc<TokenService>>,
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Body(revocation): Body<Revocation>,
) -> Result<Json<Value>, AdminError> {
    let target = match (revocation.token, revocation.user, revocation.plugin) {
        (Some(token), None, None) => {
            let token = presented::token_of(&state, &token).await.map_err(TokenError::from)?;
            let ended = tokens.revoke(&token).await?;
            return Ok(Json(json!({ "tokens": u8::from(ended) })));
        }
        (None, Some(user), None) => RevokeTarget::Identity(get_identity(&directory, &user).await?),
        (None, None, Some(digest)) => RevokeTarget::Plugin(
            PluginDigest::parse(&digest)
                .map_err(|_| AdminError::Invalid("a plugin digest is `sha256:` and 64 hexadecimal digits"))?,
        ),
        _ => {
            return Err(AdminError::Invalid("name exactly one of `token`, `user` and `plugin`"));
        }
    };
    let ended = tokens.revoke_all(&target).await?;
    Ok(Json(
        json!({ "sessions": ended.sessions.len(), "tokens": ended.tokens.len() }),
    ))
}

/// A user's identity, or any identity by its uuid: backends' own subjects and users who are gone have no row in the directory.
async fn get_identity(directory: &DirectoryService, selector: &str) -> Result<IdentityId, DirectoryError> {
    match directory.get_user(selector).await {
        Ok(user) => Ok(user.id.into()),
        Err(error @ DirectoryError::NotFound { .. }) => Uuid::try_parse(selector).map(IdentityId).map_err(|_| error),
        Err(error) => Err(error),
    }
}
