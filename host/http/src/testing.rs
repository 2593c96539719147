//! What this crate's tests share: a state over doubles, and one way to ask a router.

pub(crate) mod desk;
pub(crate) mod told;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use keyway_core::account::{AccountService, AccountSettings};
use keyway_core::accounts::AccountDirectory;
use keyway_core::directory::{AddUser, DirectoryService, FirstUser, ProvidedPolicy, Provisions};
use keyway_core::event::{EventService, EventSettings};
use keyway_core::factor::FactorService;
use keyway_core::key::{KeyRing, MasterKey};
use keyway_core::model::{
    BackendName, Challenge, ChallengeKind, Changed, Credential, HistoryEntry, Outcome, PluginDigest, PluginState,
    PluginStatus, Purpose, Refusal, Rejection, Subject, Timestamp, UserId,
};
use keyway_core::notice::{NoticeService, NoticeSettings};
use keyway_core::password::PasswordPool;
use keyway_core::port::{
    BackendFault, ChangeRequest, PluginHost, PluginHostError, ProvidedGroup, Step, SystemRandom, VerifyRequest,
};
use keyway_core::rights::Rights;
use keyway_core::setting::SettingService;
use keyway_core::tenants::TenantDirectory;
use keyway_core::testing::{
    FakeBackend, FakeBackends, Letterbox, MemoryStore, PlainPages, StillClock, cheap_passwords, principal,
};
use keyway_core::token::{Challenges, TokenCache, TokenService, TokenSettings};
use tower::ServiceExt as _;

use desk::FakeDesk;

use crate::edge::Call;
use crate::{
    AppParts, AppState, DialectSettings, EventStreamSettings, EventStreams, KazooState, OwnSettings, PrivacyideaKeys,
    PrivacyideaPolicies, Reload, ReloadReport, RunningListener, RunningMail, RunningSettings, Switch, WebitelState,
};

/// A whole state over doubles. `alice` with the password `s3cre7` is let in by the backend `wazo_user`, also known as `xivo_user`.
pub(crate) struct TestState {
    pub(crate) state: AppState,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) backend: Arc<FakeBackend>,
    pub(crate) backends: Arc<FakeBackends>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) letters: Arc<Letterbox>,
    pub(crate) desk: Arc<FakeDesk>,
}

impl TestState {
    pub(crate) async fn new() -> Self {
        Self::with(DialectSettings::default()).await
    }

    pub(crate) async fn with(dialects: DialectSettings) -> Self {
        Self::streaming(dialects, EventStreamSettings::default()).await
    }

    #[expect(clippy::too_many_lines, reason = "everything that a server is put together from")]
    pub(crate) async fn streaming(dialects: DialectSettings, streams: EventStreamSettings) -> Self {
        let store = MemoryStore::new();
        let clock = Arc::new(StillClock::new());
        let random = Arc::new(SystemRandom);
        let passwords = Arc::new(cheap_passwords(1, 16).expect("a pool"));
        let cache = Arc::new(TokenCache::new(64));
        let tenants = Arc::new(TenantDirectory::new(store.clone()));
        let directory = directory(&store, &passwords, &cache, &tenants, &clock);
        let alice = Arc::new(OnceLock::new());
        let backend = FakeBackend::new({
            let alice = alice.clone();
            move |request| decide(request, alice.get().copied())
        });
        let backend = Arc::new(backend.changes_passwords(decide_change));
        let backends = backends(&backend);
        let master = MasterKey::new([1; 32]);
        let keys = KeyRing::open(&*store, &master, &SystemRandom, &*clock);
        let keys = keys.await.expect("keys");
        let accounts = accounts(&store, &cache, &tenants, &directory, &clock, &master);
        let tokens = TokenService::new(
            store.clone(),
            backends.clone(),
            passwords.clone(),
            keys,
            cache.clone(),
            tenants.clone(),
            clock.clone(),
            random.clone(),
            settings(),
        );
        let factors = factors(&store, &passwords, &clock);
        let challenges = Challenges::new(store.clone(), &master, clock.clone(), random.clone());
        let tokens = Arc::new(tokens.with_factors(factors.clone(), challenges));
        let desk = Arc::new(FakeDesk::default());
        let events = EventService::new(store.clone(), tenants.clone(), clock.clone(), EventSettings::default());
        let events = Arc::new(events);
        alice.set(add_alice(&directory).await).expect("set once");
        let letters = Arc::new(Letterbox::default());
        let notices = notices(&directory, &tokens, &letters, &clock);
        let state = AppState::new(AppParts {
            tokens,
            backends: backends.clone(),
            store: store.clone(),
            directory,
            accounts,
            tenant_settings: tenant_settings(&store),
            notices,
            pages: Arc::new(PlainPages),
            own_settings: Some(Arc::new(FakeOwnSettings::default())),
            plugins: Some(Arc::new(FakePlugins)),
            reload: Some(Arc::new(FakeReload)),
            desk: Some(desk.clone()),
            factors,
            privacyidea_keys: PrivacyideaKeys::new(&master),
            privacyidea_policies: PrivacyideaPolicies::new(store.clone()),
            kazoo: KazooState::new(&master, &dialects.kazoo, clock.clone()),
            webitel: WebitelState::new(&master, store.clone()),
            events: EventStreams::new(events, streams),
            clock: clock.clone(),
            random,
            dialects,
        });
        Self {
            state,
            store,
            backend,
            backends,
            clock,
            letters,
            desk,
        }
    }
}

impl TestState {
    /// Lets alice's tokens have this access from now on.
    pub(crate) async fn grant_alice(&self, access: &str) {
        let directory = &self.state.directory;
        directory
            .add_policy("alice", vec![access.to_owned()])
            .await
            .expect("a policy");
        directory.attach_policy("alice", "alice").await.expect("attached");
    }
}

fn directory(
    store: &Arc<MemoryStore>,
    passwords: &Arc<PasswordPool>,
    cache: &Arc<TokenCache>,
    tenants: &Arc<TenantDirectory>,
    clock: &Arc<StillClock>,
) -> Arc<DirectoryService> {
    Arc::new(DirectoryService::new(
        store.clone(),
        passwords.clone(),
        cache.clone(),
        tenants.clone(),
        clock.clone(),
        Arc::new(SystemRandom),
    ))
}

fn accounts(
    store: &Arc<MemoryStore>,
    cache: &Arc<TokenCache>,
    tenants: &Arc<TenantDirectory>,
    directory: &Arc<DirectoryService>,
    clock: &Arc<StillClock>,
    master: &MasterKey,
) -> Arc<AccountService> {
    let index = AccountDirectory::new(store.clone(), tenants.clone(), master);
    Arc::new(AccountService::new(
        store.clone(),
        cache.clone(),
        Arc::new(index),
        directory.clone(),
        clock.clone(),
        Arc::new(SystemRandom),
        AccountSettings {
            rights: Rights::default(),
            default_user_policy: None,
            attempts_keep: Duration::from_hours(24),
            sweep_interval: Duration::ZERO,
        },
    ))
}

fn backends(backend: &Arc<FakeBackend>) -> Arc<FakeBackends> {
    let backends = Arc::new(FakeBackends::default());
    backends.add("wazo_user", backend.clone()).expect("a name");
    backends.alias("xivo_user", "wazo_user");
    backends
}

fn notices(
    directory: &Arc<DirectoryService>,
    tokens: &Arc<TokenService>,
    letters: &Arc<Letterbox>,
    clock: &Arc<StillClock>,
) -> Arc<NoticeService> {
    Arc::new(NoticeService::new(
        directory.clone(),
        tokens.clone(),
        Some(letters.clone()),
        clock.clone(),
        NoticeSettings::default(),
    ))
}

fn factors(store: &Arc<MemoryStore>, passwords: &Arc<PasswordPool>, clock: &Arc<StillClock>) -> Arc<FactorService> {
    Arc::new(FactorService::new(
        store.clone(),
        passwords.clone(),
        MasterKey::new([1; 32]),
        clock.clone(),
        Arc::new(SystemRandom),
    ))
}

fn tenant_settings(store: &Arc<MemoryStore>) -> Arc<SettingService> {
    let master = MasterKey::new([1; 32]);
    Arc::new(SettingService::new(store.clone(), master, Arc::new(SystemRandom)))
}

async fn add_alice(directory: &DirectoryService) -> UserId {
    let user = AddUser {
        login: Some("alice".to_owned()),
        password: Some("s3cre7".into()),
        ..AddUser::default()
    };
    directory.add_user(user).await.expect("a user").id
}

fn settings() -> TokenSettings {
    TokenSettings {
        default_ttl: Duration::from_hours(2),
        max_ttl: Duration::from_hours(24),
        sweep_interval: Duration::ZERO,
        sweep_batch: 100,
        cache_capacity: 64,
        default_user_policy: None,
        refresh_ttl: None,
        max_sessions: 100,
        admin_status: None,
    }
}

/// The login name says what the backend is to do.
fn decide(request: &VerifyRequest, alice: Option<UserId>) -> Result<Outcome, BackendFault> {
    let Step::Start { identifier, credential } = &request.step else {
        return Err(BackendFault::Broken("a second step".to_owned()));
    };
    let Credential::Password(password) = credential else {
        return Ok(Outcome::Refused(Refusal::UnsupportedCredential));
    };
    match identifier.as_str() {
        "alice" if password.expose() == b"s3cre7" => {
            let subject = alice.map_or(Subject::Own("alice".to_owned()), Subject::Directory);
            Ok(Outcome::Verified(principal(subject, "alice")))
        }
        "bob" => Ok(Outcome::Verified(principal(Subject::Own("bob".to_owned()), "bob"))),
        "challenged" => Ok(Outcome::Challenged(Challenge {
            kind: ChallengeKind::Otp,
            prompt: "code?".to_owned(),
            state: Vec::new(),
            attributes: Vec::new(),
        })),
        "unavailable" => Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        "broken" => Err(BackendFault::Broken("trap".to_owned())),
        "breaker" => Err(BackendFault::BreakerOpen {
            faults: 20,
            retry_after: Duration::from_millis(4200),
        }),
        "bug" => panic!("on purpose"),
        _ => Ok(Outcome::Refused(Refusal::UnknownIdentifier)),
    }
}

/// The same for changes of passwords: `bob` has the password `s3cre7`, and the new one says why it is not good.
fn decide_change(request: &ChangeRequest) -> Result<Changed, BackendFault> {
    match request.identifier.as_str() {
        "bob" if request.present.expose() == b"s3cre7" => {}
        "unavailable" => return Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        "breaker" => {
            return Err(BackendFault::BreakerOpen {
                faults: 20,
                retry_after: Duration::from_millis(4200),
            });
        }
        _ => return Ok(Changed::Refused(Refusal::WrongCredential)),
    }
    let rejection = match request.new.expose().as_slice() {
        b"password-too-short" => Rejection::TooShort,
        b"password-too-weak" => Rejection::TooWeak,
        b"password-used-before" => Rejection::UsedBefore,
        b"password-changed-too-soon" => Rejection::TooSoon,
        b"password-change-not-allowed" => Rejection::NotAllowed,
        b"password-rejected" => Rejection::Unspecified,
        _ => return Ok(Changed::Changed(principal(Subject::Own("bob".to_owned()), "bob"))),
    };
    Ok(Changed::Rejected(rejection))
}

/// A server with something in each of its settings.
#[derive(Default)]
struct FakeOwnSettings {
    debug: AtomicBool,
    profiling: AtomicBool,
}

impl OwnSettings for FakeOwnSettings {
    fn show(&self) -> RunningSettings {
        let sender = || ("Keyway".to_owned(), "noreply@example.org".to_owned());
        RunningSettings {
            debug: self.debug.load(Ordering::SeqCst),
            profiling: self.profiling.load(Ordering::SeqCst),
            log_level: "info",
            config_file: "/srv/keyway.toml".to_owned(),
            listeners: vec![RunningListener {
                address: ([127, 0, 0, 1], 9497).into(),
                certificate: None,
                private_key: None,
            }],
            store: "postgres://keyway:********@db/keyway".to_owned(),
            trusted_proxies: Vec::new(),
            token: TokenSettings {
                default_user_policy: Some("user".to_owned()),
                ..settings()
            },
            provisions: provisions(),
            password_reset_lifetime: Duration::from_hours(1),
            email_confirmation_lifetime: Duration::from_hours(2),
            mail: Some(RunningMail {
                host: "mail.example.org".to_owned(),
                port: 587,
                user: Some("keyway".to_owned()),
                password_reset_from: sender(),
                email_confirmation_from: sender(),
            }),
        }
    }

    fn turn(&self, switch: Switch, on: bool) {
        match switch {
            Switch::Debug => self.debug.store(on, Ordering::SeqCst),
            Switch::Profiling => self.profiling.store(on, Ordering::SeqCst),
        }
    }
}

fn provisions() -> Provisions {
    let slug = || "user".to_owned();
    Provisions {
        policies: vec![ProvidedPolicy {
            slug: slug(),
            accesses: vec!["a".to_owned()],
            description: None,
            unless_taken: None,
        }],
        all_users: vec![slug()],
        groups: vec![ProvidedGroup {
            slug: "staff".to_owned(),
            name: "The staff".to_owned(),
            policies: vec![slug()],
        }],
        first_user: Some(FirstUser {
            login: "root".to_owned(),
            password: "s3cre7".into(),
            purpose: Purpose::Internal,
            policy: slug(),
        }),
        update: true,
    }
}

struct FakePlugins;

fn status() -> PluginStatus {
    PluginStatus {
        backend: BackendName::parse("wazo_user").expect("a name"),
        plugin: "wazo_user".to_owned(),
        version: Some("0.1.0".to_owned()),
        digest: Some(PluginDigest([7; 32])),
        generation: 1,
        state: PluginState::Serving,
        reason: None,
    }
}

#[async_trait]
impl PluginHost for FakePlugins {
    async fn list(&self) -> Vec<PluginStatus> {
        vec![status()]
    }

    async fn history(&self, backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError> {
        if backend != "wazo_user" {
            return Err(PluginHostError::UnknownBackend(backend.to_owned()));
        }
        Ok(vec![HistoryEntry {
            generation: 1,
            digest: PluginDigest([7; 32]),
            version: "0.1.0".to_owned(),
            since: Timestamp(0),
            remark: "installed".to_owned(),
            live: true,
        }])
    }

    async fn rollback(&self, _backend: &str) -> Result<PluginStatus, PluginHostError> {
        Err(PluginHostError::NoEarlierGeneration(status().backend))
    }

    async fn promote(&self, _backend: &str) -> Result<PluginStatus, PluginHostError> {
        Ok(status())
    }

    async fn reconcile(&self) -> Vec<PluginStatus> {
        vec![status()]
    }
}

struct FakeReload;

#[async_trait]
impl Reload for FakeReload {
    async fn reload(&self) -> Result<ReloadReport, String> {
        Err("keyway.toml:3: unknown key `tokn`".to_owned())
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// Asks a router, without an edge in front. Its answer must be one of those that the router's own document tells of.
pub(crate) async fn ask(router: &Router, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    send(router, request(method, uri, headers, body)).await
}

/// Asks a router of a server whose memory for requests is all in use.
pub(crate) async fn ask_full(router: &Router, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = request(method, uri, headers, body);
    request.extensions_mut().insert(Call::to_a_full_server());
    send(router, request).await
}

fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

async fn send(router: &Router, request: Request<Body>) -> Reply {
    let asked = (request.method().clone(), request.uri().clone());
    let reply = reply(router, request).await;
    told::check(router, &asked.0, &asked.1, &reply).await;
    reply
}

async fn reply(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.expect("routers answer");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}
