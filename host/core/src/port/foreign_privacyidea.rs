//! A database of privacyIDEA's, to be brought in.

use async_trait::async_trait;

use super::StoreError;
use crate::Secret;

/// How many rows there are of each kind, for whoever shows progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrivacyideaCounts {
    /// Resolvers.
    pub resolvers: u64,
    /// Realms.
    pub realms: u64,
    /// Tokens of every type.
    pub tokens: u64,
    /// Policies.
    pub policies: u64,
}

/// A resolver as it is configured there.
#[derive(Debug, Clone, Default)]
pub struct PrivacyideaResolver {
    /// Its name.
    pub name: String,
    /// Its type, `passwdresolver` for example.
    pub kind: String,
    /// Its settings by their keys.
    pub settings: Vec<(String, PrivacyideaValue)>,
}

/// A setting's value.
#[derive(Debug, Clone)]
pub enum PrivacyideaValue {
    /// In clear.
    Text(String),
    /// Encrypted: `IV:ciphertext` in hexadecimal.
    Encrypted(Secret<String>),
}

/// A realm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyideaRealm {
    /// Its name.
    pub name: String,
    /// Whether it is the one of those who name none.
    pub is_default: bool,
    /// Its resolvers.
    pub resolvers: Vec<PrivacyideaMember>,
}

/// A resolver in a realm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyideaMember {
    /// The resolver's name.
    pub resolver: String,
    /// The lowest goes first.
    pub priority: Option<i64>,
    /// The only node on which the resolver belongs to the realm; empty for all of them.
    pub node: String,
}

/// Whose a token is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyideaOwner {
    /// The resolver that knows the owner.
    pub resolver: String,
    /// The resolver's id of the owner.
    pub userid: String,
    /// The realm; empty for none.
    pub realm: String,
    /// The login name, where the database remembers one.
    pub login: Option<String>,
}

/// A token as it is kept there.
#[derive(Debug, Clone)]
pub struct PrivacyideaToken {
    /// Its row, by which tokens are ordered.
    pub id: i64,
    /// Its serial.
    pub serial: String,
    /// Its type, `hotp` for example; case does not count.
    pub kind: String,
    /// What people wrote about it.
    pub description: String,
    /// Its encrypted seed, in hexadecimal.
    pub seed: Secret<String>,
    /// What goes with it, in hexadecimal.
    pub seed_iv: String,
    /// Its PIN: a verifier, or `@@` and what [`PrivacyideaValue::Encrypted`] holds; empty for none.
    pub pin: Secret<String>,
    /// How long its one-time passwords are.
    pub digits: i64,
    /// Of HOTP the next counter; of TOTP the time step that was used last, 0 for none.
    pub counter: i64,
    /// How many counters are looked ahead.
    pub window: i64,
    /// How many are for a resynchronisation.
    pub sync_window: i64,
    /// How often in a row it was used wrongly.
    pub failures: i64,
    /// How often it may be.
    pub max_failures: i64,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether it was given up.
    pub revoked: bool,
    /// Whether it is locked, as a token that was given up is.
    pub locked: bool,
    /// How far its enrolment is; empty or `enrolled` where it is done.
    pub rollout_state: String,
    /// What else is kept with it, in clear.
    pub info: Vec<(String, String)>,
    /// Whose it is. More than one is never used.
    pub owners: Vec<PrivacyideaOwner>,
}

impl PrivacyideaToken {
    /// Whether there is a seed at all.
    pub fn has_seed(&self) -> bool {
        !self.seed.expose().is_empty()
    }

    /// What else is kept under this key.
    pub fn info(&self, key: &str) -> Option<&str> {
        let found = self.info.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// A policy as it is kept there; lists are texts with commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyideaPolicy {
    /// Its name.
    pub name: String,
    /// Whether it is in effect.
    pub active: bool,
    /// What it is about.
    pub scope: String,
    /// What it says.
    pub action: String,
    /// For whom, where and when: the fields of the API by their names, those that say nothing left out.
    pub limits: Vec<(&'static str, String)>,
    /// Whether it looks at all resolvers of a user.
    pub check_all_resolvers: bool,
    /// Whether case counts in the names of users.
    pub user_case_insensitive: bool,
    /// The lowest wins.
    pub priority: i64,
    /// What else must hold.
    pub conditions: Vec<PrivacyideaCondition>,
}

/// A condition of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivacyideaCondition {
    /// Where its key is looked for.
    pub section: String,
    /// What is compared.
    pub key: String,
    /// How.
    pub comparator: String,
    /// With what.
    pub value: String,
    /// Whether it counts.
    pub active: bool,
    /// What becomes of it where the key is not known; empty for what is usual.
    pub missing: String,
}

/// A database of privacyIDEA's, as it was at one moment. To add one: a driver in `host/store/src/foreign/privacyidea.rs`.
#[async_trait]
pub trait PrivacyideaDatabase: Send + Sync {
    /// How many rows there are.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn counts(&self) -> Result<PrivacyideaCounts, StoreError>;

    /// All resolvers, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn resolvers(&self) -> Result<Vec<PrivacyideaResolver>, StoreError>;

    /// All realms, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn realms(&self) -> Result<Vec<PrivacyideaRealm>, StoreError>;

    /// All policies, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn policies(&self) -> Result<Vec<PrivacyideaPolicy>, StoreError>;

    /// Settings of the whole system by their keys, those that are secret left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn settings(&self) -> Result<Vec<(String, String)>, StoreError>;

    /// Tokens by their rows: at most `limit` of those that come after `after`, which is 0 at first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn tokens(&self, after: i64, limit: u32) -> Result<Vec<PrivacyideaToken>, StoreError>;
}
