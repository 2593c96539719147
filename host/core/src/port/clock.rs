//! Time and randomness, as parameters.

use uuid::Uuid;

use crate::model::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where unguessable bytes come from.
pub trait Random: Send + Sync {
    /// Fills the buffer from the operating system's generator.
    fn fill(&self, buffer: &mut [u8]);

    /// A version 4 UUID: 122 random bits.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the room where the clock is read")]
        let now = time::OffsetDateTime::now_utc();
        now.into()
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // Without a working generator no token is safe to hand out, and the kernel's does not fail once the machine is up.
        #[expect(
            clippy::expect_used,
            clippy::disallowed_methods,
            reason = "this is the room where randomness comes from, and there is no safe way to go on without it"
        )]
        getrandom::fill(buffer).expect("the operating system's random generator works");
    }
}
