//! What may be said of an account, and what follows from it.

mod key;
mod right;

use super::*;
use crate::access::AccessList;
use crate::directory::AddUser;
use crate::key::{KeyRing, MasterKey};
use crate::model::{
    BackendName, Client, Closed, Identity, PluginDigest, Profile, Session, SessionId, Timestamp, Token, TokenDigest,
    User, UserId,
};
use crate::port::{NewAttempt, Opening, OpeningOutcome, Refreshing, SystemRandom, TokenStore as _};
use crate::tenants::TenantDirectory;
use crate::testing::{FakeBackends, MemoryStore, StillClock, cheap_passwords};
use crate::token::{TokenService, TokenSettings, TokenValue};

const HOUR: Duration = Duration::from_hours(1);

/// Services over one store, with the account `acme` below the top one and alice in it.
struct House {
    store: Arc<MemoryStore>,
    clock: Arc<StillClock>,
    directory: Arc<DirectoryService>,
    tokens: Arc<TokenService>,
    accounts: Arc<AccountService>,
    acme: TenantId,
    alice: User,
}

fn token_settings() -> TokenSettings {
    TokenSettings {
        default_ttl: 2 * HOUR,
        max_ttl: 24 * HOUR,
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
        let (store, clock, random) = (MemoryStore::new(), Arc::new(StillClock::new()), Arc::new(SystemRandom));
        let tenants = Arc::new(TenantDirectory::new(store.clone() as Arc<dyn Store>));
        let passwords = Arc::new(cheap_passwords(1, 16).unwrap());
        let cache = Arc::new(TokenCache::new(100));
        let master = MasterKey::new([1; 32]);
        let directory = Arc::new(DirectoryService::new(
            store.clone(),
            passwords.clone(),
            cache.clone(),
            tenants.clone(),
            clock.clone(),
            random.clone(),
        ));
        let keys = KeyRing::open(&*store, &master, &SystemRandom, &*clock).await.unwrap();
        let tokens = TokenService::new(
            store.clone(),
            Arc::new(FakeBackends::default()),
            passwords,
            keys,
            cache.clone(),
            tenants.clone(),
            clock.clone(),
            random.clone(),
            token_settings(),
        );
        let accounts = AccountService::new(
            store.clone(),
            cache,
            Arc::new(AccountDirectory::new(store.clone(), tenants, &master)),
            directory.clone(),
            clock.clone(),
            random,
            AccountSettings {
                rights: Rights::default(),
                default_user_policy: None,
                attempts_keep: 24 * HOUR,
                sweep_interval: Duration::ZERO,
            },
        );
        let acme = directory.add_tenant("acme", None, None, &[]).await.unwrap().id;
        let alice = add_user(&directory, "alice", acme).await;
        Self {
            store,
            clock,
            directory,
            tokens: Arc::new(tokens),
            accounts: Arc::new(accounts),
            acme,
            alice,
        }
    }

    /// A session of alice's, opened at the store itself, with a token of that life.
    async fn open(&self, ttl: Duration) -> OpeningOutcome {
        let now = self.clock.now();
        let id = SessionId(SystemRandom.uuid());
        let opening = Opening {
            session: Session {
                id,
                identity: Identity::of_user(&self.alice, BackendName::host()),
                plugin: PluginDigest::NONE,
                dialect: "kazoo".to_owned(),
                client: Client::default(),
                attributes: Vec::new(),
                opened_at: now,
                purpose: self.alice.purpose,
                admin: None,
                mobile: false,
                refresh: None,
                actor: None,
            },
            token: Token {
                digest: TokenDigest {
                    key: crate::model::KeyId(1),
                    hash: SessionId(id.0).0.as_bytes().repeat(2).try_into().unwrap(),
                },
                session: id,
                issued_at: now,
                expires_at: now.plus(ttl),
                accesses: Vec::new().into(),
            },
            verified_since: self.store.revocation_mark().await.unwrap(),
            limit: None,
            refresh: Refreshing::No,
        };
        self.store.open_session(opening).await.unwrap()
    }

    /// A token of alice's that the token service made and has in its cache.
    async fn token(&self, ttl: Duration) -> TokenValue {
        let made = self.tokens.mint_link(self.alice.id, Vec::new(), ttl, Vec::new());
        made.await.unwrap().value
    }

    async fn is_good(&self, token: &TokenValue) -> bool {
        self.tokens.accesses(token, None).await.is_ok()
    }

    /// Puts an account in the place of what is there.
    async fn put(&self, account: Account) -> Result<Account, DirectoryError> {
        let tenant = account.tenant;
        self.accounts.change_account(tenant, move |_| account.clone()).await
    }

    async fn account(&self) -> Account {
        self.accounts.get_account(self.acme).await.unwrap()
    }
}

async fn add_user(directory: &DirectoryService, login: &str, tenant: TenantId) -> User {
    let user = AddUser {
        login: Some(login.to_owned()),
        tenant: Some(tenant.to_string()),
        ..AddUser::default()
    };
    directory.add_user(user).await.unwrap()
}

fn accesses(patterns: &[&str]) -> AccessList {
    let patterns: Vec<_> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let nobody = uuid::Uuid::nil();
    AccessList::new(&patterns, crate::model::IdentityId(nobody), SessionId(nobody))
}

fn is_invalid<T: std::fmt::Debug>(outcome: Result<T, DirectoryError>, wanted: &str) -> bool {
    match outcome {
        Err(DirectoryError::Invalid { field, .. }) => field == wanted,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_said_of_an_account_is_read_again_but_for_its_reseller_and_its_key() {
    let house = House::new().await;
    assert_eq!(house.account().await, Account::of(house.acme));
    let said = Account {
        language: Some("en-us".to_owned()),
        timezone: Some("America/Argentina/Buenos_Aires".to_owned()),
        phone_numbers: vec!["+1 415 555 0100".to_owned()],
        document: serde_json::from_value(serde_json::json!({"ringtones": {"internal": "x"}})).unwrap(),
        ..Account::of(house.acme)
    };
    let taken = Account {
        reseller: true,
        api_key: 7,
        ..said.clone()
    };
    assert_eq!(house.put(taken).await.unwrap(), said);
    assert_eq!(house.account().await, said);
    let index = house.accounts.index().await.unwrap();
    assert_eq!(
        index.find_by_phone("+14155550100"),
        Some(house.acme),
        "the index has it at once"
    );
    let nobody = Account::of(TenantId(SystemRandom.uuid()));
    for unknown in [
        house.put(nobody.clone()).await,
        house.accounts.get_account(nobody.tenant).await,
    ] {
        assert!(matches!(unknown, Err(DirectoryError::NotFound { what: "tenant", .. })));
    }
}

#[tokio::test]
async fn what_cannot_be_true_of_an_account_is_refused() {
    let house = House::new().await;
    let acme = || Account::of(house.acme);
    let put = |account| house.put(account);
    for language in ["", "e n", "en_us", "-en", "1n", "abcdefghi"] {
        let language = Some(language.to_owned());
        assert!(is_invalid(put(Account { language, ..acme() }).await, "language"));
    }
    for timezone in ["", "Europe/", "Europe//Berlin", "a b", &"x".repeat(65)] {
        let timezone = Some(timezone.to_owned());
        assert!(is_invalid(put(Account { timezone, ..acme() }).await, "timezone"));
    }
    let many = (0..=1000).map(|n| n.to_string()).collect();
    for numbers in [
        vec!["none".to_owned()],
        vec!["1\n2".to_owned()],
        vec!["1".repeat(65)],
        vec!["+1 2".to_owned(), "+12".to_owned()],
        many,
    ] {
        let account = Account {
            phone_numbers: numbers,
            ..acme()
        };
        assert!(is_invalid(put(account).await, "phone_numbers"));
    }
    let mut large = acme();
    large.document.insert("x".to_owned(), "y".repeat(64 * 1024).into());
    assert!(is_invalid(put(large).await, "document"));
    let top = Account::of(MemoryStore::MASTER);
    let disabled = Account {
        enabled: false,
        ..top.clone()
    };
    let on_trial = Account {
        trial_expires_at: Some(house.clock.now().plus(HOUR)),
        ..top.clone()
    };
    assert!(is_invalid(put(disabled).await, "enabled") && is_invalid(put(on_trial).await, "enabled"));
    put(top).await.unwrap();
}

#[tokio::test]
async fn a_number_is_one_accounts_alone() {
    let house = House::new().await;
    let with_number = |tenant| Account {
        phone_numbers: vec!["+1 2".to_owned()],
        ..Account::of(tenant)
    };
    house.put(with_number(house.acme)).await.unwrap();
    let taken = house.put(with_number(MemoryStore::MASTER)).await;
    let conflict = StoreError::Conflict { what: "phone number" }.to_string();
    assert_eq!(taken.unwrap_err().to_string(), conflict);
}

#[tokio::test]
async fn an_account_and_its_tenant_change_together_or_not_at_all() {
    let house = House::new().await;
    let token = house.token(HOUR).await;
    let with_number = |tenant| Account {
        phone_numbers: vec!["+1 2".to_owned()],
        ..Account::of(tenant)
    };
    let top = house.put(with_number(MemoryStore::MASTER)).await;
    top.unwrap();
    let taken = Some("taken.example.org".to_owned());
    house
        .directory
        .add_tenant("other", None, taken.as_deref(), &[])
        .await
        .unwrap();
    let closed = |account: Account| Account {
        enabled: false,
        ..account
    };
    let realm = || Some("new.example.org".to_owned());
    let before = house.directory.get_tenant(house.acme, TenantScope::All).await.unwrap();
    for (case, account, name, realm) in [
        ("a realm that is taken", Account::of(house.acme), "new", taken),
        ("no name", Account::of(house.acme), "a\nb", realm()),
        ("a number that is taken", with_number(house.acme), "new", realm()),
    ] {
        let name = Some(name.to_owned());
        let accounts = &house.accounts;
        let account = closed(account);
        let refused = accounts.change_account_and_tenant(house.acme, move |_| account.clone(), name, realm);
        let refused = refused.await;
        assert!(refused.is_err(), "{case}");
        let tenant = house.directory.get_tenant(house.acme, TenantScope::All).await.unwrap();
        assert_eq!(tenant, before, "{case}");
        let account = house.accounts.get_account(house.acme).await.unwrap();
        assert!(account.enabled && account.phone_numbers.is_empty(), "{case}");
        assert!(house.is_good(&token).await, "{case}");
    }
    let accounts = &house.accounts;
    let put = accounts.change_account_and_tenant(house.acme, closed, Some("new".to_owned()), realm());
    assert!(!put.await.unwrap().enabled && !house.is_good(&token).await);
    let tenant = house.directory.get_tenant(house.acme, TenantScope::All).await.unwrap();
    assert_eq!((tenant.name.as_deref(), tenant.realm), (Some("new"), realm()));
}

#[tokio::test]
async fn nobody_of_a_disabled_account_has_a_session_left_or_gets_one() {
    let house = House::new().await;
    let token = house.token(HOUR).await;
    assert!(house.is_good(&token).await && house.open(HOUR).await.is_opened());
    let disabled = Account {
        enabled: false,
        ..Account::of(house.acme)
    };
    house.put(disabled.clone()).await.unwrap();
    assert!(!house.is_good(&token).await, "the cache forgot it too");
    assert_eq!(house.store.session_count(), 0);
    assert_eq!(house.open(HOUR).await, OpeningOutcome::Closed(Closed::Disabled));
    let enabled = Account {
        enabled: true,
        ..disabled
    };
    house.put(enabled).await.unwrap();
    assert!(house.open(HOUR).await.is_opened());
}

#[tokio::test]
async fn no_token_is_good_after_the_end_of_a_trial() {
    let house = House::new().await;
    let (short, long) = (house.token(HOUR).await, house.token(10 * HOUR).await);
    let end = house.clock.now().plus(5 * HOUR);
    let trial = Account {
        trial_expires_at: Some(end),
        ..Account::of(house.acme)
    };
    // The same once more changes nothing, and does not fail.
    for _ in 0..2 {
        house.put(trial.clone()).await.unwrap();
        assert!(house.is_good(&short).await && house.is_good(&long).await);
    }
    let during = house.token(10 * HOUR).await;
    house.clock.advance(4 * HOUR + Duration::from_secs(3599));
    assert!(house.is_good(&long).await && house.is_good(&during).await);
    house.clock.advance(Duration::from_secs(1));
    assert!(!house.is_good(&long).await, "the cache knows of its new end");
    assert!(!house.is_good(&during).await);
}

#[tokio::test]
async fn an_account_is_closed_with_the_one_above_it_and_opens_with_it() {
    let house = House::new().await;
    let below = house
        .accounts
        .create_account(house.acme, NewAccount::named("below"))
        .await
        .unwrap()
        .0
        .id;
    let bob = add_user(&house.directory, "bob", below).await;
    let mint = async || house.tokens.mint_link(bob.id, Vec::new(), HOUR, Vec::new()).await;
    let token = mint().await.unwrap().value;
    let disabled = Account {
        enabled: false,
        ..Account::of(house.acme)
    };
    house.put(disabled).await.unwrap();
    assert!(!house.is_good(&token).await, "the cache forgot it too");
    assert!(matches!(
        mint().await,
        Err(crate::token::TokenError::Closed(Closed::Disabled))
    ));
    let index = house.accounts.index().await.unwrap();
    assert_eq!(index.closed(below, house.clock.now()), Some(Closed::Disabled));
    assert!(
        house.accounts.get_account(below).await.unwrap().enabled,
        "nothing is said of it"
    );
    house.put(Account::of(house.acme)).await.unwrap();
    let token = mint().await.unwrap().value;
    assert!(house.is_good(&token).await);

    let closed = house.directory.add_tenant("closed", None, None, &[]).await.unwrap().id;
    let over = Account {
        trial_expires_at: Some(house.clock.now()),
        ..Account::of(closed)
    };
    house.put(over).await.unwrap();
    house
        .directory
        .move_tenant(house.acme, closed, TenantScope::All)
        .await
        .unwrap();
    assert!(!house.is_good(&token).await, "it went below one that is closed");
    let index = house.accounts.index().await.unwrap();
    let expired = Some(Closed::Expired(house.clock.now()));
    assert_eq!(index.closed(below, house.clock.now()), expired);
}

#[tokio::test]
async fn an_edit_gets_the_account_as_it_is_when_it_is_written() {
    let house = House::new().await;
    let read = house.account().await;
    let closed = Account {
        enabled: false,
        ..read.clone()
    };
    house.store.set_account(&closed, house.clock.now()).await.unwrap();
    let language = Some("de".to_owned());
    let edit = move |current| Account {
        language: language.clone(),
        ..current
    };
    let changed = house.accounts.change_account(house.acme, edit).await.unwrap();
    assert!(!changed.enabled && changed.language.is_some());
    assert_eq!(house.account().await, changed);
}

#[tokio::test]
async fn an_account_is_made_with_its_tenant_or_not_at_all() {
    let house = House::new().await;
    let new = NewAccount {
        realm: Some("sip.example.org".to_owned()),
        domains: vec!["example.org".to_owned()],
        phone_numbers: vec!["+1 2".to_owned()],
        language: Some("de".to_owned()),
        ..NewAccount::named("below")
    };
    let (tenant, account) = house.accounts.create_account(house.acme, new.clone()).await.unwrap();
    assert_eq!((tenant.parent, tenant.name.as_deref()), (house.acme, Some("below")));
    assert_eq!(
        (tenant.realm.as_deref(), tenant.domains.as_slice()),
        (Some("sip.example.org"), &["example.org".to_owned()][..])
    );
    assert_eq!(house.accounts.get_account(tenant.id).await.unwrap(), account);
    assert_eq!(account.phone_numbers, ["+1 2"]);
    let index = house.accounts.index().await.unwrap();
    assert_eq!(index.children(house.acme), [tenant.id]);

    let count = index.len();
    let same_number = NewAccount {
        phone_numbers: vec!["+12".to_owned()],
        ..NewAccount::named("other")
    };
    let same_realm = NewAccount {
        realm: new.realm.clone(),
        ..NewAccount::named("third")
    };
    let wrong = NewAccount {
        language: Some("?".to_owned()),
        ..NewAccount::named("fourth")
    };
    for refused in [same_number, same_realm, wrong, NewAccount::named("below")] {
        assert!(house.accounts.create_account(house.acme, refused).await.is_err());
    }
    let nowhere = TenantId(SystemRandom.uuid());
    let lost = house.accounts.create_account(nowhere, NewAccount::named("lost")).await;
    assert!(matches!(lost, Err(DirectoryError::NotFound { what: "tenant", .. })));
    assert_eq!(
        house.accounts.index().await.unwrap().len(),
        count,
        "no tenant is left of any"
    );

    let own = house.accounts.remove_account(house.acme, house.acme).await;
    assert!(matches!(own, Err(DirectoryError::Protected { .. })));
    house.accounts.remove_account(tenant.id, house.acme).await.unwrap();
    assert!(house.accounts.index().await.unwrap().get(tenant.id).is_none());
}

#[tokio::test]
async fn a_reseller_is_not_the_top_account_and_has_none_below_it() {
    let house = House::new().await;
    let accounts = &house.accounts;
    let below = accounts
        .create_account(house.acme, NewAccount::named("below"))
        .await
        .unwrap()
        .0
        .id;
    assert!(accounts.set_reseller(below, true).await.unwrap().reseller);
    assert!(is_invalid(accounts.set_reseller(house.acme, true).await, "reseller"));
    assert!(is_invalid(
        accounts.set_reseller(MemoryStore::MASTER, true).await,
        "reseller"
    ));
    assert!(!accounts.set_reseller(below, false).await.unwrap().reseller);
    assert!(accounts.set_reseller(house.acme, true).await.unwrap().reseller);
    let unknown = accounts.set_reseller(TenantId(SystemRandom.uuid()), true).await;
    assert!(matches!(unknown, Err(DirectoryError::NotFound { .. })));
}

#[tokio::test]
async fn profiles_are_read_again_and_are_somebodys() {
    let house = House::new().await;
    let alice = house.alice.id;
    assert_eq!(house.accounts.get_profile(alice).await.unwrap(), Profile::of(alice));
    let profile = Profile {
        language: Some("fr-CA".to_owned()),
        verified: true,
        ..Profile::of(alice)
    };
    let put = async |profile: Profile| house.accounts.change_profile(profile.user, |_| profile.clone()).await;
    put(profile.clone()).await.unwrap();
    assert_eq!(house.accounts.get_profile(alice).await.unwrap(), profile);
    let bob = add_user(&house.directory, "bob", house.acme).await.id;
    let listed = house.accounts.list_profiles(&[bob, alice]).await.unwrap();
    assert_eq!(listed, [Profile::of(bob), profile]);
    let nobody = UserId(SystemRandom.uuid());
    let missing = put(Profile::of(nobody)).await;
    assert!(matches!(missing, Err(DirectoryError::NotFound { what: "user", .. })));
    assert!(house.accounts.get_profile(nobody).await.is_err());
    let timezone = Some(" ".to_owned());
    let wrong = Profile {
        timezone,
        ..Profile::of(bob)
    };
    assert!(is_invalid(put(wrong).await, "timezone"));
}

#[tokio::test]
async fn attempts_are_kept_for_their_time_and_hold_what_can_be_stored() {
    let house = House::new().await;
    let now = house.clock.now();
    let attempt = |message: &str| NewAttempt {
        at: now,
        tenant: house.acme,
        identity: None,
        actor: None,
        kind: "user_auth".to_owned(),
        success: false,
        message: message.to_owned(),
        client: "192.0.2.7".to_owned(),
        user_agent: format!("\0{}é", "x".repeat(510)),
        request_id: "r".to_owned(),
    };
    house.accounts.record_attempt(attempt("first"));
    house.accounts.record_attempt(attempt("second"));
    let (long_ago, ever) = (Timestamp(0), Timestamp(i64::MAX));
    let listed = house
        .accounts
        .list_attempts(house.acme, long_ago, ever, 10, 0)
        .await
        .unwrap();
    let messages: Vec<_> = listed
        .items
        .iter()
        .map(|attempt| attempt.attempt.message.as_str())
        .collect();
    assert_eq!(messages, ["second", "first"]);
    assert_eq!(
        listed.items[0].attempt.user_agent,
        "x".repeat(510),
        "cut at a character, without NUL"
    );
    let id = listed.items[0].id;
    assert!(house.accounts.find_attempt(house.acme, id).await.unwrap().is_some());
    assert!(
        house
            .accounts
            .find_attempt(MemoryStore::MASTER, id)
            .await
            .unwrap()
            .is_none()
    );
    house.store.set_down(true);
    house.accounts.record_attempt(attempt("lost"));
    house.accounts.settle_attempts(HOUR).await;
    house.store.set_down(false);
    assert_eq!(house.accounts.sweep_attempts().await.unwrap(), 0);
}
