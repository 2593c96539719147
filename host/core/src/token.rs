//! The token service: the only mint. One file per verb under `token/`.

mod cache;
mod error;
mod value;

use std::sync::Arc;
use std::time::Duration;

pub use cache::TokenCache;
pub use error::TokenError;
pub use value::TokenValue;

use crate::access::AccessList;
use crate::key::KeyRing;
use crate::model::{Challenge, Client, Credential, TokenRecord};
use crate::password::PasswordPool;
use crate::port::{Backends, Clock, Random, RevokeTarget, Revoked, Store};

/// How long tokens live, and how they are swept and cached.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The life of a token whose login asks for none.
    pub default_ttl: Duration,
    /// The longest life that a login may ask for.
    pub max_ttl: Duration,
    /// How often expired tokens are removed; zero for never.
    pub sweep_interval: Duration,
    /// How many are removed in one transaction.
    pub sweep_batch: u32,
    /// How many tokens the cache holds.
    pub cache_capacity: usize,
}

/// A login as a dialect hands it over.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// The backend's name or alias.
    pub backend: String,
    /// Who and with what proof; `None` where the caller sent none, which is refused in the time of a wrong password.
    pub credentials: Option<(String, Credential)>,
    /// The tenant that the caller named.
    pub tenant: Option<String>,
    /// The life that the caller asks for.
    pub ttl: Option<Duration>,
    /// From where.
    pub client: Client,
    /// Through which API.
    pub dialect: &'static str,
    /// The id under which this request is logged.
    pub request_id: String,
    /// What the dialect wants the backend to see and the session to keep.
    pub attributes: Vec<(String, String)>,
}

/// How a login ended, if it was neither refused nor failed.
#[derive(Debug)]
pub enum LoginOutcome {
    /// A token was issued.
    Issued(IssuedToken),
    /// The backend wants another step.
    Challenged(Challenge),
}

/// A token, the one time that it is seen.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub value: TokenValue,
    /// What stands behind it.
    pub live: Arc<LiveToken>,
}

/// A token that is good now.
#[derive(Debug)]
pub struct LiveToken {
    /// The token and its session.
    pub record: TokenRecord,
    /// Its accesses, ready to evaluate.
    pub accesses: AccessList,
}

/// What a caller wants to know about a token.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckRequest<'a> {
    /// The access that the token must have; `None` asks for none.
    pub scope: Option<&'a str>,
    /// The tenant that must be the token owner's, or lie below it.
    pub tenant: Option<&'a str>,
}

/// Issues, checks and revokes tokens.
pub struct TokenService {}

impl TokenService {
    /// Composes the service.
    #[expect(clippy::too_many_arguments, reason = "the composition root names each part once")]
    pub fn new(
        _store: Arc<dyn Store>,
        _backends: Arc<dyn Backends>,
        _passwords: Arc<PasswordPool>,
        _keys: KeyRing,
        _cache: Arc<TokenCache>,
        _clock: Arc<dyn Clock>,
        _random: Arc<dyn Random>,
        _settings: TokenSettings,
    ) -> Self {
        todo!()
    }

    /// Verifies a credential and issues a token, which is durable when this returns.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn login(&self, _request: LoginRequest) -> Result<LoginOutcome, TokenError> {
        todo!()
    }

    /// Whether a token is good, and for what was asked. Never touches a plugin.
    ///
    /// # Errors
    /// [`TokenError::NotFound`], then [`TokenError::AccessDenied`], then [`TokenError::TenantDenied`]; [`TokenError::Store`].
    pub async fn check(&self, _token: &TokenValue, _request: CheckRequest<'_>) -> Result<Arc<LiveToken>, TokenError> {
        todo!()
    }

    /// Ends one token; returns whether there was one.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn revoke(&self, _token: &TokenValue) -> Result<bool, TokenError> {
        todo!()
    }

    /// Ends all tokens of the target.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn revoke_all(&self, _target: &RevokeTarget) -> Result<Revoked, TokenError> {
        todo!()
    }

    /// Removes expired tokens now, in batches; returns how many.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn sweep(&self) -> Result<u64, TokenError> {
        todo!()
    }

    /// Sweeps at the configured interval and follows the store's changes, until it is dropped.
    pub async fn run(&self) {
        todo!()
    }

    /// The settings.
    pub fn settings(&self) -> &TokenSettings {
        todo!()
    }
}
