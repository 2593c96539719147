//! The key that tokens are signed with: RSA (RFC 8017) over SHA-256, sealed in the store, the same for all nodes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::port::{DocumentKind, DocumentStore, NewDocument, Random, StoreError, StoredDocument};
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{self, RsaPublicKeyComponents};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::dialect::privacyidea::signature::Generator;

/// The key's name in the store.
const NAME: &str = "kazoo-token";

const BITS: usize = 2048;

/// What signs tokens.
pub(super) struct SigningKey {
    pair: KeyPair,
    public: PublicKeyComponents<Vec<u8>>,
    id: String,
}

/// Why there is no key for tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// The store did not answer.
    #[error("the key for tokens cannot be read")]
    Store(#[from] StoreError),
    /// It was sealed under another master key, or is none.
    #[error("the key for tokens cannot be opened; is the master key the one that it was made under?")]
    Sealed,
    /// It could not be made.
    #[error("a key for tokens cannot be made")]
    Rsa(#[from] rsa::Error),
    /// The work was cut off.
    #[error("tokens cannot be signed now")]
    Cut,
}

impl SigningKey {
    /// The installation's key; one is made where there is none.
    ///
    /// # Errors
    /// [`SigningError`].
    pub(super) async fn open(
        store: &dyn DocumentStore,
        sealing: &MasterKey,
        random: &Arc<dyn Random>,
    ) -> Result<Self, SigningError> {
        if let Some(stored) = store.find_document(DocumentKind::SigningKey, NAME).await? {
            return Self::unseal(&stored, sealing);
        }
        let generator = Generator(Arc::clone(random));
        let made = tokio::task::spawn_blocking(move || make(generator)).await;
        let (key, der) = made.unwrap_or(Err(SigningError::Cut))?;
        let new = NewDocument {
            name: NAME.to_owned(),
            document: key.public_jwk().to_string(),
            sealed: Some(sealing.seal(NAME, &der, &**random)),
            replaces: Some(0),
        };
        match store.put_document(DocumentKind::SigningKey, &new).await {
            Ok(_) => Ok(key),
            // Another node was faster: that one's key is everybody's.
            Err(StoreError::Conflict { .. }) => {
                let stored = store.find_document(DocumentKind::SigningKey, NAME).await?;
                Self::unseal(&stored.ok_or(SigningError::Sealed)?, sealing)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn unseal(stored: &StoredDocument, sealing: &MasterKey) -> Result<Self, SigningError> {
        let sealed = stored.sealed.as_deref().ok_or(SigningError::Sealed)?;
        let der = sealing.open(NAME, sealed).ok_or(SigningError::Sealed)?;
        Self::of(der.expose())
    }

    fn of(der: &[u8]) -> Result<Self, SigningError> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| SigningError::Sealed)?;
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let hash = Sha256::new().chain_update(&public.n).chain_update(&public.e).finalize();
        let mut id = hex::encode(hash);
        id.truncate(32);
        Ok(Self { pair, public, id })
    }

    /// What names it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The public half, as RFC 7517 writes it.
    pub(super) fn public_jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.public.n),
            "e": URL_SAFE_NO_PAD.encode(&self.public.e),
        })
    }

    /// The signature of a text. It takes the better part of a millisecond, so it is not made where requests are.
    ///
    /// # Errors
    /// [`SigningError::Cut`].
    pub(super) async fn sign(self: Arc<Self>, text: String) -> Result<Vec<u8>, SigningError> {
        let signed = tokio::task::spawn_blocking(move || {
            let mut signature = vec![0; self.pair.public().modulus_len()];
            // The library takes no other generator for what blinds the key.
            let random = ring::rand::SystemRandom::new();
            let signed = self
                .pair
                .sign(&signature::RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature);
            signed.map(|()| signature).map_err(|_| SigningError::Cut)
        });
        signed.await.unwrap_or(Err(SigningError::Cut))
    }

    /// Whether this key made that signature of this text.
    pub(super) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let public = RsaPublicKeyComponents {
            n: &self.public.n,
            e: &self.public.e,
        };
        let scheme = &signature::RSA_PKCS1_2048_8192_SHA256;
        public.verify(scheme, text.as_bytes(), signature).is_ok()
    }
}

/// A key, and what is kept of it.
fn make(mut generator: Generator) -> Result<(SigningKey, Secret<Vec<u8>>), SigningError> {
    let key = RsaPrivateKey::new(&mut generator, BITS)?;
    let der = key.to_pkcs8_der().map_err(|_| SigningError::Sealed)?;
    let der = Secret::new(der.as_bytes().to_vec());
    Ok((SigningKey::of(der.expose())?, der))
}
