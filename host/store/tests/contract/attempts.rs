//! Attempts to log in, as an account's administrators see them.

use std::sync::Arc;

use keyway_core::model::{GroupId, IdentityId, TenantId, Timestamp};
use keyway_core::port::{Attempt, NewAttempt, Store, StoreError};

use crate::fixture::{NOW, added_tenant, master, uuid};

const ALWAYS: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(i64::MAX));

fn attempt(tenant: TenantId, message: &str) -> NewAttempt {
    NewAttempt {
        at: NOW,
        tenant,
        identity: None,
        actor: None,
        kind: "user_auth".to_owned(),
        success: false,
        message: message.to_owned(),
        client: "2001:db8::1".to_owned(),
        user_agent: "curl/8".to_owned(),
        request_id: "0a0b".to_owned(),
    }
}

async fn record(store: &dyn Store, attempt: &NewAttempt) {
    store.record_attempt(attempt).await.expect("recorded");
}

async fn all(store: &dyn Store, tenant: TenantId) -> Vec<Attempt> {
    let list = store.list_attempts(tenant, ALWAYS.0, ALWAYS.1, 1000, 0).await;
    list.expect("a list").items
}

/// The messages, and both counts.
async fn told(
    store: &dyn Store,
    tenant: TenantId,
    (since, until): (Timestamp, Timestamp),
    (limit, offset): (u32, u32),
) -> (String, u64, u64) {
    let list = store.list_attempts(tenant, since, until, limit, offset).await;
    let list = list.expect("a list");
    let messages: Vec<_> = list.items.iter().map(|row| row.attempt.message.as_str()).collect();
    (messages.join(" "), list.total, list.filtered)
}

pub(crate) async fn an_attempt_is_found_as_it_was_recorded(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    let full = NewAttempt {
        identity: Some(IdentityId(uuid())),
        actor: Some(IdentityId(uuid())),
        kind: "impersonation".to_owned(),
        success: true,
        ..attempt(one, "\"été\"")
    };
    record(&*store, &full).await;
    record(&*store, &attempt(two, "x")).await;
    let found = all(&*store, one).await;
    let [row] = found.as_slice() else {
        panic!("not one: {found:?}");
    };
    assert_eq!(row.attempt, full);
    let find = async |tenant, id| store.find_attempt(tenant, id).await.expect("an answer");
    assert_eq!(find(one, row.id).await.as_ref(), Some(row));
    assert_eq!(find(two, row.id).await, None, "it is another account's");
    assert_eq!(find(one, i64::MAX).await, None);
    let nobody = store.record_attempt(&attempt(TenantId(uuid()), "x")).await;
    assert!(
        matches!(nobody, Err(StoreError::Missing { what: "tenant" })),
        "{nobody:?}"
    );
}

pub(crate) async fn no_text_of_a_stranger_keeps_an_attempt_out(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    let strange = NewAttempt {
        client: "\0".to_owned(),
        user_agent: "x".repeat(100_000),
        request_id: "\0".to_owned(),
        ..attempt(tenant, "a\0b")
    };
    record(&*store, &strange).await;
    assert_eq!(all(&*store, tenant).await.len(), 1);
}

pub(crate) async fn attempts_are_listed_newest_first_by_time_and_page(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    record(&*store, &attempt(two, "x")).await;
    // Not in the order in which they were made: some are written late.
    for (message, at) in [("b", 2), ("d", 4), ("a", 1), ("c", 3)] {
        let at = Timestamp(at);
        record(
            &*store,
            &NewAttempt {
                at,
                ..attempt(one, message)
            },
        )
        .await;
    }
    let rows = all(&*store, one).await;
    let at: Vec<_> = rows.iter().map(|row| row.attempt.at).collect();
    let whole = (10, 0);
    for (range, page, messages, filtered) in [
        (ALWAYS, whole, "d c b a", 4),
        (ALWAYS, (2, 1), "c b", 4),
        (ALWAYS, (2, 4), "", 4),
        ((at[2], ALWAYS.1), whole, "d c b", 3),
        ((at[2], at[0]), whole, "c b", 2),
        ((at[2], at[0]), (1, 1), "b", 2),
        ((at[0], at[0]), whole, "", 0),
    ] {
        let expected = (messages.to_owned(), 4, filtered);
        assert_eq!(told(&*store, one, range, page).await, expected);
    }
}

pub(crate) async fn attempts_go_with_their_tenant(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    for tenant in [one, two] {
        record(&*store, &attempt(tenant, "x")).await;
    }
    assert!(store.remove_tenant(one).await.expect("an answer"));
    store.remove_whole_tenant(two).await.expect("an answer").expect("one");
    for tenant in [one, two] {
        assert_eq!(all(&*store, tenant).await, []);
    }
}

pub(crate) async fn attempts_stay_with_the_top_tenant_when_its_id_changes(store: Arc<dyn Store>) {
    let (old, new) = (master(&*store).await, TenantId(uuid()));
    record(&*store, &attempt(old, "x")).await;
    let changed = store.adopt_top_tenant(new, GroupId(uuid())).await;
    changed.expect("an answer").expect("another id");
    assert_eq!(all(&*store, old).await, []);
    assert_eq!(all(&*store, new).await.len(), 1);
}

pub(crate) async fn old_attempts_are_swept_in_batches(store: Arc<dyn Store>) {
    let tenant = master(&*store).await;
    for message in ["a", "b", "c"] {
        record(&*store, &attempt(tenant, message)).await;
    }
    let at = Timestamp(NOW.0 + 1);
    record(
        &*store,
        &NewAttempt {
            at,
            ..attempt(tenant, "d")
        },
    )
    .await;
    for expected in [2, 1, 0] {
        assert_eq!(store.sweep_attempts(at, 2).await.expect("swept"), expected);
    }
    let left = told(&*store, tenant, ALWAYS, (10, 0)).await;
    assert_eq!(left, ("d".to_owned(), 1, 1));
}
