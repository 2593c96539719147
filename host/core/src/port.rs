//! The traits that the other rooms implement, and their errors. Each says how to add an implementation.

mod account_store;
mod attempt_store;
mod audit_store;
mod backend;
mod backend_settings;
mod challenge_store;
mod clock;
mod directory_store;
mod document_store;
mod event_sink;
mod event_store;
mod factor_store;
mod foreign;
mod foreign_privacyidea;
mod group_store;
mod key_store;
mod link_store;
mod mailer;
mod named_database;
mod plugin_host;
mod policy_store;
mod provision_store;
mod refresh_store;
mod session_store;
mod setting_store;
mod store;
mod tenant_backends;
mod tenant_store;
mod token_store;

pub use account_store::AccountStore;
pub use attempt_store::{Attempt, AttemptStore, NewAttempt};
pub use audit_store::{AuditCount, AuditEntry, AuditFilter, AuditStore, NewAuditEntry};
pub use backend::{
    Abilities, Backend, BackendFault, BackendSlot, Backends, BrowseRequest, ChangeRequest, Listing, LookupKey,
    LookupRequest, RequestContext, Step, VerifyRequest,
};
pub use backend_settings::{AddedConfig, BackendDesk, BackendSettings, BackendSettingsError};
pub use challenge_store::{ChallengeStore, StoredChallenge};
pub use clock::{Clock, Random, SystemClock, SystemRandom};
pub use directory_store::{
    DirectoryStore, EmailChange, NewPassword, NewUser, StoredDigest, StoredVerifier, Uniqueness, UserChange,
    UserFilter, UserOrder,
};
pub use document_store::{DocumentKind, DocumentStore, NewDocument, StoredDocument};
pub use event_sink::{EventSink, Undelivered};
pub use event_store::{EventStore, ReceiverHold};
pub use factor_store::{
    FactorChange, FactorFilter, FactorOrder, FactorQuery, FactorStore, NewFactor, OtpUse, StoredFactor,
};
pub use foreign::{
    ForeignCounts, ForeignDirectory, ForeignEmail, ForeignGroup, ForeignLdap, ForeignPolicy, ForeignRefreshToken,
    ForeignTenant, ForeignUser,
};
pub use foreign_privacyidea::{
    PrivacyideaCondition, PrivacyideaCounts, PrivacyideaDatabase, PrivacyideaMember, PrivacyideaOwner,
    PrivacyideaPolicy, PrivacyideaRealm, PrivacyideaResolver, PrivacyideaToken, PrivacyideaValue,
};
pub use group_store::{GroupFilter, GroupOrder, GroupStore};
pub use key_store::{KeyPurpose, KeyStore, SealedKey};
pub use link_store::LinkStore;
pub use mailer::{Letter, Links, Mailer, MailerError, Page, PageError, Pages, Topic};
pub use named_database::{NamedDatabase, NamedDatabaseError, NamedDatabaseSpec, NamedDatabases, NamedRow};
pub use plugin_host::{PluginHost, PluginHostError};
pub use policy_store::{PolicyFilter, PolicyOrder, PolicyStore};
pub use provision_store::{ProvidedGroup, Provision, ProvisionStore};
pub use refresh_store::{RefreshFilter, RefreshOrder, RefreshStore};
pub use session_store::{ListedSession, SessionFilter, SessionOrder, SessionStore};
pub use setting_store::{SettingKind, SettingStore, StoredSetting};
pub use store::{Change, Store, StoreError};
pub use tenant_backends::TenantBackends;
pub use tenant_store::{NewTenant, TenantFilter, TenantMove, TenantOrder, TenantStore};
pub use token_store::{
    Opened, Opening, OpeningOutcome, REVOCATIONS_KEPT, Refreshing, RevocationMark, RevokeTarget, Revoked, Swept,
    TokenStore,
};
