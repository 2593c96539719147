//! What an operator says of this dialect: `[dialect.kazoo]`.

use std::num::NonZeroU32;
use std::time::Duration;

/// `[dialect.kazoo]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KazooSettings {
    /// The backend through which users log in.
    pub backend: String,
    /// How long a token is good.
    pub token_ttl: Duration,
    /// Where a link for a recovery may lead: the whole of an address, or what it begins with, up to a `/`.
    pub ui_urls: Vec<String>,
    /// How long such a link is good.
    pub recovery_lifetime: Duration,
    /// Whether whoever asks for a recovery is told that there is no such account or user.
    pub disclose_unknown: bool,
    /// Who may act in whose place.
    pub impersonation: Impersonation,
    /// How often one client may try.
    pub bucket: BucketSettings,
}

/// Who may act in whose place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Impersonation {
    /// Administrators, in the place of users of the accounts below their own.
    #[default]
    Descendants,
    /// Of those, the administrators of the top account alone.
    Master,
}

/// How often one client may try to prove who it is, for each account: a bucket of tokens, which fills again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSettings {
    /// How many tokens there are in a full one.
    pub size: NonZeroU32,
    /// How many are added in each second.
    pub refill: NonZeroU32,
    /// How many an attempt takes: at the most [`BucketSettings::size`].
    pub login_cost: NonZeroU32,
}

impl Default for BucketSettings {
    fn default() -> Self {
        const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
        Self {
            size: NonZeroU32::MIN.saturating_add(99),
            refill: TEN,
            login_cost: TEN,
        }
    }
}

impl Default for KazooSettings {
    fn default() -> Self {
        Self {
            backend: "wazo_user".to_owned(),
            token_ttl: Duration::from_hours(1),
            ui_urls: Vec::new(),
            recovery_lifetime: Duration::from_hours(2),
            disclose_unknown: false,
            impersonation: Impersonation::Descendants,
            bucket: BucketSettings::default(),
        }
    }
}
