//! `X-Request-ID`: a caller's, if it is sane, else a fresh one.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use keyway_core::port::Random;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a caller.
const MAX_LENGTH: usize = 64;

/// Where fresh ids come from: a random prefix for the process and a counter. They need to be unique, not unguessable, so a check does not
/// pay for random bytes.
#[derive(Debug)]
pub(super) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        Self {
            prefix: format!("{:016x}", u64::from_be_bytes(bytes)),
            next: AtomicU64::new(1),
        }
    }

    /// The caller's id or a fresh one.
    pub(super) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(X_REQUEST_ID) {
            Some(id) if is_sane(id.as_bytes()) => id.clone(),
            _ => self.fresh(),
        }
    }

    fn fresh(&self) -> HeaderValue {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let id = Bytes::from(format!("{}-{count:x}", self.prefix));
        HeaderValue::from_maybe_shared(id).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// What can neither break a log line nor fill one.
fn is_sane(id: &[u8]) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_core::port::SystemRandom;

    #[test]
    fn a_sane_id_is_taken_over_and_another_is_replaced() {
        let ids = RequestIds::new(&SystemRandom);
        let of = |id: &str| {
            let value = HeaderValue::from_str(id).expect("a legal header");
            ids.of(&HeaderMap::from_iter([(X_REQUEST_ID, value)]))
        };
        assert_eq!(of("Ab-1_2.3"), "Ab-1_2.3");
        assert_eq!(of(&"x".repeat(64)), "x".repeat(64));
        for insane in ["", "a b", "a\"b", &"x".repeat(65)] {
            assert_ne!(of(insane), insane);
        }
        let (one, two) = (ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
        assert_ne!(one, two);
        assert!(is_sane(one.as_bytes()), "{one:?}");
    }
}
