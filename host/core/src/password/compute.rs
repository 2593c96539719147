//! The computation of one verifier, and what it may cost.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use sha2::{Sha256, Sha512};

use super::PasswordError;
use super::phc::Verifier;
use crate::Secret;

/// HMACs of PBKDF2 that take as long as argon2 takes for one pass over one KiB.
const HMACS_PER_WORK: u64 = 2;
/// Bytes of memory times lanes of scrypt that take as long as argon2 takes for one pass over one KiB.
const SCRYPT_BYTES_PER_WORK: u64 = 512;

/// What one computation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ceiling {
    memory_kib: u32,
    /// In argon2's measure: memory in KiB times passes. 1024 * 1024 are about a second.
    work: u64,
}

impl Ceiling {
    /// For verifiers that are none of the host's, which a plugin hands in: twice what a current one costs, so that no backend makes more of its
    /// turns than twice what they are worth.
    pub(super) fn untrusted(current: Argon2Cost) -> Self {
        Self {
            memory_kib: current.memory_kib.saturating_mul(2),
            work: current.work().saturating_mul(2),
        }
    }

    /// For verifiers that the host has stored: whatever was made under parameters that the operator has lowered since. That is the most memory
    /// that the configuration allows, and about eight seconds, for more would not end within a login's deadline.
    pub(super) fn stored(current: Argon2Cost) -> Self {
        Self {
            memory_kib: current.memory_kib.max(4 * 1024 * 1024),
            work: current.work().max(8 * 1024 * 1024),
        }
    }
}

/// Argon2's parameters, which argon2 has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Argon2Cost {
    pub(super) memory_kib: u32,
    pub(super) iterations: u32,
    pub(super) parallelism: u32,
}

impl Argon2Cost {
    /// `None` for what argon2 refuses.
    pub(super) fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Option<Self> {
        let cost = Self {
            memory_kib,
            iterations,
            parallelism,
        };
        // Argon2 multiplies lanes by eight and compares with the memory.
        let lanes_fit = u64::from(parallelism) * 8 <= u64::from(memory_kib);
        (lanes_fit && cost.params().is_some()).then_some(cost)
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, None).ok()
    }

    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }
}

/// How a verifier is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        cost: Argon2Cost,
    },
    Pbkdf2 {
        sha512: bool,
        rounds: u32,
    },
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
    },
}

impl Scheme {
    /// That of new verifiers.
    pub(super) fn current(cost: Argon2Cost) -> Self {
        Self::Argon2 {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            cost,
        }
    }

    /// Whether a hash of this length, in bytes, costs no more than it may.
    pub(super) fn check_cost(self, hash_length: usize, ceiling: Ceiling) -> Result<(), PasswordError> {
        let affordable = match self {
            Self::Argon2 { cost, .. } => cost.memory_kib <= ceiling.memory_kib && cost.work() <= ceiling.work,
            Self::Pbkdf2 { sha512, rounds } => {
                let blocks = hash_length.div_ceil(if sha512 { 64 } else { 32 });
                let hmacs = u64::try_from(blocks).unwrap_or(u64::MAX).saturating_mul(rounds.into());
                hmacs <= ceiling.work.saturating_mul(HMACS_PER_WORK)
            }
            Self::Scrypt { log_n, r, p } => scrypt_fits(log_n, r, p, ceiling),
        };
        if affordable {
            Ok(())
        } else {
            Err(PasswordError::TooCostly)
        }
    }
}

fn scrypt_fits(log_n: u8, r: u32, p: u32, ceiling: Ceiling) -> bool {
    let Some(n) = 1_u64.checked_shl(u32::from(log_n)) else {
        return false;
    };
    let most = ceiling.work.saturating_mul(SCRYPT_BYTES_PER_WORK);
    let row = u64::from(r) * 128;
    let memory = row
        .checked_mul(n)
        .filter(|bytes| *bytes <= u64::from(ceiling.memory_kib) * 1024);
    memory.is_some_and(|memory| {
        let lanes = u64::from(p);
        memory.saturating_mul(lanes) <= most && row.saturating_mul(lanes) <= most / 16
    })
}

impl fmt::Display for Scheme {
    /// The PHC string up to the salt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2 {
                algorithm,
                version,
                cost,
            } => write!(
                f,
                "${algorithm}$v={}$m={},t={},p={}",
                u32::from(*version),
                cost.memory_kib,
                cost.iterations,
                cost.parallelism
            ),
            Self::Pbkdf2 { sha512, rounds } => {
                write!(f, "$pbkdf2-sha{}$i={rounds}", if *sha512 { 512 } else { 256 })
            }
            Self::Scrypt { log_n, r, p } => write!(f, "$scrypt$ln={log_n},r={r},p={p}"),
        }
    }
}

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

    /// Computes the hash, as long as the verifier's. `memory` is argon2's, kept between computations; it grows where it must.
    pub(super) fn run(&self, memory: &mut Vec<Block>) -> Outcome {
        let mut hash = zeroize::Zeroizing::new(vec![0; self.verifier.hash.expose().len()]);
        let (password, salt) = (self.password.expose().as_slice(), self.verifier.salt.as_slice());
        let done = match self.verifier.scheme {
            Scheme::Argon2 {
                algorithm,
                version,
                cost,
            } => cost.params().is_some_and(|params| {
                argon2(
                    Argon2::new(algorithm, version, params),
                    password,
                    salt,
                    &mut hash,
                    memory,
                )
            }),
            Scheme::Pbkdf2 { sha512: false, rounds } => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut hash);
                true
            }
            Scheme::Pbkdf2 { sha512: true, rounds } => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut hash);
                true
            }
            Scheme::Scrypt { log_n, r, p } => scrypt::Params::new(log_n, r, p)
                .is_ok_and(|params| scrypt::scrypt(password, salt, &params, &mut hash).is_ok()),
        };
        if done {
            Outcome::Computed(Secret::new(std::mem::take(&mut *hash)))
        } else {
            Outcome::Failed
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is built for this one call")]
fn argon2(argon2: Argon2<'_>, password: &[u8], salt: &[u8], hash: &mut [u8], memory: &mut Vec<Block>) -> bool {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        // What was there is of no use, so it is not copied to where the larger one goes.
        *memory = Vec::new();
        *memory = vec![Block::new(); blocks];
    }
    argon2
        .hash_password_into_with_memory(password, salt, hash, memory)
        .is_ok()
}
