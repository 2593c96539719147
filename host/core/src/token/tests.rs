//! Rules of the token service, verb by verb.

mod check;
mod factor;
mod follow;
mod impersonate;
mod link;
mod login;
mod lookup;
mod overtake;
mod password;
mod recover;
mod refresh;
mod revoke;

use super::*;
use crate::key::MasterKey;
use crate::model::{
    Email, EmailId, GroupId, IdentityId, Outcome, Refusal, Subject, Tenant, TenantId, Timestamp, User, UserId,
};
use crate::port::{
    BackendFault, ChallengeStore, DirectoryStore as _, FactorStore, NewTenant, NewUser, PolicyStore as _, SystemRandom,
    TenantStore as _,
};
use crate::testing::{FakeBackend, FakeBackends, MemoryStore, StillClock, cheap_passwords, everything, principal};

/// A service over doubles, with the backend `wazo_user` and its alias `xivo_user`, which lets the directory user alice in with `s3cre7`.
struct House {
    store: Arc<MemoryStore>,
    backends: Arc<FakeBackends>,
    backend: Arc<FakeBackend>,
    passwords: Arc<PasswordPool>,
    cache: Arc<TokenCache>,
    tenants: Arc<TenantDirectory>,
    clock: Arc<StillClock>,
    factors: Arc<FactorService>,
    service: Arc<TokenService>,
    alice: User,
}

fn settings() -> TokenSettings {
    TokenSettings {
        default_ttl: Duration::from_hours(2),
        max_ttl: Duration::from_hours(24),
        sweep_interval: Duration::from_mins(1),
        sweep_batch: 2,
        cache_capacity: 1000,
        default_user_policy: None,
        refresh_ttl: None,
        max_sessions: 100,
        admin_status: None,
    }
}

fn alice(tenant: TenantId) -> User {
    User {
        emails: vec![Email {
            id: EmailId(uuid::Uuid::from_u128(0xe)),
            address: "alice@example.org".to_owned(),
            main: true,
            confirmed: true,
        }],
        ..User::new(UserId(uuid::Uuid::from_u128(0xa11ce)), tenant, "Alice", Timestamp(0))
    }
}

impl House {
    async fn new() -> Self {
        Self::with_settings(settings()).await
    }

    async fn with_settings(settings: TokenSettings) -> Self {
        let (store, clock) = (MemoryStore::new(), Arc::new(StillClock::new()));
        let tenants = Arc::new(TenantDirectory::new(Arc::clone(&store) as Arc<dyn Store>));
        let alice = alice(tenants.master().await.unwrap());
        let user = NewUser::of(alice.clone(), None);
        store.add_user(&user).await.unwrap();
        let id = alice.id;
        let backend = Arc::new(FakeBackend::new(move |request| match &request.step {
            crate::port::Step::Start {
                credential: Credential::Password(password),
                ..
            } if *password == "s3cre7".into() => Ok(Outcome::Verified(principal(Subject::Directory(id), "alice"))),
            _ => Ok(Outcome::Refused(Refusal::WrongCredential)),
        }));
        let backends = Arc::new(FakeBackends::default());
        backends.add("wazo_user", Arc::clone(&backend) as Arc<_>).unwrap();
        backends.alias("xivo_user", "wazo_user");
        let passwords = Arc::new(cheap_passwords(1, 16).unwrap());
        let cache = Arc::new(TokenCache::new(settings.cache_capacity));
        let service = compose(&store, &backends, &passwords, &cache, &tenants, &clock, settings).await;
        Self {
            factors: factor_service(&store, &passwords, &clock),
            store,
            backends,
            backend,
            passwords,
            cache,
            tenants,
            clock,
            service,
            alice,
        }
    }

    /// Another service on the same store and cache, with its own password pool, which reads the keys anew.
    async fn another_service(&self, passwords: &Arc<PasswordPool>) -> Arc<TokenService> {
        let (backends, cache) = (&self.backends, &self.cache);
        compose(
            &self.store,
            backends,
            passwords,
            cache,
            &self.tenants,
            &self.clock,
            settings(),
        )
        .await
    }

    /// Adds the backend `own`, whose answer the closure gives.
    fn add_backend(
        &self,
        decide: impl Fn() -> Result<Outcome, BackendFault> + Send + Sync + 'static,
    ) -> Arc<FakeBackend> {
        let backend = Arc::new(FakeBackend::new(move |_| decide()));
        self.backends.add("own", Arc::clone(&backend) as Arc<_>).unwrap();
        backend
    }

    async fn add_policy(&self, name: &str, accesses: &[&str], to: IdentityId) {
        let policy = crate::model::Policy::new(
            crate::model::PolicyId(SystemRandom.uuid()),
            self.tenants.master().await.unwrap(),
            name,
            accesses.iter().map(|text| (*text).to_owned()).collect(),
        );
        self.store.add_policy(&policy).await.unwrap();
        self.store.attach_policy(policy.id, to).await.unwrap();
    }

    async fn add_tenant(&self, name: &str, parent: TenantId) -> TenantId {
        let id = TenantId(SystemRandom.uuid());
        let tenant = NewTenant::of(Tenant::new(id, parent, name), GroupId(SystemRandom.uuid()));
        self.store.add_tenant(&tenant).await.unwrap();
        self.tenants.invalidate();
        id
    }

    async fn login(&self, request: LoginRequest) -> Result<IssuedToken, TokenError> {
        match self.service.login(request).await? {
            LoginOutcome::Issued(issued) => Ok(issued),
            LoginOutcome::Challenged(challenge) => panic!("challenged: {challenge:?}"),
        }
    }

    /// Alice's token.
    async fn token(&self) -> IssuedToken {
        self.login(login("wazo_user")).await.unwrap()
    }

    async fn is_good(&self, token: &TokenValue) -> bool {
        match self.service.accesses(token, None).await {
            Ok(_) => true,
            Err(TokenError::NotFound) => false,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// Whether the token is answered from the cache: the store is away meanwhile.
    async fn is_cached(&self, token: &TokenValue) -> bool {
        self.store.set_down(true);
        let result = self.service.check(token, CheckRequest::default()).await;
        self.store.set_down(false);
        match result {
            Ok(_) => true,
            Err(TokenError::Store(_)) => false,
            Err(other) => panic!("{other:?}"),
        }
    }
}

async fn compose(
    store: &Arc<MemoryStore>,
    backends: &Arc<FakeBackends>,
    passwords: &Arc<PasswordPool>,
    cache: &Arc<TokenCache>,
    tenants: &Arc<TenantDirectory>,
    clock: &Arc<StillClock>,
    settings: TokenSettings,
) -> Arc<TokenService> {
    let keys = KeyRing::open(&**store, &MasterKey::new([1; 32]), &SystemRandom, &**clock)
        .await
        .unwrap();
    let factors = factor_service(store, passwords, clock);
    let challenges = Challenges::new(
        Arc::clone(store) as Arc<dyn ChallengeStore>,
        &MasterKey::new([1; 32]),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(SystemRandom),
    );
    let service = TokenService::new(
        Arc::clone(store) as Arc<dyn Store>,
        Arc::clone(backends) as Arc<dyn Backends>,
        Arc::clone(passwords),
        keys,
        Arc::clone(cache),
        Arc::clone(tenants),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(SystemRandom),
        settings,
    );
    Arc::new(service.with_factors(factors, challenges))
}

fn factor_service(
    store: &Arc<MemoryStore>,
    passwords: &Arc<PasswordPool>,
    clock: &Arc<StillClock>,
) -> Arc<FactorService> {
    Arc::new(FactorService::new(
        Arc::clone(store) as Arc<dyn FactorStore>,
        Arc::clone(passwords),
        MasterKey::new([1; 32]),
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(SystemRandom),
    ))
}

/// Alice's login, with the right password.
fn login(backend: &str) -> LoginRequest {
    LoginRequest {
        backend: backend.to_owned(),
        credentials: Some(("alice".to_owned(), Credential::Password("s3cre7".into()))),
        tenant: None,
        ttl: None,
        client: Client::default(),
        dialect: "wazo",
        request_id: "request-1".to_owned(),
        attributes: Vec::new(),
        mobile: false,
        offline: None,
        otp: None,
        transaction: None,
        factors: FactorRule::default(),
        limited: true,
    }
}
