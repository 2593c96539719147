//! What is believed of an answer, and how much of it.

use keyway_core::model::{BackendName, UserId};
use uuid::Uuid;

use super::*;
use crate::vouch::Witness;

fn verified(subject: wit::Subject) -> wit::Principal {
    wit::Principal {
        subject,
        login: "alice".to_owned(),
        display_name: None,
        email: None,
        groups: Vec::new(),
        accesses: Vec::new(),
        attributes: Vec::new(),
    }
}

fn own() -> wit::Principal {
    verified(wit::Subject::Own("alice".to_owned()))
}

fn claim(user: UserId) -> wit::Outcome {
    wit::Outcome::Verified(verified(wit::Subject::Directory(user.to_string())))
}

fn subject_of(outcome: Result<Outcome, BackendFault>) -> Option<Subject> {
    match outcome {
        Ok(Outcome::Verified(principal)) => Some(principal.subject),
        Ok(outcome) => panic!("{outcome:?}"),
        Err(BackendFault::Broken(_)) => None,
        Err(fault) => panic!("{fault}"),
    }
}

#[test]
fn a_directory_user_is_believed_only_if_the_host_matched_the_password_or_found_it_for_a_link() {
    let (same, other) = (UserId(Uuid::from_u128(7)), UserId(Uuid::from_u128(8)));
    let believed = |witness: &Witness| subject_of(translate(claim(same), witness.of_login()));
    let searched = |witness: &Witness| subject_of(translate(claim(same), witness.of_search()));
    let mut witness = Witness::default();
    witness.matched(other);
    witness.found(other, true);
    assert_eq!((believed(&witness), searched(&witness)), (None, None));
    witness.found(same, false);
    assert_eq!(
        (believed(&witness), searched(&witness)),
        (None, Some(Subject::Found(same)))
    );
    witness.found(same, true);
    let linked = Some(Subject::Linked(same));
    assert_eq!(
        (believed(&witness), searched(&witness)),
        (linked.clone(), linked.clone())
    );
    witness.matched(same);
    assert_eq!(
        (believed(&witness), searched(&witness)),
        (Some(Subject::Directory(same)), linked)
    );
}

#[test]
fn somebody_of_another_backend_is_believed_only_as_that_one_said() {
    let (ldap, other) = (
        BackendName::parse("ldap").unwrap(),
        BackendName::parse("other").unwrap(),
    );
    let named = |backend: &BackendName, subject: &str| {
        wit::Subject::Delegated(wit::DelegatedSubject {
            backend: backend.to_string(),
            subject: subject.to_owned(),
        })
    };
    let claim = |subject: wit::Subject| wit::Outcome::Verified(verified(subject));
    let mut witness = Witness::default();
    let told = witness.verified(&ldap, &Subject::Own("bob".to_owned())).unwrap();
    let bob = Some(Subject::Delegated {
        backend: ldap.clone(),
        subject: "bob".to_owned(),
    });
    assert_eq!(subject_of(translate(claim(told), witness.of_login())), bob);
    for (backend, subject) in [(&ldap, "bobby"), (&other, "bob")] {
        let claimed = claim(named(backend, subject));
        assert_eq!(subject_of(translate(claimed, witness.of_login())), None);
    }
    // Whom it was only asked about, nobody has proved to be.
    witness.named(&ldap, &Subject::Own("carol".to_owned()));
    let carol = || claim(named(&ldap, "carol"));
    assert_eq!(subject_of(translate(carol(), witness.of_login())), None);
    assert!(subject_of(translate(carol(), witness.of_search())).is_some());
}

#[test]
fn what_another_backend_links_without_a_credential_lets_nobody_in() {
    let ldap = BackendName::parse("ldap").unwrap();
    let user = UserId(Uuid::from_u128(7));
    let mut witness = Witness::default();
    witness.named(&ldap, &Subject::Linked(user));
    assert_eq!(subject_of(translate(claim(user), witness.of_login())), None);
    let linked = Some(Subject::Linked(user));
    assert_eq!(subject_of(translate(claim(user), witness.of_search())), linked);
    witness.verified(&ldap, &Subject::Linked(user));
    assert_eq!(subject_of(translate(claim(user), witness.of_login())), linked);
}

#[test]
fn a_listing_has_bounds_of_its_own() {
    let many = |count: usize, bytes: usize| browse::Listing {
        principals: vec![
            wit::Principal {
                display_name: Some("a".repeat(bytes)),
                ..own()
            };
            count
        ],
        complete: true,
    };
    let witness = Witness::default();
    let listed = listing(many(200, 1000), 200, witness.of_search()).unwrap();
    assert_eq!((listed.principals.len(), listed.complete), (200, true));
    let over = listing(many(201, 10), 200, witness.of_search());
    assert!(matches!(over, Err(BackendFault::Broken(_))), "{over:?}");
    let over = listing(many(300, 4000), LISTED, witness.of_search());
    assert_eq!(over, Err(too_large()));
}

#[test]
fn an_answer_over_a_bound_is_a_fault() {
    let long_text = wit::Principal {
        login: "a".repeat(STRING_BYTES + 1),
        ..own()
    };
    let long_list = wit::Principal {
        groups: vec![String::new(); LIST_ENTRIES + 1],
        ..own()
    };
    let much = wit::Principal {
        attributes: vec![("a".repeat(2048), "b".repeat(2048)); 17],
        ..own()
    };
    for principal in [long_text, long_list, much] {
        assert_eq!(
            translate(wit::Outcome::Verified(principal), Witness::default().of_login()),
            Err(too_large())
        );
    }
    let state = wit::Challenge {
        kind: wit::ChallengeKind::Otp,
        prompt: String::new(),
        state: vec![0; STATE_BYTES + 1],
        attributes: Vec::new(),
    };
    assert_eq!(
        translate(wit::Outcome::Challenged(state), Witness::default().of_login()),
        Err(too_large())
    );
}

#[test]
fn an_answer_without_a_name_or_with_a_nul_is_broken() {
    let nameless = verified(wit::Subject::Own(String::new()));
    let nul = wit::Principal {
        email: Some("a\0b".to_owned()),
        ..own()
    };
    for principal in [nameless, nul] {
        assert!(matches!(
            translate(wit::Outcome::Verified(principal), Witness::default().of_login()),
            Err(BackendFault::Broken(_))
        ));
    }
}
