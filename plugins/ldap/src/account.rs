//! What the directory writes on an entry about whether its owner may log in. A bind says it better; this is for look-ups without one.

use std::time::{Duration, SystemTime};

use keyway_sdk::Refusal;

use crate::entry::Entry;

/// Active Directory's flags.
const FLAGS: &str = "userAccountControl";
/// The flag of a disabled account.
const IS_DISABLED: i64 = 0x2;
/// When a password policy locked the account (draft-behera-ldap-password-policy, 5.3.3).
const LOCKED_SINCE: &str = "pwdAccountLockedTime";
/// What stands there once an administrator has locked the account for good.
const FOR_GOOD: &str = "000001010000Z";
/// 389 Directory Server's.
const IS_INACTIVE: &str = "nsAccountLock";

/// When Active Directory's account ends, in steps of 100 nanoseconds since 1601; 0 and the largest number mean never.
const ENDS: &str = "accountExpires";
/// Steps of Active Directory's clock in a second.
const STEPS: u64 = 10_000_000;
/// Seconds from 1601 to 1970.
const FROM_1601: u64 = 11_644_473_600;
/// When a POSIX account ends (RFC 2307), in days since 1970; less than 0 means never.
const ENDS_ON: &str = "shadowExpire";
/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// The attributes that say it.
pub(crate) const ATTRIBUTES: [&str; 5] = [FLAGS, LOCKED_SINCE, IS_INACTIVE, ENDS, ENDS_ON];

/// The present.
#[expect(
    clippy::disallowed_methods,
    reason = "a guest has no ports; its clock is the one that the host gives it"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Why the owner may not log in at this time, where the entry says so.
pub(crate) fn refusal(entry: &Entry, now: SystemTime) -> Option<Refusal> {
    let flags = number::<i64>(entry, FLAGS).unwrap_or_default();
    let is_inactive = entry
        .text(IS_INACTIVE)
        .is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    if flags & IS_DISABLED != 0 || is_inactive {
        return Some(Refusal::Disabled);
    }
    // Any other time is that of a lock against guessing. It ends by itself, at a time that stands in the policy's own entry, and whoever guesses must
    // not be able to end the sessions of somebody else.
    if entry.text(LOCKED_SINCE) == Some(FOR_GOOD) {
        return Some(Refusal::Locked);
    }
    let has_ended = end(entry).into_iter().chain(last_day(entry)).any(|end| end <= now);
    has_ended.then_some(Refusal::Expired)
}

fn end(entry: &Entry) -> Option<SystemTime> {
    let steps = number::<u64>(entry, ENDS).filter(|steps| *steps != 0 && *steps != i64::MAX.unsigned_abs())?;
    let since_1970 = (steps / STEPS).saturating_sub(FROM_1601);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since_1970))
}

fn last_day(entry: &Entry) -> Option<SystemTime> {
    let seconds = number::<u64>(entry, ENDS_ON)?.checked_mul(DAY)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn number<T: std::str::FromStr>(entry: &Entry, attribute: &str) -> Option<T> {
    entry.text(attribute)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchResultEntry};

    use super::*;

    /// What is said of an account with this attribute so many seconds after 1970.
    fn at(seconds: u64, attribute: &str, value: &str) -> Option<Refusal> {
        let entry = Entry::from(LdapSearchResultEntry {
            dn: "uid=alice".to_owned(),
            attributes: vec![LdapPartialAttribute {
                atype: attribute.to_owned(),
                vals: vec![value.as_bytes().to_vec()],
            }],
        });
        refusal(&entry, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn an_account_ends_when_the_directory_says() {
        // 2018-01-01.
        const END: u64 = 1_514_764_800;
        for (attribute, value) in [(ENDS, "131592384000000000"), (ENDS_ON, "17532")] {
            assert_eq!(at(END - 1, attribute, value), None, "{attribute}");
            assert_eq!(at(END, attribute, value), Some(Refusal::Expired), "{attribute}");
        }
    }

    #[test]
    fn an_account_may_never_end() {
        for (attribute, value) in [
            (ENDS, "0"),
            (ENDS, "9223372036854775807"),
            (ENDS, "soon"),
            (ENDS_ON, "-1"),
            (ENDS_ON, ""),
            (ENDS_ON, "18446744073709551615"),
        ] {
            assert_eq!(at(4_000_000_000, attribute, value), None, "{attribute} {value}");
        }
    }

    #[test]
    fn a_lock_that_ends_by_itself_is_none() {
        assert_eq!(at(0, LOCKED_SINCE, FOR_GOOD), Some(Refusal::Locked));
        assert_eq!(at(0, LOCKED_SINCE, "20260101000000Z"), None);
    }
}
