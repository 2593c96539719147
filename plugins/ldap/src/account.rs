//! What the directory writes on an entry about whether its owner may log in. A bind says it better; this is for look-ups without one.

use keyway_sdk::Refusal;

use crate::entry::Entry;

/// Active Directory's flags.
const FLAGS: &str = "userAccountControl";
/// The flag of a disabled account.
const IS_DISABLED: i64 = 0x2;
/// When a password policy locked the account (draft-behera-ldap-password-policy, 5.3.3).
const LOCKED_SINCE: &str = "pwdAccountLockedTime";
/// 389 Directory Server's.
const IS_INACTIVE: &str = "nsAccountLock";

/// The attributes that say it.
pub(crate) const ATTRIBUTES: [&str; 3] = [FLAGS, LOCKED_SINCE, IS_INACTIVE];

/// Why the owner may not log in, where the entry says so.
pub(crate) fn refusal(entry: &Entry) -> Option<Refusal> {
    let flags = entry
        .text(FLAGS)
        .and_then(|flags| flags.parse::<i64>().ok())
        .unwrap_or_default();
    let is_inactive = entry
        .text(IS_INACTIVE)
        .is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    if flags & IS_DISABLED != 0 || is_inactive {
        return Some(Refusal::Disabled);
    }
    // How long it lasts stands in the policy's own entry, which is not for everybody to read. The directory takes the attribute away with the next
    // right password.
    entry.text(LOCKED_SINCE).map(|_| Refusal::Locked)
}
