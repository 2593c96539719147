//! Users as they are changed: their names, their addresses, and how they prove who they are.

use std::sync::Arc;

use futures::future::join_all;
use keyway_core::Secret;
use keyway_core::model::{
    AuthenticationMethod, EmailId, IdentityId, Page, Purpose, Query, TenantId, TenantScope, Timestamp, User, UserId,
};
use keyway_core::port::{
    EmailChange, GroupFilter, NewUser, OpeningOutcome, PolicyFilter, Revoked, Store, StoreError, Uniqueness,
    UserChange, UserFilter,
};

use crate::fixture::{
    NOW, added_tenant, added_user, backend, email, is_live, master, opened, opening_of, policy, tenant, user, uuid,
};
use crate::group::group;

/// A user whose names are unique everywhere.
fn everywhere(tenant: TenantId, login: Option<&str>, address: Option<&str>) -> NewUser {
    let mut new = user(tenant, "");
    new.user.login = login.map(str::to_owned);
    new.user.emails = address.map(|address| email(address, false)).into_iter().collect();
    new.unique = Uniqueness::Everywhere;
    new
}

pub(crate) fn change_of(user: &User) -> UserChange {
    UserChange {
        login: user.login.clone(),
        firstname: user.firstname.clone(),
        lastname: user.lastname.clone(),
        purpose: Some(user.purpose),
        authentication_method: Some(user.authentication_method),
        enabled: Some(user.enabled),
    }
}

pub(crate) fn wanted(address: &str, main: bool, confirmed: Option<bool>) -> EmailChange {
    EmailChange {
        fresh: EmailId(uuid()),
        address: address.to_owned(),
        main,
        confirmed,
    }
}

pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    match result {
        Err(StoreError::Conflict { what }) => what,
        other => panic!("no conflict: {other:?}"),
    }
}

async fn update(store: &dyn Store, id: UserId, change: &UserChange) -> Option<(User, Revoked)> {
    let updated = store.update_user(id, change, Uniqueness::Everywhere, NOW).await;
    updated.expect("an answer")
}

async fn logins(store: &dyn Store, search: &str) -> String {
    let query = Query {
        search: Some(search.to_owned()),
        ..Query::all(TenantScope::All)
    };
    let paged = store.list_users(&query).await.expect("a list");
    let logins: Vec<_> = paged.items.iter().map(|user| user.name().into_owned()).collect();
    logins.join(" ")
}

pub(crate) async fn a_name_is_one_users_login_or_address_everywhere(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let add = async |login, address| store.add_user(&everywhere(below, login, address)).await;
    let first = everywhere(top, Some("Ana@Example.org"), Some("box@example.org"));
    store.add_user(&first).await.expect("added");
    assert_eq!(conflict(add(Some("ana@example.ORG"), None).await), "login");
    assert_eq!(conflict(add(Some("BOX@example.org"), None).await), "login");
    assert_eq!(conflict(add(None, Some("ANA@example.org")).await), "email");
    assert_eq!(conflict(add(Some("eve"), Some("Box@example.org")).await), "email");
    for _ in 0..2 {
        add(None, None).await.expect("nobody's name is no name");
    }
    let mut own = everywhere(below, Some("joe@example.org"), Some("JOE@example.org"));
    store
        .add_user(&own)
        .await
        .expect("a login may be the user's own address");
    // In the other tenant the names of the first are free, where only that is asked for.
    own = everywhere(below, Some("ana@example.org"), None);
    own.unique = Uniqueness::InTenant;
    store.add_user(&own).await.expect("added");
    own = everywhere(below, None, Some("Ana@example.org"));
    own.unique = Uniqueness::InTenant;
    assert_eq!(conflict(store.add_user(&own).await), "email");
}

/// Else who administers a tenant could rename an old user of its own to what users of other tenants are called, and shut them out.
pub(crate) async fn nobody_gets_in_front_of_another_tenants_user_with_its_name(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let mut elder = everywhere(below, Some("elder"), None);
    let mut younger = everywhere(top, Some("boss"), Some("boss@example.org"));
    (elder.unique, younger.unique) = (Uniqueness::InTenant, Uniqueness::InTenant);
    younger.user.created_at = Timestamp(NOW.0 + 1);
    younger.user.emails[0].confirmed = true;
    for new in [&elder, &younger] {
        store.add_user(new).await.expect("added");
    }
    let rename = UserChange {
        login: Some("BOSS".to_owned()),
        ..change_of(&elder.user)
    };
    let renamed = store
        .update_user(elder.user.id, &rename, Uniqueness::InTenant, NOW)
        .await;
    assert_eq!(conflict(renamed), "login");
    let address = [wanted("Boss@example.org", true, Some(true))];
    let set = store.set_emails(elder.user.id, &address, Uniqueness::InTenant).await;
    assert_eq!(conflict(set), "email");

    // A later one may have the name, and comes second.
    let mut latest = everywhere(below, Some("boss"), Some("boss@example.org"));
    latest.unique = Uniqueness::InTenant;
    latest.user.created_at = Timestamp(NOW.0 + 2);
    latest.user.emails[0].confirmed = true;
    store.add_user(&latest).await.expect("added");
    let ids = |users: Vec<User>| users.iter().map(|user| user.id).collect::<Vec<_>>();
    let in_order = [younger.user.id, latest.user.id];
    assert_eq!(
        ids(store.find_users_by_login("boss", None).await.expect("found")),
        in_order
    );
    assert_eq!(
        ids(store
            .find_users_by_email("boss@example.org", None)
            .await
            .expect("found")),
        in_order
    );
}

pub(crate) async fn of_all_who_ask_for_a_name_at_once_one_gets_it(store: Arc<dyn Store>) {
    let mut tenants = vec![master(&*store).await];
    for name in ["a", "b", "c"] {
        tenants.push(added_tenant(&*store, name).await);
    }
    let users: Vec<_> = (0..24)
        .map(|n| {
            let tenant = tenants[n % 4];
            // Half of them ask for the names in the other order.
            if n % 8 < 4 {
                everywhere(tenant, Some("x@example.org"), Some("y@example.org"))
            } else {
                everywhere(tenant, Some("Y@example.org"), Some("X@example.org"))
            }
        })
        .collect();
    let added = join_all(users.iter().map(|user| store.add_user(user))).await;
    assert_eq!(added.iter().filter(|added| added.is_ok()).count(), 1, "{added:?}");
    let refused = |added: &&Result<(), StoreError>| matches!(added, Err(StoreError::Conflict { .. }));
    assert_eq!(added.iter().filter(refused).count(), 23, "{added:?}");

    // The same of those who take the names with a change.
    let (first, second) = (
        everywhere(tenants[0], Some("1"), None),
        everywhere(tenants[1], Some("2"), None),
    );
    for new in [&first, &second] {
        store.add_user(new).await.expect("added");
    }
    let login = UserChange {
        login: Some("z@example.org".to_owned()),
        ..change_of(&first.user)
    };
    let address = [wanted("Z@example.org", true, None)];
    let (taken, set) = tokio::join!(
        store.update_user(first.user.id, &login, Uniqueness::Everywhere, NOW),
        store.set_emails(second.user.id, &address, Uniqueness::Everywhere),
    );
    assert!(taken.is_ok() != set.is_ok(), "{taken:?} {set:?}");
}

pub(crate) async fn a_user_is_replaced_by_what_it_is_now(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let mut new = user(top, "Ana");
    new.user.firstname = Some("Old".to_owned());
    new.user.emails = vec![email("Box@example.org", true)];
    store.add_user(&new).await.expect("added");
    let change = UserChange {
        login: Some("Éva".to_owned()),
        firstname: None,
        lastname: Some("Müller".to_owned()),
        purpose: Some(Purpose::ExternalApi),
        authentication_method: Some(AuthenticationMethod::Native),
        enabled: Some(true),
    };
    let (changed, revoked) = update(&*store, new.user.id, &change).await.expect("a user");
    assert_eq!(revoked, Revoked::default());
    let expected = User {
        login: change.login.clone(),
        firstname: None,
        lastname: change.lastname.clone(),
        purpose: Purpose::ExternalApi,
        authentication_method: AuthenticationMethod::Native,
        ..new.user.clone()
    };
    assert_eq!(changed, expected);
    assert_eq!(
        store.find_user(new.user.id).await.expect("an answer"),
        Some(expected.clone())
    );
    let by_login = store.find_users_by_login("éva", None).await.expect("an answer");
    assert_eq!(by_login, [expected]);
    assert_eq!(store.find_users_by_login("ana", None).await.expect("an answer"), []);
    for (search, found) in [
        ("ÉVA", "Éva"),
        ("mül", "Éva"),
        ("box@", "Éva"),
        ("ana", ""),
        ("old", ""),
    ] {
        assert_eq!(logins(&*store, search).await, found, "{search}");
    }
    assert_eq!(update(&*store, UserId(uuid()), &change).await, None);
}

pub(crate) async fn a_new_login_must_be_free_and_the_old_one_may_stay(store: Arc<dyn Store>) {
    let (top, below) = (master(&*store).await, added_tenant(&*store, "below").await);
    let (alice, other) = (user(top, "alice"), user(below, "Alice"));
    for new in [&alice, &other] {
        store.add_user(new).await.expect("each in its tenant");
    }
    let renamed = UserChange {
        firstname: Some("A".to_owned()),
        login: Some("ALICE".to_owned()),
        ..change_of(&alice.user)
    };
    let (changed, _) = update(&*store, alice.user.id, &renamed).await.expect("a user");
    assert_eq!(changed.login.as_deref(), Some("ALICE"));
    let bob = everywhere(top, Some("bob"), Some("bob@example.org"));
    store.add_user(&bob).await.expect("added");
    for login in ["Bob", "BOB@example.org"] {
        let taken = UserChange {
            login: Some(login.to_owned()),
            ..change_of(&other.user)
        };
        let refused = store
            .update_user(other.user.id, &taken, Uniqueness::Everywhere, NOW)
            .await;
        assert_eq!(conflict(refused), "login", "{login}");
    }
    let nameless = UserChange {
        login: None,
        ..change_of(&alice.user)
    };
    let (changed, _) = update(&*store, alice.user.id, &nameless).await.expect("a user");
    assert_eq!(changed.login, None);
}

pub(crate) async fn disabling_a_user_ends_its_sessions_and_refuses_logins_under_way(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (session, others) = (opened(&*store, &alice).await, opened(&*store, &bob).await);
    let under_way = opening_of(&*store, &alice).await;
    let disabled = UserChange {
        enabled: Some(false),
        ..change_of(&alice)
    };
    let (_, revoked) = update(&*store, alice.id, &disabled).await.expect("a user");
    assert_eq!(revoked.tokens, [session.token.digest]);
    assert_eq!(revoked.sessions, [session.session.id]);
    assert!(!is_live(&*store, &session).await && is_live(&*store, &others).await);
    let (_, revoked) = update(&*store, alice.id, &change_of(&alice)).await.expect("a user");
    assert_eq!(revoked, Revoked::default());
    let outcome = store.open_session(under_way).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Overtaken);
    let live = opened(&*store, &alice).await;
    update(&*store, alice.id, &change_of(&alice)).await.expect("a user");
    assert!(
        is_live(&*store, &live).await,
        "a change that lets it log in ends nothing"
    );
}

pub(crate) async fn addresses_are_replaced_and_kept_ones_stay_what_they_are(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let mut new = user(top, "alice");
    new.user.emails = vec![email("One@example.org", true), email("two@example.org", true)];
    new.user.emails[1].main = false;
    store.add_user(&new).await.expect("added");
    let id = new.user.id;
    let set = async |emails: &[EmailChange]| {
        let set = store.set_emails(id, emails, Uniqueness::Everywhere).await.expect("set");
        let user = set.expect("a user");
        let stored = store.find_user(id).await.expect("an answer");
        assert_eq!(stored.as_ref(), Some(&user));
        user.emails
    };
    let emails = set(&[
        wanted("three@example.org", true, None),
        wanted("ONE@example.org", false, None),
    ])
    .await;
    assert_eq!((emails[0].confirmed, emails[0].main), (false, true));
    let kept = (
        emails[1].id,
        emails[1].address.as_str(),
        emails[1].confirmed,
        emails[1].main,
    );
    assert_eq!(kept, (new.user.emails[0].id, "ONE@example.org", true, false));
    assert_eq!(logins(&*store, "three@").await, "alice");
    assert_eq!(logins(&*store, "two@").await, "");
    let emails = set(&[
        wanted("three@example.org", true, Some(true)),
        wanted("one@example.org", false, Some(false)),
    ])
    .await;
    assert_eq!((emails[0].confirmed, emails[1].confirmed), (true, false));

    let mut bob = user(top, "bob@example.org");
    bob.user.emails = vec![email("box@example.org", true)];
    store.add_user(&bob).await.expect("added");
    for taken in ["BOB@example.org", "Box@example.org"] {
        let refused = store
            .set_emails(id, &[wanted(taken, true, None)], Uniqueness::Everywhere)
            .await;
        assert_eq!(conflict(refused), "email", "{taken}");
    }
    let stored = store.find_user(id).await.expect("an answer").expect("a user");
    assert_eq!(stored.emails, emails, "what is refused changes nothing");
    assert_eq!(set(&[]).await, []);
    let unknown = store.set_emails(UserId(uuid()), &[], Uniqueness::Everywhere).await;
    assert_eq!(unknown.expect("an answer"), None);
}

pub(crate) async fn a_chosen_id_takes_over_nothing(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let first = added_user(&*store, "alice").await;
    let mut twin = user(top, "twin");
    twin.user.id = first.id;
    assert_eq!(conflict(store.add_user(&twin).await), "user id");
    let subject = IdentityId(uuid());
    let ldap = backend("ldap");
    let resolved = store.resolve_identity(&ldap, "uid=ana", subject, Timestamp(1)).await;
    assert_eq!(resolved.expect("an identity"), subject);
    twin.user.id = UserId(subject.0);
    assert_eq!(conflict(store.add_user(&twin).await), "user id");

    let (stray, own) = (policy(top, "stray"), policy(top, "own"));
    for policy in [&stray, &own] {
        store.add_policy(policy).await.expect("added");
    }
    let mut chosen = user(top, "chosen");
    store
        .attach_policy(stray.id, chosen.user.id.into())
        .await
        .expect("attached to nobody");
    chosen.policies = vec![own.id];
    store.add_user(&chosen).await.expect("added");
    let query = Query {
        filter: PolicyFilter {
            holder: Some(chosen.user.id.into()),
            ..PolicyFilter::default()
        },
        ..Query::all(TenantScope::All)
    };
    assert_eq!(store.list_policies(&query).await.expect("a list").items, [own]);
    let mut wrong = user(top, "wrong");
    wrong.policies = vec![policy(top, "unknown").id];
    let refused = store.add_user(&wrong).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Missing { what: "policy" }), "{refused:?}");
    assert_eq!(store.find_user(wrong.user.id).await.expect("an answer"), None);
}

pub(crate) async fn a_login_of_a_removed_user_opens_nothing_for_the_next_with_its_id(store: Arc<dyn Store>) {
    let mut again = user(master(&*store).await, "alice");
    store.add_user(&again).await.expect("added");
    let under_way = opening_of(&*store, &again.user).await;
    store.remove_user(again.user.id).await.expect("removed");
    again.chosen_id = true;
    store.add_user(&again).await.expect("added");
    let outcome = store.open_session(under_way).await.expect("an answer");
    assert_eq!(outcome, OpeningOutcome::Overtaken);
    opened(&*store, &again.user).await;
}

pub(crate) async fn a_password_counts_only_where_the_method_is_native(store: Arc<dyn Store>) {
    use AuthenticationMethod::{Default, Ldap, Native, Saml};

    let mut of_ldap = tenant(master(&*store).await, "ldap");
    of_ldap.tenant.authentication_method = Ldap;
    store.add_tenant(&of_ldap).await.expect("added");
    for (tenant, methods) in [
        (
            master(&*store).await,
            [(Default, Native), (Native, Native), (Ldap, Ldap), (Saml, Saml)],
        ),
        (
            of_ldap.tenant.id,
            [(Default, Ldap), (Native, Native), (Ldap, Ldap), (Saml, Saml)],
        ),
    ] {
        let mut new = user(tenant, "alice");
        new.password = Some(Secret::new("$argon2id$x".to_owned()).into());
        store.add_user(&new).await.expect("added");
        let id = new.user.id;
        for (own, resolved) in methods {
            store.set_authentication_method(&[id], own, None).await.expect("set");
            let found = store.find_authentication_method(id).await.expect("an answer");
            assert_eq!(found, Some(resolved), "{own:?}");
            let verifier = store.find_verifier(id).await.expect("an answer");
            assert_eq!(verifier.is_some(), resolved == Native, "{own:?}");
        }
    }
    let unknown = store.find_authentication_method(UserId(uuid())).await;
    assert_eq!(unknown.expect("an answer"), None);
}

pub(crate) async fn a_method_is_set_for_many_or_in_the_place_of_another(store: Arc<dyn Store>) {
    use AuthenticationMethod::{Default, Ldap, Saml};

    let (alice, bob) = (
        added_user(&*store, "alice").await.id,
        added_user(&*store, "bob").await.id,
    );
    let methods = async || {
        let mut methods = Vec::new();
        for id in [alice, bob] {
            let user = store.find_user(id).await.expect("an answer").expect("a user");
            methods.push(user.authentication_method);
        }
        methods
    };
    let users = [bob, UserId(uuid()), alice];
    store.set_authentication_method(&users, Ldap, None).await.expect("set");
    assert_eq!(methods().await, [Ldap, Ldap]);
    store
        .set_authentication_method(&[alice], Saml, None)
        .await
        .expect("set");
    store
        .set_authentication_method(&users, Default, Some(Ldap))
        .await
        .expect("set");
    assert_eq!(methods().await, [Saml, Default]);
}

pub(crate) async fn a_groups_members_and_a_members_groups_are_counted_alone(store: Arc<dyn Store>) {
    let top = master(&*store).await;
    let (staff, crew) = (group(top, "Staff"), group(top, "crew"));
    for group in [&staff, &crew] {
        store.add_group(group).await.expect("added");
    }
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    added_user(&*store, "carol").await;
    for member in [&alice, &bob] {
        store.add_group_member(staff.id, member.id).await.expect("added");
    }
    store.add_group_member(crew.id, alice.id).await.expect("added");
    let of_staff = Query {
        filter: UserFilter {
            group: Some(staff.id),
            login: Some("bob".to_owned()),
            ..UserFilter::default()
        },
        ..Query::all(TenantScope::All)
    };
    let paged = store.list_users(&of_staff).await.expect("a list");
    assert_eq!((paged.total, paged.filtered, paged.items.len()), (2, 1, 1));
    let of_alice = Query {
        filter: GroupFilter {
            member: Some(alice.id),
            name: Some("crew".to_owned()),
            ..GroupFilter::default()
        },
        page: Page { offset: 0, limit: 5 },
        ..Query::all(TenantScope::All)
    };
    let paged = store.list_groups(&of_alice).await.expect("a list");
    assert_eq!((paged.total, paged.filtered), (3, 1), "with the group of all users");
    let names = async |id, limit| store.group_names(id, limit).await.expect("an answer");
    assert_eq!(names(alice.id, 9).await, ["crew", "Staff"]);
    assert_eq!(names(alice.id, 1).await, ["crew"]);
    assert_eq!(names(UserId(uuid()), 9).await, [""; 0]);
}
