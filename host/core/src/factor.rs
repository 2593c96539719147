//! Second factors: making them, giving them to people, and judging one-time passwords. Seeds are opened here and nowhere else.
//!
//! A one-time password that fits is only found here; that it is good once, however many nodes are asked, is the store's statement to make
//! ([`FactorStore::use_otp`]), and without its word nobody gets in.

mod change;
mod check;
mod codes;
mod enroll;
mod otp;
mod pin;
mod resync;
#[cfg(test)]
mod tests;
mod uri;
mod window;

use std::sync::Arc;

use crate::Secret;
use crate::key::MasterKey;
use crate::model::{Factor, FactorId, FactorKind, FactorOwner, FactorState, OtpParameters};
use crate::password::{PasswordError, PasswordPool};
use crate::port::{Clock, FactorStore, Random, StoreError, StoredFactor};

use otp::Generator;

pub use uri::{otpauth_uri, qr_png_data_uri};

/// A factor that is to be made.
#[derive(Debug, Clone)]
pub struct Enrollment {
    /// How its one-time passwords are made.
    pub kind: FactorKind,
    /// What they look like.
    pub parameters: OtpParameters,
    /// Its seed, 16 to 128 bytes; `None` makes one as long as the hash. Recovery codes have none.
    pub seed: Option<Secret<Vec<u8>>>,
    /// Its serial; `None` makes one: `OATH`, `TOTP` or `TAN` and eight hexadecimal digits.
    pub serial: Option<String>,
    /// Whose it is.
    pub owner: Option<FactorOwner>,
    /// The PIN that goes before its one-time passwords, 1 to 128 bytes.
    pub pin: Option<Secret<Vec<u8>>>,
    /// What people write about it.
    pub description: String,
    /// Whether its owner must show that it works ([`FactorService::confirm`]) before it is asked for.
    pub confirmed_later: bool,
    /// Anything else that is shown with it.
    pub attributes: Vec<(String, String)>,
}

/// A factor that was made, with what its owner must get, the one time that it is seen.
#[derive(Debug)]
pub struct Enrolled {
    /// The factor.
    pub factor: Factor,
    /// Its seed, empty for recovery codes.
    pub seed: Secret<Vec<u8>>,
    /// The recovery codes, otherwise none.
    pub codes: Vec<Secret<String>>,
}

/// What became of a one-time password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of them in an attempt, and it goes as soon as it is read"
)]
pub enum FactorVerdict {
    /// It was good, and is used up. The factor as it was before.
    Accepted(Factor),
    /// The PIN was right, and no one-time password followed it. The factors that it is the PIN of.
    PinOnly(Vec<Factor>),
    /// It was not, and that was counted.
    Refused(FactorRefusal),
    /// There is no active factor to judge it.
    NoFactor,
}

/// Why a one-time password was not accepted. For logs, and for clients whose API tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorRefusal {
    /// It is none of the factor's.
    WrongOtp,
    /// It was one, and has been used, or a later one has.
    UsedBefore,
    /// The PIN before it is wrong.
    WrongPin,
    /// The factor has failed too often.
    Locked,
}

/// Why a factor was not made, changed or judged.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// No factor has this serial.
    #[error("no factor has the serial `{0}`")]
    Unknown(String),
    /// The serial is taken.
    #[error("the serial `{0}` is taken")]
    Taken(String),
    /// What was asked for is not acceptable; says why, in words for the caller.
    #[error("{0}")]
    Invalid(String),
    /// The factor is in a state in which this cannot be done.
    #[error("the factor is {}", .0.as_str())]
    State(FactorState),
    /// Its sealed seed does not open: another master key is in place than the one it was sealed under.
    #[error("the seed of the factor `{0}` cannot be opened; is the master key the one that it was made under?")]
    Sealed(String),
    /// The pool for password hashing has no room for a PIN.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What belongs before a one-time password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinRule {
    /// The factor's PIN, nothing for a factor that has none.
    Factor,
    /// Nothing.
    None,
}

/// Makes factors and judges one-time passwords.
pub struct FactorService {
    store: Arc<dyn FactorStore>,
    passwords: Arc<PasswordPool>,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl FactorService {
    /// A service on this store. Seeds are sealed under `master`, PINs are hashed by `passwords`.
    pub fn new(
        store: Arc<dyn FactorStore>,
        passwords: Arc<PasswordPool>,
        master: MasterKey,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            store,
            passwords,
            master,
            clock,
            random,
        }
    }

    async fn stored(&self, serial: &str) -> Result<StoredFactor, FactorError> {
        let found = self.store.find_factor(serial).await?;
        found.ok_or_else(|| FactorError::Unknown(serial.to_owned()))
    }

    fn seal(&self, id: FactorId, seed: &Secret<Vec<u8>>) -> Vec<u8> {
        self.master.seal(&place(id), seed, &*self.random)
    }

    /// What makes a factor's one-time passwords.
    fn open(&self, stored: &StoredFactor) -> Result<Generator, FactorError> {
        let factor = &stored.factor;
        let seed = self.master.open(&place(factor.id), &stored.sealed_seed);
        let seed = seed.ok_or_else(|| FactorError::Sealed(factor.serial.clone()))?;
        Ok(Generator::new(factor.parameters, &seed))
    }
}

/// What a seed is sealed for: it opens for no other factor.
fn place(id: FactorId) -> String {
    format!("factor/{id}")
}
