//! Values and state enums. No I/O, no async, no clocks.

mod backend;
mod credential;
mod event;
mod factor;
mod group;
mod id;
mod ldap;
mod outcome;
mod page;
mod plugin;
mod policy;
mod principal;
mod refresh;
mod session;
mod tenant;
mod timestamp;
mod token;
mod user;

pub use backend::{BackendName, InvalidBackendName};
pub use credential::{Credential, DigestAlgorithm};
pub use event::{Event, EventCursor, EventKind, InvalidEventCursor, NewEvent};
pub use factor::{Factor, FactorId, FactorKind, FactorOwner, FactorState, OtpAlgorithm, OtpParameters};
pub use group::Group;
pub use id::{EmailId, GroupId, IdentityId, PolicyId, RefreshTokenId, SessionId, TenantId, UserId};
pub use ldap::{LdapSecurity, LdapSettings};
pub use outcome::{Answer, Challenge, ChallengeKind, Changed, Found, Outcome, Refusal, Rejection};
pub use page::{Direction, Page, Paged, Query, TenantScope};
pub use plugin::{HistoryEntry, InvalidPluginDigest, PluginDigest, PluginStamp, PluginState, PluginStatus};
pub use policy::{MAX_SLUG, Policy, slug_of};
pub use principal::{Identity, Principal, Subject};
pub use refresh::RefreshToken;
pub use session::{Client, LINK_DIALECT, Session};
pub use tenant::{MAX_TENANT_SLUG, PostalAddress, Tenant, TenantTree, tenant_slug_of};
pub use timestamp::Timestamp;
pub use token::{KeyId, Token, TokenDigest, TokenRecord};
pub use user::{AuthenticationMethod, Email, Purpose, User, login_key};
