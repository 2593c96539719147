//! Second factors at rest.

use async_trait::async_trait;

use super::StoreError;
use crate::Secret;
use crate::model::{Factor, FactorId, FactorKind, FactorOwner, FactorState, IdentityId, Paged, Timestamp};

/// A factor with what the store keeps of its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFactor {
    /// The factor.
    pub factor: Factor,
    /// Its seed, sealed under the master key: nonce and ciphertext, which print as nothing but their length would tell. Empty for recovery codes.
    pub sealed_seed: Vec<u8>,
}

/// A factor that is to be kept.
#[derive(Debug, Clone)]
pub struct NewFactor {
    /// The factor and its sealed seed.
    pub stored: StoredFactor,
    /// Of recovery codes, a keyed hash of each.
    pub codes: Vec<[u8; 32]>,
}

/// Which factors are meant. What is not said does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactorFilter {
    /// Only these people's.
    pub owner: Option<IdentityId>,
    /// Only those that belong to somebody (`true`) or to nobody (`false`).
    pub assigned: Option<bool>,
    /// Only those of this kind.
    pub kind: Option<FactorKind>,
    /// Only those in this state.
    pub state: Option<FactorState>,
    /// A pattern of the serial: `*` stands for any text, case does not count.
    pub serial: Option<String>,
    /// A pattern of the owner's login name.
    pub login: Option<String>,
    /// A pattern of the realm.
    pub realm: Option<String>,
    /// A pattern of the resolver.
    pub resolver: Option<String>,
    /// A pattern of the description.
    pub description: Option<String>,
}

/// By what a list of factors is ordered, and by the serial after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FactorOrder {
    /// The serial.
    #[default]
    Serial,
    /// The kind.
    Kind,
    /// The owner's login name.
    Login,
    /// The realm.
    Realm,
    /// The description.
    Description,
    /// The failures.
    Failures,
    /// When it was made.
    CreatedAt,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactorQuery {
    /// Which.
    pub filter: FactorFilter,
    /// By what they are ordered.
    pub order: FactorOrder,
    /// Whether the order is turned round.
    pub descending: bool,
    /// How many; `None` for all.
    pub limit: Option<u32>,
    /// How many are left out before.
    pub offset: u32,
}

/// What is changed about a factor; `None` leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactorChange {
    /// In which state it must be; `None` for any.
    pub only_in: Option<FactorState>,
    /// Whose it must be, `Some(None)` for nobody's; `None` for anybody's.
    pub only_of: Option<Option<IdentityId>>,
    /// Where it stands in its life.
    pub state: Option<FactorState>,
    /// Whose it is: `Some(None)` takes it away from its owner.
    pub owner: Option<Option<FactorOwner>>,
    /// Its PIN's verifier: `Some(None)` for no PIN.
    pub pin: Option<Option<Secret<String>>>,
    /// Its failures.
    pub failures: Option<u32>,
    /// How many it may have.
    pub max_failures: Option<u32>,
    /// Its window.
    pub window: Option<u32>,
    /// Its window for a resynchronisation.
    pub sync_window: Option<u32>,
    /// What people wrote about it.
    pub description: Option<String>,
    /// What else is shown with it.
    pub attributes: Option<Vec<(String, String)>>,
}

/// A one-time password that fits, on its way to being used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtpUse {
    /// Whose.
    pub factor: FactorId,
    /// The counter or time step that it was made from.
    pub counter: u64,
    /// What the drift is now.
    pub drift: i64,
    /// In which state the factor must be.
    pub state: FactorState,
    /// In which state it is afterwards.
    pub becomes: FactorState,
    /// When.
    pub at: Timestamp,
}

/// Second factors at rest. Those of a directory user or a tenant go with it, in the same transaction. What somebody uses is used once, however many nodes are asked at the same time: the condition and the change are one statement.
#[async_trait]
pub trait FactorStore: Send + Sync {
    /// Keeps a factor.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for the `serial`, without regard to case; [`StoreError::Missing`] for the owner's `tenant`, or the `user` if it is
    /// removed at the same time; [`StoreError::Unavailable`].
    async fn add_factor(&self, new: &NewFactor) -> Result<(), StoreError>;

    /// The factor of this serial, without regard to case.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn find_factor(&self, serial: &str) -> Result<Option<StoredFactor>, StoreError>;

    /// All factors of somebody that are [`FactorState::Active`], by serial.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn active_factors(&self, owner: IdentityId) -> Result<Vec<StoredFactor>, StoreError>;

    /// The lengths of the one-time passwords of all active factors that belong to somebody, ascending, each once. Recovery codes are not among them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn otp_lengths(&self) -> Result<Vec<u8>, StoreError>;

    /// Some of the factors.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Inconsistent`].
    async fn list_factors(&self, query: &FactorQuery) -> Result<Paged<Factor>, StoreError>;

    /// Changes a factor; returns whether there is one that is as it must be.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for the owner's `tenant`, or the `user` if it is removed at the same time; [`StoreError::Unavailable`].
    async fn change_factor(&self, id: FactorId, change: &FactorChange) -> Result<bool, StoreError>;

    /// Removes a factor and its codes; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_factor(&self, id: FactorId) -> Result<bool, StoreError>;

    /// Uses a one-time password up: if the factor is in the state, has no more failures than it may have, this attempt included, and its counter is not beyond
    /// this one, its counter becomes the next one, its failures none, and this returns `true`. Otherwise nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn use_otp(&self, used: &OtpUse) -> Result<bool, StoreError>;

    /// Uses a recovery code up: returns whether it was there, and the factor is active and has no more failures than it may have, this attempt included; its
    /// failures become none then.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn use_code(&self, factor: FactorId, code: &[u8; 32], at: Timestamp) -> Result<bool, StoreError>;

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn count_codes(&self, factor: FactorId) -> Result<u32, StoreError>;

    /// Counts a failure on each of these that has not failed too often, before anything is tried, and returns those. So no more is tried than may fail,
    /// however much is tried at the same time, and whoever goes away in the midst of it has failed. [`FactorStore::use_otp`] and [`FactorStore::use_code`] forget
    /// failures.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]. Some may have been counted even so.
    async fn begin_attempts(&self, factors: &[FactorId]) -> Result<Vec<FactorId>, StoreError>;

    /// Takes one failure back from each of these: it was not this factor that was meant.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn take_back_attempts(&self, factors: &[FactorId]) -> Result<(), StoreError>;
}
