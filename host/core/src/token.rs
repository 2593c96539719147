//! The token service: the only mint. One file per verb under `token/`.

mod api_key;
mod ask;
mod cache;
mod challenge;
mod check;
mod error;
mod factor;
mod impersonate;
mod issue;
mod judge;
mod link;
mod login;
mod open;
mod owner;
mod password;
mod recover;
mod refresh;
mod renew;
mod revoke;
mod session;
mod slot;
mod sweep;
#[cfg(test)]
mod tests;
mod value;
mod whom;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use api_key::KeyLogin;
pub use cache::TokenCache;
pub use challenge::{CHALLENGE_LIFE, ChallengeState, Challenges};
pub use error::TokenError;
pub use impersonate::{ImpersonateError, ImpersonateRequest};
pub use issue::GROUP_ATTRIBUTE;
pub use judge::REQUESTED_REALM;
pub(crate) use link::{LINK_ADDRESS, leads_to};
pub use password::{PasswordChange, PasswordChangeError};
pub use recover::{LinkLogin, ResetId};
pub use renew::RenewRequest;
pub(crate) use revoke::to_the_end;
pub use value::TokenValue;

use crate::Secret;
use crate::access::{AccessList, AccessShare};
use crate::factor::FactorService;
use crate::key::KeyRing;
use crate::model::{ChallengeKind, Client, Credential, Factor, Identity, Principal, Purpose, TokenRecord};
use crate::password::PasswordPool;
use crate::port::{Backends, Change, Clock, Random, Store, TenantBackends};
use crate::tenants::TenantDirectory;

/// How long tokens live, and how they are swept and cached.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The slug of the top tenant's policy that every user has.
    pub default_user_policy: Option<String>,
    /// How long a refresh token is good after the last login that gave it out; `None` for ever.
    pub refresh_ttl: Option<Duration>,
    /// How many sessions one identity may have open, unless it is of purpose `internal`; zero for any number.
    pub max_sessions: u32,
    /// Whose sessions say whether their owner is an administrator; `None` for nobody's.
    pub admin_status: Option<AdminStatus>,
}

/// Who counts as an administrator: a user to whom a policy is attached directly, or who is a member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminStatus {
    /// The slug of the policy, which is the top tenant's.
    pub policy: String,
    /// The group's slug.
    pub group: String,
    /// The users of whom it is asked.
    pub purposes: Vec<Purpose>,
}

/// A login as a dialect hands it over.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// The backend's name or alias.
    pub backend: String,
    /// Who and with what proof. Beside a digest, which says by itself whose it is, and nowhere else the name may be empty. `None` where the caller sent none,
    /// which is refused in the time of a wrong password.
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
    /// Whether the client is a mobile one.
    pub mobile: bool,
    /// The client's name for itself, 1 to 1024 characters, if it wants a refresh token.
    pub offline: Option<String>,
    /// A one-time password that came beside the credential, where the API has a place for it.
    pub otp: Option<Secret<Vec<u8>>>,
    /// The transaction id of the challenge that the credential answers; `None` for a first step.
    pub transaction: Option<String>,
    /// What is asked besides what the backend verifies.
    pub factors: FactorRule,
    /// Whether the limit of sessions concerns it. It does not concern APIs whose clients log in for each thing that they do, and never log out.
    pub limited: bool,
}

/// What is asked of somebody besides what the backend verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FactorRule {
    /// A one-time password, of whoever has an active factor: at the end of the password, or as the answer to a challenge.
    #[default]
    WhereActive,
    /// A one-time password, of everybody: who has no active factor is refused.
    Required,
    /// Nothing. The operator's own word, for one API.
    Never,
    /// One-time passwords alone decide, and the backend says only who it is (its ability `lookup`): the PIN of the factor, then the one-time password. The
    /// PIN alone is answered with a challenge where `challenges` says so.
    PinAndOtp {
        /// Whether the right PIN, or none where the factor has none, begins a challenge.
        challenges: bool,
        /// Whether somebody who has no factor at all, not one that is switched off either, is asked for the backend's password instead.
        passthru: bool,
    },
    /// As [`FactorRule::PinAndOtp`], without any PIN.
    OtpOnly {
        /// Whether somebody who has no factor at all, not one that is switched off either, is asked for the backend's password instead.
        passthru: bool,
    },
}

/// A login without a password.
#[derive(Debug, Clone)]
pub struct RefreshRequest {
    /// The refresh token; `None` for a text that cannot be one, which is refused like one that is unknown.
    pub token: Option<TokenValue>,
    /// The name under which the client asked for it.
    pub client_id: String,
    /// The life that the caller asks for.
    pub ttl: Option<Duration>,
    /// From where.
    pub client: Client,
    /// Through which API.
    pub dialect: &'static str,
    /// The id under which this request is logged.
    pub request_id: String,
    /// What the dialect wants the session to keep.
    pub attributes: Vec<(String, String)>,
    /// Whether the client is a mobile one. The sessions of a mobile client's refresh token are, whatever this says.
    pub mobile: bool,
}

/// How a login ended, if it was neither refused nor failed.
#[derive(Debug)]
pub enum LoginOutcome {
    /// A token was issued.
    Issued(IssuedToken),
    /// Another step is wanted.
    Challenged(Asked),
}

/// How it ended, where a proof is all that was wanted: no session is opened.
#[derive(Debug)]
pub enum ProofOutcome {
    /// It is proved.
    Proved(Box<Proved>),
    /// Another step is wanted.
    Challenged(Asked),
}

/// Who proved to be whom.
#[derive(Debug, Clone)]
pub struct Proved {
    /// Who it is to the host.
    pub identity: Identity,
    /// Who it is, in the backend's words.
    pub principal: Principal,
    /// The factor that was used, as it was before; `None` for none.
    pub factor: Option<Factor>,
}

/// A challenge as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// By which the answer says what it is an answer to: 20 digits, good for two minutes and for one right answer.
    pub transaction: String,
    /// What it asks for.
    pub kind: ChallengeKind,
    /// What to tell the user.
    pub prompt: String,
    /// The factors that can answer it; none where it is the backend's own challenge.
    pub factors: Vec<Factor>,
    /// Anything else.
    pub attributes: Vec<(String, String)>,
    /// Who is asked, where the host knows.
    pub login: Option<String>,
}

/// Somebody who was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// Who it is to the host.
    pub identity: Identity,
    /// Who it is, in the backend's words.
    pub principal: Principal,
}

/// A token, the one time that it is seen.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub value: TokenValue,
    /// What stands behind it.
    pub live: Arc<LiveToken>,
    /// The refresh token that was made or given out again.
    pub refresh: Option<TokenValue>,
    /// How many sessions ended because of it.
    pub sessions_revoked: usize,
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
    /// The access that the token must have; `None` asks whether somebody logged in with it.
    pub scope: Option<&'a str>,
    /// The tenant that must be the token owner's, or lie below it.
    pub tenant: Option<&'a str>,
}

/// What second steps need.
struct SecondSteps {
    service: Arc<FactorService>,
    challenges: Challenges,
}

/// Issues, checks and revokes tokens.
pub struct TokenService {
    store: Arc<dyn Store>,
    backends: Arc<dyn Backends>,
    tenant_backends: Option<Arc<dyn TenantBackends>>,
    passwords: Arc<PasswordPool>,
    factors: Option<SecondSteps>,
    keys: KeyRing,
    cache: Arc<TokenCache>,
    tenants: Arc<TenantDirectory>,
    shared_accesses: AccessShare,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: TokenSettings,
    feed: Mutex<Option<broadcast::Receiver<Change>>>,
}

impl TokenService {
    /// Composes the service. Somebody must [`TokenService::run`] it, or it hears of no revocation that another node makes.
    #[expect(clippy::too_many_arguments, reason = "the composition root names each part once")]
    pub fn new(
        store: Arc<dyn Store>,
        backends: Arc<dyn Backends>,
        passwords: Arc<PasswordPool>,
        keys: KeyRing,
        cache: Arc<TokenCache>,
        tenants: Arc<TenantDirectory>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: TokenSettings,
    ) -> Self {
        let feed = Mutex::new(Some(store.changes()));
        Self {
            store,
            backends,
            tenant_backends: None,
            passwords,
            factors: None,
            keys,
            cache,
            tenants,
            shared_accesses: AccessShare::default(),
            clock,
            random,
            settings,
            feed,
        }
    }

    /// Asks for second factors, and keeps the challenges of backends. Without it nobody is asked for more than what the backend asks for, and a backend that
    /// asks for a second step has a fault.
    #[must_use]
    pub fn with_factors(mut self, service: Arc<FactorService>, challenges: Challenges) -> Self {
        self.factors = Some(SecondSteps { service, challenges });
        self
    }

    /// The settings.
    pub fn settings(&self) -> &TokenSettings {
        &self.settings
    }
}
