//! `GET /user_auth/{token}`, with and without an account before it: what a token says, for the one who holds it.

use axum::response::Response;

use super::ask::Ask;
use super::envelope::Answer;
use super::error::Failure;
use super::welcome::Described;

pub(super) async fn handle(ask: Ask) -> Response {
    let result = show(&ask).await;
    ask.answer(result)
}

async fn show(ask: &Ask) -> Result<Answer<Described<'_>>, Failure> {
    let caller = ask.caller().await?;
    ask.account(&caller).await?;
    let text = ask.path("token").unwrap_or_default();
    let is_own = ask.own_token() == Some(text) || is_of(ask, text, caller.live.record.session.id).await?;
    if !is_own {
        return Err(Failure::Forbidden);
    }
    let described = ask.kazoo.describe(&caller.token, &caller.live).await?;
    Ok(Answer::of(described.with_id(text)).token(text.to_owned()))
}

/// Whether a text is another token of this session. Of one that is not, nothing is told.
async fn is_of(ask: &Ask, text: &str, session: keyway_core::model::SessionId) -> Result<bool, Failure> {
    match ask.bearer(text).await {
        Ok(other) => Ok(other.live.record.session.id == session),
        Err(Failure::InvalidCredentials | Failure::Expired) => Ok(false),
        Err(failure) => Err(failure),
    }
}
