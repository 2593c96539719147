//! The Basic scheme: an account's id, and a digest or login name and password. Programs send it with each request, so the session that it opens is remembered.

use keyway_core::model::{DigestAlgorithm, TenantId};
use keyway_core::token::{CheckRequest, TokenError};
use md5::Digest as _;
use zeroize::Zeroizing;

use super::ask::{Ask, Caller, parse_id};
use super::error::Failure;
use super::login::{Digest, Login};
use crate::edge::basic_of;

/// Under which kind an attempt is written.
const KIND: &str = "basic_auth";

impl Ask {
    /// Who sends these credentials: what stands after the name of the scheme.
    ///
    /// # Errors
    /// As [`Ask::caller`], and [`Failure::TooManyRequests`].
    pub(super) async fn by_basic(&self, encoded: &str) -> Result<Caller, Failure> {
        let keys = &self.kazoo.state().keys;
        let encoded = encoded.as_bytes();
        if let Some(token) = keys.remembered(encoded) {
            match self.kazoo.tokens().check(&token, CheckRequest::default()).await {
                Ok(live) => return Ok(Caller { token, live }),
                Err(TokenError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (account, secret) = basic_of(encoded).ok_or(Failure::InvalidCredentials)?;
        let secret = std::str::from_utf8(secret.expose()).map_err(|_| Failure::InvalidCredentials)?;
        let index = self.kazoo.accounts().index().await?;
        let account = parse_id(&account).map(TenantId).filter(|id| index.get(*id).is_some());
        self.take_attempt(account)?;
        let digest = digest_of(secret);
        let login = Login {
            ask: self,
            kind: KIND,
            digest: Digest {
                algorithm: digest.0,
                value: &digest.1,
            },
            response: None,
        };
        let issued = login.run(account.as_slice()).await?;
        keys.remember(encoded, issued.value.clone());
        Ok(Caller {
            token: issued.value,
            live: issued.live,
        })
    }
}

/// The digest that was sent, or that of the login name and the password that were.
fn digest_of(secret: &str) -> (DigestAlgorithm, Zeroizing<String>) {
    match secret.split_once(':') {
        Some((login, password)) => {
            let text = Zeroizing::new(format!("{}:{password}", keyway_core::model::login_key(login)));
            let digest = md5::Md5::digest(text.as_bytes());
            (DigestAlgorithm::Md5, Zeroizing::new(hex::encode(digest)))
        }
        None if secret.len() == 40 => (DigestAlgorithm::Sha1, Zeroizing::new(secret.to_owned())),
        None => (DigestAlgorithm::Md5, Zeroizing::new(secret.to_owned())),
    }
}
