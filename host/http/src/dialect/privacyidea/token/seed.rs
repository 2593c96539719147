//! Seeds as clients write them.

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use keyway_core::Secret;
use sha1::{Digest as _, Sha1};

use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::params::Params;

/// Bytes of the checksum before a seed in base32.
const CHECKSUM: usize = 4;

/// The seed that a request gives; `None` where one is to be made.
///
/// # Errors
/// [`Failure::Parameter`].
pub(super) fn read(params: &Params) -> Result<Option<Secret<Vec<u8>>>, Failure> {
    let Some(text) = params.word("otpkey")? else {
        if params.flag("genkey")? == Some(false) {
            return Err(Failure::Parameter("Missing parameter: `otpkey`".to_owned()));
        }
        return Ok(None);
    };
    let seed = match params.word("otpkeyformat")?.unwrap_or("hex") {
        "hex" => hex(text),
        "base32check" => checked(text),
        _ => {
            return Err(Failure::Parameter(
                "The parameter `otpkeyformat` is not `hex` or `base32check`".to_owned(),
            ));
        }
    };
    let seed = seed.ok_or_else(|| Failure::Parameter("The parameter `otpkey` is no seed of this format".to_owned()))?;
    Ok(Some(seed))
}

fn hex(text: &str) -> Option<Secret<Vec<u8>>> {
    HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok().map(Secret::new)
}

/// Base32 of the first bytes of the seed's SHA-1 and of the seed: what somebody types is found to be mistyped.
fn checked(text: &str) -> Option<Secret<Vec<u8>>> {
    let mut plain: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    plain.make_ascii_uppercase();
    let bytes = BASE32_NOPAD.decode(plain.trim_end_matches('=').as_bytes()).ok()?;
    let (checksum, seed) = bytes.split_at_checked(CHECKSUM)?;
    let digest = Sha1::digest(seed);
    digest.starts_with(checksum).then(|| Secret::new(seed.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_hexadecimal_or_base32_with_a_checksum() {
        assert_eq!(hex("00fF10").expect("a seed").expose(), &[0, 255, 16]);
        assert!(hex("0").is_none());
        assert!(hex("zz").is_none());
        let mut bytes = Sha1::digest(b"12345678901234567890").to_vec();
        bytes.truncate(CHECKSUM);
        bytes.extend(b"12345678901234567890");
        let text = BASE32_NOPAD.encode(&bytes);
        assert_eq!(
            checked(&text.to_lowercase()).expect("a seed").expose(),
            b"12345678901234567890"
        );
        bytes[5] ^= 1;
        assert!(checked(&BASE32_NOPAD.encode(&bytes)).is_none());
        assert!(checked("A").is_none());
    }
}
