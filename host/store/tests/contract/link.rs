//! What mailed links do.

use std::sync::Arc;

use keyway_core::model::{EmailId, UserId};
use keyway_core::port::{OpeningOutcome, Store};

use crate::fixture::{NOW, added_user, email, is_live, master, opened, opening_of, user, uuid};

pub(crate) async fn an_address_is_confirmed_by_its_id(store: Arc<dyn Store>) {
    let mut new = user(master(&*store).await, "alice");
    new.user.emails = vec![email("a@example.org", false), email("b@example.org", false)];
    new.user.emails[1].main = false;
    store.add_user(&new).await.expect("added");
    let [first, second] = [new.user.emails[0].id, new.user.emails[1].id];
    assert_eq!(
        store.find_email_owner(first).await.expect("an answer"),
        Some(new.user.id)
    );
    for _ in 0..2 {
        assert!(store.confirm_email(second).await.expect("an answer"));
        let found = store.find_user(new.user.id).await.expect("an answer").expect("alice");
        let confirmed: Vec<_> = found.emails.iter().map(|email| (email.id, email.confirmed)).collect();
        assert_eq!(confirmed, [(first, false), (second, true)]);
    }
    let by_email = |address: &'static str| store.find_users_by_email(address, None);
    assert_eq!(by_email("a@example.org").await.expect("an answer"), []);
    assert_eq!(by_email("b@example.org").await.expect("an answer").len(), 1);
    let nobodys = EmailId(uuid());
    assert_eq!(store.find_email_owner(nobodys).await.expect("an answer"), None);
    assert!(!store.confirm_email(nobodys).await.expect("an answer"));
}

pub(crate) async fn removing_a_password_ends_sessions_and_refuses_logins_under_way(store: Arc<dyn Store>) {
    let (alice, bob) = (added_user(&*store, "alice").await, added_user(&*store, "bob").await);
    let (alices, bobs) = (opened(&*store, &alice).await, opened(&*store, &bob).await);
    let under_way = opening_of(&*store, &alice).await;
    let removed = store.remove_verifier(alice.id, NOW).await.expect("an answer");
    let removed = removed.expect("there is an alice");
    assert_eq!(removed.sessions, [alices.session.id]);
    assert_eq!(removed.tokens, [alices.token.digest]);
    assert!(!is_live(&*store, &alices).await);
    assert!(is_live(&*store, &bobs).await);
    assert_eq!(store.find_verifier(alice.id).await.expect("an answer"), None);
    assert!(store.find_verifier(bob.id).await.expect("an answer").is_some());
    let refused = store.open_session(under_way).await.expect("an answer");
    assert_eq!(refused, OpeningOutcome::Overtaken);
    assert!(store.remove_verifier(alice.id, NOW).await.expect("an answer").is_some());
    assert_eq!(
        store.remove_verifier(UserId(uuid()), NOW).await.expect("an answer"),
        None
    );
}
