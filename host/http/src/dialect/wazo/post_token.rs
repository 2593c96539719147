//! `POST /token`: a login, with a password or a refresh token.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use keyway_core::Secret;
use keyway_core::model::{Client, Credential};
use keyway_core::token::{FactorRule, LoginOutcome, LoginRequest, RefreshRequest, TokenValue};

use super::error::Failure;
use super::login_body::{LoginBody, Proof};
use super::{Wazo, wire};
use crate::dialect::Dialect;
use crate::edge::{Call, Payload, PayloadError, basic_credentials, user_agent};

/// The backend of the host's own directory.
const DIRECTORY: &str = "wazo_user";
/// Who names a tenant or a domain logs in through the tenant's LDAP directory; where there is none, as the original does, nobody does.
const LDAP: &str = "ldap_user";

/// What stands before the names of this dialect's own attributes.
pub(super) const OWN_ATTRIBUTES: &str = "wazo.";
const SESSION_TYPE_ATTRIBUTE: &str = "wazo.session-type";

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
    let caller = Caller::of(call, headers);
    let outcome = match body.proof {
        Proof::Refresh { token, client_id } => {
            let request = caller.refresh(TokenValue::parse(&token), client_id, body.expiration);
            LoginOutcome::Issued(wazo.tokens().refresh(request).await?)
        }
        Proof::Credentials | Proof::Offline(_) | Proof::Saml => {
            let credentials = basic_credentials(headers);
            wazo.tokens().login(caller.login(wazo, credentials, body)).await?
        }
    };
    let issued = match outcome {
        LoginOutcome::Issued(issued) => issued,
        LoginOutcome::Challenged(asked) => return Err(Failure::Challenged(Box::new(asked))),
    };
    let mut response = wire::token(&issued.value, &issued.live, issued.refresh.as_ref(), wazo.settings());
    response
        .headers_mut()
        .insert(SESSIONS_REVOKED, HeaderValue::from(issued.sessions_revoked));
    Ok(response)
}

/// What a login and a login with a refresh token have in common.
struct Caller {
    client: Client,
    request_id: String,
    session_type: Option<String>,
}

impl Caller {
    fn of(call: &Call, headers: &HeaderMap) -> Self {
        Self {
            client: Client {
                address: call.client().map(|address| address.to_string()),
                user_agent: user_agent(headers),
            },
            request_id: call.id().to_owned(),
            session_type: session_type(headers),
        }
    }

    fn login(self, wazo: &Wazo, credentials: Option<(String, Secret<Vec<u8>>)>, body: LoginBody) -> LoginRequest {
        let backend = body.backend.unwrap_or_else(|| wazo.settings().backend.clone());
        // There is no such session, so nothing proves who the caller is.
        let credentials = credentials.filter(|_| body.proof != Proof::Saml);
        LoginRequest {
            backend: match body.tenant {
                Some(_) if backend == DIRECTORY => LDAP.to_owned(),
                Some(_) | None => backend,
            },
            credentials: credentials.map(|(login, password)| (login, Credential::Password(password))),
            tenant: body.tenant,
            ttl: body.expiration.map(Duration::from_secs),
            client: self.client,
            dialect: Dialect::Wazo.name(),
            request_id: self.request_id,
            mobile: is_mobile(self.session_type.as_deref()),
            attributes: attributes(self.session_type),
            otp: body.otp,
            transaction: body.transaction,
            factors: FactorRule::WhereActive,
            limited: true,
            offline: match body.proof {
                Proof::Offline(client_id) => Some(client_id),
                Proof::Credentials | Proof::Refresh { .. } | Proof::Saml => None,
            },
        }
    }

    fn refresh(self, token: Option<TokenValue>, client_id: String, expiration: Option<u64>) -> RefreshRequest {
        RefreshRequest {
            token,
            client_id,
            ttl: expiration.map(Duration::from_secs),
            client: self.client,
            dialect: Dialect::Wazo.name(),
            request_id: self.request_id,
            mobile: is_mobile(self.session_type.as_deref()),
            attributes: attributes(self.session_type),
        }
    }
}

fn is_mobile(session_type: Option<&str>) -> bool {
    session_type == Some("mobile")
}

fn attributes(session_type: Option<String>) -> Vec<(String, String)> {
    let kept = session_type.map(|kind| (SESSION_TYPE_ATTRIBUTE.to_owned(), kind));
    kept.into_iter().collect()
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
