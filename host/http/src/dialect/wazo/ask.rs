//! What every route of the directory begins with: who asks, with which right, about which tenants.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, header};
use keyway_core::model::{TenantId, TenantScope};
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenValue};
use uuid::Uuid;

use super::Wazo;
use super::error::{Failure, Unauthorized};
use crate::edge::Call;
use crate::{AppState, presented};

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const TENANT: HeaderName = HeaderName::from_static("wazo-tenant");

/// A request, without its body.
pub(super) struct Ask {
    pub(super) wazo: Wazo,
    pub(super) call: Call,
    headers: HeaderMap,
    query: Vec<(String, String)>,
}

impl<S> FromRequestParts<S> for Ask
where
    S: Send + Sync,
    AppState: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let call = Call::from_request_parts(parts, state).await?;
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            wazo: Wazo(AppState::from_ref(state)),
            call,
            headers: parts.headers.clone(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        })
    }
}

impl Ask {
    /// Who asks: a token of `X-Auth-Token` or of `Authorization: Bearer` that has this access, and the tenant of `Wazo-Tenant`, which must
    /// be the token's or lie below it.
    ///
    /// # Errors
    /// [`Failure::Unauthorized`], or that the store did not answer.
    pub(super) async fn authorize(&self, access: &str) -> Result<Caller, Failure> {
        self.authorize_token(self.token_of_headers(), access).await
    }

    /// As [`Ask::authorize`], where a token in `?token=` counts too: such links are sent by mail.
    ///
    /// # Errors
    /// As [`Ask::authorize`].
    pub(super) async fn authorize_link(&self, access: &str) -> Result<Caller, Failure> {
        let token = self.token_of_headers();
        self.authorize_token(token.or_else(|| self.query("token")), access)
            .await
    }

    async fn authorize_token(&self, token: Option<&str>, access: &str) -> Result<Caller, Failure> {
        let no_token = || Failure::Unauthorized(Unauthorized::NoToken(access.to_owned()));
        let token = presented::token_of(&self.wazo.0, token.ok_or_else(no_token)?).await;
        let token = token.map_err(TokenError::from).map_err(|error| match error {
            TokenError::NotFound => no_token(),
            error => error.into(),
        })?;
        let asked = CheckRequest {
            scope: Some(access),
            tenant: None,
        };
        let live = match self.wazo.tokens().check(&token, asked).await {
            Ok(live) => live,
            Err(TokenError::NotFound) => return Err(no_token()),
            Err(TokenError::AccessDenied(access)) => {
                return Err(Failure::Unauthorized(Unauthorized::NoAccess(access)));
            }
            Err(error) => return Err(error.into()),
        };
        let own = live.record.session.identity.tenant;
        let tenant = self.tenant(own).await?;
        let is_top = self.wazo.directory().tenant_tree().await?.master() == Some(tenant);
        Ok(Caller {
            token,
            live,
            tenant,
            is_top,
        })
    }

    /// The tenant that the request is about.
    async fn tenant(&self, own: TenantId) -> Result<TenantId, Failure> {
        let Some(header) = self.headers.get(TENANT) else {
            return Ok(own);
        };
        let text = String::from_utf8_lossy(header.as_bytes());
        let denied = || Failure::Unauthorized(Unauthorized::Tenant(text.chars().take(64).collect()));
        let asked = TenantId(Uuid::try_parse(&text).map_err(|_| denied())?);
        let tree = self.wazo.directory().tenant_tree().await?;
        if tree.is_within(asked, own) {
            Ok(asked)
        } else {
            Err(denied())
        }
    }

    /// This header, where it is text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn token_of_headers(&self) -> Option<&str> {
        let text = |name: HeaderName| self.headers.get(name)?.to_str().ok();
        let bearer = || text(header::AUTHORIZATION)?.strip_prefix("Bearer ").map(str::trim);
        text(TOKEN).or_else(bearer)
    }

    /// The first value of this query key.
    pub(super) fn query(&self, key: &str) -> Option<&str> {
        let mut values = self.query.iter().filter(|(name, _)| name == key);
        values.next().map(|(_, value)| value.as_str())
    }

    /// All values of this query key.
    pub(super) fn queries(&self, key: &str) -> impl Iterator<Item = &str> {
        let values = self.query.iter().filter(move |(name, _)| name == key);
        values.map(|(_, value)| value.as_str())
    }

    /// Answers, whatever came of it.
    pub(super) fn answer(&self, result: Result<Response, Failure>) -> Response {
        result.unwrap_or_else(|failure| failure.answer(&self.wazo, &self.call))
    }
}

/// Who asks.
pub(super) struct Caller {
    /// Its token, for what it may pass on.
    pub(super) token: TokenValue,
    /// What stands behind it.
    pub(super) live: Arc<LiveToken>,
    /// The tenant that the request is about: the caller's own, or the one of `Wazo-Tenant`.
    pub(super) tenant: TenantId,
    /// Whether that is the top tenant, with all others below it.
    is_top: bool,
}

impl Caller {
    /// The tenants in which a request may touch a thing that it names by id.
    pub(super) fn scope(&self) -> TenantScope {
        // A store need not look at the tree to know that all of it is meant.
        if self.is_top {
            TenantScope::All
        } else {
            TenantScope::Subtree(self.tenant)
        }
    }

    /// The tenants whose things a list shows.
    pub(super) fn list_scope(&self, recurse: bool) -> TenantScope {
        if recurse {
            self.scope()
        } else {
            TenantScope::Only(self.tenant)
        }
    }
}

/// An access, filled with values from the path: a dot in one of them would be a further word.
pub(super) fn word(value: &str) -> String {
    value.replace('.', "_")
}
