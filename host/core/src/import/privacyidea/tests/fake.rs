//! A database of privacyIDEA's, in memory, and what encrypts for it.

use aes::Aes256;
use async_trait::async_trait;
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};

use crate::Secret;
use crate::port::{
    PrivacyideaCounts, PrivacyideaDatabase, PrivacyideaMember, PrivacyideaOwner, PrivacyideaPolicy, PrivacyideaRealm,
    PrivacyideaResolver, PrivacyideaToken, PrivacyideaValue, StoreError,
};

/// The RFC's seed.
pub(super) const SEED: &[u8] = b"12345678901234567890";
pub(super) const IV: &str = "000102030405060708090a0b0c0d0e0f";

#[derive(Default)]
pub(super) struct Fake {
    pub(super) resolvers: Vec<PrivacyideaResolver>,
    pub(super) realms: Vec<PrivacyideaRealm>,
    pub(super) tokens: Vec<PrivacyideaToken>,
    pub(super) policies: Vec<PrivacyideaPolicy>,
    pub(super) settings: Vec<(String, String)>,
}

/// The bytes from 0 to 95.
pub(super) fn key_file() -> Vec<u8> {
    (0..96).collect()
}

/// In hexadecimal, under the first (0) or the second (1) of the keys.
pub(super) fn encrypted(key: usize, text: &[u8]) -> String {
    let file = key_file();
    let key: [u8; 32] = file[32 * key..32 * (key + 1)].try_into().unwrap();
    let iv: [u8; 16] = hex::decode(IV).unwrap().try_into().unwrap();
    hex::encode(Encryptor::<Aes256>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(text))
}

pub(super) fn token(serial: &str, kind: &str) -> PrivacyideaToken {
    PrivacyideaToken {
        id: 0,
        serial: serial.to_owned(),
        kind: kind.to_owned(),
        description: "a token".to_owned(),
        seed: Secret::new(encrypted(0, hex::encode(SEED).as_bytes())),
        seed_iv: IV.to_owned(),
        pin: Secret::new(String::new()),
        digits: 6,
        counter: 0,
        window: 10,
        sync_window: 1000,
        failures: 0,
        max_failures: 10,
        active: true,
        revoked: false,
        locked: false,
        rollout_state: String::new(),
        info: Vec::new(),
        owners: Vec::new(),
    }
}

pub(super) fn owned(serial: &str, resolver: &str, userid: &str) -> PrivacyideaToken {
    PrivacyideaToken {
        owners: vec![PrivacyideaOwner {
            resolver: resolver.to_owned(),
            userid: userid.to_owned(),
            realm: "realm1".to_owned(),
            login: None,
        }],
        ..token(serial, "hotp")
    }
}

pub(super) fn resolver(name: &str, kind: &str, settings: &[(&str, &str)]) -> PrivacyideaResolver {
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), PrivacyideaValue::Text((*value).to_owned()));
    PrivacyideaResolver {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings: settings.iter().map(text).collect(),
    }
}

pub(super) fn realm(name: &str, resolvers: &[&str]) -> PrivacyideaRealm {
    let member = |resolver: &&str| PrivacyideaMember {
        resolver: (*resolver).to_owned(),
        priority: None,
        node: String::new(),
    };
    PrivacyideaRealm {
        name: name.to_owned(),
        is_default: false,
        resolvers: resolvers.iter().map(member).collect(),
    }
}

#[async_trait]
impl PrivacyideaDatabase for Fake {
    async fn counts(&self) -> Result<PrivacyideaCounts, StoreError> {
        Ok(PrivacyideaCounts::default())
    }

    async fn resolvers(&self) -> Result<Vec<PrivacyideaResolver>, StoreError> {
        Ok(self.resolvers.clone())
    }

    async fn realms(&self) -> Result<Vec<PrivacyideaRealm>, StoreError> {
        Ok(self.realms.clone())
    }

    async fn policies(&self) -> Result<Vec<PrivacyideaPolicy>, StoreError> {
        Ok(self.policies.clone())
    }

    async fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(self.settings.clone())
    }

    async fn tokens(&self, after: i64, limit: u32) -> Result<Vec<PrivacyideaToken>, StoreError> {
        let numbered = (1..)
            .zip(&self.tokens)
            .map(|(id, token)| PrivacyideaToken { id, ..token.clone() });
        Ok(numbered.filter(|token| token.id > after).take(limit as usize).collect())
    }
}
