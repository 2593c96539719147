//! The PINs of tokens.

use std::time::Duration;

use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::PrivacyideaImportError;
use super::cipher::EncryptionKeys;
use crate::Secret;
use crate::password::{PasswordError, PasswordPool, Share};
use crate::port::{Random, StoredVerifier};

/// The longest PIN that a factor may have, in bytes.
const LONGEST: usize = 128;

/// How long the pool is given when it has no room.
const PAUSE: Duration = Duration::from_millis(50);

/// A PIN as privacyIDEA keeps it.
pub(super) enum Pin {
    /// None.
    None,
    /// It was encrypted.
    Clear(Secret<Vec<u8>>),
    /// It was hashed. An empty one may be in there.
    Hashed(StoredVerifier),
    /// Nobody can say.
    Lost,
}

impl Pin {
    pub(super) fn read(kept: &Secret<String>, keys: &EncryptionKeys) -> Self {
        let text = kept.expose();
        if text.is_empty() {
            return Self::None;
        }
        if let Some(encrypted) = text.strip_prefix("@@") {
            return match keys.pin(encrypted) {
                Some(pin) if pin.expose().is_empty() => Self::None,
                Some(pin) if pin.expose().len() <= LONGEST => Self::Clear(pin),
                Some(_) | None => Self::Lost,
            };
        }
        if text.starts_with('$') {
            Self::Hashed(kept.clone())
        } else {
            Self::Lost
        }
    }
}

/// Makes verifiers of PINs.
pub(super) struct Pins {
    /// What fits no PIN that anybody knows: a factor must not become one without a PIN because its own is lost.
    unknowable: OnceCell<StoredVerifier>,
}

impl Pins {
    pub(super) fn new() -> Self {
        Self {
            unknowable: OnceCell::new(),
        }
    }

    /// What a factor keeps of a PIN, and whether the PIN is lost.
    pub(super) async fn verifier(
        &self,
        passwords: &PasswordPool,
        random: &dyn Random,
        pin: Pin,
    ) -> Result<(Option<StoredVerifier>, bool), PrivacyideaImportError> {
        match pin {
            Pin::None => Ok((None, false)),
            Pin::Clear(pin) => Ok((Some(hash(passwords, &pin).await?), false)),
            Pin::Hashed(verifier) => match is_of_nothing(passwords, &verifier).await {
                Ok(true) => Ok((None, false)),
                Ok(false) => Ok((Some(verifier), false)),
                Err(PasswordError::Unsupported(_) | PasswordError::TooCostly) => {
                    Ok((Some(self.unknowable(passwords, random).await?), true))
                }
                Err(error) => Err(error.into()),
            },
            Pin::Lost => Ok((Some(self.unknowable(passwords, random).await?), true)),
        }
    }

    async fn unknowable(&self, passwords: &PasswordPool, random: &dyn Random) -> Result<StoredVerifier, PasswordError> {
        let make = || async {
            let mut pin = Zeroizing::new(vec![0; 32]);
            random.fill(&mut pin);
            hash(passwords, &Secret::new(std::mem::take(&mut *pin))).await
        };
        self.unknowable.get_or_try_init(make).await.cloned()
    }
}

async fn hash(passwords: &PasswordPool, pin: &Secret<Vec<u8>>) -> Result<StoredVerifier, PasswordError> {
    loop {
        match passwords.hash(&Share::Directory, pin).await {
            Err(PasswordError::Saturated) => tokio::time::sleep(PAUSE).await,
            done => return done,
        }
    }
}

/// Whether it is the empty PIN that was hashed.
async fn is_of_nothing(passwords: &PasswordPool, verifier: &StoredVerifier) -> Result<bool, PasswordError> {
    let nothing = Secret::new(Vec::new());
    loop {
        match passwords
            .verify_stored(&Share::Directory, &nothing, Some(verifier))
            .await
        {
            Err(PasswordError::Saturated) => tokio::time::sleep(PAUSE).await,
            compared => return compared.map(|comparison| comparison.matches),
        }
    }
}
