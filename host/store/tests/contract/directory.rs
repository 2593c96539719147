//! Users, their verifiers, and identities.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::Secret;
use keyway_core::model::{
    Direction, IdentityId, Page, Query, TenantId, TenantScope, Timestamp, User, UserId, login_key,
};
use keyway_core::port::{Revoked, Store, StoreError, StoredVerifier};

use crate::fixture::{
    added_tenant, added_user, backend, email, is_live, master, opened, own_opening, policies_of, policy, user, uuid,
};

fn verifier(text: &str) -> StoredVerifier {
    Secret::new(text.to_owned())
}

fn is_conflict<T: std::fmt::Debug>(outcome: Result<T, StoreError>, what: &str) -> bool {
    matches!(outcome.expect_err("refused"), StoreError::Conflict { what: taken } if taken == what)
}

pub(crate) async fn a_user_is_found_as_it_was_added(store: Arc<dyn Store>) {
    let mut full = user(master(&*store).await, "Alice");
    full.user.firstname = Some("Alice Ä".to_owned());
    full.user.enabled = false;
    full.user.emails = vec![email("z@example.org", true), email("A@Example.org", false)];
    full.user.emails[1].main = false;
    full.password = Some(verifier("$argon2id$x").into());
    let bare = user(master(&*store).await, "bob");
    for new in [full, bare] {
        store.add_user(&new).await.expect("added");
        let id = new.user.id;
        assert_eq!(store.find_user(id).await.expect("an answer").as_ref(), Some(&new.user));
        let key = login_key(&new.user.name());
        assert_eq!(
            store.find_users_by_login(&key, None).await.expect("an answer"),
            [new.user]
        );
        assert_eq!(
            store.find_verifier(id).await.expect("an answer"),
            new.password.map(|password| password.verifier)
        );
    }
    assert_eq!(store.find_user(UserId(uuid())).await.expect("an answer"), None);
    assert_eq!(store.find_users_by_login("carol", None).await.expect("an answer"), []);
    assert_eq!(store.find_verifier(UserId(uuid())).await.expect("an answer"), None);
}

pub(crate) async fn logins_are_unique_in_their_tenant_without_regard_to_case(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    store.add_user(&user(master, "JOSÉ")).await.expect("added");
    assert!(is_conflict(store.add_user(&user(master, "josé")).await, "login"));
    store
        .add_user(&user(other, "josé"))
        .await
        .expect("another tenant, another name");
}

pub(crate) async fn emails_are_unique_in_their_tenant_without_regard_to_case(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    let with_email = |tenant: TenantId, login: &str, address: &str| {
        let mut user = user(tenant, login);
        user.user.emails = vec![email(address, false)];
        user
    };
    store
        .add_user(&with_email(master, "a", "A@example.org"))
        .await
        .expect("added");
    assert!(is_conflict(
        store.add_user(&with_email(master, "b", "a@EXAMPLE.org")).await,
        "email"
    ));
    store
        .add_user(&with_email(other, "b", "a@example.org"))
        .await
        .expect("another tenant, another address");
}

pub(crate) async fn a_user_that_is_refused_leaves_nothing_behind(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let mut first = user(master, "alice");
    first.user.emails = vec![email("taken@example.org", true)];
    store.add_user(&first).await.expect("added");
    let mut second = user(master, "bob");
    second.user.emails = vec![email("free@example.org", true), email("taken@example.org", true)];
    assert!(is_conflict(store.add_user(&second).await, "email"));
    assert_eq!(store.find_user(second.user.id).await.expect("an answer"), None);
    second.user.emails.pop();
    store
        .add_user(&second)
        .await
        .expect("both the login and the free address are still free");
}

pub(crate) async fn a_user_needs_its_tenant(store: Arc<dyn Store>) {
    let error = store
        .add_user(&user(TenantId(uuid()), "alice"))
        .await
        .expect_err("refused");
    assert!(matches!(error, StoreError::Missing { what: "tenant" }), "{error:?}");
}

pub(crate) async fn a_login_in_two_tenants_is_ambiguous(store: Arc<dyn Store>) {
    let tenants = [
        master(&*store).await,
        added_tenant(&*store, "one").await,
        added_tenant(&*store, "two").await,
    ];
    let mut added: Vec<User> = Vec::new();
    for tenant in tenants {
        let mut new = user(tenant, "alice");
        new.user.emails = vec![email("alice@example.org", true)];
        store.add_user(&new).await.expect("added");
        added.push(new.user);
    }
    assert_eq!(
        store.find_users_by_login("alice", None).await.expect("an answer").len(),
        2
    );
    assert_eq!(
        store
            .find_users_by_email("alice@example.org", None)
            .await
            .expect("an answer")
            .len(),
        2
    );
    for user in added {
        let tenant = Some(user.tenant);
        let by_email = store
            .find_users_by_email("alice@example.org", tenant)
            .await
            .expect("an answer");
        assert_eq!(by_email.as_slice(), std::slice::from_ref(&user));
        assert_eq!(
            store.find_users_by_login("alice", tenant).await.expect("an answer"),
            [user]
        );
    }
}

pub(crate) async fn only_confirmed_emails_find_a_user(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    let mut new = user(master, "alice");
    new.user.emails = vec![email("Main@example.org", true), email("new@example.org", false)];
    store.add_user(&new).await.expect("added");
    for tenant in [None, Some(master)] {
        let found = store
            .find_users_by_email("main@example.org", tenant)
            .await
            .expect("an answer");
        assert_eq!(found, [new.user.clone()], "with all its addresses");
        assert_eq!(
            store
                .find_users_by_email("new@example.org", tenant)
                .await
                .expect("an answer"),
            []
        );
    }
    let elsewhere = Some(TenantId(uuid()));
    assert_eq!(
        store
            .find_users_by_email("main@example.org", elsewhere)
            .await
            .expect("an answer"),
        []
    );
}

pub(crate) async fn users_are_listed_by_login_in_pages(store: Arc<dyn Store>) {
    let (master, other) = (master(&*store).await, added_tenant(&*store, "other").await);
    for (tenant, login) in [
        (master, "d"),
        (other, "B"),
        (master, "a-1"),
        (master, "a1"),
        (other, "c"),
        (master, "é"),
        (master, "_"),
    ] {
        let mut new = user(tenant, login);
        new.user.emails = vec![email(&format!("2{login}@x"), true), email(&format!("1{login}@x"), true)];
        store.add_user(&new).await.expect("added");
    }
    let logins = async |tenant, offset, limit| {
        let query = Query {
            page: Page { offset, limit },
            ..Query::all(tenant)
        };
        let paged = store.list_users(&query).await.expect("a page");
        assert!(paged.items.iter().all(|user| user.emails.len() == 2));
        let logins: Vec<String> = paged.items.into_iter().filter_map(|user| user.login).collect();
        (logins.join(" "), paged.total)
    };
    assert_eq!(
        logins(TenantScope::All, 0, 1000).await,
        ("_ a-1 a1 B c d é".to_owned(), 7)
    );
    assert_eq!(logins(TenantScope::All, 1, 3).await, ("a-1 a1 B".to_owned(), 7));
    assert_eq!(logins(TenantScope::All, 7, 3).await, (String::new(), 7));
    assert_eq!(logins(TenantScope::Only(other), 0, 1000).await, ("B c".to_owned(), 2));
    assert_eq!(
        logins(TenantScope::Only(TenantId(uuid())), 0, 1000).await,
        (String::new(), 0)
    );
}

pub(crate) async fn a_search_counts_all_whom_it_finds_and_shows_a_page_of_them(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    for number in 0..300 {
        let side = if number % 100 == 0 { "rare" } else { "common" };
        let new = user(master, &format!("{side}{number:03}"));
        store.add_user(&new).await.expect("added");
    }
    let found = async |search: &str, offset, direction| {
        let query = Query {
            search: Some(search.to_owned()),
            page: Page { offset, limit: 2 },
            direction,
            ..Query::all(TenantScope::All)
        };
        let paged = store.list_users(&query).await.expect("a page");
        let logins: Vec<String> = paged.items.into_iter().filter_map(|user| user.login).collect();
        (logins.join(" "), paged.filtered, paged.total)
    };
    let (up, down) = (Direction::Ascending, Direction::Descending);
    for (search, offset, direction, logins, filtered) in [
        ("RARE", 0, up, "rare000 rare100", 3),
        ("rare", 2, up, "rare200", 3),
        ("rare", 3, up, "", 3),
        ("rare1", 0, up, "rare100", 1),
        ("common", 0, up, "common001 common002", 297),
        ("common", 0, down, "common299 common298", 297),
        ("common", 296, up, "common299", 297),
        ("common", 400, up, "", 297),
        ("o", 0, up, "common001 common002", 297),
        ("nobody", 0, up, "", 0),
        ("_", 0, up, "", 0),
    ] {
        let expected = (logins.to_owned(), filtered, 300);
        assert_eq!(found(search, offset, direction).await, expected, "{search} {offset}");
    }
}

pub(crate) async fn removing_a_user_ends_its_sessions_and_attachments(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (first, second, others) = (
        opened(&*store, &alice).await,
        opened(&*store, &alice).await,
        opened(&*store, &bob).await,
    );
    let policy = policy(alice.tenant, "p");
    store.add_policy(&policy).await.expect("added");
    for user in [&alice, &bob] {
        store.attach_policy(policy.id, user.id.into()).await.expect("attached");
    }
    let mut revoked = store
        .remove_user(alice.id)
        .await
        .expect("removed")
        .expect("there was one");
    revoked.tokens.sort();
    let mut tokens = [first.token.digest, second.token.digest];
    tokens.sort();
    assert_eq!(
        (revoked.tokens.as_slice(), revoked.sessions.len()),
        (tokens.as_slice(), 2)
    );
    assert!(!is_live(&*store, &first).await && !is_live(&*store, &second).await);
    assert!(is_live(&*store, &others).await);
    assert_eq!(store.find_user(alice.id).await.expect("an answer"), None);
    assert_eq!(store.find_verifier(alice.id).await.expect("an answer"), None);
    assert_eq!(policies_of(&*store, alice.id.into()).await, []);
    assert_eq!(policies_of(&*store, bob.id.into()).await, [policy]);
    assert_eq!(store.remove_user(alice.id).await.expect("an answer"), None);
    added_user(&*store, "alice").await;
}

pub(crate) async fn setting_a_password_ends_sessions(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (session, others) = (opened(&*store, &alice).await, opened(&*store, &bob).await);
    let new = verifier("$argon2id$second");
    let revoked = store
        .set_verifier(alice.id, &new.clone().into(), Timestamp(5))
        .await
        .expect("set")
        .expect("there is one");
    assert_eq!(
        revoked,
        Revoked {
            sessions: vec![session.session.id],
            tokens: vec![session.token.digest]
        }
    );
    assert!(!is_live(&*store, &session).await);
    assert!(is_live(&*store, &others).await);
    assert_eq!(
        store.find_verifier(alice.id).await.expect("an answer"),
        Some(new.clone())
    );
    assert_eq!(
        store
            .set_verifier(UserId(uuid()), &new.clone().into(), Timestamp(5))
            .await
            .expect("an answer"),
        None
    );

    let carol = user(alice.tenant, "carol");
    store.add_user(&carol).await.expect("added");
    let first = store
        .set_verifier(carol.user.id, &new.clone().into(), Timestamp(5))
        .await
        .expect("set");
    assert_eq!(first, Some(Revoked::default()));
    assert_eq!(store.find_verifier(carol.user.id).await.expect("an answer"), Some(new));
}

pub(crate) async fn a_password_is_changed_only_in_the_place_of_the_one_that_was_compared(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let session = opened(&*store, &alice).await;
    let (first, second, third) = (
        verifier("$argon2id$first"),
        verifier("$argon2id$second"),
        verifier("$argon2id$third"),
    );
    let change = async |id, current| {
        let third = third.clone().into();
        let changed = store.change_verifier(id, current, &third, Timestamp(5)).await;
        changed.expect("an answer")
    };
    assert_eq!(change(alice.id, &second).await, None);
    assert_eq!(change(UserId(uuid()), &first).await, None);
    assert!(is_live(&*store, &session).await, "nothing changed");
    let revoked = change(alice.id, &first).await.expect("it is the one");
    assert_eq!(revoked.tokens, [session.token.digest]);
    assert!(!is_live(&*store, &session).await);
    assert_eq!(
        store.find_verifier(alice.id).await.expect("an answer"),
        Some(third.clone())
    );
}

pub(crate) async fn renewing_a_verifier_ends_nothing(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let session = opened(&*store, &alice).await;
    let (current, renewed) = (verifier("$argon2id$first"), verifier("$argon2id$stronger"));
    assert!(
        store
            .renew_verifier(alice.id, &current, &renewed)
            .await
            .expect("an answer")
    );
    assert_eq!(store.find_verifier(alice.id).await.expect("an answer"), Some(renewed));
    assert!(is_live(&*store, &session).await);
}

pub(crate) async fn a_verifier_is_renewed_only_in_the_place_of_the_one_that_was_compared(store: Arc<dyn Store>) {
    let alice = added_user(&*store, "alice").await;
    let (compared, renewed) = (verifier("$argon2id$first"), verifier("$argon2id$first-again"));
    let set = verifier("$argon2id$changed-meanwhile");
    store
        .set_verifier(alice.id, &set.clone().into(), Timestamp(5))
        .await
        .expect("set");
    assert!(
        !store
            .renew_verifier(alice.id, &compared, &renewed)
            .await
            .expect("an answer")
    );
    assert_eq!(store.find_verifier(alice.id).await.expect("an answer"), Some(set));
    assert!(
        !store
            .renew_verifier(UserId(uuid()), &compared, &renewed)
            .await
            .expect("an answer")
    );
}

pub(crate) async fn a_subject_keeps_its_first_identity(store: Arc<dyn Store>) {
    let (ldap, other) = (backend("ldap"), backend("other"));
    let first = IdentityId(uuid());
    let resolve = async |backend, subject, fresh| {
        store
            .resolve_identity(backend, subject, fresh, Timestamp(1))
            .await
            .expect("an identity")
    };
    assert_eq!(resolve(&ldap, "uid=ana", first).await, first);
    assert_eq!(resolve(&ldap, "uid=ana", IdentityId(uuid())).await, first);
    let (of_other_case, of_other_backend) = (IdentityId(uuid()), IdentityId(uuid()));
    assert_eq!(
        resolve(&ldap, "uid=Ana", of_other_case).await,
        of_other_case,
        "subjects are taken to the letter"
    );
    assert_eq!(resolve(&other, "uid=ana", of_other_backend).await, of_other_backend);
    for (id, subject) in [
        (first, Some("uid=ana")),
        (of_other_case, Some("uid=Ana")),
        (of_other_backend, Some("uid=ana")),
        (IdentityId(uuid()), None),
    ] {
        assert_eq!(store.find_subject(id).await.expect("an answer").as_deref(), subject);
    }
}

pub(crate) async fn two_first_logins_of_a_subject_get_one_identity(store: Arc<dyn Store>) {
    let ldap = backend("ldap");
    let resolve = || store.resolve_identity(&ldap, "uid=ana", IdentityId(uuid()), Timestamp(1));
    let ids = join_all((0..16).map(|_| resolve())).await;
    let ids: Vec<IdentityId> = ids.into_iter().map(|id| id.expect("an identity")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

pub(crate) async fn texts_of_any_script_survive(store: Arc<dyn Store>) {
    for login in ["Ünïcode", "Ελένη", "نور", "名前", "a'b\"c;--", "👩‍🔧", "%_*", "\u{1}\t"] {
        let user = added_user(&*store, login).await;
        let found = store
            .find_users_by_login(&login_key(login), None)
            .await
            .expect("an answer");
        assert_eq!(found, [user]);
    }
}

pub(crate) async fn a_nul_is_neither_stored_nor_found(store: Arc<dyn Store>) {
    let master = master(&*store).await;
    assert_eq!(store.find_users_by_login("a\0", None).await.expect("an answer"), []);
    assert_eq!(
        store.find_users_by_email("a\0", Some(master)).await.expect("an answer"),
        []
    );
    assert_eq!(store.find_policy_by_name(master, "a\0").await.expect("an answer"), None);
    assert_eq!(store.find_policy_by_slug(master, "a\0").await.expect("an answer"), None);
    let mut opening = own_opening(&*store).await;
    opening.session.identity.login.push('\0');
    let ldap = backend("ldap");
    let refused = [
        store.add_user(&user(master, "a\0")).await.expect_err("refused"),
        store.add_policy(&policy(master, "a\0")).await.expect_err("refused"),
        store.open_session(opening).await.expect_err("refused"),
        store
            .resolve_identity(&ldap, "a\0", IdentityId(uuid()), Timestamp(1))
            .await
            .expect_err("refused"),
    ];
    assert!(
        refused
            .iter()
            .all(|error| matches!(error, StoreError::Inconsistent { .. })),
        "{refused:?}"
    );
}
