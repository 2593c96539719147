//! `POST /token`: a login.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use keyway_core::model::{Client, Credential};
use keyway_core::token::{LoginOutcome, LoginRequest};

use super::error::Failure;
use super::login_body::LoginBody;
use super::{Wazo, wire};
use crate::dialect::Dialect;
use crate::edge::{Call, Payload, PayloadError, basic_credentials, user_agent};

const SESSION_TYPE: HeaderName = HeaderName::from_static("wazo-session-type");
const SESSIONS_REVOKED: HeaderName = HeaderName::from_static("wazo-sessions-revoked");

pub(super) async fn handle(
    State(wazo): State<Wazo>,
    call: Call,
    headers: HeaderMap,
    payload: Result<Payload, PayloadError>,
) -> Response {
    log_in(&wazo, &call, &headers, payload)
        .await
        .unwrap_or_else(|failure| failure.answer(&wazo, &call))
}

async fn log_in(
    wazo: &Wazo,
    call: &Call,
    headers: &HeaderMap,
    payload: Result<Payload, PayloadError>,
) -> Result<Response, Failure> {
    // Kept to the end, for the body's texts may be as long as it is.
    let payload = payload?;
    let body = LoginBody::parse(&payload, wazo.tokens().settings().max_ttl)?;
    match wazo.tokens().login(login_request(wazo, call, headers, body)).await? {
        LoginOutcome::Issued(issued) => {
            let mut response = wire::token(&issued.value, &issued.live, None, wazo.settings());
            response
                .headers_mut()
                .insert(SESSIONS_REVOKED, HeaderValue::from_static("0"));
            Ok(response)
        }
        LoginOutcome::Challenged(_) => Err(Failure::Challenged),
    }
}

fn login_request(wazo: &Wazo, call: &Call, headers: &HeaderMap, body: LoginBody) -> LoginRequest {
    LoginRequest {
        backend: body.backend.unwrap_or_else(|| wazo.settings().backend.clone()),
        credentials: basic_credentials(headers).map(|(login, password)| (login, Credential::Password(password))),
        tenant: body.tenant,
        ttl: body.expiration.map(Duration::from_secs),
        client: Client {
            address: call.client().map(|address| address.to_string()),
            user_agent: user_agent(headers),
        },
        dialect: Dialect::Wazo.name(),
        request_id: call.id().to_owned(),
        attributes: session_type(headers)
            .map(|kind| ("wazo.session-type".to_owned(), kind))
            .into_iter()
            .collect(),
        mobile: false,
        offline: None,
    }
}

/// `mobile`, in lower case; a value that is no short word is left out.
fn session_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(SESSION_TYPE)?.to_str().ok()?.trim();
    let is_word = (1..=32).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| kind.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_type_is_a_short_word_in_any_case() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(SESSION_TYPE, HeaderValue::from_static(text));
            session_type(&headers)
        };
        assert_eq!(of("Mobile").as_deref(), Some("mobile"));
        assert_eq!(of(""), None);
        assert_eq!(of("a b"), None);
        assert_eq!(session_type(&HeaderMap::new()), None);
    }
}
