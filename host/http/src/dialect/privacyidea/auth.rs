//! `POST /auth`: a login. `DELETE /auth`: its end, which is our own. `GET /auth/rights`: which types of tokens the caller may enrol.

mod attempt;
mod interface;

use axum::response::Response;
use keyway_core::token::IssuedToken;

use super::answer::{Answer, Authentication};
use super::ask::Ask;
use super::document::auth as tell;
use super::error::Failure;
use super::jwt::Claims;
use super::policy::enrollable;
use super::rights::Role;
use super::{challenge, policies};
use crate::document::{Routes, get, post};
use attempt::Outcome;

pub(super) use attempt::{realm_of_session, role_of_foreign};

/// Who has this access is a local administrator.
pub(super) const ADMIN_ACCESS: &str = "privacyidea.admin";

/// The attribute under which a session keeps the user's realm, in the backend's words.
pub(super) const REALM_ATTRIBUTE: &str = "realm.name";

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/auth", post(tell::log_in, log_in).delete(tell::log_out, log_out))
        .route("/auth/rights", get(tell::rights, rights))
}

async fn log_in(ask: Ask) -> Response {
    let result = attempt_login(&ask).await;
    ask.answer(result).await
}

async fn attempt_login(ask: &Ask) -> Result<Answer, Failure> {
    match attempt::run(ask).await? {
        Outcome::Issued(issued, role) => welcome(ask, &issued, role).await,
        Outcome::Challenged(asked) => Ok(Answer::of(false)
            .id(2)
            .authentication(Authentication::Challenge)
            .detail(challenge::detail(&asked))),
    }
}

/// The answer to a login that was accepted.
async fn welcome(ask: &Ask, issued: &IssuedToken, role: Role) -> Result<Answer, Failure> {
    let session = &issued.live.record.session;
    let username = session.identity.login.as_str();
    let realm = realm_of_session(&issued.live);
    let standing = policies::standing(ask, role, username, &realm).await?;
    let claims = Claims {
        username: username.to_owned(),
        realm: realm.clone(),
        token: issued.value.clone(),
        role,
        expires_at: issued.live.record.token.expires_at,
        rights: standing.rights.clone(),
    };
    let token = ask.pi.keys().jwt.sign(&claims, ask.pi.random());
    let value = interface::value(&token, &claims, &standing);
    Ok(Answer::of(value).id(2).authentication(Authentication::Accept))
}

async fn log_out(ask: Ask) -> Response {
    let ended = async {
        let caller = ask.caller().await?;
        ask.pi.tokens().revoke(&caller.token).await?;
        Ok(Answer::of(true))
    };
    ask.answer(ended.await).await
}

async fn rights(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        // As policies say now, which may be another thing than what they said when the token was made.
        let standing = policies::standing(&ask, caller.role, &caller.username, &caller.realm).await?;
        Ok(Answer::of(enrollable(&standing.rights)))
    };
    ask.answer(shown.await).await
}
