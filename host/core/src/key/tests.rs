//! Rules of keys.

use super::*;
use crate::model::KeyId;
use crate::port::{Clock as _, KeyPurpose, KeyStore as _, Random as _, SealedKey, SystemRandom};
use crate::testing::{MemoryStore, StillClock};
use crate::token::TokenValue;

fn token(n: u128) -> TokenValue {
    TokenValue::new(uuid::Uuid::from_u128(n))
}

async fn open(store: &MemoryStore, master: &MasterKey) -> Result<KeyRing, KeyError> {
    KeyRing::open(store, master, &SystemRandom, &StillClock::new()).await
}

/// A key that follows the first.
pub(crate) fn second_key(master: &MasterKey) -> SealedKey {
    let (id, purpose) = (KeyId(2), KeyPurpose::TokenHash);
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    SealedKey {
        id,
        purpose,
        sealed: seal::seal(master, purpose, id, &Secret::new(bytes), &SystemRandom),
        created_at: StillClock::new().now(),
    }
}

/// RFC 5869, appendix A.1: the first 32 of its 42 bytes, which are one round.
#[test]
fn derivation_is_hkdf() {
    let salt: Vec<u8> = (0..=0x0c).collect();
    let label: Vec<u8> = (0xf0..=0xf9).collect();
    let key = derive::hkdf_sha256(&salt, &[0x0b; 22], &label);
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
    assert_eq!(hex::encode(key.expose()), expected);
}

#[test]
fn derived_keys_differ_by_label_and_by_master_key() {
    let (one, two) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
    assert!(one.derive("cache") == one.derive("cache"));
    assert!(one.derive("cache") != one.derive("seal"));
    assert!(one.derive("cache") != two.derive("cache"));
}

#[test]
fn a_key_shows_nothing_of_itself() {
    let master = MasterKey::new([0xab; 32]);
    assert_eq!(format!("{master:?}"), "MasterKey([secret])");
}

#[test]
fn a_sealed_key_opens_only_in_its_own_place() {
    let (master, purpose) = (MasterKey::new([1; 32]), KeyPurpose::TokenHash);
    let sealed = seal::seal(&master, purpose, KeyId(1), &Secret::new([9; 32]), &SystemRandom);
    let open = |master: &MasterKey, id, sealed: &[u8]| seal::open(master, purpose, KeyId(id), sealed);
    assert!(open(&master, 1, &sealed) == Some(Secret::new([9; 32])));
    assert!(open(&master, 2, &sealed).is_none());
    assert!(open(&MasterKey::new([2; 32]), 1, &sealed).is_none());
    assert!(open(&master, 1, &sealed[..20]).is_none());
    for at in [0, 30, sealed.len() - 1] {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(open(&master, 1, &altered).is_none(), "byte {at}");
    }
}

#[test]
fn a_sealed_secret_opens_only_in_its_own_place() {
    let master = MasterKey::new([1; 32]);
    let secret = Secret::from("s3cre7");
    let sealed = master.seal("setting/a", &secret, &SystemRandom);
    assert_eq!(master.open("setting/a", &sealed), Some(secret.clone()));
    assert!(master.open("setting/b", &sealed).is_none());
    assert!(MasterKey::new([2; 32]).open("setting/a", &sealed).is_none());
    assert_ne!(sealed, master.seal("setting/a", &secret, &SystemRandom));
}

#[test]
fn a_sealer_and_its_master_key_open_what_the_other_sealed() {
    let master = MasterKey::new([1; 32]);
    let (sealer, secret) = (Sealer::new(&master), Secret::from("s3cre7"));
    let by_master = master.seal("setting/a", &secret, &SystemRandom);
    assert_eq!(sealer.open("setting/a", &by_master), Some(secret.clone()));
    let by_sealer = sealer.seal("setting/a", &secret, &SystemRandom);
    assert_eq!(master.open("setting/a", &by_sealer), Some(secret));
    assert!(sealer.open("setting/b", &by_sealer).is_none());
    assert!(
        Sealer::new(&MasterKey::new([2; 32]))
            .open("setting/a", &by_sealer)
            .is_none()
    );
}

#[tokio::test]
async fn the_first_key_is_made_once() {
    let (store, master) = (MemoryStore::new(), MasterKey::new([1; 32]));
    let first = open(&store, &master).await.unwrap();
    let again = open(&store, &master).await.unwrap();
    assert_eq!(first.digest(&token(1)), again.digest(&token(1)));
    assert_ne!(first.digest(&token(1)), first.digest(&token(2)));
    assert_eq!(store.list_keys(KeyPurpose::TokenHash).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nodes_that_start_together_agree_on_one_key() {
    let (store, master) = (MemoryStore::new(), MasterKey::new([1; 32]));
    let pause = store.pause_new_keys().await;
    let both = async { tokio::join!(open(&store, &master), open(&store, &master)) };
    // Each has seen that there is no key before either writes one.
    let release = async {
        tokio::task::yield_now().await;
        drop(pause);
    };
    let ((one, two), ()) = tokio::join!(both, release);
    assert_eq!(one.unwrap().digest(&token(1)), two.unwrap().digest(&token(1)));
    assert_eq!(store.list_keys(KeyPurpose::TokenHash).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_token_is_stored_under_the_newest_key_and_an_old_one_is_found_under_its_own() {
    let (store, master) = (MemoryStore::new(), MasterKey::new([1; 32]));
    let old = open(&store, &master).await.unwrap().digest(&token(1));
    assert!(store.add_key(&second_key(&master)).await.unwrap());
    let ring = open(&store, &master).await.unwrap();
    assert_eq!(ring.digest(&token(1)).key, KeyId(2));
    let digests: Vec<_> = ring.digests(&token(1)).collect();
    assert_eq!(digests, [ring.digest(&token(1)), old]);
}

#[tokio::test]
async fn a_foreign_master_key_is_named_and_writes_nothing() {
    let store = MemoryStore::new();
    open(&store, &MasterKey::new([1; 32])).await.unwrap();
    let refused = open(&store, &MasterKey::new([2; 32])).await;
    assert!(matches!(refused, Err(KeyError::WrongMasterKey(1))));
    assert_eq!(store.list_keys(KeyPurpose::TokenHash).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_is_down_makes_no_keys() {
    let store = MemoryStore::new();
    store.set_down(true);
    assert!(matches!(
        open(&store, &MasterKey::new([1; 32])).await,
        Err(KeyError::Store(_))
    ));
}
