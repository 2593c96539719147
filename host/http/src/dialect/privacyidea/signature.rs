//! Signed answers, so that a client knows that it speaks with this server: RSA-PSS (RFC 8017) over SHA-256 with the longest salt, as the original has it.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::port::{DocumentKind, DocumentStore, NewDocument, Random, StoreError, StoredDocument};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::pss::BlindedSigningKey;
use rsa::rand_core::{self, CryptoRng, RngCore};
use rsa::sha2::Sha256;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde_json::json;

/// What signatures begin with.
pub(super) const ALGORITHM: &str = "rsa_sha256_pss";

/// The key's name in the store.
const NAME: &str = "privacyidea-response";

/// Bits of the key, and bytes of the longest salt that a signature of it has room for: those of the key less those of the hash and two.
const BITS: usize = 2048;
const SALT: usize = BITS / 8 - 32 - 2;

/// What signs answers.
pub(super) struct ResponseKey {
    key: BlindedSigningKey<Sha256>,
    public: String,
}

/// Why there is no key for answers.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignatureError {
    /// The store did not answer.
    #[error("the key for answers cannot be read")]
    Store(#[from] StoreError),
    /// It was sealed under another master key, or is none.
    #[error("the key for answers cannot be opened; is the master key the one that it was made under?")]
    Sealed,
    /// It could not be made or used.
    #[error("answers cannot be signed")]
    Rsa(#[from] rsa::Error),
    /// The work was cut off.
    #[error("answers cannot be signed now")]
    Cut,
}

/// The server's generator, as this library takes one.
pub(in crate::dialect) struct Generator(pub(in crate::dialect) Arc<dyn Random>);

impl ResponseKey {
    /// The installation's key; one is made where there is none.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub(super) async fn open(
        store: &dyn DocumentStore,
        sealing: &MasterKey,
        random: &Arc<dyn Random>,
    ) -> Result<Self, SignatureError> {
        if let Some(stored) = store.find_document(DocumentKind::SigningKey, NAME).await? {
            return Self::unseal(&stored, sealing);
        }
        let generator = Generator(Arc::clone(random));
        let (key, der) = off_thread(move || make(generator)).await?;
        let new = NewDocument {
            name: NAME.to_owned(),
            document: json!({"algorithm": ALGORITHM, "public_key": key.public}).to_string(),
            sealed: Some(sealing.seal(NAME, &der, &**random)),
            replaces: Some(0),
        };
        match store.put_document(DocumentKind::SigningKey, &new).await {
            Ok(_) => Ok(key),
            // Another node was faster: that one's key is everybody's.
            Err(StoreError::Conflict { .. }) => {
                let stored = store.find_document(DocumentKind::SigningKey, NAME).await?;
                Self::unseal(&stored.ok_or(SignatureError::Sealed)?, sealing)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn unseal(stored: &StoredDocument, sealing: &MasterKey) -> Result<Self, SignatureError> {
        let sealed = stored.sealed.as_deref().ok_or(SignatureError::Sealed)?;
        let der = sealing.open(NAME, sealed).ok_or(SignatureError::Sealed)?;
        let key = RsaPrivateKey::from_pkcs8_der(der.expose()).map_err(|_| SignatureError::Sealed)?;
        Self::of(key)
    }

    fn of(key: RsaPrivateKey) -> Result<Self, SignatureError> {
        let public = RsaPublicKey::from(&key).to_public_key_pem(LineEnding::LF);
        Ok(Self {
            public: public.map_err(|_| SignatureError::Sealed)?,
            key: BlindedSigningKey::new_with_salt_len(key, SALT),
        })
    }

    /// The public half, as PEM.
    pub(super) fn public(&self) -> &str {
        &self.public
    }

    /// The signature of a text, as answers carry it. It takes a millisecond, so it is not done where requests are.
    ///
    /// # Errors
    /// [`SignatureError::Rsa`], [`SignatureError::Cut`].
    pub(super) async fn sign(
        self: Arc<Self>,
        text: String,
        random: &Arc<dyn Random>,
    ) -> Result<String, SignatureError> {
        let mut generator = Generator(Arc::clone(random));
        off_thread(move || {
            let signature = self.key.try_sign_with_rng(&mut generator, text.as_bytes());
            let bytes = signature.map_err(|_| SignatureError::Cut)?.to_bytes();
            Ok(format!("{ALGORITHM}:{}", hex::encode(bytes)))
        })
        .await
    }
}

/// A key, and what is kept of it.
fn make(mut generator: Generator) -> Result<(ResponseKey, Secret<Vec<u8>>), SignatureError> {
    let key = RsaPrivateKey::new(&mut generator, BITS)?;
    let der = key.to_pkcs8_der().map_err(|_| SignatureError::Sealed)?;
    let der = Secret::new(der.as_bytes().to_vec());
    Ok((ResponseKey::of(key)?, der))
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SignatureError> + Send + 'static,
) -> Result<T, SignatureError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(SignatureError::Cut))
}

impl RngCore for Generator {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, buffer: &mut [u8]) {
        self.0.fill(buffer);
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(buffer);
        Ok(())
    }
}

impl CryptoRng for Generator {}
