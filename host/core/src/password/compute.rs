//! The computation of one verifier.

mod md5_crypt;
mod phpass;
mod sha_crypt;

use argon2::{Algorithm, Argon2, Block, Version};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use super::cost::{Argon2Cost, Digest, Scheme, YescryptCost};
use super::verifier::Verifier;
use crate::Secret;

/// A verifier to compute for a password.
pub(super) struct Task {
    password: Secret<Vec<u8>>,
    verifier: Verifier,
}

/// How it went.
pub(super) enum Outcome {
    Computed(Secret<Vec<u8>>),
    /// The library refused what the checks let through.
    Failed,
}

impl Task {
    pub(super) fn new(password: &Secret<Vec<u8>>, verifier: Verifier) -> Self {
        Self {
            password: password.clone(),
            verifier,
        }
    }

    /// What the computation needs besides the memory of argon2.
    pub(super) fn scratch_kib(&self) -> usize {
        self.verifier.scheme.scratch_kib()
    }

    /// Computes the hash, as long as the verifier's. `memory` is argon2's, kept between computations; it grows where it must.
    pub(super) fn run(&self, memory: &mut Vec<Block>) -> Outcome {
        let mut hash = Zeroizing::new(vec![0; self.verifier.hash.expose().len()]);
        let (password, salt) = (self.password.expose().as_slice(), self.verifier.salt.as_slice());
        let done = match self.verifier.scheme {
            Scheme::Argon2 {
                algorithm,
                version,
                cost,
            } => argon2((algorithm, version, cost), password, salt, &mut hash, memory),
            Scheme::Pbkdf2 { digest, rounds } => {
                pbkdf2(digest, rounds, password, salt, &mut hash);
                Some(())
            }
            Scheme::Scrypt { log_n, r, p } => scrypt::Params::new(log_n, r, p)
                .ok()
                .and_then(|params| scrypt::scrypt(password, salt, &params, &mut hash).ok()),
            Scheme::Yescrypt(cost) => yescrypt(cost, password, salt, &mut hash),
            Scheme::Bcrypt { cost } => bcrypt(cost, password, salt).and_then(|made| put(&*made, &mut hash)),
            Scheme::ShaCrypt { digest, rounds } => {
                sha_crypt::compute(digest, rounds, password, salt).and_then(|made| put(&made, &mut hash))
            }
            Scheme::Md5Crypt => put(&*md5_crypt::compute(password, salt), &mut hash),
            Scheme::Phpass { sha512, log_rounds } => {
                put(&phpass::compute(sha512, log_rounds, password, salt), &mut hash)
            }
            Scheme::Plain(digest) => put(&plain(digest, password, salt), &mut hash),
        };
        match done {
            Some(()) => Outcome::Computed(Secret::new(std::mem::take(&mut *hash))),
            None => Outcome::Failed,
        }
    }
}

/// Copies as much as the verifier has, which may be less than the whole. `None` if there is not that much.
fn put(made: &[u8], hash: &mut [u8]) -> Option<()> {
    hash.copy_from_slice(made.get(..hash.len())?);
    Some(())
}

fn argon2(
    (algorithm, version, cost): (Algorithm, Version, Argon2Cost),
    password: &[u8],
    salt: &[u8],
    hash: &mut [u8],
    memory: &mut Vec<Block>,
) -> Option<()> {
    let argon2 = Argon2::new(algorithm, version, cost.params()?);
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        // What was there is of no use, so it is not copied to where the larger one goes.
        *memory = Vec::new();
        *memory = vec![Block::new(); blocks];
    }
    argon2.hash_password_into_with_memory(password, salt, hash, memory).ok()
}

fn pbkdf2(digest: Digest, rounds: u32, password: &[u8], salt: &[u8], hash: &mut [u8]) {
    match digest {
        Digest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, hash),
        Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, hash),
        Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, hash),
    }
}

fn yescrypt(cost: YescryptCost, password: &[u8], salt: &[u8], hash: &mut [u8]) -> Option<()> {
    let YescryptCost { log_n, r, p, t } = cost;
    let n = 1_u64.checked_shl(log_n.into())?;
    let params = yescrypt::Params::new_with_all_params(yescrypt::Mode::Rw, n, r, p, t, 0).ok()?;
    yescrypt::yescrypt(password, salt, &params, hash).ok()
}

/// As every implementation does it: of a password that is longer than 72 bytes the rest does not count.
fn bcrypt(cost: u8, password: &[u8], salt: &[u8]) -> Option<Zeroizing<[u8; 24]>> {
    const LONGEST: usize = 72;
    let mut key = Zeroizing::new(Vec::with_capacity(LONGEST));
    key.extend(password.iter().take(LONGEST));
    if key.len() < LONGEST {
        key.push(0);
    }
    let salt = salt.try_into().ok()?;
    (cost <= 31).then(|| Zeroizing::new(bcrypt::bcrypt(cost.into(), salt, &key)))
}

fn plain(digest: Digest, password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match digest {
        Digest::Sha1 => Sha1::new()
            .chain_update(password)
            .chain_update(salt)
            .finalize()
            .to_vec(),
        Digest::Sha256 => Sha256::new()
            .chain_update(password)
            .chain_update(salt)
            .finalize()
            .to_vec(),
        Digest::Sha512 => Sha512::new()
            .chain_update(password)
            .chain_update(salt)
            .finalize()
            .to_vec(),
    })
}
