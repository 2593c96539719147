//! Who is written to, who is not, and what a link is good for.

mod recovery;

use super::*;
use crate::directory::{AddUser, Registration, SetEmail};
use crate::key::{KeyRing, MasterKey};
use crate::model::AuthenticationMethod;
use crate::port::{Store, SystemRandom};
use crate::tenants::TenantDirectory;
use crate::testing::{FakeBackends, Letterbox, MemoryStore, StillClock, cheap_passwords, everything};
use crate::token::{CheckRequest, TokenCache, TokenSettings};

struct House {
    store: Arc<MemoryStore>,
    clock: Arc<StillClock>,
    directory: Arc<DirectoryService>,
    tokens: Arc<TokenService>,
    letters: Arc<Letterbox>,
    notices: Arc<NoticeService>,
}

fn token_settings() -> TokenSettings {
    TokenSettings {
        default_ttl: Duration::from_hours(2),
        max_ttl: Duration::from_hours(24),
        sweep_interval: Duration::ZERO,
        sweep_batch: 10,
        cache_capacity: 100,
        default_user_policy: None,
        refresh_ttl: None,
        max_sessions: 100,
        admin_status: None,
    }
}

impl House {
    async fn new() -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(StillClock::new()));
        let random = Arc::new(SystemRandom);
        let tenants = Arc::new(TenantDirectory::new(store.clone() as Arc<dyn Store>));
        let passwords = Arc::new(cheap_passwords(1, 16).unwrap());
        let cache = Arc::new(TokenCache::new(100));
        let directory = Arc::new(DirectoryService::new(
            store.clone(),
            passwords.clone(),
            cache.clone(),
            tenants.clone(),
            clock.clone(),
            random.clone(),
        ));
        let keys = KeyRing::open(&*store, &MasterKey::new([1; 32]), &SystemRandom, &*clock).await;
        let tokens = Arc::new(TokenService::new(
            store.clone(),
            Arc::new(FakeBackends::default()),
            passwords,
            keys.unwrap(),
            cache,
            tenants,
            clock.clone(),
            random,
            token_settings(),
        ));
        let letters = Arc::new(Letterbox::default());
        let mailer = letters.clone() as Arc<dyn Mailer>;
        let settings = NoticeSettings::default();
        let notices = NoticeService::new(directory.clone(), tokens.clone(), Some(mailer), clock.clone(), settings);
        Self {
            store,
            clock,
            directory,
            tokens,
            letters,
            notices: Arc::new(notices),
        }
    }

    async fn add(&self, login: &str, email: &str) -> User {
        let user = AddUser {
            login: Some(login.to_owned()),
            password: Some("s3cre7".into()),
            email: Some(email.to_owned()),
            ..AddUser::default()
        };
        self.directory.add_user(user).await.unwrap()
    }

    /// Asks for a new password and returns to which addresses mail went.
    async fn reset(&self, whose: Whose) -> Vec<String> {
        self.ask(whose).await;
        self.written().into_iter().map(|letter| letter.address).collect()
    }

    async fn ask(&self, whose: Whose) {
        self.notices.request_password_reset(whose);
        self.notices.settle(Duration::from_secs(30)).await;
    }

    fn written(&self) -> Vec<Letter> {
        self.letters.take()
    }

    /// The one letter that went out, and its token.
    fn letter(&self) -> (Letter, TokenValue) {
        let letters = self.written();
        assert_eq!(letters.len(), 1, "{letters:?}");
        let letter = letters.into_iter().next().unwrap();
        let token = TokenValue::parse(letter.token.expose()).unwrap();
        (letter, token)
    }

    async fn check(&self, token: &TokenValue, access: &str) -> Option<Arc<LiveToken>> {
        let asked = CheckRequest {
            scope: Some(access),
            tenant: None,
        };
        self.tokens.check(token, asked).await.ok()
    }

    async fn is_password(&self, user: &User, password: &str) -> bool {
        let backend = crate::model::BackendName::parse("wazo_user").unwrap();
        let password = password.into();
        let verified = self.directory.verify_password(&backend, Some(user.id), &password);
        verified.await.unwrap()
    }
}

fn login(text: &str) -> Whose {
    Whose::Login(text.to_owned())
}

fn email(text: &str) -> Whose {
    Whose::Email(text.to_owned())
}

fn either(text: &str) -> Whose {
    Whose::Either(text.to_owned())
}

#[tokio::test]
async fn a_user_is_found_by_login_by_confirmed_address_or_by_either() {
    let house = House::new().await;
    house.add("alice", "Alice@Example.org").await;
    for whose in [
        login("ALICE"),
        email("alice@example.org"),
        either("alice"),
        either("ALICE@example.org"),
    ] {
        assert_eq!(house.reset(whose).await, ["Alice@Example.org"]);
    }
    for whose in [
        login("alice@example.org"),
        email("alice"),
        either("bob"),
        either(""),
        either("a\r\nRCPT TO:<b@example.org>"),
    ] {
        assert_eq!(house.reset(whose).await, [""; 0]);
    }
}

#[tokio::test]
async fn only_confirmed_addresses_are_written_to() {
    let house = House::new().await;
    let mut user = house.add("alice", "main@example.org").await;
    let other = |address: &str, confirmed| Email {
        id: EmailId(uuid::Uuid::from_u128(u128::from(confirmed))),
        address: address.to_owned(),
        main: false,
        confirmed,
    };
    user.emails.push(other("unconfirmed@example.org", false));
    user.emails.push(other("second@example.org", true));
    house.store.replace_user(user.clone());
    assert_eq!(house.reset(login("alice")).await, ["main@example.org"]);
    assert_eq!(house.reset(email("second@example.org")).await, ["second@example.org"]);
    assert_eq!(house.reset(email("unconfirmed@example.org")).await, [""; 0]);
    user.emails[0].confirmed = false;
    house.store.replace_user(user.clone());
    assert_eq!(house.reset(login("alice")).await, ["second@example.org"]);
    user.emails.pop();
    house.store.replace_user(user);
    assert_eq!(house.reset(login("alice")).await, [""; 0]);
}

#[tokio::test]
async fn who_could_not_use_a_password_is_not_written_to() {
    let house = House::new().await;
    let user = house.add("alice", "a@example.org").await;
    house.store.replace_user(User {
        enabled: false,
        ..user.clone()
    });
    assert_eq!(house.reset(login("alice")).await, [""; 0]);
    house.store.replace_user(User {
        authentication_method: AuthenticationMethod::Ldap,
        ..user
    });
    assert_eq!(house.reset(login("alice")).await, [""; 0]);
    assert_eq!(house.store.session_count(), 0, "no link was made");
}

#[tokio::test]
async fn a_link_sets_one_password_and_no_other() {
    let house = House::new().await;
    let alice = house.add("alice", "a@example.org").await;
    house.ask(login("alice")).await;
    let (letter, token) = house.letter();
    assert_eq!((letter.topic, letter.user), (Topic::PasswordReset, alice.id));
    assert_eq!(letter.expires_at.since(house.clock.now()), Duration::from_hours(48));
    for other in [
        "auth.users.read".to_owned(),
        reset_access(UserId(uuid::Uuid::from_u128(9))),
    ] {
        assert!(house.check(&token, &other).await.is_none());
    }
    let live = house.check(&token, &reset_access(alice.id)).await.unwrap();
    let set = |password: Option<&'static str>| {
        let (house, token, live) = (&house, &token, &live);
        async move {
            let password = password.map(Secret::from);
            let scope = TenantScope::Subtree(live.record.session.identity.tenant);
            house
                .notices
                .reset_password(token, live, alice.id, password.as_ref(), scope)
                .await
        }
    };
    let refused = set(Some("")).await;
    assert!(matches!(
        refused,
        Err(NoticeError::Directory(DirectoryError::Invalid {
            field: "password",
            ..
        }))
    ));
    // A password that is refused leaves the link good; several at once use it once.
    let results = futures_join(set(Some("fresh")), set(Some("fresh"))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert!(results.iter().any(|result| matches!(result, Err(NoticeError::Used(_)))));
    assert!(house.check(&token, &reset_access(alice.id)).await.is_none());
    assert!(house.is_password(&alice, "fresh").await);
    assert!(!house.is_password(&alice, "s3cre7").await);
}

#[tokio::test]
async fn a_link_is_good_while_the_address_that_it_went_to_is_the_users() {
    let house = House::new().await;
    let alice = house.add("alice", "alice@example.org").await;
    let set = async |address: &str, confirmed| {
        let email = SetEmail {
            address: address.to_owned(),
            main: true,
            confirmed: Some(confirmed),
        };
        let scope = TenantScope::All;
        house
            .directory
            .set_emails(alice.id, vec![email], scope, everything())
            .await
            .unwrap();
    };
    let scope = TenantScope::Subtree(alice.tenant);
    let follow = async |token: &TokenValue| {
        let live = house.check(token, &reset_access(alice.id)).await.unwrap();
        let new = "n3w".into();
        let reset = house.notices.reset_password(token, &live, alice.id, Some(&new), scope);
        reset.await
    };
    house.ask(login("alice")).await;
    let (_, token) = house.letter();
    for (address, confirmed) in [("new@example.org", true), ("alice@example.org", false)] {
        set(address, confirmed).await;
        let outcome = follow(&token).await;
        assert!(matches!(outcome, Err(NoticeError::Used(_))), "{address}: {outcome:?}");
    }
    set("new@example.org", true).await;
    house.ask(login("alice")).await;
    let (_, token) = house.letter();
    set("New@example.org", true).await;
    assert!(follow(&token).await.is_ok(), "it is the same address");
    assert!(house.is_password(&alice, "n3w").await);
}

async fn futures_join<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> [T; 2] {
    let (first, second) = tokio::join!(first, second);
    [first, second]
}

#[tokio::test]
async fn a_new_password_ends_the_users_sessions_and_its_other_links() {
    let house = House::new().await;
    let alice = house.add("alice", "a@example.org").await;
    house.ask(login("alice")).await;
    let (_, first) = house.letter();
    house.ask(login("alice")).await;
    let (_, second) = house.letter();
    let live = house.check(&second, &reset_access(alice.id)).await.unwrap();
    let scope = TenantScope::Subtree(alice.tenant);
    house
        .notices
        .reset_password(&second, &live, alice.id, None, scope)
        .await
        .unwrap();
    assert!(house.check(&first, &reset_access(alice.id)).await.is_none());
    assert!(house.store.verifier_of(alice.id).is_none(), "none removes the password");
    assert!(!house.is_password(&alice, "s3cre7").await);
}

#[tokio::test]
async fn the_token_of_somebody_else_who_may_set_a_password_stays_good() {
    let house = House::new().await;
    let (alice, admin) = (
        house.add("alice", "a@example.org").await,
        house.add("root", "r@example.org").await,
    );
    let lifetime = Duration::from_hours(1);
    let minted = house
        .tokens
        .mint_link(admin.id, vec!["#".to_owned()], lifetime, Vec::new());
    let token = minted.await.unwrap().value;
    let live = house.check(&token, &reset_access(alice.id)).await.unwrap();
    let scope = TenantScope::Subtree(alice.tenant);
    for password in ["one", "two"] {
        let fresh = password.into();
        let notices = &house.notices;
        let set = notices.reset_password(&token, &live, alice.id, Some(&fresh), scope);
        set.await.unwrap();
        assert!(house.is_password(&alice, password).await);
    }
}

fn registration(login: &str, email: &str) -> Registration {
    Registration {
        login: Some(login.to_owned()),
        password: "s3cre7".into(),
        email: email.to_owned(),
        firstname: None,
        lastname: None,
    }
}

#[tokio::test]
async fn a_registered_user_has_a_tenant_of_its_own_and_an_address_to_confirm() {
    let house = House::new().await;
    let directory = &house.directory;
    let user = directory
        .register(registration("alice", "a@example.org"))
        .await
        .unwrap();
    house.notices.welcome(&user).await;
    let tenant = directory.get_tenant(user.tenant, TenantScope::All).await.unwrap();
    assert_ne!(tenant.parent, tenant.id);
    assert_eq!(tenant.name, None);
    let (letter, token) = house.letter();
    assert_eq!(letter.address, "a@example.org");
    let is_login = async || directory.find_by_email("a@example.org", None).await.unwrap().is_some();
    assert!(!is_login().await);
    let id = user.emails[0].id;
    let access = format!("auth.emails.{id}.confirm.update");
    assert!(house.check(&token, &access).await.is_some());
    let confirmed = directory.confirm_email(id, TenantScope::Subtree(user.tenant)).await;
    assert!(confirmed.unwrap().confirmed);
    assert!(is_login().await);
}

#[tokio::test]
async fn nothing_is_left_of_who_could_not_register() {
    let house = House::new().await;
    let directory = &house.directory;
    directory
        .register(registration("alice", "a@example.org"))
        .await
        .unwrap();
    for refused in [
        registration("ALICE", "b@example.org"),
        registration("b", "A@example.org"),
        registration("c", "c\r\n@example.org"),
        registration("c\n", "c@example.org"),
    ] {
        assert!(directory.register(refused).await.is_err());
    }
    assert_eq!(directory.list_tenants().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_address_is_confirmed_once_and_by_nobody_elses_tenant() {
    let house = House::new().await;
    let add = AddUser {
        login: Some("alice".to_owned()),
        email: Some("a@example.org".to_owned()),
        unconfirmed: true,
        ..AddUser::default()
    };
    let alice = house.directory.add_user(add).await.unwrap();
    let other = house.directory.add_tenant("other", None, None, &[]).await.unwrap();
    let (email, scope) = (alice.emails[0].id, TenantScope::Subtree(alice.tenant));
    let elsewhere = TenantScope::Subtree(other.id);
    let unknown = EmailId(uuid::Uuid::from_u128(1));
    let ask = |email, scope| house.notices.request_confirmation(alice.id, email, scope);
    assert!(matches!(
        ask(unknown, scope).await,
        Err(NoticeError::Directory(DirectoryError::NotFound { what: "email", .. }))
    ));
    assert!(ask(email, elsewhere).await.is_err());
    ask(email, scope).await.unwrap();
    assert_eq!(house.letter().0.topic, Topic::EmailConfirmation(email));
    for (email, scope) in [(email, elsewhere), (unknown, scope)] {
        let refused = house.directory.confirm_email(email, scope).await;
        assert!(matches!(refused, Err(DirectoryError::NotFound { what: "email", .. })));
    }
    for _ in 0..2 {
        house.directory.confirm_email(email, scope).await.unwrap();
    }
    let refused = ask(email, scope).await;
    assert!(matches!(refused, Err(NoticeError::AlreadyConfirmed(id)) if id == email));
}

#[tokio::test]
async fn nobody_gets_more_mails_than_the_limit() {
    let house = House::new().await;
    house.add("alice", "a@example.org").await;
    house.add("bob", "b@example.org").await;
    let limit = MailLimit::default();
    for _ in 0..limit.burst {
        assert_eq!(house.reset(login("alice")).await.len(), 1);
    }
    let sessions = house.store.session_count();
    assert_eq!(house.reset(email("a@example.org")).await, [""; 0]);
    assert_eq!(house.store.session_count(), sessions, "no link was made");
    assert_eq!(house.reset(login("bob")).await.len(), 1, "somebody else");
    house.clock.advance(limit.interval);
    assert_eq!(house.reset(login("alice")).await.len(), 1);
}

#[tokio::test]
async fn a_full_queue_or_no_mailer_fails_nothing_and_leaves_no_link() {
    let house = House::new().await;
    let add = AddUser {
        login: Some("alice".to_owned()),
        email: Some("a@example.org".to_owned()),
        unconfirmed: true,
        ..AddUser::default()
    };
    let alice = house.directory.add_user(add).await.unwrap();
    let (email, scope) = (alice.emails[0].id, TenantScope::All);
    house.letters.set_full(true);
    house
        .notices
        .request_confirmation(alice.id, email, scope)
        .await
        .unwrap();
    assert_eq!(house.store.token_count(), 0);
    let without = Arc::new(NoticeService::new(
        house.directory.clone(),
        house.tokens.clone(),
        None,
        house.clock.clone(),
        NoticeSettings::default(),
    ));
    without.request_confirmation(alice.id, email, scope).await.unwrap();
    without.request_password_reset(login("alice"));
    without.settle(Duration::from_secs(30)).await;
    assert_eq!(house.store.token_count(), 0);
}

#[tokio::test]
async fn a_store_that_is_down_fails_no_request_for_a_password() {
    let house = House::new().await;
    house.add("alice", "a@example.org").await;
    house.store.set_down(true);
    assert_eq!(house.reset(login("alice")).await, [""; 0]);
}
