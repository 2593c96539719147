//! Rules of factors.

mod change;
mod check;
mod enroll;
mod otp;
mod pin;
mod resync;
mod uri;
mod window;

use uuid::Uuid;

use super::*;
use crate::model::{IdentityId, OtpAlgorithm};
use crate::port::FactorStore as _;
use crate::testing::{MemoryStore, StillClock, cheap_passwords};

const SIX: OtpParameters = OtpParameters {
    algorithm: OtpAlgorithm::Sha1,
    digits: 6,
    period: 30,
};

struct House {
    store: Arc<MemoryStore>,
    clock: Arc<StillClock>,
    passwords: Arc<PasswordPool>,
    factors: FactorService,
}

impl House {
    fn new() -> Self {
        let store = MemoryStore::new();
        let clock = Arc::new(StillClock::new());
        let passwords = Arc::new(cheap_passwords(2, 64).unwrap());
        let factors = FactorService::new(
            Arc::clone(&store) as Arc<dyn FactorStore>,
            Arc::clone(&passwords),
            MasterKey::new([7; 32]),
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(crate::port::SystemRandom),
        );
        Self {
            store,
            clock,
            passwords,
            factors,
        }
    }

    /// A factor of somebody's, and the device that it was put into.
    async fn give(&self, enrollment: Enrollment) -> Device {
        let enrolled = self.factors.enroll(enrollment).await.unwrap();
        Device {
            serial: enrolled.factor.serial.clone(),
            generator: Generator::new(enrolled.factor.parameters, &enrolled.seed),
            digits: enrolled.factor.parameters.digits,
        }
    }

    async fn failures(&self, device: &Device) -> u32 {
        self.factors.get(&device.serial).await.unwrap().failures
    }

    fn step(&self) -> u64 {
        super::otp::time_step(self.clock.now(), 30)
    }
}

struct Device {
    serial: String,
    generator: Generator,
    digits: u8,
}

impl Device {
    fn text(&self, counter: u64) -> String {
        let otp = self.generator.at(counter);
        format!("{otp:0width$}", width = usize::from(self.digits))
    }

    fn otp(&self, counter: u64) -> Secret<Vec<u8>> {
        Secret::from(self.text(counter).as_str())
    }

    /// A one-time password that none of the counters from 0 to 2000 has, nor any time step near this one.
    fn wrong(&self, near: u64) -> String {
        let used: std::collections::HashSet<_> = (0..2000)
            .chain(near.saturating_sub(2000)..near + 2000)
            .map(|counter| self.text(counter))
            .collect();
        let mut all = (0..1_000_000_u32).map(|number| format!("{number:0width$}", width = usize::from(self.digits)));
        all.find(|text| !used.contains(text)).unwrap()
    }
}

fn alice() -> FactorOwner {
    FactorOwner {
        identity: IdentityId(Uuid::from_u128(1)),
        tenant: MemoryStore::MASTER,
        login: "alice".to_owned(),
        realm: "corp".to_owned(),
        resolver: "passwd1".to_owned(),
    }
}

fn of(kind: FactorKind) -> Enrollment {
    Enrollment {
        kind,
        parameters: SIX,
        seed: None,
        serial: None,
        owner: Some(alice()),
        pin: None,
        description: String::new(),
        confirmed_later: false,
        attributes: Vec::new(),
    }
}

fn with_pin(kind: FactorKind, pin: &str) -> Enrollment {
    Enrollment {
        pin: Some(Secret::from(pin)),
        ..of(kind)
    }
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::from(text)
}

fn accepted(verdict: &FactorVerdict) -> &str {
    match verdict {
        FactorVerdict::Accepted(factor) => &factor.serial,
        other => panic!("{other:?}"),
    }
}

fn is_invalid<T>(result: &Result<T, FactorError>) -> bool {
    matches!(result, Err(FactorError::Invalid(_)))
}
