//! Values and state enums. No I/O, no async, no clocks.

mod backend;
mod credential;
mod id;
mod outcome;
mod page;
mod plugin;
mod policy;
mod principal;
mod session;
mod tenant;
mod timestamp;
mod token;
mod user;

pub use backend::{BackendName, InvalidBackendName};
pub use credential::{Credential, DigestAlgorithm};
pub use id::{IdentityId, PolicyId, SessionId, TenantId, UserId};
pub use outcome::{Answer, Challenge, ChallengeKind, Outcome, Refusal};
pub use page::{Page, Paged};
pub use plugin::{HistoryEntry, InvalidPluginDigest, PluginDigest, PluginStamp, PluginState, PluginStatus};
pub use policy::Policy;
pub use principal::{Identity, Principal, Subject};
pub use session::{Client, Session};
pub use tenant::{Tenant, TenantTree};
pub use timestamp::Timestamp;
pub use token::{KeyId, Token, TokenDigest, TokenRecord};
pub use user::{Email, User, login_key};
