//! Accounts and profiles: what is said of tenants and users, and who may log in.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::model::{Account, Closed, GroupId, Profile, TenantId, Timestamp, User, UserId};
use keyway_core::port::{Opening, OpeningOutcome, RevokeTarget, Revoked, Store, StoreError, TenantMove};
use serde_json::{Map, Value, json};

use crate::fixture::{
    NOW, acting_opening, added_tenant, added_user, is_live, master, open_session, opened, opening_of, own_opening,
    tenant, user, uuid,
};
use crate::overtake::{is_refused, race};
use crate::refresh::made;
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
async fn try_to_put(store: &dyn Store, account: &Account) -> Result<Revoked, StoreError> {
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

async fn found(store: &dyn Store, tenant: TenantId) -> Option<Account> {
    store.find_account(tenant).await.expect("an answer")
}

/// A user of a tenant other than the top one.
async fn user_in(store: &dyn Store, tenant: TenantId, login: &str) -> User {
    let new = user(tenant, login);
    store.add_user(&new).await.expect("added");
    new.user
}

async fn outcome(store: &dyn Store, opening: &Opening) -> OpeningOutcome {
    let outcome = store.open_session(opening.clone()).await.expect("an answer");
    assert_eq!(is_live(store, opening).await, outcome.is_opened());
    outcome
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

/// A tenant, a login of a user of it, one of a backend's own subject, and one in the tenant above that must live on.
async fn three_logins(store: &dyn Store) -> (TenantId, User, [Opening; 3]) {
    let tenant = added_tenant(store, "closing").await;
    let alice = user_in(store, tenant, "alice").await;
    let bob = added_user(store, "bob").await;
    let (other, _) = made(store, &bob, "web", false).await;
    let (own, _) = made(store, &alice, "web", false).await;
    let mut subject = own_opening(store).await;
    subject.session.identity.tenant = tenant;
    open_session(store, &subject).await;
    (tenant, alice, [own, subject, other])
}

async fn has_refresh_token(store: &dyn Store, opening: &Opening) -> bool {
    let found = store.find_refresh_token_of(opening.session.identity.id, "web").await;
    found.expect("an answer").is_some()
}

async fn check_ended(store: &dyn Store, revoked: Revoked, [own, subject, other]: &[Opening; 3]) {
    for opening in [own, subject] {
        assert!(!is_live(store, opening).await);
        assert!(revoked.sessions.contains(&opening.session.id));
        assert!(revoked.tokens.contains(&opening.token.digest));
    }
    assert_eq!((revoked.sessions.len(), revoked.tokens.len()), (2, 2));
    assert!(!has_refresh_token(store, own).await);
    assert!(is_live(store, other).await);
    assert!(has_refresh_token(store, other).await);
}

pub(crate) async fn an_account_that_closes_ends_what_its_users_hold_alone(store: Arc<dyn Store>) {
    let (tenant, _, logins) = three_logins(&*store).await;
    let revoked = put(&*store, &disabled(tenant)).await;
    check_ended(&*store, revoked, &logins).await;
    assert_eq!(put(&*store, &disabled(tenant)).await, Revoked::default());
}

pub(crate) async fn an_account_whose_trial_is_over_ends_what_its_users_hold(store: Arc<dyn Store>) {
    let (tenant, _, logins) = three_logins(&*store).await;
    let mut trial = Account {
        trial_expires_at: Some(Timestamp(NOW.0 + 1)),
        ..Account::of(tenant)
    };
    let cut = put(&*store, &trial).await;
    assert_eq!((cut.sessions.len(), cut.tokens.len()), (0, 2), "it is not over yet");
    assert!(is_live(&*store, &logins[0]).await);
    trial.trial_expires_at = Some(NOW);
    let revoked = put(&*store, &trial).await;
    check_ended(&*store, revoked, &logins).await;
}

pub(crate) async fn revoking_a_tenant_ends_what_its_users_hold_alone(store: Arc<dyn Store>) {
    let (tenant, alice, logins) = three_logins(&*store).await;
    let before = opening_of(&*store, &alice).await;
    let others = own_opening(&*store).await;
    let target = RevokeTarget::Tenant(tenant);
    let revoked = store.revoke(&target, NOW).await.expect("revoked");
    check_ended(&*store, revoked, &logins).await;
    assert!(is_refused(&*store, &before).await);
    assert!(!is_refused(&*store, &others).await);
    assert!(!is_refused(&*store, &opening_of(&*store, &alice).await).await);
    let nobody = RevokeTarget::Tenant(TenantId(uuid()));
    assert_eq!(store.revoke(&nobody, NOW).await.expect("revoked"), Revoked::default());
}

pub(crate) async fn nobody_logs_in_to_an_account_that_is_closed(store: Arc<dyn Store>) {
    let (above, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let (alice, bob) = (added_user(&*store, "alice").await, user_in(&*store, below, "bob").await);
    put(&*store, &disabled(above)).await;
    let opening = opening_of(&*store, &alice).await;
    assert_eq!(
        outcome(&*store, &opening).await,
        OpeningOutcome::Closed(Closed::Disabled)
    );
    let subject = own_opening(&*store).await;
    assert_eq!(
        outcome(&*store, &subject).await,
        OpeningOutcome::Closed(Closed::Disabled)
    );
    let others = opening_of(&*store, &bob).await;
    assert_eq!(
        outcome(&*store, &others).await,
        OpeningOutcome::Closed(Closed::Disabled),
        "so are those below it"
    );

    let begins = opening.session.opened_at;
    for (end, closed) in [(begins, Some(Closed::Expired(begins))), (Timestamp(begins.0 + 1), None)] {
        let account = Account {
            trial_expires_at: Some(end),
            ..Account::of(above)
        };
        put(&*store, &account).await;
        let opening = opening_of(&*store, &alice).await;
        match closed {
            Some(closed) => assert_eq!(outcome(&*store, &opening).await, OpeningOutcome::Closed(closed)),
            None => assert!(outcome(&*store, &opening).await.is_opened()),
        }
    }
    put(&*store, &disabled(above)).await;
    put(&*store, &Account::of(above)).await;
    let opening = opening_of(&*store, &alice).await;
    assert!(outcome(&*store, &opening).await.is_opened(), "it is open again");
}

pub(crate) async fn a_users_account_counts_wherever_its_session_is(store: Arc<dyn Store>) {
    let (here, there) = (
        added_tenant(&*store, "here").await,
        added_tenant(&*store, "there").await,
    );
    let alice = user_in(&*store, here, "alice").await;
    let elsewhere = async || {
        let mut opening = opening_of(&*store, &alice).await;
        opening.session.identity.tenant = there;
        opening
    };
    let live = elsewhere().await;
    open_session(&*store, &live).await;
    let before = elsewhere().await;
    let revoked = put(&*store, &disabled(here)).await;
    assert_eq!(revoked.tokens, [live.token.digest]);
    let closed = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &elsewhere().await).await, closed);
    put(&*store, &Account::of(here)).await;
    assert!(is_refused(&*store, &before).await, "it began before the account closed");
    put(&*store, &disabled(there)).await;
    assert_eq!(outcome(&*store, &elsewhere().await).await, closed);
}

pub(crate) async fn a_login_from_before_an_account_closed_is_refused_for_good(store: Arc<dyn Store>) {
    let (tenant, alice, _) = three_logins(&*store).await;
    let before = opening_of(&*store, &alice).await;
    put(&*store, &disabled(tenant)).await;
    assert_eq!(
        outcome(&*store, &before).await,
        OpeningOutcome::Closed(Closed::Disabled),
        "the reason is told that is still there"
    );
    put(&*store, &Account::of(tenant)).await;
    assert!(is_refused(&*store, &before).await);
    assert!(!is_refused(&*store, &opening_of(&*store, &alice).await).await);
}

pub(crate) async fn no_session_survives_an_account_that_closes_at_the_same_time(store: Arc<dyn Store>) {
    let tenant = added_tenant(&*store, "closing").await;
    let alice = user_in(&*store, tenant, "alice").await;
    for round in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let close = async {
            if round % 2 == 0 {
                put(&*store, &disabled(tenant)).await;
            } else {
                let target = RevokeTarget::Tenant(tenant);
                store.revoke(&target, NOW).await.expect("revoked");
            }
        };
        race(&store, openings, close).await;
        put(&*store, &Account::of(tenant)).await;
    }
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

/// A tenant below another one, and a user of it.
async fn branch(store: &dyn Store, parent: TenantId, name: &str) -> (TenantId, User) {
    let new = tenant(parent, name);
    store.add_tenant(&new).await.expect("added");
    let user = user_in(store, new.tenant.id, name).await;
    (new.tenant.id, user)
}

fn on_trial(tenant: TenantId, end: Timestamp) -> Account {
    Account {
        trial_expires_at: Some(end),
        ..Account::of(tenant)
    }
}

async fn end_of(store: &dyn Store, opening: &Opening) -> Option<Timestamp> {
    let found = store.find_token(&opening.token.digest).await.expect("an answer");
    found.map(|record| record.token.expires_at)
}

pub(crate) async fn an_account_that_closes_closes_those_below_it_until_it_opens(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (middle, _) = branch(&*store, top, "middle").await;
    let (bottom, alice) = branch(&*store, middle, "bottom").await;
    let (_, bob) = branch(&*store, master(&*store).await, "beside").await;
    let (own, _) = made(&*store, &alice, "web", false).await;
    let others = opened(&*store, &bob).await;
    let before = opening_of(&*store, &alice).await;

    let revoked = put(&*store, &disabled(top)).await;
    assert_eq!(revoked.tokens, [own.token.digest]);
    assert!(!is_live(&*store, &own).await && !has_refresh_token(&*store, &own).await);
    assert!(is_live(&*store, &others).await);
    let closed = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &opening_of(&*store, &alice).await).await, closed);
    assert_eq!(found(&*store, bottom).await, None, "nothing is said of those below");
    put(&*store, &on_trial(bottom, NOW)).await;
    let expired = OpeningOutcome::Closed(Closed::Expired(NOW));
    let opening = opening_of(&*store, &alice).await;
    assert_eq!(outcome(&*store, &opening).await, expired, "the nearest reason is told");

    put(&*store, &Account::of(bottom)).await;
    put(&*store, &Account::of(top)).await;
    assert!(is_refused(&*store, &before).await, "it began before the account closed");
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

pub(crate) async fn a_trial_cuts_the_tokens_that_would_outlive_it(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (bottom, alice) = branch(&*store, top, "bottom").await;
    let actor = opened(&*store, &alice).await;
    let bob = added_user(&*store, "bob").await;
    let acting = acting_opening(&*store, &actor, &bob).await;
    open_session(&*store, &acting).await;
    let others = opened(&*store, &bob).await;
    let asked = actor.token.expires_at;
    let (late, early) = (Timestamp(asked.0 - 1_000_000), Timestamp(asked.0 - 2_000_000));

    assert_eq!(put(&*store, &on_trial(top, asked)).await, Revoked::default());
    let cut = put(&*store, &on_trial(top, late)).await;
    assert_eq!(
        (cut.sessions.len(), cut.tokens.len()),
        (0, 2),
        "caches are to read them again"
    );
    for opening in [&actor, &acting] {
        assert!(cut.tokens.contains(&opening.token.digest));
        assert_eq!(end_of(&*store, opening).await, Some(late));
    }
    assert_eq!(end_of(&*store, &others).await, Some(asked));
    put(&*store, &on_trial(bottom, early)).await;
    assert_eq!(end_of(&*store, &actor).await, Some(early), "the earliest counts");
    put(&*store, &Account::of(bottom)).await;
    assert_eq!(end_of(&*store, &actor).await, Some(early), "what was cut stays cut");

    let opening = opening_of(&*store, &alice).await;
    match outcome(&*store, &opening).await {
        OpeningOutcome::Opened(opened) => assert_eq!(opened.cut_to, Some(late)),
        other => panic!("{other:?}"),
    }
    assert_eq!(end_of(&*store, &opening).await, Some(late));
    let opening = opening_of(&*store, &bob).await;
    match outcome(&*store, &opening).await {
        OpeningOutcome::Opened(opened) => assert_eq!(opened.cut_to, None),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_tenant_that_moves_is_closed_by_what_is_above_it_then(store: Arc<dyn Store>) {
    let (closed, trial) = (
        added_tenant(&*store, "closed").await,
        added_tenant(&*store, "trial").await,
    );
    put(&*store, &disabled(closed)).await;
    let (moving, alice) = branch(&*store, master(&*store).await, "moving").await;
    let (_, bob) = branch(&*store, moving, "below").await;
    let live = [opened(&*store, &alice).await, opened(&*store, &bob).await];
    let end = Timestamp(live[0].token.expires_at.0 - 1);
    put(&*store, &on_trial(trial, end)).await;
    let before = opening_of(&*store, &bob).await;

    let to = async |parent| match store.move_tenant(moving, parent, NOW).await.expect("an answer") {
        TenantMove::Moved(revoked) => revoked,
        other => panic!("{other:?}"),
    };
    let cut = to(trial).await;
    assert_eq!((cut.sessions.len(), cut.tokens.len()), (0, 2));
    for opening in &live {
        assert_eq!(end_of(&*store, opening).await, Some(end));
    }
    let ended = to(closed).await;
    assert_eq!((ended.sessions.len(), ended.tokens.len()), (2, 2));
    for opening in &live {
        assert!(!is_live(&*store, opening).await);
    }
    let refused = OpeningOutcome::Closed(Closed::Disabled);
    assert_eq!(outcome(&*store, &opening_of(&*store, &bob).await).await, refused);
    assert_eq!(to(master(&*store).await).await, Revoked::default());
    assert!(
        is_refused(&*store, &before).await,
        "it began before the tenant was closed"
    );
    assert!(is_live(&*store, &opened(&*store, &bob).await).await);
}

pub(crate) async fn no_session_survives_what_closes_above_it_at_the_same_time(store: Arc<dyn Store>) {
    let (top, closed) = (
        added_tenant(&*store, "top").await,
        added_tenant(&*store, "closed").await,
    );
    put(&*store, &disabled(closed)).await;
    let (middle, _) = branch(&*store, top, "middle").await;
    let (_, alice) = branch(&*store, middle, "bottom").await;
    for round in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let close = async {
            if round % 2 == 0 {
                put(&*store, &disabled(top)).await;
            } else {
                let moved = store.move_tenant(middle, closed, NOW).await.expect("an answer");
                assert!(matches!(moved, TenantMove::Moved(_)));
            }
        };
        race(&store, openings, close).await;
        put(&*store, &Account::of(top)).await;
        let back = store.move_tenant(middle, top, NOW).await.expect("an answer");
        assert!(matches!(back, TenantMove::Moved(_)));
    }
    assert!(is_live(&*store, &opened(&*store, &alice).await).await);
}

pub(crate) async fn no_token_outlives_a_trial_that_is_set_at_the_same_time(store: Arc<dyn Store>) {
    let top = added_tenant(&*store, "top").await;
    let (_, alice) = branch(&*store, top, "bottom").await;
    for _ in 0..10 {
        let openings = join_all((0..8).map(|_| opening_of(&*store, &alice))).await;
        let end = Timestamp(openings[0].token.expires_at.0 - 1);
        let tasks = openings.iter().map(|opening| {
            let (store, opening) = (Arc::clone(&store), opening.clone());
            tokio::spawn(async move { store.open_session(opening).await })
        });
        let tasks: Vec<_> = tasks.collect();
        tokio::task::yield_now().await;
        let trial = on_trial(top, end);
        let (outcomes, _) = futures::join!(join_all(tasks), put(&*store, &trial));
        for outcome in outcomes {
            assert!(outcome.expect("no panic").expect("an answer").is_opened());
        }
        for opening in &openings {
            assert_eq!(end_of(&*store, opening).await, Some(end));
        }
        put(&*store, &Account::of(top)).await;
    }
}

pub(crate) async fn moves_and_closings_at_once_do_not_stand_still(store: Arc<dyn Store>) {
    let (left, right) = (
        added_tenant(&*store, "left").await,
        added_tenant(&*store, "right").await,
    );
    let (moving, alice) = branch(&*store, left, "moving").await;
    for round in 0..20 {
        let parent = if round % 2 == 0 { right } else { left };
        let moves = [(moving, parent), (parent, moving), (left, right)].map(|(id, parent)| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.move_tenant(id, parent, NOW).await.map(drop) })
        });
        let puts = [left, right, moving].map(|tenant| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                try_to_put(&*store, &disabled(tenant)).await?;
                try_to_put(&*store, &Account::of(tenant)).await.map(drop)
            })
        });
        let opening = opening_of(&*store, &alice).await;
        let other = Arc::clone(&store);
        let open = tokio::spawn(async move { other.open_session(opening).await.map(drop) });
        for task in join_all(moves.into_iter().chain(puts).chain([open])).await {
            task.expect("no panic").expect("an answer");
        }
        let top = master(&*store).await;
        for tenant in [moving, left, right] {
            store.move_tenant(tenant, top, NOW).await.map(drop).expect("an answer");
        }
    }
}
