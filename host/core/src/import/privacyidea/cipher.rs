//! What privacyIDEA encrypts: AES-256 in CBC mode with PKCS #7 padding, under the keys of its key file. Nothing authenticates it, so what opens is
//! judged by what it must look like.

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use zeroize::Zeroizing;

use crate::Secret;

/// The length of a key.
const KEY: usize = 32;

/// The length of a key file: keys for tokens, for the configuration, and for values.
const FILE: usize = 3 * KEY;

/// The keys that privacyIDEA keeps beside its database (`PI_ENCFILE`).
pub struct EncryptionKeys {
    tokens: Secret<[u8; KEY]>,
    config: Secret<[u8; KEY]>,
}

/// Why a file holds no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionKeysError {
    /// It is encrypted with a password.
    #[error("the key file is itself encrypted with a password; name the plain one that it was made from")]
    Encrypted,
    /// It is something else.
    #[error("a key file has {FILE} bytes, and this one has {0}")]
    Length(usize),
}

impl EncryptionKeys {
    /// The keys in a file.
    ///
    /// # Errors
    /// [`EncryptionKeysError`].
    pub fn read(file: &Secret<Vec<u8>>) -> Result<Self, EncryptionKeysError> {
        let bytes = file.expose();
        // `IV:ciphertext` in hexadecimal.
        let is_encrypted = bytes.len() > FILE
            && bytes
                .trim_ascii()
                .iter()
                .all(|byte| byte.is_ascii_hexdigit() || *byte == b':');
        if is_encrypted {
            return Err(EncryptionKeysError::Encrypted);
        }
        let wrong = EncryptionKeysError::Length(bytes.len());
        let [tokens, config, _values] = bytes.as_chunks::<KEY>().0 else {
            return Err(wrong);
        };
        if bytes.len() != FILE {
            return Err(wrong);
        }
        Ok(Self {
            tokens: Secret::new(*tokens),
            config: Secret::new(*config),
        })
    }

    /// A token's seed, which is kept in hexadecimal; empty where there is none yet.
    pub(super) fn seed(&self, encrypted: &Secret<String>, iv: &str) -> Option<Secret<Vec<u8>>> {
        let text = open(&self.tokens, iv, encrypted.expose())?;
        let mut seed = Zeroizing::new(vec![0; text.expose().len() / 2]);
        hex::decode_to_slice(text.expose(), &mut seed).ok()?;
        Some(Secret::new(std::mem::take(&mut *seed)))
    }

    /// A PIN, from what stands behind `@@`.
    pub(super) fn pin(&self, encrypted: &str) -> Option<Secret<Vec<u8>>> {
        let (iv, text) = encrypted.split_once(':')?;
        let pin = open(&self.tokens, iv, text)?;
        std::str::from_utf8(pin.expose()).is_ok().then_some(pin)
    }

    /// Whether a password of the configuration opens.
    pub(super) fn opens_password(&self, encrypted: &Secret<String>) -> bool {
        let parts = encrypted.expose().split_once(':');
        let opened = parts.and_then(|(iv, text)| open(&self.config, iv, text));
        opened.is_some_and(|password| std::str::from_utf8(password.expose()).is_ok())
    }
}

fn open(key: &Secret<[u8; KEY]>, iv: &str, text: &str) -> Option<Secret<Vec<u8>>> {
    let mut nonce = [0; 16];
    hex::decode_to_slice(iv, &mut nonce).ok()?;
    let mut buffer = Zeroizing::new(hex::decode(text).ok()?);
    let cipher = Decryptor::<Aes256>::new(key.expose().into(), &nonce.into());
    let opened = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?;
    Some(Secret::new(opened.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // What privacyIDEA 3.12 wrote: a key file of the bytes from 0 to 95, a token's seed, its PIN, a resolver's password.
    const SEED: (&str, &str) = (
        "b36ca045b34c4434878e4dc73f493375",
        "33a6d178e9210a48cd811c3ebd7f81b999459bf9c19f9aa6c51fdc39234a1804efc8b35b5823bf7f56d75924315c3ae1",
    );
    const PIN: &str = "3cf76ac68a53858742f5332e8e1a00d8:9cbf05a3420707ef470d02e608debaea";
    const PASSWORD: &str = "a6b8ec39b22196c94bed715cba4643d7:d198e742b7f84dc87c429ffc64a557d8";

    fn keys() -> EncryptionKeys {
        EncryptionKeys::read(&Secret::new((0..96).collect())).unwrap()
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_the_real_program_encrypted_opens() {
        let keys = keys();
        let seed = keys.seed(&secret(SEED.1), SEED.0).unwrap();
        assert_eq!(hex::encode(seed.expose()), "86862168b7305d45fd5e69fc08d6a6c04177d092");
        assert_eq!(keys.pin(PIN).unwrap().expose(), "pin-ä7".as_bytes());
        assert!(keys.opens_password(&secret(PASSWORD)));
    }

    #[test]
    fn another_key_opens_nothing() {
        for file in 1..=100_u8 {
            let keys = EncryptionKeys::read(&Secret::new(vec![file; 96])).unwrap();
            assert!(keys.seed(&secret(SEED.1), SEED.0).is_none(), "{file}");
        }
    }

    #[test]
    fn what_was_mangled_opens_to_nothing() {
        let keys = keys();
        for (iv, text) in [
            ("", SEED.1),
            (SEED.0, ""),
            (SEED.0, "zz"),
            ("00", SEED.1),
            (SEED.0, "00"),
            (SEED.0, &SEED.1[2..]),
        ] {
            assert!(keys.seed(&secret(text), iv).is_none(), "{iv} {text}");
        }
        for text in ["", ":", "x", "00:00"] {
            assert!(keys.pin(text).is_none(), "{text}");
            assert!(!keys.opens_password(&secret(text)), "{text}");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let refused = |file: Vec<u8>| EncryptionKeys::read(&Secret::new(file)).err();
        for length in [0, 32, 95, 97, 128] {
            assert_eq!(refused(vec![0; length]), Some(EncryptionKeysError::Length(length)));
        }
        let encrypted = format!("{}:{}\n", "ab".repeat(16), "cd".repeat(112));
        assert_eq!(refused(encrypted.into_bytes()), Some(EncryptionKeysError::Encrypted));
    }
}
