//! Rules of changing a password where a backend keeps it.

use std::sync::Mutex;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::refresh::{offline, with};
use super::*;
use crate::model::{Answer, AuthenticationMethod, Changed, Rejection};
use crate::port::{Abilities, Backend, ChangeRequest, VerifyRequest};

/// The backend `own`, which keeps bob's password. It says that it has judged or changed one, and goes on when it is told to.
struct Keeper {
    password: Mutex<Secret<Vec<u8>>>,
    holds_logins: bool,
    holds_changes: bool,
    done: Notify,
    go: Notify,
}

fn bob() -> Principal {
    principal(Subject::Own("b".to_owned()), "bob")
}

impl Keeper {
    fn new(holds_logins: bool, holds_changes: bool) -> Arc<Self> {
        Arc::new(Self {
            password: Mutex::new("s3cre7".into()),
            holds_logins,
            holds_changes,
            done: Notify::new(),
            go: Notify::new(),
        })
    }
}

#[async_trait]
impl Backend for Keeper {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        let known = self.password.lock().unwrap().clone();
        let backend = FakeBackend::new(move |request| match &request.step {
            crate::port::Step::Start {
                credential: Credential::Password(password),
                ..
            } if *password == known => Ok(Outcome::Verified(bob())),
            _ => Ok(Outcome::Refused(Refusal::WrongCredential)),
        });
        let answer = backend.verify(request).await;
        if self.holds_logins {
            self.done.notify_one();
            self.go.notified().await;
        }
        answer
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            browse: false,
            change_password: true,
            ..Abilities::default()
        }
    }

    async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        {
            let mut password = self.password.lock().unwrap();
            if request.present != *password {
                return Ok(Some(Changed::Refused(Refusal::WrongCredential)));
            }
            *password = request.new;
        }
        if self.holds_changes {
            self.done.notify_one();
            self.go.notified().await;
        }
        Ok(Some(Changed::Changed(bob())))
    }
}

fn change(present: &str, new: &str) -> PasswordChange {
    PasswordChange {
        backend: "own".to_owned(),
        identifier: "bob".to_owned(),
        present: present.into(),
        new: new.into(),
        tenant: None,
        client: Client::default(),
        dialect: "keyway",
        request_id: "request-3".to_owned(),
    }
}

fn bobs_login(password: &str) -> LoginRequest {
    LoginRequest {
        backend: "own".to_owned(),
        credentials: Some(("bob".to_owned(), Credential::Password(password.into()))),
        ..offline("web", false)
    }
}

/// A house with such a backend that does at once what it is asked.
async fn house() -> House {
    let house = House::new().await;
    house.backends.add("own", Keeper::new(false, false)).unwrap();
    house
}

#[tokio::test]
async fn a_new_password_ends_all_that_was_issued_for_the_old_one_and_nothing_else() {
    let house = house().await;
    let bob = house.login(bobs_login("s3cre7")).await.unwrap();
    let alice = house.token().await;
    assert!(house.is_good(&bob.value).await);
    house.service.change_password(change("s3cre7", "n3w")).await.unwrap();
    assert!(!house.is_good(&bob.value).await, "nor does the cache answer for it");
    assert!(house.is_good(&alice.value).await);
    let refreshed = house.service.refresh(with(&bob.refresh.unwrap(), "web")).await;
    assert!(matches!(refreshed, Err(TokenError::Refused(_))));
    assert!(house.login(bobs_login("s3cre7")).await.is_err());
    house.login(bobs_login("n3w")).await.unwrap();
}

#[tokio::test]
async fn a_linked_users_new_password_ends_the_users_sessions_if_that_password_is_its_own() {
    for (method, is_good) in [
        (AuthenticationMethod::Native, true),
        (AuthenticationMethod::Ldap, false),
    ] {
        let house = House::new().await;
        let alice = house.token().await;
        let linked = principal(Subject::Linked(house.alice.id), "alice");
        let backend = FakeBackend::new(|_| Ok(Outcome::Refused(Refusal::WrongCredential)))
            .changes_passwords(move |_| Ok(Changed::Changed(linked.clone())));
        house.backends.add("own", Arc::new(backend)).unwrap();
        house.set_method(house.alice.id, method).await;
        house.service.change_password(change("s3cre7", "n3w")).await.unwrap();
        assert_eq!(house.is_good(&alice.value).await, is_good, "{method:?}");
    }
}

#[tokio::test]
async fn a_login_under_way_does_not_survive_a_password_that_a_backend_changed() {
    let house = House::new().await;
    let keeper = Keeper::new(true, false);
    house.backends.add("own", Arc::clone(&keeper) as Arc<_>).unwrap();
    let change = async {
        keeper.done.notified().await;
        house.service.change_password(change("s3cre7", "n3w")).await.unwrap();
        keeper.go.notify_one();
    };
    let (login, ()) = tokio::join!(house.login(bobs_login("s3cre7")), change);
    assert!(
        matches!(login, Err(TokenError::Refused(Refusal::Overtaken))),
        "{login:?}"
    );
    assert_eq!(house.store.session_count(), 0);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_keep_sessions_of_the_old_password_alive() {
    let house = House::new().await;
    let keeper = Keeper::new(false, true);
    house.backends.add("own", Arc::clone(&keeper) as Arc<_>).unwrap();
    let bob = house.login(bobs_login("s3cre7")).await.unwrap();
    tokio::select! {
        biased;
        () = keeper.done.notified() => {}
        _ = house.service.change_password(change("s3cre7", "n3w")) => panic!("it was to be held"),
    }
    keeper.go.notify_one();
    for _ in 0..1000 {
        if !house.is_good(&bob.value).await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the session lives on");
}

#[tokio::test]
async fn what_is_refused_or_rejected_ends_nothing() {
    let house = house().await;
    let bob = house.login(bobs_login("s3cre7")).await.unwrap();
    let changed = async |change| house.service.change_password(change).await;
    assert!(matches!(
        changed(change("wrong", "n3w")).await,
        Err(PasswordChangeError::Refused(Refusal::WrongCredential))
    ));
    assert!(matches!(
        changed(change("s3cre7", "")).await,
        Err(PasswordChangeError::Rejected(Rejection::TooShort))
    ));
    for unable in [
        PasswordChange {
            identifier: String::new(),
            ..change("s3cre7", "n3w")
        },
        PasswordChange {
            identifier: "b".repeat(1025),
            ..change("s3cre7", "n3w")
        },
        change("", "n3w"),
    ] {
        assert!(matches!(changed(unable).await, Err(PasswordChangeError::Refused(_))));
    }
    let elsewhere = PasswordChange {
        backend: "wazo_user".to_owned(),
        ..change("s3cre7", "n3w")
    };
    assert!(matches!(
        changed(elsewhere).await,
        Err(PasswordChangeError::NotOffered(backend)) if backend == "wazo_user"
    ));
    assert!(house.is_good(&bob.value).await);
}

#[tokio::test]
async fn an_unknown_backend_costs_a_comparison() {
    let house = house().await;
    let unknown = PasswordChange {
        backend: "nowhere".to_owned(),
        ..change("s3cre7", "n3w")
    };
    let before = house.passwords.computed();
    let outcome = house.service.change_password(unknown).await;
    assert!(matches!(outcome, Err(PasswordChangeError::UnknownBackend(_))));
    assert_eq!(house.passwords.computed(), before + 1);
}

#[tokio::test]
async fn nothing_is_changed_while_the_store_could_not_end_sessions() {
    let house = house().await;
    house.store.set_down(true);
    let outcome = house.service.change_password(change("s3cre7", "n3w")).await;
    assert!(matches!(outcome, Err(PasswordChangeError::Store(_))));
    house.store.set_down(false);
    house.login(bobs_login("s3cre7")).await.unwrap();
}

#[tokio::test]
async fn a_fault_says_nothing_about_the_password() {
    let house = House::new().await;
    let backend = FakeBackend::new(|_| Ok(Outcome::Refused(Refusal::WrongCredential)))
        .changes_passwords(|_| Err(BackendFault::Unavailable("down".to_owned())));
    house.backends.add("own", Arc::new(backend)).unwrap();
    let outcome = house.service.change_password(change("s3cre7", "n3w")).await;
    assert!(matches!(outcome, Err(PasswordChangeError::Backend { backend, .. }) if backend == "own"));
}
