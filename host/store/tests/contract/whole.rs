//! Keys, and the store as a whole.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{KeyId, Timestamp};
use keyway_core::port::{KeyPurpose, SealedKey, Store, StoreError};

use crate::fixture::{digest, own_opening};

fn key(id: i32, created_at: i64) -> SealedKey {
    let sealed = vec![0, 255, u8::try_from(created_at).expect("a small number")];
    SealedKey {
        id: KeyId(id),
        purpose: KeyPurpose::TokenHash,
        sealed,
        created_at: Timestamp(created_at),
    }
}

pub(crate) async fn keys_are_listed_oldest_first(store: Arc<dyn Store>) {
    assert_eq!(store.list_keys(KeyPurpose::TokenHash).await.expect("the keys"), []);
    for key in [key(1, 30), key(2, 10), key(3, 20)] {
        assert!(store.add_key(&key).await.expect("an answer"));
    }
    let listed = store.list_keys(KeyPurpose::TokenHash).await.expect("the keys");
    assert_eq!(listed, [key(2, 10), key(3, 20), key(1, 30)]);
}

pub(crate) async fn of_two_keys_with_one_id_the_first_stays(store: Arc<dyn Store>) {
    let keys: Vec<SealedKey> = (0..8).map(|number| key(1, number)).collect();
    let added = join_all(keys.iter().map(|key| store.add_key(key))).await;
    let added: Vec<bool> = added.into_iter().map(|added| added.expect("an answer")).collect();
    assert_eq!(added.iter().filter(|added| **added).count(), 1, "{added:?}");
    let winner = keys
        .into_iter()
        .zip(added)
        .find(|(_, added)| *added)
        .map(|(key, _)| key);
    assert_eq!(
        store.list_keys(KeyPurpose::TokenHash).await.expect("the keys").first(),
        winner.as_ref()
    );
}

pub(crate) async fn a_store_answers_until_it_is_closed(store: Arc<dyn Store>) {
    store.ping().await.expect("an answer");
    let opening = own_opening(&*store).await;
    store.close().await;
    store.close().await;
    let errors = [
        store.ping().await.expect_err("closed"),
        store.find_token(&digest()).await.expect_err("closed"),
        store.open_session(opening).await.expect_err("closed"),
    ];
    assert!(
        errors
            .iter()
            .all(|error| matches!(error, StoreError::Unavailable { .. })),
        "{errors:?}"
    );
}
