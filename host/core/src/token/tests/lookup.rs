//! Rules of a refresh where the backend can say who somebody is now.

use std::sync::Mutex;

use super::refresh::{offline, with};
use super::*;
use crate::directory::DirectoryService;
use crate::gate::{Gate, GateLimits};
use crate::model::{AuthenticationMethod, Found, Principal, TenantScope};
use crate::port::{LookupKey, LookupRequest};

type Finding = Result<Found, BackendFault>;

/// A house with the backend `own`, which lets anybody in as `named`, and finds what the test says.
struct Corp {
    house: House,
    backend: Arc<FakeBackend>,
    finding: Arc<Mutex<Finding>>,
    token: TokenValue,
}

impl Corp {
    async fn new(named: impl FnOnce(&House) -> Principal) -> Self {
        Self::with(named, true).await
    }

    async fn with(named: impl FnOnce(&House) -> Principal, can_find: bool) -> Self {
        let house = House::new().await;
        let named = named(&house);
        if let Subject::Linked(user) = named.subject {
            house.set_method(user, AuthenticationMethod::Ldap).await;
        }
        let finding = Arc::new(Mutex::new(Ok(Found::Principal(named.clone()))));
        let mut backend = FakeBackend::new(move |_| Ok(Outcome::Verified(named.clone())));
        if can_find {
            let finding = Arc::clone(&finding);
            backend = backend.finds(move |_| finding.lock().unwrap().clone());
        }
        let backend = Arc::new(backend);
        house.backends.add("own", Arc::clone(&backend) as Arc<_>).unwrap();
        let request = LoginRequest {
            backend: "own".to_owned(),
            ..offline("web", false)
        };
        let token = house.login(request).await.unwrap().refresh.unwrap();
        Self {
            house,
            backend,
            finding,
            token,
        }
    }

    fn finds(&self, finding: Finding) {
        *self.finding.lock().unwrap() = finding;
    }

    async fn refresh(&self) -> Result<IssuedToken, TokenError> {
        self.house.service.refresh(with(&self.token, "web")).await
    }

    /// The only look-up so far.
    fn lookup(&self) -> LookupRequest {
        let mut lookups = self.backend.lookups();
        assert_eq!(lookups.len(), 1);
        lookups.remove(0)
    }
}

impl House {
    pub(super) async fn set_method(&self, user: UserId, method: AuthenticationMethod) {
        let directory = DirectoryService::new(
            Arc::clone(&self.store) as Arc<dyn Store>,
            Arc::clone(&self.passwords),
            Arc::clone(&self.cache),
            Arc::clone(&self.tenants),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            Arc::new(SystemRandom),
        );
        let users = [user];
        let set = directory.set_authentication_method(&users, method, None, TenantScope::All, everything());
        set.await.unwrap();
    }
}

fn bob() -> Principal {
    principal(Subject::Own("b".to_owned()), "bob")
}

fn linked(house: &House) -> Principal {
    principal(Subject::Linked(house.alice.id), "alice")
}

fn is_refused(outcome: &Result<IssuedToken, TokenError>, reason: Refusal) -> bool {
    matches!(outcome, Err(TokenError::Refused(given)) if *given == reason)
}

#[tokio::test]
async fn a_refresh_carries_what_the_backend_says_now() {
    let corp = Corp::new(|_| Principal {
        groups: vec!["before".to_owned()],
        attributes: vec![("floor".to_owned(), "3".to_owned())],
        ..bob()
    })
    .await;
    corp.house.backends.change("own", |slot| {
        slot.acl_ceiling = Some(Arc::from(["own.#".to_owned()]));
    });
    corp.finds(Ok(Found::Principal(Principal {
        login: "robert".to_owned(),
        groups: vec!["now".to_owned()],
        accesses: vec!["own.read".to_owned(), "auth.#".to_owned()],
        ..bob()
    })));
    let issued = corp.refresh().await.unwrap();
    let record = &issued.live.record;
    assert_eq!(record.session.identity.login, "robert");
    let attributes: Vec<_> = record
        .session
        .attributes
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        attributes,
        ["wazo.x=1", "group=now"],
        "the dialect's stays, the backend's is fresh"
    );
    assert_eq!(
        *record.token.accesses,
        ["own.read".to_owned()],
        "what the ceiling lets through"
    );
    let lookup = corp.lookup();
    assert_eq!(lookup.key, LookupKey::Subject("b".to_owned()));
    assert_eq!(lookup.context.tenant, None);
}

#[tokio::test]
async fn whoever_may_not_log_in_any_more_is_refused_until_they_may() {
    let corp = Corp::new(|_| bob()).await;
    for reason in [
        Refusal::UnknownIdentifier,
        Refusal::Disabled,
        Refusal::Locked,
        Refusal::Expired,
    ] {
        corp.finds(Ok(Found::Refused(reason)));
        assert!(is_refused(&corp.refresh().await, reason));
    }
    assert_eq!(corp.house.store.refresh_token_count(), 1);
    corp.finds(Ok(Found::Principal(bob())));
    corp.refresh().await.unwrap();
}

#[tokio::test]
async fn a_refresh_that_the_backend_cannot_judge_fails_and_loses_nothing() {
    let corp = Corp::new(|_| bob()).await;
    corp.finds(Err(BackendFault::Unavailable("down".to_owned())));
    let failed = corp.refresh().await;
    assert!(matches!(failed, Err(TokenError::Backend { backend, .. }) if backend == "own"));
    assert_eq!(corp.house.store.session_count(), 1, "the login's");
    corp.finds(Ok(Found::Principal(bob())));
    corp.refresh().await.unwrap();
}

fn renewal() -> RenewRequest {
    RenewRequest {
        ttl: Some(Duration::from_hours(1)),
        client: Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
    }
}

impl Corp {
    /// A token of a login without a refresh token.
    async fn log_in(&self) -> TokenValue {
        let request = LoginRequest {
            backend: "own".to_owned(),
            offline: None,
            ..offline("web", false)
        };
        self.house.login(request).await.unwrap().value
    }
}

#[tokio::test]
async fn a_token_is_renewed_for_whom_the_backend_still_lets_in() {
    let corp = Corp::new(|_| Principal {
        groups: vec!["before".to_owned()],
        ..bob()
    })
    .await;
    let token = corp.log_in().await;
    corp.finds(Ok(Found::Principal(Principal {
        groups: vec!["now".to_owned()],
        ..bob()
    })));
    let issued = corp.house.service.renew(&token, renewal()).await.unwrap();
    let attributes = &issued.live.record.session.attributes;
    let groups: Vec<_> = attributes.iter().filter(|(name, _)| name == "group").collect();
    assert_eq!(groups, [&("group".to_owned(), "now".to_owned())]);
    assert_eq!(corp.lookup().key, LookupKey::Subject("b".to_owned()));
    for reason in [Refusal::UnknownIdentifier, Refusal::Disabled] {
        corp.finds(Ok(Found::Refused(reason)));
        assert!(is_refused(&corp.house.service.renew(&token, renewal()).await, reason));
    }
    corp.finds(Ok(Found::Principal(principal(Subject::Own("c".to_owned()), "bob"))));
    let other = corp.house.service.renew(&token, renewal()).await;
    assert!(is_refused(&other, Refusal::UnknownIdentifier));
    corp.finds(Err(BackendFault::Unavailable("down".to_owned())));
    let failed = corp.house.service.renew(&token, renewal()).await;
    assert!(matches!(failed, Err(TokenError::Backend { .. })));
}

/// A group's policy may deny something, so none may be lost.
#[tokio::test]
async fn renewals_keep_all_groups_however_many() {
    let groups: Vec<_> = (0..200)
        .map(|n| format!("cn=group-{n},ou=groups,dc=example,dc=com"))
        .collect();
    for can_find in [true, false] {
        let member = Principal {
            groups: groups.clone(),
            ..bob()
        };
        let corp = Corp::with(|_| member, can_find).await;
        let mut token = corp.log_in().await;
        for _ in 0..2 {
            let issued = corp.house.service.renew(&token, renewal()).await.unwrap();
            let attributes = &issued.live.record.session.attributes;
            let named = attributes.iter().filter(|(name, _)| name == "group");
            let named: Vec<_> = named.map(|(_, group)| group.clone()).collect();
            assert_eq!(named, groups, "{can_find}");
            token = issued.value;
        }
    }
}

#[tokio::test]
async fn where_the_backend_cannot_be_asked_renewals_end_with_the_longest_life_of_a_token() {
    let kinds: [fn(&House) -> Principal; 2] = [|_| bob(), linked];
    for named in kinds {
        let corp = Corp::with(named, false).await;
        let begun = corp.house.clock.now();
        let last = begun.plus(corp.house.service.settings.max_ttl);
        let mut token = corp.log_in().await;
        let mut renewals = 0;
        loop {
            corp.house.clock.advance(Duration::from_mins(50));
            match corp.house.service.renew(&token, renewal()).await {
                Ok(issued) => {
                    assert!(issued.live.record.token.expires_at <= last);
                    token = issued.value;
                    renewals += 1;
                }
                Err(TokenError::NotFound) => break,
                Err(other) => panic!("{other:?}"),
            }
            assert!(renewals < 100, "it goes on for ever");
        }
        assert!(renewals > 10 && corp.house.clock.now() >= last);
    }
}

#[tokio::test]
async fn a_lookup_that_names_somebody_else_renews_nobodys_token() {
    let corp = Corp::new(|_| bob()).await;
    for other in [
        Subject::Own("c".to_owned()),
        Subject::Linked(corp.house.alice.id),
        Subject::Directory(corp.house.alice.id),
    ] {
        corp.finds(Ok(Found::Principal(principal(other, "bob"))));
        assert!(is_refused(&corp.refresh().await, Refusal::UnknownIdentifier));
    }
    let corp = Corp::new(linked).await;
    for other in [
        Subject::Own("alice".to_owned()),
        Subject::Linked(UserId(uuid::Uuid::nil())),
        Subject::Directory(corp.house.alice.id),
    ] {
        corp.finds(Ok(Found::Principal(principal(other, "alice"))));
        assert!(is_refused(&corp.refresh().await, Refusal::UnknownIdentifier));
    }
}

#[tokio::test]
async fn a_linked_user_is_looked_up_by_the_login_that_the_backend_knows() {
    let corp = Corp::new(|house| Principal {
        login: "Alice Anderson".to_owned(),
        ..linked(house)
    })
    .await;
    let issued = corp.refresh().await.unwrap();
    let identity = &issued.live.record.session.identity;
    assert_eq!(
        (identity.user, identity.login.as_str()),
        (Some(corp.house.alice.id), "Alice")
    );
    let lookup = corp.lookup();
    assert_eq!(lookup.key, LookupKey::Identifier("alice".to_owned()), "as it was typed");
    assert_eq!(lookup.context.tenant, Some(corp.house.alice.tenant.to_string()));
    corp.finds(Ok(Found::Refused(Refusal::Disabled)));
    assert!(is_refused(&corp.refresh().await, Refusal::Disabled));
}

#[tokio::test]
async fn a_login_name_that_cannot_be_kept_as_it_is_keeps_nobody_from_logging_in() {
    let corp = Corp::new(linked).await;
    let request = LoginRequest {
        backend: "own".to_owned(),
        credentials: Some(("ali\0ce".to_owned(), Credential::Password("s3cre7".into()))),
        ..offline("other", false)
    };
    let token = corp.house.login(request).await.unwrap().refresh.unwrap();
    corp.house.service.refresh(with(&token, "other")).await.unwrap();
    assert_eq!(corp.lookup().key, LookupKey::Identifier("alice".to_owned()));
}

#[tokio::test]
async fn a_refresh_token_of_a_link_is_good_while_the_link_would_be() {
    for can_find in [true, false] {
        let corp = Corp::with(linked, can_find).await;
        let alice = corp.house.alice.id;
        corp.refresh().await.unwrap();
        corp.house.set_method(alice, AuthenticationMethod::Native).await;
        assert!(is_refused(&corp.refresh().await, Refusal::WrongCredential));
        corp.house.set_method(alice, AuthenticationMethod::Ldap).await;
        corp.refresh().await.unwrap();
        corp.house.store.replace_user(User {
            enabled: false,
            authentication_method: AuthenticationMethod::Ldap,
            ..corp.house.alice.clone()
        });
        assert!(is_refused(&corp.refresh().await, Refusal::Disabled));
    }
}

#[tokio::test]
async fn whom_the_host_itself_let_in_is_not_looked_up() {
    let corp = Corp::new(|house| principal(Subject::Directory(house.alice.id), "alice")).await;
    corp.refresh().await.unwrap();
    assert_eq!(corp.backend.lookups().len(), 0);
}

/// Opens the breaker in front of a backend.
async fn break_down(house: &House) {
    house.backends.change("own", |slot| {
        slot.gate = Arc::new(Gate::new(GateLimits {
            breaker_faults: 1,
            ..GateLimits::default()
        }));
    });
    let slot = house.backends.find("own").unwrap();
    let pass = slot
        .gate
        .enter(std::time::Instant::now() + Duration::from_secs(1))
        .await
        .unwrap();
    pass.settle(Some(&BackendFault::Unavailable("down".to_owned())));
}

#[tokio::test]
async fn a_lookup_waits_at_the_gate_and_a_backend_without_one_is_not_waited_for() {
    let corp = Corp::new(|_| bob()).await;
    break_down(&corp.house).await;
    let failed = corp.refresh().await;
    assert!(matches!(
        failed,
        Err(TokenError::Backend {
            fault: BackendFault::BreakerOpen { .. },
            ..
        })
    ));
    assert_eq!(corp.backend.lookups().len(), 0);

    let corp = Corp::with(|_| bob(), false).await;
    break_down(&corp.house).await;
    corp.refresh().await.unwrap();
}
