//! Challenges that wait for their answers.

use std::sync::Arc;

use keyway_core::model::Timestamp;
use keyway_core::port::{Store, StoredChallenge};

use crate::fixture::{NOW, digest};

/// Ends 100 microseconds from now.
fn challenge() -> StoredChallenge {
    StoredChallenge {
        digest: digest().hash,
        sealed: vec![0, 255, 7],
        expires_at: later(100),
        answered: false,
    }
}

fn later(micros: i64) -> Timestamp {
    Timestamp(NOW.0 + micros)
}

pub(crate) async fn a_challenge_is_found_until_it_expires(store: Arc<dyn Store>) {
    let challenges = [challenge(), challenge()];
    for challenge in &challenges {
        store.add_challenge(challenge).await.expect("added");
    }
    for challenge in challenges {
        let find = async |now| store.find_challenge(&challenge.digest, now).await.expect("an answer");
        assert_eq!(find(NOW).await.as_ref(), Some(&challenge));
        assert_eq!(find(later(99)).await.as_ref(), Some(&challenge));
        assert_eq!(find(later(100)).await, None);
    }
    let unknown = store.find_challenge(&digest().hash, NOW).await.expect("an answer");
    assert_eq!(unknown, None);
}

pub(crate) async fn a_challenge_is_finished_once_and_stays(store: Arc<dyn Store>) {
    let (one, late) = (challenge(), challenge());
    for challenge in [&one, &late] {
        store.add_challenge(challenge).await.expect("added");
    }
    let finish = async |digest, now| store.finish_challenge(digest, now).await.expect("an answer");
    assert!(finish(&one.digest, later(99)).await);
    assert!(!finish(&one.digest, later(99)).await);
    let found = store.find_challenge(&one.digest, later(99)).await.expect("an answer");
    assert_eq!(
        found,
        Some(StoredChallenge { answered: true, ..one }),
        "who polls is told"
    );
    assert!(!finish(&late.digest, later(100)).await, "expired");
    assert!(!finish(&digest().hash, NOW).await, "unknown");
    let found = store.find_challenge(&late.digest, NOW).await.expect("an answer");
    assert_eq!(found, Some(late));
}

pub(crate) async fn of_all_who_finish_a_challenge_at_once_one_does(store: Arc<dyn Store>) {
    for _ in 0..5 {
        let challenge = challenge();
        store.add_challenge(&challenge).await.expect("added");
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let (store, digest) = (Arc::clone(&store), challenge.digest);
                tokio::spawn(async move { store.finish_challenge(&digest, NOW).await.expect("an answer") })
            })
            .collect();
        let mut finished = 0;
        for task in tasks {
            finished += u32::from(task.await.expect("no panic"));
        }
        assert_eq!(finished, 1);
    }
}

pub(crate) async fn expired_challenges_are_swept_in_batches(store: Arc<dyn Store>) {
    let mut all = Vec::new();
    for expiry in [10, 20, 30, 40] {
        let mut new = challenge();
        new.expires_at = later(expiry);
        new.answered = expiry == 20;
        store.add_challenge(&new).await.expect("added");
        all.push(new);
    }
    let sweep = async |now, batch| store.sweep_challenges(later(now), batch).await.expect("swept");
    assert_eq!(sweep(10, 10).await, 0);
    assert_eq!(sweep(31, 2).await, 2);
    assert_eq!(sweep(31, 2).await, 1, "whether answered or not");
    assert_eq!(sweep(31, 2).await, 0);
    for (challenge, is_there) in all.iter().zip([false, false, false, true]) {
        let found = store.find_challenge(&challenge.digest, NOW).await.expect("an answer");
        assert_eq!(found.is_some(), is_there);
    }
}
