//! How many mails one user, and one address, may get: the generic cell rate algorithm on the host's own clock.

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{Timestamp, UserId};

/// Users and addresses that are remembered. Beyond it nothing is sent: a mail each was asked for so many within the time that one counts.
const MAX_KEYS: usize = 100_000;

/// How many mails there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailLimit {
    /// How many at once; at least one.
    pub burst: u32,
    /// After how long there may be one more; zero for no limit at all.
    pub interval: Duration,
}

impl Default for MailLimit {
    fn default() -> Self {
        Self {
            burst: 5,
            interval: Duration::from_mins(10),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    User(UserId),
    Address(String),
}

/// For each user and address, until when its mails are spoken for.
#[derive(Debug)]
pub(super) struct Limiter {
    limit: MailLimit,
    spoken_for: HashMap<Key, Timestamp>,
}

impl Limiter {
    pub(super) fn new(limit: MailLimit) -> Self {
        Self {
            limit,
            spoken_for: HashMap::new(),
        }
    }

    /// Counts one mail, or says after how long to ask again.
    pub(super) fn admit(&mut self, user: UserId, address: &str, now: Timestamp) -> Result<(), Duration> {
        if self.limit.interval.is_zero() {
            return Ok(());
        }
        let keys = [Key::User(user), Key::Address(address.to_owned())];
        let ahead = self.limit.interval.saturating_mul(self.limit.burst.saturating_sub(1));
        let from = |known: Option<&Timestamp>| known.copied().map_or(now, |until| until.max(now));
        for key in &keys {
            let wait = from(self.spoken_for.get(key)).since(now.plus(ahead));
            if !wait.is_zero() {
                return Err(wait);
            }
        }
        if self.spoken_for.len() + keys.len() > MAX_KEYS {
            self.spoken_for.retain(|_, until| *until > now);
            if self.spoken_for.len() + keys.len() > MAX_KEYS {
                return Err(self.limit.interval);
            }
        }
        for key in keys {
            let until = from(self.spoken_for.get(&key)).plus(self.limit.interval);
            self.spoken_for.insert(key, until);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn limiter(burst: u32, interval: Duration) -> Limiter {
        Limiter::new(MailLimit { burst, interval })
    }

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    #[test]
    fn so_many_at_once_and_then_one_in_each_interval() {
        let mut limiter = limiter(3, MINUTE);
        let mut now = Timestamp(0);
        let mut admit = |now| limiter.admit(user(1), "a@example.org", now);
        for _ in 0..3 {
            assert_eq!(admit(now), Ok(()));
        }
        assert_eq!(admit(now), Err(MINUTE));
        now = now.plus(MINUTE / 2);
        assert_eq!(admit(now), Err(MINUTE / 2));
        now = now.plus(MINUTE / 2);
        assert_eq!(admit(now), Ok(()));
        assert_eq!(admit(now), Err(MINUTE));
        now = now.plus(MINUTE * 60);
        for _ in 0..3 {
            assert_eq!(admit(now), Ok(()), "an hour fills it up again, and no further");
        }
        assert_eq!(admit(now), Err(MINUTE));
    }

    #[test]
    fn a_user_is_counted_over_its_addresses_and_an_address_over_its_users() {
        let mut limiter = limiter(1, MINUTE);
        let now = Timestamp(0);
        assert_eq!(limiter.admit(user(1), "a@example.org", now), Ok(()));
        assert_eq!(limiter.admit(user(1), "b@example.org", now), Err(MINUTE));
        assert_eq!(limiter.admit(user(2), "a@example.org", now), Err(MINUTE));
        assert_eq!(
            limiter.admit(user(2), "b@example.org", now),
            Ok(()),
            "what was refused did not count"
        );
    }

    #[test]
    fn an_interval_of_zero_is_no_limit() {
        let mut limiter = limiter(1, Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(limiter.admit(user(1), "a@example.org", Timestamp(0)), Ok(()));
        }
        assert!(limiter.spoken_for.is_empty());
    }

    #[test]
    fn what_counts_no_more_is_forgotten_and_memory_is_bounded() {
        let mut limiter = limiter(1, MINUTE);
        let halves = u128::try_from(MAX_KEYS / 2).expect("it fits");
        for number in 0..halves {
            assert_eq!(limiter.admit(user(number), &number.to_string(), Timestamp(0)), Ok(()));
        }
        assert_eq!(limiter.admit(user(halves), "one more", Timestamp(0)), Err(MINUTE));
        let later = Timestamp(0).plus(MINUTE);
        assert_eq!(limiter.admit(user(halves), "one more", later), Ok(()));
        assert_eq!(limiter.spoken_for.len(), 2);
    }
}
