//! Real verifiers, so that a test runs on the configuration that an operator would write.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::SecretError;

/// A verifier (`$argon2id$...`) for this password. Its parameters are the cheapest possible, and its salt is always the same: good for tests
/// alone.
///
/// ```
/// assert!(keyway_sdk::testing::verifier("s3cre7").starts_with("$argon2id$"));
/// ```
///
/// # Panics
/// Never for a password of less than 4 GiB.
#[expect(clippy::expect_used, reason = "test support: constant, valid parameters")]
pub fn verifier(password: &str) -> String {
    let params = Params::new(8, 1, 1, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), b"only for tests")
        .expect("a password of less than 4 GiB")
        .to_string()
}

pub(super) fn matches(value: &[u8], verifier: &str) -> Result<bool, SecretError> {
    let format = verifier
        .strip_prefix('$')
        .and_then(|rest| rest.split('$').next())
        .unwrap_or("no PHC string");
    let unsupported = || SecretError::UnsupportedVerifier(format.to_owned());
    let parsed = PasswordHash::new(verifier).map_err(|_| unsupported())?;
    let compared = match format {
        "argon2id" | "argon2i" | "argon2d" => Argon2::default().verify_password(value, &parsed),
        "pbkdf2-sha256" | "pbkdf2-sha512" => pbkdf2::Pbkdf2::default().verify_password(value, &parsed),
        "scrypt" => scrypt::Scrypt::default().verify_password(value, &parsed),
        _ => return Err(unsupported()),
    };
    match compared {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(unsupported()),
    }
}
