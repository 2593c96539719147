//! How a verifier is computed, and what that may cost.

use argon2::{Algorithm, Params, Version};

use super::PasswordError;

/// HMACs of PBKDF2 that take as long as argon2 takes for one pass over one KiB.
const HMACS_PER_WORK: u64 = 2;
/// Bytes in whole blocks that a digest takes in that long, in the formats that repeat a digest.
const DIGEST_BYTES_PER_WORK: u64 = 512;
/// Bytes of memory times lanes of scrypt that take that long.
const SCRYPT_BYTES_PER_WORK: u64 = 512;
/// How often argon2 could pass over one KiB while yescrypt passes over it once.
const WORK_PER_YESCRYPT_KIB: u64 = 2;
/// How often argon2 could pass over one KiB while bcrypt expands its key twice: 2 to the power of the cost is how often it does.
const WORK_PER_BCRYPT_ROUND: u64 = 96;

/// What one computation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ceiling {
    memory_kib: u32,
    /// In argon2's measure: memory in KiB times passes. 1024 * 1024 are about a second.
    work: u64,
}

impl Ceiling {
    /// For verifiers that are none of the host's, which a plugin hands in: twice what a current one costs, so that no backend makes more of its
    /// turns than twice what they are worth. It is never less than under the lowest parameters that an operator may choose, so that tests, which
    /// choose lower ones, may compare what other systems have made.
    pub(super) fn untrusted(current: Argon2Cost) -> Self {
        Self {
            memory_kib: current.memory_kib.max(Argon2Cost::LOWEST.memory_kib).saturating_mul(2),
            work: current.work().max(Argon2Cost::LOWEST.work()).saturating_mul(2),
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
    /// The cheapest that [`super::PasswordParams::check`] lets through.
    const LOWEST: Self = Self {
        memory_kib: 19 * 1024,
        iterations: 2,
        parallelism: 1,
    };

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

    pub(super) fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, None).ok()
    }

    /// In argon2's measure: memory in KiB times passes.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }
}

/// The digests that verifiers are made of. MD5 is in its own schemes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    /// Of a hash, in bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn block(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// Yescrypt's parameters in its read-write mode, the one that crypt(3) writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct YescryptCost {
    pub(super) log_n: u8,
    pub(super) r: u32,
    pub(super) p: u32,
    pub(super) t: u32,
}

impl YescryptCost {
    /// In bytes; more than there can be rather than an overflow.
    fn memory(self) -> u64 {
        let row = 128 * u64::from(self.r);
        let rows = 1_u64.checked_shl(u32::from(self.log_n)).unwrap_or(u64::MAX);
        // Each lane has its boxes of 12 KiB, and a few rows more.
        let lanes = (row.saturating_mul(4) + 12 * 1024).saturating_mul(self.p.into());
        row.saturating_mul(rows).saturating_add(lanes)
    }

    fn work(self) -> u64 {
        // It fills the memory once and then visits a third of it, two thirds, or `t - 1` times the whole.
        let thirds = match self.t {
            0 => 4,
            1 => 5,
            more => u64::from(more) * 3,
        };
        let kib = self.memory().div_ceil(1024);
        kib.saturating_mul(WORK_PER_YESCRYPT_KIB * thirds) / 3
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
        digest: Digest,
        rounds: u32,
    },
    Scrypt {
        log_n: u8,
        r: u32,
        p: u32,
    },
    Yescrypt(YescryptCost),
    /// 2 to the power of `cost` rounds.
    Bcrypt {
        cost: u8,
    },
    /// `digest` is SHA-256 or SHA-512.
    ShaCrypt {
        digest: Digest,
        rounds: u32,
    },
    Md5Crypt,
    /// Phpass's portable hash: with MD5, or with SHA-512 as Drupal 7 writes it. 2 to the power of `log_rounds` rounds.
    Phpass {
        sha512: bool,
        log_rounds: u8,
    },
    /// The digest of the password and the salt, which may be empty.
    Plain(Digest),
}

/// As much as every scheme takes without becoming slower. What a verifier may cost is said of passwords of this length.
pub(super) const USUAL_PASSWORD: usize = 32;

impl Scheme {
    /// That of new verifiers.
    pub(super) fn current(cost: Argon2Cost) -> Self {
        Self::Argon2 {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            cost,
        }
    }

    /// Whether a hash of `hash_length` bytes of a password of `password_length` bytes costs no more than it may. The formats that repeat a
    /// digest over the password cost in proportion to its length, and so long passwords may be too costly where others are not.
    pub(super) fn check_cost(
        self,
        hash_length: usize,
        password_length: usize,
        ceiling: Ceiling,
    ) -> Result<(), PasswordError> {
        let memory_fits = self.memory_kib() <= u64::from(ceiling.memory_kib);
        if memory_fits && self.work(hash_length, password_length) <= ceiling.work {
            Ok(())
        } else {
            Err(PasswordError::TooCostly)
        }
    }

    /// Whether it is a scheme of crypt(3), for which a password ends at its first zero byte, so that none has one.
    pub(super) fn is_of_crypt(self) -> bool {
        match self {
            Self::Bcrypt { .. } | Self::ShaCrypt { .. } | Self::Md5Crypt | Self::Yescrypt(_) | Self::Scrypt { .. } => {
                true
            }
            Self::Argon2 { .. } | Self::Pbkdf2 { .. } | Self::Phpass { .. } | Self::Plain(_) => false,
        }
    }

    /// What it needs besides the memory of argon2, which the threads keep.
    pub(super) fn scratch_kib(self) -> usize {
        match self {
            Self::Argon2 { .. } => 0,
            _ => usize::try_from(self.memory_kib()).unwrap_or(usize::MAX),
        }
    }

    fn memory_kib(self) -> u64 {
        match self {
            Self::Argon2 { cost, .. } => cost.memory_kib.into(),
            Self::Scrypt { log_n, r, .. } => scrypt_row(r).saturating_mul(rows(log_n)).div_ceil(1024),
            Self::Yescrypt(cost) => cost.memory().div_ceil(1024),
            _ => 0,
        }
    }

    fn work(self, hash_length: usize, password_length: usize) -> u64 {
        match self {
            Self::Argon2 { cost, .. } => cost.work(),
            Self::Pbkdf2 { digest, rounds } => {
                let hmacs = count(hash_length.div_ceil(digest.length())).saturating_mul(rounds.into());
                hmacs.div_ceil(HMACS_PER_WORK)
            }
            Self::Scrypt { log_n, r, p } => {
                let lanes = scrypt_row(r).saturating_mul(p.into());
                // The lanes themselves are hashed by PBKDF2, which matters where there are many of them and little memory.
                lanes
                    .saturating_mul(rows(log_n).max(16))
                    .div_ceil(SCRYPT_BYTES_PER_WORK)
            }
            Self::Yescrypt(cost) => cost.work(),
            Self::Bcrypt { cost } => rows(cost).saturating_mul(WORK_PER_BCRYPT_ROUND),
            Self::ShaCrypt { digest, rounds } => {
                // Every round takes the last digest, at most the salt, and the password twice.
                let bytes = digest.length() + 16 + password_length.saturating_mul(2);
                digest_work(bytes, digest.block(), rounds.into())
            }
            Self::Md5Crypt => digest_work(16 + 8 + password_length.saturating_mul(2), 64, 1000),
            Self::Phpass { sha512, log_rounds } => {
                let (length, block) = if sha512 { (64, 128) } else { (16, 64) };
                digest_work(password_length.saturating_add(length), block, rows(log_rounds))
            }
            Self::Plain(digest) => digest_work(password_length, digest.block(), 1),
        }
    }
}

fn digest_work(bytes: usize, block: usize, rounds: u64) -> u64 {
    // A block and a bit: each digest is padded by a length.
    let bytes = count(bytes.saturating_add(17).next_multiple_of(block));
    bytes.saturating_mul(rounds).div_ceil(DIGEST_BYTES_PER_WORK)
}

fn scrypt_row(r: u32) -> u64 {
    u64::from(r) * 128
}

/// 2 to the power of `log`.
fn rows(log: u8) -> u64 {
    1_u64.checked_shl(log.into()).unwrap_or(u64::MAX)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
