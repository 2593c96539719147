//! What a backend can do besides verifying credentials: found by its exports, and held to what a login is held to.

use std::time::{Duration, Instant};

use keyway_core::Secret;
use keyway_core::model::{Changed, Found, Principal, Refusal, Rejection, Subject};
use keyway_core::port::{
    Abilities, BackendFault, BrowseRequest, ChangeRequest, Listing, LookupKey, LookupRequest, RequestContext,
};
use keyway_runtime::{BackendSpec, Instances, Limits};

use crate::host::{ALICE, PASSWORD, TestHost, spec};

impl TestHost {
    async fn find(&self, key: LookupKey) -> Result<Option<Found>, BackendFault> {
        let slot = self.slot("hostile");
        let request = LookupRequest {
            context: RequestContext::default(),
            key,
            deadline: Instant::now() + slot.deadline,
        };
        slot.backend.lookup(request).await
    }

    pub(crate) async fn find_by_name(&self, name: &str) -> Result<Option<Found>, BackendFault> {
        self.find(LookupKey::Identifier(name.to_owned())).await
    }

    async fn change(&self, identifier: &str, present: &str, new: &str) -> Result<Option<Changed>, BackendFault> {
        let slot = self.slot("hostile");
        let request = ChangeRequest {
            context: RequestContext::default(),
            identifier: identifier.to_owned(),
            present: Secret::from(present),
            new: Secret::from(new),
            deadline: Instant::now() + slot.deadline,
        };
        slot.backend.change_password(request).await
    }

    /// Lists those whose login fits.
    async fn browse(&self, login: &str, most: u32) -> Result<Option<Listing>, BackendFault> {
        let slot = self.slot("hostile");
        let request = BrowseRequest {
            context: RequestContext::default(),
            realm: None,
            resolver: None,
            patterns: vec![("login".to_owned(), login.to_owned())],
            most,
            deadline: Instant::now() + slot.deadline,
        };
        slot.backend.browse(request).await
    }
}

fn hostile() -> BackendSpec {
    let mut spec = spec("hostile");
    spec.secrets.insert("key".to_owned(), Secret::from(PASSWORD));
    spec.limits = Limits {
        deadline: Duration::from_millis(400),
        ..Limits::default()
    };
    spec
}

async fn host_of(spec: BackendSpec) -> TestHost {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    assert_eq!(host.desire(spec).await.reason, None);
    host
}

fn is_alice(found: &Principal) -> bool {
    found.subject == Subject::Own("alice".to_owned()) && found.login == "alice"
}

/// Whether a fault is the one that a misdeed deserves.
type IsExpected = fn(&BackendFault) -> bool;

#[tokio::test]
async fn a_backend_can_do_what_it_exports_and_no_more() {
    let host = TestHost::start().await;
    host.serve("hello_backend").await;
    let slot = host.slot("hello_backend");
    assert_eq!(slot.backend.abilities(), Abilities::default());
    let request = LookupRequest {
        context: RequestContext::default(),
        key: LookupKey::Identifier("alice".to_owned()),
        deadline: Instant::now() + slot.deadline,
    };
    assert_eq!(slot.backend.lookup(request).await, Ok(None));
    let everybody = BrowseRequest {
        context: RequestContext::default(),
        realm: None,
        resolver: None,
        patterns: Vec::new(),
        most: 10,
        deadline: Instant::now() + slot.deadline,
    };
    assert_eq!(slot.backend.browse(everybody).await, Ok(None));
    let all = host_of(hostile()).await.slot("hostile").backend.abilities();
    assert_eq!(all, Abilities::ALL);
}

#[tokio::test]
async fn somebody_is_found_by_identifier_and_by_subject() {
    let host = host_of(hostile()).await;
    for key in [LookupKey::Identifier, LookupKey::Subject] {
        let found = host.find(key("alice".to_owned())).await;
        assert!(
            matches!(&found, Ok(Some(Found::Principal(alice))) if is_alice(alice) && alice.groups == ["looked_up"]),
            "{found:?}"
        );
        let nobody = host.find(key("bob".to_owned())).await;
        assert_eq!(nobody, Ok(Some(Found::Refused(Refusal::UnknownIdentifier))));
    }
}

#[tokio::test]
async fn a_password_is_changed_refused_or_rejected() {
    let host = host_of(hostile()).await;
    let changed = host.change("alice", PASSWORD, "another one").await;
    assert!(
        matches!(&changed, Ok(Some(Changed::Changed(alice))) if is_alice(alice)),
        "{changed:?}"
    );
    let refused = Ok(Some(Changed::Refused(Refusal::WrongCredential)));
    assert_eq!(host.change("alice", "wrong", "another one").await, refused);
    assert_eq!(host.change("bob", PASSWORD, "another one").await, refused);
    let rejected = Ok(Some(Changed::Rejected(Rejection::UsedBefore)));
    assert_eq!(host.change("alice", PASSWORD, PASSWORD).await, rejected);
}

#[tokio::test]
async fn users_are_listed_by_a_pattern() {
    let host = host_of(hostile()).await;
    let listed = host.browse("AL*", 10).await;
    assert!(
        matches!(&listed, Ok(Some(listing)) if listing.complete && listing.principals.iter().all(is_alice) && listing.principals.len() == 1),
        "{listed:?}"
    );
    let nobody = host.browse("b*", 10).await.unwrap().unwrap();
    assert_eq!((nobody.principals.len(), nobody.complete), (0, true));
    let cut = host.browse("*", 0).await.unwrap().unwrap();
    assert_eq!((cut.principals.len(), cut.complete), (0, false));
}

#[tokio::test]
async fn a_list_holds_no_more_than_was_asked_for_and_never_over_a_thousand() {
    let host = host_of(hostile()).await;
    let many = host.browse("many|1000", u32::MAX).await.unwrap().unwrap();
    assert_eq!(many.principals.len(), 1_000);
    for (errand, most) in [("many|1001", u32::MAX), ("many|11", 10), ("many|1", 0)] {
        let over = host.browse(errand, most).await;
        assert!(matches!(over, Err(BackendFault::Broken(_))), "{errand}: {over:?}");
    }
}

#[tokio::test]
async fn a_list_names_users_of_the_directory_that_the_host_found() {
    let host = host_of(hostile()).await;
    let listed = host.browse("directory|alice", 10).await.unwrap().unwrap();
    let subjects: Vec<_> = listed.principals.iter().map(|user| &user.subject).collect();
    assert_eq!(subjects, [&Subject::Found(ALICE)]);
    // Not even under the grant to link is anybody of a list linked.
    let mut linking = hostile();
    linking.grants.directory_link = true;
    let host = host_of(linking).await;
    let listed = host.browse("directory|alice", 10).await.unwrap().unwrap();
    assert_eq!(listed.principals[0].subject, Subject::Found(ALICE));
}

#[tokio::test]
async fn misdeeds_end_as_they_do_in_a_login_and_leave_nothing_behind() {
    let broken = |fault: &BackendFault| matches!(fault, BackendFault::Broken(_));
    let late = |fault: &BackendFault| matches!(fault, BackendFault::DeadlineExceeded(_));
    let over = |fault: &BackendFault| matches!(fault, BackendFault::LimitExceeded(_));
    let misdeeds: [(&str, IsExpected); 7] = [
        ("endless_loop", late),
        ("slow=60000", late),
        ("panic", broken),
        ("bad_utf8", broken),
        ("empty_subject", broken),
        ("huge_answer=100000", over),
        ("log_huge=3000000", over),
    ];
    for instances in [Instances::Fresh, Instances::Reuse] {
        let host = host_of(BackendSpec { instances, ..hostile() }).await;
        for (misdeed, expected) in misdeeds {
            let found = host.find_by_name(misdeed).await;
            assert!(found.as_ref().is_err_and(expected), "{misdeed}: {found:?}");
            let changed = host.change(misdeed, PASSWORD, "another one").await;
            assert!(changed.as_ref().is_err_and(expected), "{misdeed}: {changed:?}");
            let listed = host.browse(misdeed, 10).await;
            assert!(listed.as_ref().is_err_and(expected), "{misdeed}: {listed:?}");
            let after = host.find_by_name("alice").await;
            assert!(
                matches!(after, Ok(Some(Found::Principal(_)))),
                "after {misdeed}: {after:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_lookup_speaks_for_a_directory_user_only_by_the_grant_to_link() {
    let host = host_of(hostile()).await;
    for claim in ["claims_directory_user", "matches_own_secret"] {
        let found = host.find_by_name(claim).await;
        assert!(
            matches!(&found, Ok(Some(Found::Principal(alice))) if alice.subject == Subject::Found(ALICE)),
            "{claim}: {found:?}"
        );
    }
    let mut linking = hostile();
    linking.grants.directory_link = true;
    let host = host_of(linking).await;
    for claim in ["claims_directory_user", "matches_own_secret"] {
        let found = host.find_by_name(claim).await;
        assert!(
            matches!(&found, Ok(Some(Found::Principal(alice))) if alice.subject == Subject::Linked(ALICE)),
            "{claim}: {found:?}"
        );
    }
}
