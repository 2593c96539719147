//! Making factors, and showing that they work.

use super::check::Attempt;
use super::{Enrolled, Enrollment, FactorError, FactorService, codes, pin};
use crate::Secret;
use crate::model::{Factor, FactorId, FactorKind, FactorState, OtpAlgorithm, OtpParameters};
use crate::port::{NewFactor, StoreError, StoredFactor};

/// What a factor has if nobody says otherwise.
const MAX_FAILURES: u32 = 10;
const HOTP_WINDOW: u32 = 10;
const TOTP_WINDOW: u32 = 1;
const SYNC_WINDOW: u32 = 1000;

/// RFC 4226, section 4, R6 asks for 128 bits; a key beyond a block of SHA-512 would only be hashed.
const SEED_LENGTHS: std::ops::RangeInclusive<usize> = 16..=128;

/// How often another serial is drawn if the first is taken. Eight hexadecimal digits: twice by chance is rare, and four times is no chance.
const DRAWS: u32 = 4;

impl FactorService {
    /// Makes a factor. What its owner must get is in the answer, and nowhere else afterwards.
    ///
    /// # Errors
    /// [`FactorError::Invalid`], [`FactorError::Taken`], [`FactorError::Password`], [`FactorError::Store`].
    pub async fn enroll(&self, enrollment: Enrollment) -> Result<Enrolled, FactorError> {
        let parameters = parameters(&enrollment)?;
        let seed = self.seed(&enrollment, parameters)?;
        if let Some(serial) = &enrollment.serial {
            check_serial(serial)?;
        }
        super::change::check_description(&enrollment.description)?;
        super::change::check_attributes(&enrollment.attributes)?;
        let pin = self.pin_verifier(enrollment.pin.as_ref()).await?;
        let (id, kind) = (FactorId(self.random.uuid()), enrollment.kind);
        let (window, sync_window) = windows(kind);
        let codes = match kind {
            FactorKind::Recovery => codes::make(&*self.random),
            FactorKind::Hotp | FactorKind::Totp => Vec::new(),
        };
        let factor = Factor {
            id,
            serial: String::new(),
            kind,
            parameters,
            owner: enrollment.owner,
            state: if enrollment.confirmed_later {
                FactorState::Enrolling
            } else {
                FactorState::Active
            },
            pin,
            counter: 0,
            drift: 0,
            failures: 0,
            max_failures: MAX_FAILURES,
            window,
            sync_window,
            description: enrollment.description,
            attributes: enrollment.attributes,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        let new = NewFactor {
            codes: codes
                .iter()
                .map(|code| codes::digest(&self.master, id, code.expose().as_bytes()))
                .collect(),
            stored: self.sealed(factor, &seed),
        };
        let factor = self.keep(new, enrollment.serial).await?;
        Ok(Enrolled { factor, seed, codes })
    }

    /// Takes in a factor that another system made, with all that it knows of it: its counter, drift, failures, windows, its PIN's verifier, its state. Its id is
    /// replaced by a fresh one; returns it as it is kept. Seeds from times that knew no RFC may be short.
    ///
    /// # Errors
    /// [`FactorError::Invalid`] also for recovery codes, which can be enrolled only; [`FactorError::Taken`], [`FactorError::Store`].
    pub async fn adopt(&self, factor: Factor, seed: &Secret<Vec<u8>>) -> Result<Factor, FactorError> {
        Self::check_adoption(&factor, seed)?;
        let serial = factor.serial.clone();
        let factor = Factor {
            id: FactorId(self.random.uuid()),
            ..factor
        };
        let new = NewFactor {
            stored: self.sealed(factor, seed),
            codes: Vec::new(),
        };
        self.keep(new, Some(serial)).await
    }

    /// Whether [`FactorService::adopt`] would take this factor, its serial being free.
    ///
    /// # Errors
    /// [`FactorError::Invalid`].
    pub fn check_adoption(factor: &Factor, seed: &Secret<Vec<u8>>) -> Result<(), FactorError> {
        if factor.kind == FactorKind::Recovery {
            return Err(invalid("recovery codes cannot be taken over"));
        }
        if !(1..=*SEED_LENGTHS.end()).contains(&seed.expose().len()) {
            return Err(invalid("a seed has 1 to 128 bytes"));
        }
        if i64::try_from(factor.counter).is_err() {
            return Err(invalid("a counter has 63 bits"));
        }
        check_parameters(factor.kind, factor.parameters)?;
        check_serial(&factor.serial)?;
        super::change::check_description(&factor.description)?;
        super::change::check_attributes(&factor.attributes)?;
        super::change::check_limits(
            factor.kind,
            Some(factor.max_failures),
            Some(factor.window),
            Some(factor.sync_window),
        )?;
        Ok(())
    }

    /// Whether a one-time password shows that a factor that was handed out works: then it is [`FactorState::Active`] from now on, and the one-time password is
    /// used up. A wrong one counts as a failure.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::State`] if it is not [`FactorState::Enrolling`], [`FactorError::Sealed`], [`FactorError::Store`].
    pub async fn confirm(&self, serial: &str, otp: &Secret<Vec<u8>>) -> Result<bool, FactorError> {
        let stored = self.stored(serial).await?;
        if stored.factor.state != FactorState::Enrolling {
            return Err(FactorError::State(stored.factor.state));
        }
        if self.store.begin_attempts(&[stored.factor.id]).await?.is_empty() {
            return Ok(false);
        }
        let attempt = self.attempt(&stored, otp.expose(), FactorState::Active).await?;
        Ok(attempt == Attempt::Accepted)
    }

    /// The verifier of a PIN.
    pub(super) async fn pin_verifier(
        &self,
        pin: Option<&Secret<Vec<u8>>>,
    ) -> Result<Option<Secret<String>>, FactorError> {
        let Some(pin) = pin else {
            return Ok(None);
        };
        if !pin::LENGTHS.contains(&pin.expose().len()) {
            return Err(invalid("a PIN has 1 to 128 bytes"));
        }
        Ok(Some(
            self.passwords.hash(&crate::password::Share::Directory, pin).await?,
        ))
    }

    fn seed(&self, enrollment: &Enrollment, parameters: OtpParameters) -> Result<Secret<Vec<u8>>, FactorError> {
        match (&enrollment.seed, enrollment.kind) {
            (None, FactorKind::Recovery) => Ok(Secret::new(Vec::new())),
            (Some(_), FactorKind::Recovery) => Err(invalid("recovery codes have no seed")),
            (Some(seed), _) if SEED_LENGTHS.contains(&seed.expose().len()) => Ok(seed.clone()),
            (Some(_), _) => Err(invalid("a seed has 16 to 128 bytes")),
            (None, _) => {
                let length = match parameters.algorithm {
                    OtpAlgorithm::Sha1 => 20,
                    OtpAlgorithm::Sha256 => 32,
                    OtpAlgorithm::Sha512 => 64,
                };
                let mut seed = zeroize::Zeroizing::new(vec![0; length]);
                self.random.fill(&mut seed);
                Ok(Secret::new(std::mem::take(&mut *seed)))
            }
        }
    }

    fn sealed(&self, factor: Factor, seed: &Secret<Vec<u8>>) -> StoredFactor {
        let sealed_seed = match factor.kind {
            FactorKind::Recovery => Vec::new(),
            FactorKind::Hotp | FactorKind::Totp => self.seal(factor.id, seed),
        };
        StoredFactor { factor, sealed_seed }
    }

    /// Keeps a factor under the serial that was asked for, or under one that is drawn.
    async fn keep(&self, mut new: NewFactor, serial: Option<String>) -> Result<Factor, FactorError> {
        let mut draws = if serial.is_some() { 1 } else { DRAWS };
        loop {
            draws -= 1;
            let kind = new.stored.factor.kind;
            new.stored.factor.serial = serial.clone().unwrap_or_else(|| self.draw_serial(kind));
            match self.store.add_factor(&new).await {
                Ok(()) => return Ok(new.stored.factor),
                Err(StoreError::Conflict { what: "serial" }) if draws > 0 => {}
                Err(StoreError::Conflict { what: "serial" }) => {
                    return Err(FactorError::Taken(new.stored.factor.serial));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn draw_serial(&self, kind: FactorKind) -> String {
        let prefix = match kind {
            FactorKind::Hotp => "OATH",
            FactorKind::Totp => "TOTP",
            FactorKind::Recovery => "TAN",
        };
        let mut number = [0; 4];
        self.random.fill(&mut number);
        format!("{prefix}{:08X}", u32::from_be_bytes(number))
    }
}

/// What one-time passwords look like, what has no meaning for the kind being as usual.
fn parameters(enrollment: &Enrollment) -> Result<OtpParameters, FactorError> {
    let asked = enrollment.parameters;
    match enrollment.kind {
        FactorKind::Recovery if enrollment.confirmed_later => Err(invalid("recovery codes need no confirmation")),
        FactorKind::Recovery => Ok(OtpParameters {
            digits: codes::CODE_LENGTH,
            period: 30,
            ..asked
        }),
        kind => {
            let period = if kind == FactorKind::Hotp { 30 } else { asked.period };
            let parameters = OtpParameters { period, ..asked };
            check_parameters(kind, parameters)?;
            Ok(parameters)
        }
    }
}

fn check_parameters(kind: FactorKind, parameters: OtpParameters) -> Result<(), FactorError> {
    if !matches!(parameters.digits, 6 | 8) {
        return Err(invalid("one-time passwords have 6 or 8 digits"));
    }
    if kind == FactorKind::Totp && !matches!(parameters.period, 30 | 60) {
        return Err(invalid("a time step has 30 or 60 seconds"));
    }
    Ok(())
}

fn check_serial(serial: &str) -> Result<(), FactorError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=64).contains(&serial.len()) && serial.bytes().all(fits) {
        Ok(())
    } else {
        Err(invalid(
            "a serial has 1 to 64 characters, of `A-Z`, `a-z`, `0-9`, `_` and `-`",
        ))
    }
}

fn windows(kind: FactorKind) -> (u32, u32) {
    match kind {
        FactorKind::Hotp => (HOTP_WINDOW, SYNC_WINDOW),
        FactorKind::Totp => (TOTP_WINDOW, SYNC_WINDOW),
        FactorKind::Recovery => (0, 0),
    }
}

pub(super) fn invalid(why: &str) -> FactorError {
    FactorError::Invalid(why.to_owned())
}
