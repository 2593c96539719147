//! What a tenant is to Kazoo's and Webitel's clients, besides what every tenant is; and the same of a user.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{TenantId, Timestamp, UserId};

/// The longest document of an account or a profile, in bytes of JSON.
pub const MAX_ACCOUNT_DOCUMENT: usize = 64 * 1024;

/// The most phone numbers of an account.
pub const MAX_PHONE_NUMBERS: usize = 1000;

/// What a tenant is, besides what every tenant is. A tenant that nobody said anything of has [`Account::of`].
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether its users may log in, and those of the tenants below it. An account is closed while it is disabled or its trial is over, and while one above
    /// it is.
    pub enabled: bool,
    /// From when on neither its users nor those of the tenants below it may log in; `None` for never.
    pub trial_expires_at: Option<Timestamp>,
    /// Whether it resells: the nearest such tenant above another one is that one's reseller.
    pub reseller: bool,
    /// The language of its users, `en-us` for example.
    pub language: Option<String>,
    /// Their time zone, by its name in the IANA database.
    pub timezone: Option<String>,
    /// The numbers that stand for it, as they were given; each is one tenant's alone, compared by [`phone_key`].
    pub phone_numbers: Vec<String>,
    /// How often its API key was made anew. The key follows from this, the tenant and a key of the server's; zero for none yet.
    pub api_key: u32,
    /// What else clients keep with it: at the most [`MAX_ACCOUNT_DOCUMENT`].
    pub document: Map<String, Value>,
}

impl Account {
    /// An enabled account of which nothing else is known.
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            enabled: true,
            trial_expires_at: None,
            reseller: false,
            language: None,
            timezone: None,
            phone_numbers: Vec::new(),
            api_key: 0,
            document: Map::new(),
        }
    }

    /// Why it is closed at this time, as far as it says so itself; `None` if it does not. See [`Account::closed_among`].
    pub fn closed(&self, now: Timestamp) -> Option<Closed> {
        match self.trial_expires_at {
            Some(end) if end <= now => Some(Closed::Expired(end)),
            Some(_) | None if !self.enabled => Some(Closed::Disabled),
            Some(_) | None => None,
        }
    }

    /// Why an account is closed at this time, as it and those above it say, the nearest first; `None` if it is not.
    pub fn closed_among<'a>(lineage: impl IntoIterator<Item = &'a Self>, now: Timestamp) -> Option<Closed> {
        lineage.into_iter().find_map(|account| account.closed(now))
    }

    /// The earliest end of the trials of an account and of those above it.
    pub fn trial_end_among<'a>(lineage: impl IntoIterator<Item = &'a Self>) -> Option<Timestamp> {
        lineage.into_iter().filter_map(|account| account.trial_expires_at).min()
    }
}

/// Why nobody of an account may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    /// It is disabled.
    Disabled,
    /// Its trial ended, at this time.
    Expired(Timestamp),
}

/// What a user is, besides what every user is. A user of whom nobody said anything has [`Profile::of`].
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The user.
    pub user: UserId,
    /// The language, `en-us` for example.
    pub language: Option<String>,
    /// The time zone, by its name in the IANA database.
    pub timezone: Option<String>,
    /// Whether somebody has made sure that the user is who it says.
    pub verified: bool,
    /// Whether clients are to ask for a new password. A login is good without.
    pub require_password_update: bool,
    /// What else clients keep with it: at the most [`MAX_ACCOUNT_DOCUMENT`].
    pub document: Map<String, Value>,
}

impl Profile {
    /// A profile of which nothing is known.
    pub fn of(user: UserId) -> Self {
        Self {
            user,
            language: None,
            timezone: None,
            verified: false,
            require_password_update: false,
            document: Map::new(),
        }
    }
}

/// What phone numbers are compared by: their digits, and a `+` before them if there is one. `None` for a text without a digit.
pub fn phone_key(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let plus = if number.trim_start().starts_with('+') { "+" } else { "" };
    (!digits.is_empty()).then(|| format!("{plus}{digits}"))
}

/// What Kazoo's clients compare names of accounts by: the letters `a` to `z` and the digits of the lower-case form. It may be empty.
pub fn account_key(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_trial_that_ended_goes_before_disabled() {
        let mut account = Account::of(TenantId(Uuid::nil()));
        assert_eq!(account.closed(Timestamp(5)), None);
        account.enabled = false;
        assert_eq!(account.closed(Timestamp(5)), Some(Closed::Disabled));
        account.trial_expires_at = Some(Timestamp(5));
        assert_eq!(account.closed(Timestamp(4)), Some(Closed::Disabled));
        assert_eq!(account.closed(Timestamp(5)), Some(Closed::Expired(Timestamp(5))));
    }

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        assert_eq!(account_key("Émile & Söhne GmbH-7"), "mileshnegmbh7");
        assert_eq!(account_key("ACME, Inc."), account_key("acmeinc"));
        assert_eq!(account_key("ß"), "");
    }

    #[test]
    fn numbers_are_compared_by_digits() {
        assert_eq!(phone_key("+1 (415) 555-0100").as_deref(), Some("+14155550100"));
        assert_eq!(phone_key("4155550100").as_deref(), Some("4155550100"));
        assert_eq!(phone_key("+ "), None);
    }
}
