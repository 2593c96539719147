//! API keys of accounts. They follow from the account and a key of the server's, so that one can be shown again though nothing of it is stored.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::Secret;
use crate::key::{MasterKey, keyed};
use crate::model::TenantId;

/// The length of a key: hexadecimal digits, in lower case.
const DIGITS: usize = 64;

/// What makes API keys, and what they are found by.
pub(crate) struct AccountKeys {
    making: Hmac<Sha256>,
    finding: Hmac<Sha256>,
}

impl AccountKeys {
    pub(super) fn new(master: &MasterKey) -> Self {
        Self {
            making: keyed(master.derive("keyway/account-key/v1").expose()),
            finding: keyed(master.derive("keyway/account-key-index/v1").expose()),
        }
    }

    /// The key of an account that was made anew so often.
    pub(crate) fn key(&self, tenant: TenantId, counter: u32) -> Secret<String> {
        let mut hmac = self.making.clone();
        hmac.update(tenant.0.as_bytes());
        hmac.update(&counter.to_be_bytes());
        Secret::new(hex::encode(hmac.finalize().into_bytes()))
    }

    /// What a key is found by: a keyed hash, so that how long a look-up takes says nothing of any key. `None` for a text that is no key.
    pub(super) fn place(&self, text: &str) -> Option<[u8; 32]> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == DIGITS && text.bytes().all(is_digit)).then(|| {
            let mut hmac = self.finding.clone();
            hmac.update(text.as_bytes());
            hmac.finalize().into_bytes().into()
        })
    }
}
