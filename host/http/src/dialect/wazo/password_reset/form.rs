//! The page that a mailed link leads to. It works without scripts, and to look at it changes nothing.

use axum::response::Response;
use http::StatusCode;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::UserId;
use keyway_core::notice::{NoticeError, reset_access};
use keyway_core::port::Page;

use super::user;
use crate::dialect::wazo::ask::{Ask, Caller};
use crate::dialect::wazo::error::Failure;
use crate::edge::{Payload, PayloadError};

pub(super) async fn show(ask: Ask) -> Response {
    let shown = async {
        let (user, caller) = caller(&ask).await?;
        form(&ask, user, &caller, None).await
    };
    answer(&ask, shown.await)
}

pub(super) async fn submit(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let submitted = async {
        let (user, caller) = caller(&ask).await?;
        let password = password(&payload?);
        let notices = ask.wazo.notices();
        let reset = notices.reset_password(&caller.token, &caller.live, user, Some(&password), caller.scope());
        match reset.await {
            Ok(()) => ask.page(StatusCode::OK, &Page::PasswordSet),
            Err(NoticeError::Directory(DirectoryError::Invalid { rule, .. })) => {
                form(&ask, user, &caller, Some(rule)).await
            }
            Err(error) => Err(error.into()),
        }
    };
    answer(&ask, submitted.await)
}

async fn caller(ask: &Ask) -> Result<(UserId, Caller), Failure> {
    let user = user(ask)?;
    Ok((user, ask.authorize_link(&reset_access(user)).await?))
}

async fn form(ask: &Ask, user: UserId, caller: &Caller, problem: Option<&str>) -> Result<Response, Failure> {
    let user = ask.wazo.directory().get_user_in(user, caller.scope()).await?;
    let login = user.name();
    let page = Page::PasswordForm { login: &login, problem };
    let status = problem.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    ask.page(status, &page)
}

/// The field `password` of a form; an empty one, which is none, if it is not there.
fn password(body: &[u8]) -> Secret<Vec<u8>> {
    let mut fields = form_urlencoded::parse(body);
    let found = fields.find(|(name, _)| name == "password");
    Secret::new(
        found
            .map(|(_, value)| value.into_owned().into_bytes())
            .unwrap_or_default(),
    )
}

/// Who follows a link that is no good sees a page that says so.
fn answer(ask: &Ask, result: Result<Response, Failure>) -> Response {
    match result {
        Err(Failure::Unauthorized(_) | Failure::Api(_)) => {
            ask.answer(ask.page(StatusCode::UNAUTHORIZED, &Page::LinkExpired))
        }
        result => ask.answer(result),
    }
}
