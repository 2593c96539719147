//! Real verifiers, so that a test runs on the configuration that an operator would write.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

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

/// The formats that are usual in files and databases of users. The host knows a few more, see [`Secret::matches`](crate::Secret::matches).
pub(super) fn matches(value: &[u8], verifier: &str) -> Result<bool, SecretError> {
    if let Some((tag, digest)) = verifier.strip_prefix('{').and_then(|tagged| tagged.split_once('}')) {
        return salted(value, &tag.to_ascii_lowercase(), digest);
    }
    if verifier.len() == 64 && !verifier.starts_with('$') {
        return Ok(hex::encode(Sha256::digest(value)) == verifier);
    }
    // ownCloud numbers its formats.
    let verifier = verifier.strip_prefix("1|").unwrap_or(verifier);
    let format = verifier
        .strip_prefix('$')
        .and_then(|rest| rest.split('$').next())
        .unwrap_or("unknown");
    let unsupported = || SecretError::UnsupportedVerifier(format.to_owned());
    let phc = || PasswordHash::new(verifier).map_err(|_| unsupported());
    let compared = match format {
        "argon2id" | "argon2i" | "argon2d" => Argon2::default().verify_password(value, &phc()?),
        "pbkdf2-sha256" | "pbkdf2-sha512" => pbkdf2::Pbkdf2::default().verify_password(value, &phc()?),
        "scrypt" => scrypt::Scrypt::default().verify_password(value, &phc()?),
        "5" | "6" => sha_crypt::ShaCrypt::default().verify_password(value, verifier),
        "y" => yescrypt::Yescrypt::default().verify_password(value, verifier),
        "2a" | "2b" | "2y" => return bcrypt::verify(value, verifier).map_err(|_| unsupported()),
        _ => return Err(unsupported()),
    };
    match compared {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(unsupported()),
    }
}

/// A digest of the value and a salt, then the salt, in base64.
fn salted(value: &[u8], tag: &str, digest: &str) -> Result<bool, SecretError> {
    let unsupported = || SecretError::UnsupportedVerifier(format!("{{{tag}}}"));
    let length = match tag {
        "sha" | "ssha" => 20,
        "ssha256" => 32,
        "ssha512" => 64,
        _ => return Err(unsupported()),
    };
    let bytes = STANDARD.decode(digest).map_err(|_| unsupported())?;
    let (digest, salt) = bytes.split_at_checked(length).ok_or_else(unsupported)?;
    if salt.is_empty() != (tag == "sha") {
        return Err(unsupported());
    }
    let salted = [value, salt].concat();
    Ok(match length {
        20 => Sha1::digest(&salted).as_slice() == digest,
        32 => Sha256::digest(&salted).as_slice() == digest,
        _ => Sha512::digest(&salted).as_slice() == digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_in_files_and_databases_of_users_is_compared() {
        let own = verifier("s3cre7 pässword");
        for verifier in [
            &own,
            "$5$rounds=1000$saltsaltsaltsalt$ugz4e7/n3cDAbFXYdLRXj4urCadynT1s1HIJ/DRp94D",
            "$6$saltstring$zCnBvulZNStdCPxo9TYAqzAW5CQ0XyCUH1UnefJmHnjS2CB6nigJ1Aluuqh/raUDC1fxmOnXk9sM.bNPMC4h3/",
            "$2b$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
            "1|$2y$04$abcdefghijklmnopqrstuuVOy4aMaHomGJliRVT7ZK8HT2bU6jnza",
            "$y$j75$abcdefgh$gTaOz.MZ7CB2q6Bp.IHhj8cV4BFwUO9Uomzmys4V9y7",
            "{SSHA}DB+g5gPHedLChP+gUNbl0WxzOmFzYWx0c2FsdA==",
            "{ssha256}VHkJn47ISx96OwqN5tCfEsW+lmFzQkBTJTebnP0DeBBzYWx0",
            "{SHA}LVnvxZAGPZfgqBxvIRnhpmbbvBM=",
            "ad5759b6182dad6e52a4d5ea9f862415486e3c5a7c78d2dfbcdcbd7a8b6da2cf",
        ] {
            assert_eq!(matches("s3cre7 pässword".as_bytes(), verifier), Ok(true), "{verifier}");
            assert_eq!(matches(b"wrong", verifier), Ok(false), "{verifier}");
        }
    }

    #[test]
    fn what_is_no_verifier_is_unsupported() {
        for refused in [
            "",
            "x",
            "*",
            "s3cre7",
            "abJnggxhB/yWI",
            "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
            "{SSHA}",
            "$6$x",
            "$2b$04$x",
        ] {
            let compared = matches(refused.as_bytes(), refused);
            assert!(
                matches!(compared, Err(SecretError::UnsupportedVerifier(_))),
                "{refused}"
            );
        }
    }
}
