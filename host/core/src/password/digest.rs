//! What stands for a digest of login and password that some clients send in the place of both.
//!
//! Such a request names a tenant and no user. So all digests of a tenant and an algorithm have one salt, and one computation says which row it is. The salt is
//! a keyed hash: nobody who has the rows alone can begin to guess. The login in a digest keeps two users with one password apart.

use std::cmp::Reverse;

use hmac::Mac as _;
use md5::Md5;
use sha1::Sha1;
use sha2::Digest as _;
use zeroize::Zeroizing;

use super::compute::{Outcome, Task};
use super::cost::{Argon2Cost, Ceiling, Scheme, USUAL_PASSWORD};
use super::verifier::{HASH_LENGTH, SALT_LENGTH, Verifier};
use super::{PasswordError, PasswordPool, Share};
use crate::Secret;
use crate::key::{MasterKey, keyed};
use crate::model::{DigestAlgorithm, TenantId, login_key};
use crate::port::StoredDigest;

/// At how many costs a digest is looked for.
const MOST_COSTS: usize = 3;

/// The key that digests are salted with.
#[derive(Debug, Clone)]
pub struct DigestKey(Secret<[u8; 32]>);

/// What the hash of a digest costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DigestCost(Argon2Cost);

impl DigestKey {
    /// The key that follows from this one. All nodes over one store have the same.
    pub fn new(master: &MasterKey) -> Self {
        Self(master.derive("keyway/digest/v1"))
    }

    /// What stands for a digest, as clients send it, at today's cost.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`].
    pub async fn hash(
        &self,
        passwords: &PasswordPool,
        share: &Share,
        tenant: TenantId,
        algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
    ) -> Result<StoredDigest, PasswordError> {
        let cost = DigestCost(passwords.current);
        self.hash_at(cost, passwords, share, (tenant, algorithm), digest).await
    }

    /// As [`DigestKey::hash`], at another cost.
    pub(crate) async fn hash_at(
        &self,
        cost: DigestCost,
        passwords: &PasswordPool,
        share: &Share,
        place: (TenantId, DigestAlgorithm),
        digest: &Secret<Vec<u8>>,
    ) -> Result<StoredDigest, PasswordError> {
        let verifier = Verifier::current(cost.0, self.salt(place));
        let computed = match passwords.pool.compute(share, Task::new(digest, verifier)).await? {
            Outcome::Computed(hash) => hash,
            Outcome::Failed => return Err(PasswordError::TooCostly),
        };
        let hash = computed.expose().first_chunk().ok_or(PasswordError::TooCostly)?;
        Ok(StoredDigest {
            algorithm: place.1,
            cost: cost.text(),
            hash: Secret::new(*hash),
        })
    }

    /// What stands for all digests of a login and a password.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`].
    pub(crate) async fn of_password(
        &self,
        passwords: &PasswordPool,
        share: &Share,
        tenant: TenantId,
        login: &str,
        password: &Secret<Vec<u8>>,
    ) -> Result<Vec<StoredDigest>, PasswordError> {
        let mut made = Vec::new();
        let login = login_key(login);
        for algorithm in DigestAlgorithm::ALL {
            let digest = digest_of(algorithm, &login, password);
            made.push(self.hash(passwords, share, tenant, algorithm, &digest).await?);
        }
        Ok(made)
    }

    fn salt(&self, (tenant, algorithm): (TenantId, DigestAlgorithm)) -> Vec<u8> {
        let mut hmac = keyed(self.0.expose());
        hmac.update(tenant.0.as_bytes());
        hmac.update(algorithm.as_str().as_bytes());
        let mut salt = hmac.finalize().into_bytes().to_vec();
        salt.truncate(SALT_LENGTH);
        salt
    }
}

impl DigestCost {
    /// At which costs a digest is looked for, of those that are stored: today's first, then the highest. Today's alone where there is none, so that a search in
    /// vain costs as much. Once the cost was changed, the time of a search tells which costs a tenant's digests have, as the time of a comparison does of a
    /// verifier. To hide it, every search would have to be made at each cost of anybody's, for as long as one user stays away.
    pub(crate) fn to_try(passwords: &PasswordPool, stored: &[String]) -> Vec<Self> {
        let current = passwords.current;
        let ceiling = Ceiling::stored(current);
        let is_allowed = |cost: &Argon2Cost| {
            let checked = Scheme::current(*cost).check_cost(HASH_LENGTH, USUAL_PASSWORD, ceiling);
            checked.is_ok()
        };
        let mut costs: Vec<_> = stored
            .iter()
            .filter_map(|text| parse(text))
            .filter(is_allowed)
            .collect();
        if costs.len() < stored.len() {
            tracing::error!(
                "stored digests have a cost that cannot be used; the next login with the password renews them"
            );
        }
        costs.sort_by_key(|cost| (*cost != current, Reverse(cost.work())));
        costs.truncate(MOST_COSTS);
        if costs.is_empty() {
            costs.push(current);
        }
        costs.into_iter().map(Self).collect()
    }

    /// Today's.
    pub(crate) fn current(passwords: &PasswordPool) -> Self {
        Self(passwords.current)
    }

    /// As stores keep it.
    pub(crate) fn text(self) -> String {
        let Argon2Cost {
            memory_kib,
            iterations,
            parallelism,
        } = self.0;
        format!("m={memory_kib},t={iterations},p={parallelism}")
    }
}

/// `None` for a text that [`DigestCost::text`] would not have written.
fn parse(text: &str) -> Option<Argon2Cost> {
    let (memory, rest) = text.strip_prefix("m=")?.split_once(",t=")?;
    let (iterations, parallelism) = rest.split_once(",p=")?;
    let cost = Argon2Cost::new(
        memory.parse().ok()?,
        iterations.parse().ok()?,
        parallelism.parse().ok()?,
    )?;
    (DigestCost(cost).text() == text).then_some(cost)
}

/// What clients send: the hash of `login:password` in lower-case hexadecimal.
fn digest_of(algorithm: DigestAlgorithm, login: &str, password: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    let clear = Zeroizing::new([login.as_bytes(), b":", password.expose()].concat());
    let hex = match algorithm {
        DigestAlgorithm::Md5 => hex::encode(Md5::digest(&*clear)),
        DigestAlgorithm::Sha1 => hex::encode(Sha1::digest(&*clear)),
    };
    Secret::new(hex.into_bytes())
}
