//! Accounts and profiles: what is said of tenants and users.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{Account, GroupId, Profile, TenantId, Timestamp, User, UserId};
use keyway_core::port::{Revoked, Store, StoreError};
use serde_json::{Map, Value, json};

use crate::fixture::{NOW, added_tenant, added_user, master, tenant, user, uuid};
use crate::user::conflict;

fn document(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(document) => document,
        other => panic!("no object: {other}"),
    }
}

fn full(tenant: TenantId) -> Account {
    Account {
        tenant,
        enabled: true,
        trial_expires_at: Some(Timestamp(NOW.0 + 1_000_000_000_000)),
        reseller: true,
        language: Some("en-us".to_owned()),
        timezone: Some("America/Los_Angeles".to_owned()),
        phone_numbers: vec!["+1 (415) 555-0100".to_owned(), "2000".to_owned(), "+3 49".to_owned()],
        api_key: u32::MAX,
        document: document(json!({ "z": [1, { "é": "a\u{0}b" }], "a": null })),
    }
}

pub(crate) fn disabled(tenant: TenantId) -> Account {
    Account {
        enabled: false,
        ..Account::of(tenant)
    }
}

fn with_numbers(tenant: TenantId, numbers: &[&str]) -> Account {
    Account {
        phone_numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
        ..Account::of(tenant)
    }
}

/// Puts an account in the place of whatever is there.
pub(crate) async fn try_to_put(store: &dyn Store, account: &Account) -> Result<Revoked, StoreError> {
    loop {
        let before = store.find_account(account.tenant).await?;
        let before = before.unwrap_or_else(|| Account::of(account.tenant));
        if let Some(revoked) = store.put_account(&before, account, NOW).await? {
            return Ok(revoked);
        }
    }
}

pub(crate) async fn put(store: &dyn Store, account: &Account) -> Revoked {
    try_to_put(store, account).await.expect("put")
}

/// Puts a profile in the place of whatever is there.
async fn put_profile(store: &dyn Store, profile: &Profile) -> Result<bool, StoreError> {
    let before = store.find_profile(profile.user).await?;
    let before = before.unwrap_or_else(|| Profile::of(profile.user));
    store.put_profile(&before, profile).await
}

pub(crate) async fn found(store: &dyn Store, tenant: TenantId) -> Option<Account> {
    store.find_account(tenant).await.expect("an answer")
}

/// A user of a tenant other than the top one.
pub(crate) async fn user_in(store: &dyn Store, tenant: TenantId, login: &str) -> User {
    let new = user(tenant, login);
    store.add_user(&new).await.expect("added");
    new.user
}

pub(crate) async fn an_account_is_found_as_it_was_put(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    assert_eq!(found(&*store, one).await, None);
    assert_eq!(store.list_accounts().await.expect("a list"), []);
    let account = full(one);
    assert_eq!(put(&*store, &account).await, Revoked::default());
    put(&*store, &disabled(two)).await;
    assert_eq!(found(&*store, one).await, Some(account.clone()));
    let mut all = store.list_accounts().await.expect("a list");
    all.sort_by_key(|account| account.tenant != one);
    assert_eq!(all, [account.clone(), disabled(two)]);

    let mut other = account;
    other.phone_numbers.swap(0, 2);
    other.phone_numbers.remove(1);
    other.trial_expires_at = None;
    other.language = None;
    put(&*store, &other).await;
    assert_eq!(found(&*store, one).await, Some(other));
    let nobody = try_to_put(&*store, &full(TenantId(uuid()))).await;
    assert!(
        matches!(nobody, Err(StoreError::Missing { what: "tenant" })),
        "{nobody:?}"
    );
}

pub(crate) async fn an_account_takes_the_place_of_what_was_read_alone(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "one").await;
    let (nothing, closed) = (Account::of(tenant), disabled(tenant));
    let put =
        async |before: &Account, account: &Account| store.put_account(before, account, NOW).await.expect("an answer");
    assert_eq!(put(&closed, &full(tenant)).await, None, "there is nothing yet");
    assert_eq!(found(&*store, tenant).await, None);
    assert!(put(&nothing, &closed).await.is_some());
    assert_eq!(put(&nothing, &full(tenant)).await, None, "what was read is out of date");
    assert_eq!(found(&*store, tenant).await, Some(closed.clone()));
    assert!(put(&closed, &full(tenant)).await.is_some());
    assert!(put(&full(tenant), &nothing).await.is_some());
    assert_eq!(found(&*store, tenant).await, Some(nothing));
}

pub(crate) async fn of_all_who_change_an_account_at_once_each_is_heard(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "one").await;
    let tasks = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            loop {
                let before = found(&*store, tenant).await.unwrap_or_else(|| Account::of(tenant));
                let counted = Account {
                    api_key: before.api_key + 1,
                    ..before.clone()
                };
                let put = store.put_account(&before, &counted, NOW).await;
                if put.expect("an answer").is_some() {
                    return;
                }
            }
        })
    });
    for task in join_all(tasks.collect::<Vec<_>>()).await {
        task.expect("no panic");
    }
    assert_eq!(found(&*store, tenant).await.expect("an account").api_key, 8);
}

pub(crate) async fn a_profile_takes_the_place_of_what_was_read_alone(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let nothing = Profile::of(alice.id);
    let verified = Profile {
        verified: true,
        ..nothing.clone()
    };
    let put = async |before: &Profile, profile: &Profile| store.put_profile(before, profile).await.expect("an answer");
    assert!(!put(&verified, &nothing).await);
    assert!(put(&nothing, &verified).await);
    assert!(!put(&nothing, &nothing).await, "what was read is out of date");
    let found = store.find_profile(alice.id).await.expect("an answer");
    assert_eq!(found, Some(verified));
}

pub(crate) async fn a_number_is_one_accounts_alone(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    put(&*store, &with_numbers(one, &["+1 415 555 0100", "2000"])).await;
    for numbers in [&["+14155550100"][..], &["3000", "(20)00"], &["3000", "30-00"]] {
        let taken = try_to_put(&*store, &with_numbers(two, numbers)).await;
        assert_eq!(conflict(taken), "phone number");
        assert_eq!(found(&*store, two).await, None, "nothing of it was written");
    }
    put(&*store, &with_numbers(two, &["14155550100"])).await;
    put(&*store, &with_numbers(one, &["2000"])).await;
    put(&*store, &with_numbers(two, &["+1-415-555-0100"])).await;
    let numbers = found(&*store, two).await.expect("an account").phone_numbers;
    assert_eq!(numbers, ["+1-415-555-0100"], "as it was given");
}

pub(crate) async fn of_two_accounts_that_take_a_number_at_once_one_gets_it(store: Arc<dyn Store>) {
    let tenants = join_all(["a", "b", "c", "d"].map(|name| added_tenant(&*store, name))).await;
    for round in 0..10 {
        let number = format!("+49 {round}");
        let tasks = tenants.iter().map(|tenant| {
            let (store, account) = (Arc::clone(&store), with_numbers(*tenant, &[&number]));
            tokio::spawn(async move { try_to_put(&*store, &account).await })
        });
        let mut won = 0;
        for put in join_all(tasks.collect::<Vec<_>>()).await {
            match put.expect("no panic") {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(conflict::<()>(Err(error)), "phone number"),
            }
        }
        assert_eq!(won, 1);
    }
}

pub(crate) async fn accounts_that_exchange_numbers_at_once_do_not_stand_still(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    let halves = [&["1", "2"][..], &["4", "3"]];
    for round in 0..20 {
        let tasks = [(one, halves[round % 2]), (two, halves[(round + 1) % 2])].map(|(tenant, numbers)| {
            let (store, account) = (Arc::clone(&store), with_numbers(tenant, numbers));
            tokio::spawn(async move { try_to_put(&*store, &account).await })
        });
        for put in join_all(tasks).await {
            if let Err(error) = put.expect("no panic") {
                assert_eq!(conflict::<()>(Err(error)), "phone number");
            }
        }
    }
}

pub(crate) async fn an_account_goes_with_its_tenant(store: Arc<dyn Store>) {
    let (one, two) = (added_tenant(&*store, "one").await, added_tenant(&*store, "two").await);
    put(&*store, &with_numbers(one, &["1"])).await;
    put(&*store, &with_numbers(two, &["2"])).await;
    assert!(store.remove_tenant(one).await.expect("an answer"));
    store.remove_whole_tenant(two).await.expect("an answer").expect("one");
    assert_eq!(store.list_accounts().await.expect("a list"), []);
    let three = added_tenant(&*store, "three").await;
    put(&*store, &with_numbers(three, &["1", "2"])).await;
}

pub(crate) async fn a_tenant_with_a_known_id_has_no_account_from_before(store: Arc<dyn Store>) {
    let new = tenant(master(&*store).await, "one");
    let id = new.tenant.id;
    store.add_tenant(&new).await.expect("added");
    put(&*store, &disabled(id)).await;
    assert!(store.remove_tenant(id).await.expect("an answer"));
    store.add_tenant(&new).await.expect("added");
    assert_eq!(found(&*store, id).await, None);
}

pub(crate) async fn an_account_stays_with_the_top_tenant_when_its_id_changes(store: Arc<dyn Store>) {
    let (old, new) = (master(&*store).await, TenantId(uuid()));
    put(&*store, &full(old)).await;
    let changed = store.adopt_top_tenant(new, GroupId(uuid())).await;
    changed.expect("an answer").expect("another id");
    assert_eq!(found(&*store, new).await, Some(full(new)));
    assert_eq!(found(&*store, old).await, None);
    let below = added_tenant(&*store, "below").await;
    let taken = try_to_put(&*store, &with_numbers(below, &["2000"])).await;
    assert_eq!(conflict(taken), "phone number");
}

pub(crate) async fn a_profile_is_found_as_it_was_put(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let find = async |id| store.find_profile(id).await.expect("an answer");
    assert_eq!(find(alice.id).await, None);
    let profile = Profile {
        user: alice.id,
        language: Some("de".to_owned()),
        timezone: Some("Europe/Berlin".to_owned()),
        verified: true,
        require_password_update: true,
        document: document(json!({ "a": "\u{0}" })),
    };
    assert!(put_profile(&*store, &profile).await.expect("put"));
    assert_eq!(find(alice.id).await, Some(profile.clone()));
    let asked = [bob.id, alice.id, UserId(uuid())];
    let listed = store.list_profiles(&asked).await.expect("a list");
    assert_eq!(listed, [profile]);
    assert_eq!(store.list_profiles(&[]).await.expect("a list"), []);
    assert!(put_profile(&*store, &Profile::of(bob.id)).await.expect("put"));
    assert!(put_profile(&*store, &Profile::of(alice.id)).await.expect("put"));
    assert_eq!(find(alice.id).await, Some(Profile::of(alice.id)));
    assert_eq!(store.list_profiles(&asked).await.expect("a list").len(), 2);
    let nobody = put_profile(&*store, &Profile::of(UserId(uuid()))).await;
    assert!(
        matches!(nobody, Err(StoreError::Missing { what: "user" })),
        "{nobody:?}"
    );
}

pub(crate) async fn a_profile_goes_with_its_user(store: Arc<dyn Store>) {
    let below = added_tenant(&*store, "below").await;
    let (alice, bob) = (added_user(&*store, "alice").await, user_in(&*store, below, "bob").await);
    for user in [&alice, &bob] {
        assert!(put_profile(&*store, &Profile::of(user.id)).await.expect("put"));
    }
    store.remove_user(alice.id).await.expect("an answer").expect("one");
    store.remove_whole_tenant(below).await.expect("an answer").expect("one");
    let asked = store.list_profiles(&[alice.id, bob.id]).await;
    assert_eq!(asked.expect("a list"), []);
    let mut again = user(alice.tenant, "alice");
    again.user.id = alice.id;
    again.chosen_id = true;
    store.add_user(&again).await.expect("added");
    assert_eq!(store.find_profile(alice.id).await.expect("an answer"), None);
}
