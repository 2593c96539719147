//! How often one client may try: a bucket of tokens for each client and account.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use keyway_core::model::TenantId;
use keyway_core::port::Clock;

use super::BucketSettings;

/// How many buckets there are at the most. Whoever comes when there are that many shares one.
const MAX_BUCKETS: usize = 100_000;

/// How often it is looked which buckets are full again, and so need not be kept, in microseconds.
const TIDY_INTERVAL: i64 = 1_000_000;

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// A client's, for an account where one is known.
    Of(Option<IpAddr>, Option<TenantId>),
    /// Everybody's for whom there is none.
    Shared,
}

/// The server's clock, as this library takes one.
struct Ticks(Arc<dyn Clock>);

type Limiter = RateLimiter<Place, HashMapStateStore<Place>, Ticks, NoOpMiddleware<Duration>>;

/// All buckets.
pub(super) struct Buckets {
    limiter: Limiter,
    tidied: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl Buckets {
    pub(super) fn new(settings: BucketSettings, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(settings.refill).allow_burst(settings.size);
        Self {
            limiter: RateLimiter::new(quota, HashMapStateStore::default(), Ticks(Arc::clone(&clock))),
            tidied: AtomicI64::new(i64::MIN),
            clock,
        }
    }

    /// Takes so many tokens out of a bucket.
    ///
    /// # Errors
    /// When there will be enough.
    pub(super) fn take(
        &self,
        client: Option<IpAddr>,
        account: Option<TenantId>,
        cost: NonZeroU32,
    ) -> Result<(), Duration> {
        let place = if self.has_room() {
            Place::Of(client.map(network), account)
        } else {
            Place::Shared
        };
        match self.limiter.check_key_n(&place, cost) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(self.wait(&until)),
            // More than a full one holds: the configuration does not let that be.
            Err(_) => Err(Duration::from_secs(1)),
        }
    }

    fn wait(&self, until: &NotUntil<Duration>) -> Duration {
        until.wait_time_from(self.limiter.clock().now())
    }

    /// Whether there may be another bucket. Those that are full again go, for a new one is full.
    fn has_room(&self) -> bool {
        if self.limiter.len() < MAX_BUCKETS {
            return true;
        }
        let (now, tidied) = (self.clock.now().0, self.tidied.load(Ordering::Relaxed));
        let is_due = now.saturating_sub(tidied) >= TIDY_INTERVAL || now < tidied;
        let swapped = self
            .tidied
            .compare_exchange(tidied, now, Ordering::Relaxed, Ordering::Relaxed);
        if is_due && swapped.is_ok() {
            self.limiter.retain_recent();
        }
        self.limiter.len() < MAX_BUCKETS
    }
}

/// Whoever has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().0).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use keyway_core::testing::StillClock;
    use uuid::Uuid;

    use super::*;

    fn buckets(size: u32, refill: u32) -> (Buckets, Arc<StillClock>) {
        let clock = Arc::new(StillClock::new());
        let number = |number| NonZeroU32::new(number).expect("a number");
        let settings = BucketSettings {
            size: number(size),
            refill: number(refill),
            login_cost: number(1),
        };
        (Buckets::new(settings, clock.clone()), clock)
    }

    #[test]
    fn a_bucket_fills_again_and_is_one_clients_for_one_account() {
        let (buckets, clock) = buckets(20, 5);
        let ten = NonZeroU32::new(10).expect("ten");
        let one = Some(IpAddr::from([192, 0, 2, 1]));
        let (acme, other) = (Some(TenantId(Uuid::from_u128(1))), Some(TenantId(Uuid::from_u128(2))));
        assert_eq!(buckets.take(one, acme, ten), Ok(()));
        assert_eq!(buckets.take(one, acme, ten), Ok(()));
        let wait = buckets.take(one, acme, ten).expect_err("it is empty");
        assert_eq!(wait, Duration::from_secs(2));
        assert_eq!(buckets.take(one, other, ten), Ok(()));
        assert_eq!(buckets.take(Some(IpAddr::from([192, 0, 2, 2])), acme, ten), Ok(()));
        clock.advance(Duration::from_millis(1999));
        assert!(buckets.take(one, acme, ten).is_err());
        clock.advance(Duration::from_millis(1));
        assert_eq!(buckets.take(one, acme, ten), Ok(()));
    }

    #[test]
    fn addresses_of_one_network_share_a_bucket() {
        let (buckets, _clock) = buckets(1, 1);
        let address = |text: &str| Some(text.parse().expect("an address"));
        let one = NonZeroU32::MIN;
        assert_eq!(buckets.take(address("2001:db8::1"), None, one), Ok(()));
        assert!(buckets.take(address("2001:db8::ffff"), None, one).is_err());
        assert_eq!(buckets.take(address("2001:db8:0:1::1"), None, one), Ok(()));
    }

    #[test]
    fn there_are_no_more_buckets_than_there_may_be() {
        let (buckets, clock) = buckets(1, 1);
        let one = NonZeroU32::MIN;
        for number in 0..u32::try_from(MAX_BUCKETS).expect("a number") {
            assert_eq!(
                buckets.take(Some(IpAddr::from(number.to_be_bytes())), None, one),
                Ok(())
            );
        }
        let strangers = [1, 2].map(|number| Some(IpAddr::from([255, 255, 255, number])));
        assert_eq!(buckets.take(strangers[0], None, one), Ok(()));
        assert!(buckets.take(strangers[1], None, one).is_err(), "strangers share one");
        clock.advance(Duration::from_secs(5));
        assert_eq!(buckets.take(strangers[0], None, one), Ok(()));
        assert_eq!(
            buckets.take(strangers[1], None, one),
            Ok(()),
            "buckets that are full again make room"
        );
    }
}
