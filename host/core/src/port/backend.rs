//! Authentication backends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::Secret;
use crate::gate::Gate;
use crate::model::{Answer, BackendName, Changed, Credential, Found, PluginStamp, Principal};

/// Where a request comes from.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The id under which this request is logged.
    pub request_id: String,
    /// The dialect's name.
    pub dialect: &'static str,
    /// The caller's IP address, proxies resolved.
    pub client_address: Option<String>,
    /// The tenant that the caller named. A hint: nothing is verified.
    pub tenant: Option<String>,
    /// More, with namespaced keys.
    pub attributes: Vec<(String, String)>,
}

/// One step of a login.
#[derive(Debug, Clone)]
pub enum Step {
    /// The first.
    Start {
        /// The login name as the caller wrote it.
        identifier: String,
        /// The proof.
        credential: Credential,
    },
    /// The response to a challenge.
    Answer {
        /// The challenge's state.
        state: Vec<u8>,
        /// The response.
        response: Secret<Vec<u8>>,
    },
}

/// What a backend is asked.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// Where it comes from.
    pub context: RequestContext,
    /// What to decide.
    pub step: Step,
    /// When the host gives up.
    pub deadline: Instant,
}

/// By what somebody is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupKey {
    /// A login name, as a caller wrote it.
    Identifier(String),
    /// The backend's own stable name for somebody.
    Subject(String),
}

/// Who is it?
#[derive(Debug, Clone)]
pub struct LookupRequest {
    /// Where it comes from.
    pub context: RequestContext,
    /// Who is wanted.
    pub key: LookupKey,
    /// When the host gives up.
    pub deadline: Instant,
}

/// Another password for somebody who knows the present one.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// Where it comes from.
    pub context: RequestContext,
    /// The login name as the caller wrote it.
    pub identifier: String,
    /// The present password.
    pub present: Secret<Vec<u8>>,
    /// The one to be.
    pub new: Secret<Vec<u8>>,
    /// When the host gives up.
    pub deadline: Instant,
}

/// Who is there? What is not said does not narrow.
#[derive(Debug, Clone)]
pub struct BrowseRequest {
    /// Where it comes from.
    pub context: RequestContext,
    /// Only those of this realm, where the backend has some.
    pub realm: Option<String>,
    /// Only those of this resolver, where it has some.
    pub resolver: Option<String>,
    /// Patterns, in which `*` stands for any text and case does not count, by what they are about: `login`, `email`, `display-name`, `subject`, or an
    /// attribute's name.
    pub patterns: Vec<(String, String)>,
    /// No more than these.
    pub most: u32,
    /// When the host gives up.
    pub deadline: Instant,
}

/// Those who are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Those who fit.
    pub principals: Vec<Principal>,
    /// Whether these are all.
    pub complete: bool,
}

/// What a backend can do besides verifying credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Say who somebody is without a password.
    pub lookup: bool,
    /// Change passwords.
    pub change_password: bool,
    /// List its users.
    pub browse: bool,
}

impl Abilities {
    /// All of them.
    pub const ALL: Self = Self {
        lookup: true,
        change_password: true,
        browse: true,
    };
}

/// The credential was not judged. A fault is never an answer about a credential: it is a 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendFault {
    /// Something that the backend depends on did not answer.
    #[error("the backend reports that something it depends on is unavailable: {0}")]
    Unavailable(String),
    /// The backend's configuration or grants do not let it work.
    #[error("the backend reports that it is misconfigured: {0}")]
    Misconfigured(String),
    /// The backend reports a defect in itself.
    #[error("the backend reports a defect in itself: {0}")]
    Internal(String),
    /// The plugin crashed, or answered outside the contract.
    #[error("the plugin broke the contract: {0}")]
    Broken(String),
    /// The plugin went over one of its limits.
    #[error("the plugin went over its limit of {0}")]
    LimitExceeded(String),
    /// The call did not end within its deadline.
    #[error("the plugin did not answer within {} ms", .0.as_millis())]
    DeadlineExceeded(Duration),
    /// As many calls as the backend may have are under way, and its queue is full; or the host's pool for password hashing has no room for it.
    #[error("the backend is saturated")]
    Saturated,
    /// The circuit breaker is open after a series of faults.
    #[error("the circuit breaker is open after {faults} faults in a row")]
    BreakerOpen {
        /// How many.
        faults: u32,
        /// When the next attempt is let through.
        retry_after: Duration,
    },
    /// Another backend, which this one asks, has a fault. It counts against that one.
    #[error("the backend `{0}`, which it asks, did not decide")]
    Delegate(BackendName),
    /// The backend is configured, and no generation of it has ever been loaded.
    #[error("no generation of the backend is loaded")]
    NotLoaded,
}

impl BackendFault {
    /// For how long another try is of no use; zero where nobody can say.
    pub fn retry_after(&self) -> Duration {
        match self {
            Self::BreakerOpen { retry_after, .. } => *retry_after,
            Self::Unavailable(_)
            | Self::Misconfigured(_)
            | Self::Internal(_)
            | Self::Broken(_)
            | Self::LimitExceeded(_)
            | Self::DeadlineExceeded(_)
            | Self::Saturated
            | Self::Delegate(_)
            | Self::NotLoaded => Duration::ZERO,
        }
    }
}

/// Verifies credentials. To add one, write a plugin; the runtime is the only implementation besides those of tests.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Decides one step of a login, on the generation that is live now. Returns before the request's deadline, or a little after
    /// with [`BackendFault::DeadlineExceeded`].
    ///
    /// # Errors
    /// [`BackendFault`], where the credential was not judged.
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault>;

    /// Which code would answer now; `None` while none is loaded.
    fn stamp(&self) -> Option<PluginStamp> {
        None
    }

    /// What the generation that is live now can do besides; everything while none is, so that who asks is told that none is.
    fn abilities(&self) -> Abilities {
        Abilities::default()
    }

    /// Says who somebody is without a password; `None` from a backend that cannot. Returns as [`Backend::verify`] does.
    ///
    /// # Errors
    /// [`BackendFault`], where it could not be found out.
    async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        let LookupRequest { .. } = request;
        Ok(None)
    }

    /// Changes somebody's password; `None` from a backend that cannot. Returns as [`Backend::verify`] does.
    ///
    /// # Errors
    /// [`BackendFault`], where the present password was not judged, or it is not known what became of the new one.
    async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        let ChangeRequest { .. } = request;
        Ok(None)
    }

    /// Lists users; `None` from a backend that cannot. Returns as [`Backend::verify`] does.
    ///
    /// # Errors
    /// [`BackendFault`], where it could not be found out.
    async fn browse(&self, request: BrowseRequest) -> Result<Option<Listing>, BackendFault> {
        let BrowseRequest { .. } = request;
        Ok(None)
    }
}

/// A backend with what the token service needs to know about it.
#[derive(Clone)]
pub struct BackendSlot {
    /// Its name; an alias leads to the same slot.
    pub name: BackendName,
    /// The backend.
    pub backend: Arc<dyn Backend>,
    /// Concurrency limit, queue and circuit breaker. It outlives generations.
    pub gate: Arc<Gate>,
    /// The longest that one login step may take, waiting included.
    pub deadline: Duration,
    /// Access patterns that this backend may hand out by its own word; `None` for none.
    pub acl_ceiling: Option<Arc<[String]>>,
    /// Slugs of the top tenant's policies that the members of this backend's groups have, by the groups' names.
    pub group_policies: Arc<BTreeMap<String, Vec<String>>>,
}

/// The backends that are configured now.
pub trait Backends: Send + Sync {
    /// The backend of this name or alias.
    fn find(&self, name: &str) -> Option<BackendSlot>;

    /// The names, sorted, without the aliases.
    fn names(&self) -> Vec<BackendName>;
}
