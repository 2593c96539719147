//! A request, and what every route begins with: who asks, and in which role.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, MatchedPath, Request};
use http::{HeaderMap, HeaderName, Method, header};
use keyway_core::model::Client;
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenValue};
use serde_json::Value;

use super::audit::Notes;
use super::error::{AuthFailure, Failure};
use super::jwt::Unreadable;
use super::params::{Params, ParamsError};
use super::rights::Role;
use super::{Privacyidea, auth, content};
use crate::edge::{Call, Payload, PayloadError, Whole, user_agent};
use crate::{AppState, presented};

/// What the original looks at before `Authorization`: some proxies take that away.
const OWN_AUTHORIZATION: HeaderName = HeaderName::from_static("pi-authorization");

/// The most of a caller's nonce that is given back.
const MAX_NONCE: usize = 256;

/// The part of the API that has an empty object where errors have nothing else to tell.
const AUTH: &str = "/auth";

/// A request, read whole.
pub(super) struct Ask {
    pub(super) pi: Privacyidea,
    pub(super) call: Call,
    headers: HeaderMap,
    is_auth: bool,
    is_head: bool,
    /// Whether it is to change something.
    is_change: bool,
    notes: Notes,
    params: Result<Params, Unread>,
    /// The parameters' texts may be as long as it is, so it counts for as long as they are there.
    _payload: Option<Payload>,
}

/// Why there are no parameters.
#[derive(Debug, Clone, Copy)]
enum Unread {
    Payload(PayloadError),
    Params(ParamsError),
}

/// Who asks.
pub(super) struct Caller {
    /// In which role.
    pub(super) role: Role,
    /// The login name, without a realm.
    pub(super) username: String,
    /// The realm, empty for local administrators.
    pub(super) realm: String,
    /// The token of the core.
    pub(super) token: TokenValue,
    /// What stands behind it.
    pub(super) live: Arc<LiveToken>,
}

impl FromRequest<AppState> for Ask {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Infallible> {
        let Whole {
            call,
            head,
            path,
            payload,
        } = Whole::from_request(request, state).await?;
        let is_auth = head.uri.path().starts_with(AUTH);
        let route = head.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let notes = Notes::new(&head.method, route.unwrap_or_default());
        let is_head = head.method == Method::HEAD;
        let is_change = ![Method::GET, Method::HEAD].contains(&head.method);
        let (payload, params) = match payload {
            Err(error) => (None, Err(Unread::Payload(error))),
            Ok(payload) => {
                let query = head.uri.query().unwrap_or_default();
                let params = content::read(query, &head.headers, &payload).await;
                let params = params.and_then(|params| with_path(params, path));
                (Some(payload), params.map_err(Unread::Params))
            }
        };
        Ok(Self {
            pi: Privacyidea(state.clone()),
            call,
            headers: head.headers,
            is_auth,
            is_head,
            is_change,
            notes,
            params,
            _payload: payload,
        })
    }
}

/// What the path says goes before all else.
fn with_path(mut params: Params, path: Vec<(String, String)>) -> Result<Params, ParamsError> {
    for (name, value) in path {
        params.put(name, Value::String(value))?;
    }
    Ok(params)
}

impl Ask {
    /// What the request says.
    ///
    /// # Errors
    /// [`Failure::Payload`], [`Failure::Params`].
    pub(super) fn params(&self) -> Result<&Params, Failure> {
        self.params.as_ref().map_err(|unread| match *unread {
            Unread::Payload(error) => error.into(),
            Unread::Params(error) => error.into(),
        })
    }

    /// Who asks, whatever its role.
    ///
    /// # Errors
    /// [`AuthFailure::NoHeader`], [`AuthFailure::BadToken`], [`AuthFailure::Expired`], or that the store did not answer.
    pub(super) async fn caller(&self) -> Result<Caller, Failure> {
        let text = self.token_text()?;
        let claims = match self.pi.keys().jwt.read(text, self.pi.now()) {
            Ok(claims) => claims,
            Err(reason) => return self.foreign(text, reason).await,
        };
        // Whatever the token says: the session may have ended, by the caller's wish or another's.
        let live = self.pi.tokens().check(&claims.token, CheckRequest::default()).await?;
        let role = match claims.role {
            // The realm may have been taken from the superusers' ones since.
            Role::Admin if !self.pi.is_admin(&live) => Role::User,
            role => role,
        };
        self.note(|note| {
            note.kept |= self.is_change;
            let entry = &mut note.entry;
            match role {
                Role::Admin if claims.realm.is_empty() => claims.username.clone_into(&mut entry.administrator),
                Role::Admin => entry.administrator = format!("{}@{}", claims.username, claims.realm),
                Role::User => {
                    claims.username.clone_into(&mut entry.user);
                    claims.realm.clone_into(&mut entry.realm);
                }
            }
        });
        Ok(Caller {
            role,
            username: claims.username,
            realm: claims.realm,
            token: claims.token,
            live,
        })
    }

    /// Who asks with a token of another dialect. `reason` is why it is none of this one's.
    async fn foreign(&self, text: &str, reason: Unreadable) -> Result<Caller, Failure> {
        let token = match presented::token_of(&self.pi.0, text).await.map_err(TokenError::from) {
            Ok(token) => token,
            Err(TokenError::NotFound) => return Err(reason.into()),
            Err(error) => return Err(error.into()),
        };
        let live = self.pi.tokens().check(&token, CheckRequest::default()).await?;
        let role = auth::role_of_foreign(&self.pi, &live).await?;
        let session = &live.record.session;
        let username = session.identity.login.clone();
        let realm = auth::realm_of_session(&live);
        self.note(|note| {
            note.kept |= self.is_change;
            match role {
                Role::Admin => note.entry.administrator.clone_from(&username),
                Role::User => {
                    note.entry.user.clone_from(&username);
                    note.entry.realm.clone_from(&realm);
                }
            }
        });
        Ok(Caller {
            role,
            username,
            realm,
            token,
            live,
        })
    }

    /// Who asks, if it is an administrator.
    ///
    /// # Errors
    /// As [`Ask::caller`], and [`AuthFailure::Role`].
    pub(super) async fn admin(&self) -> Result<Caller, Failure> {
        let caller = self.caller().await?;
        match caller.role {
            Role::Admin => Ok(caller),
            Role::User => Err(AuthFailure::Role(Role::Admin.name()).into()),
        }
    }

    fn token_text(&self) -> Result<&str, Failure> {
        let own = self.headers.get(OWN_AUTHORIZATION);
        let header = own.or_else(|| self.headers.get(header::AUTHORIZATION));
        let text = header.ok_or(AuthFailure::NoHeader)?.to_str();
        let text = text.map_err(|_| AuthFailure::BadToken("it is no text"))?.trim();
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => text,
        };
        if token.is_empty() {
            return Err(AuthFailure::NoHeader.into());
        }
        Ok(token)
    }

    /// The headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the request leaves in the audit.
    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether the request is about logging in.
    pub(super) fn is_auth(&self) -> bool {
        self.is_auth
    }

    /// Whether the headers of the answer alone are wanted.
    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    /// What the caller wants to read in the answer.
    pub(super) fn nonce(&self) -> Option<&str> {
        let nonce = self.params.as_ref().ok()?.value("nonce")?.as_str()?;
        (nonce.len() <= MAX_NONCE).then_some(nonce)
    }

    /// Where the request comes from.
    pub(super) fn client(&self) -> Client {
        Client {
            address: self.call.client().map(|address| address.to_string()),
            user_agent: user_agent(&self.headers),
        }
    }
}
