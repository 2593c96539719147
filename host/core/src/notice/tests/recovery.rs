//! Links by which somebody logs in who has forgotten a password.

use super::*;
use crate::model::{Account, TenantId};
use crate::token::{LinkLogin, LoginOutcome, ResetId};

const ACCESS: &str = "kazoo.recovery";

impl House {
    async fn recover(&self, tenants: &[TenantId], login: &str) -> Vec<Letter> {
        self.notices.request_recovery(RecoveryRequest {
            tenants: tenants.to_vec(),
            login: login.to_owned(),
            ui_url: "https://ui.example.org/?lang=de#/login".to_owned(),
            access: ACCESS.to_owned(),
            lifetime: Duration::from_hours(2),
        });
        self.notices.settle(Duration::from_secs(30)).await;
        self.written()
    }

    async fn add_in(&self, tenant: TenantId, login: &str, email: &str) -> User {
        let user = AddUser {
            login: Some(login.to_owned()),
            email: Some(email.to_owned()),
            tenant: Some(tenant.to_string()),
            ..AddUser::default()
        };
        self.directory.add_user(user).await.unwrap()
    }

    async fn tenant(&self, name: &str) -> TenantId {
        self.directory.add_tenant(name, None, None, &[]).await.unwrap().id
    }
}

const MASTER: TenantId = MemoryStore::MASTER;

#[tokio::test]
async fn a_link_goes_to_the_main_address_and_logs_its_user_in() {
    let house = House::new().await;
    let acme = house.tenant("acme").await;
    let alice = house.add_in(acme, "alice", "alice@example.org").await;
    let letters = house.recover(&[acme], "ALICE").await;
    let [letter] = letters.as_slice() else {
        panic!("{letters:?}");
    };
    assert_eq!((letter.topic, letter.user), (Topic::Recovery, alice.id));
    assert_eq!(
        (letter.address.as_str(), letter.account.as_deref()),
        ("alice@example.org", Some("acme"))
    );
    assert_eq!(letter.expires_at, house.clock.now().plus(Duration::from_hours(2)));
    let id = letter.token.expose();
    let link = format!("https://ui.example.org/?lang=de&recovery={id}#/login");
    assert_eq!(letter.link.as_ref().map(|link| link.expose().clone()), Some(link));
    let id = ResetId::parse(id).unwrap();
    assert_eq!(id.tenant, acme);
    let login = LinkLogin {
        otp: None,
        transaction: None,
        ttl: None,
        client: crate::model::Client::default(),
        dialect: "kazoo",
        request_id: "request-1".to_owned(),
        attributes: Vec::new(),
        limited: true,
    };
    let (user, outcome) = house.tokens.login_by_link(&id, ACCESS, login).await.unwrap();
    assert!(user == alice.id && matches!(outcome, LoginOutcome::Issued(_)));
}

#[tokio::test]
async fn it_is_no_link_to_a_new_password() {
    let house = House::new().await;
    let alice = house.add("alice", "alice@example.org").await;
    let letters = house.recover(&[MASTER], "alice").await;
    let id = ResetId::parse(letters[0].token.expose()).unwrap();
    assert!(house.check(&id.token, &reset_access(alice.id)).await.is_none());
}

#[tokio::test]
async fn somebody_is_looked_for_in_the_accounts_that_are_named_the_first_one_first() {
    let house = House::new().await;
    let (one, other) = (house.tenant("one").await, house.tenant("other").await);
    house.add_in(one, "alice", "one@example.org").await;
    house.add_in(other, "alice", "other@example.org").await;
    let to = |letters: Vec<Letter>| letters.into_iter().map(|letter| letter.address).collect::<Vec<_>>();
    assert_eq!(
        to(house.recover(&[MASTER, other, one], "alice").await),
        ["other@example.org"]
    );
    assert_eq!(to(house.recover(&[one, other], "alice").await), ["one@example.org"]);
    assert!(house.recover(&[MASTER], "alice").await.is_empty());
    assert!(house.recover(&[], "alice").await.is_empty());
    assert!(house.recover(&[one], "nobody").await.is_empty());
}

#[tokio::test]
async fn nobody_is_written_to_who_could_not_log_in_by_it() {
    let house = House::new().await;
    let acme = house.tenant("acme").await;
    let alice = house.add_in(acme, "alice", "alice@example.org").await;
    let closed = Account {
        enabled: false,
        ..Account::of(acme)
    };
    house.store.set_account(&closed, house.clock.now()).await.unwrap();
    assert!(
        house.recover(&[acme], "alice").await.is_empty(),
        "the account is closed"
    );
    house
        .store
        .set_account(&Account::of(acme), house.clock.now())
        .await
        .unwrap();
    house.store.replace_user(User {
        enabled: false,
        ..alice.clone()
    });
    assert!(house.recover(&[acme], "alice").await.is_empty(), "disabled");
    house.store.replace_user(User {
        authentication_method: AuthenticationMethod::Ldap,
        ..alice.clone()
    });
    assert!(
        house.recover(&[acme], "alice").await.is_empty(),
        "its password is kept elsewhere"
    );
    let mut unconfirmed = alice.clone();
    unconfirmed.emails[0].confirmed = false;
    house.store.replace_user(unconfirmed);
    assert!(house.recover(&[acme], "alice").await.is_empty(), "no confirmed address");
    house.store.replace_user(alice);
    assert_eq!(house.recover(&[acme], "alice").await.len(), 1);
}

#[tokio::test]
async fn it_counts_with_the_other_mails_to_the_same_user() {
    let house = House::new().await;
    house.add("alice", "alice@example.org").await;
    for _ in 0..4 {
        assert_eq!(house.recover(&[MASTER], "alice").await.len(), 1);
    }
    assert_eq!(house.reset(login("alice")).await.len(), 1);
    assert!(house.recover(&[MASTER], "alice").await.is_empty());
    house.clock.advance(Duration::from_mins(10));
    assert_eq!(house.recover(&[MASTER], "alice").await.len(), 1);
}

#[tokio::test]
async fn a_link_that_nobody_will_see_is_good_for_nothing() {
    let house = House::new().await;
    house.add("alice", "alice@example.org").await;
    house.letters.set_full(true);
    assert!(house.recover(&[MASTER], "alice").await.is_empty());
    assert_eq!(house.store.token_count(), 0);
}
