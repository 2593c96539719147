//! A house without walls: the rooms put together in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use keyway_core::account::{AccountService, AccountSettings};
use keyway_core::accounts::AccountDirectory;
use keyway_core::directory::DirectoryService;
use keyway_core::event::{EventService, EventSettings};
use keyway_core::factor::FactorService;
use keyway_core::gate::{Gate, GateLimits};
use keyway_core::key::{KeyRing, MasterKey};
use keyway_core::model::{Answer, BackendName, Outcome, PluginDigest, PluginStamp, Principal, Subject, UserId};
use keyway_core::notice::{NoticeService, NoticeSettings};
use keyway_core::password::{PasswordParams, PasswordPool};
use keyway_core::port::{
    Backend, BackendFault, BackendSlot, Backends, Clock, Page, PageError, Pages, Random, Step, Store, SystemClock,
    SystemRandom, VerifyRequest,
};
use keyway_core::rights::Rights;
use keyway_core::setting::SettingService;
use keyway_core::tenants::TenantDirectory;
use keyway_core::token::{TokenCache, TokenService, TokenSettings};
use keyway_http::dialect::Dialect;
use keyway_http::edge::{Edge, EdgeSettings, Listener, Stop};
use keyway_http::{
    AppParts, AppState, DialectSettings, EventStreamSettings, EventStreams, KazooState, PrivacyideaKeys,
    PrivacyideaPolicies, WebitelState,
};
use uuid::Uuid;

/// Who may do anything.
pub(crate) const ADMIN: &str = "admin";

/// Lets everybody in, so that a hundred thousand tokens do not cost a hundred thousand password hashes. Who gives an id is the directory's user.
struct OpenDoor;

#[async_trait]
impl Backend for OpenDoor {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        let Step::Start { identifier, .. } = request.step else {
            return Err(BackendFault::NotLoaded);
        };
        let subject = Uuid::try_parse(&identifier).map_or_else(
            |_| Subject::Own(identifier.clone()),
            |id| Subject::Directory(UserId(id)),
        );
        let accesses: &[&str] = match identifier.as_str() {
            ADMIN => &["#"],
            _ => &["calls.#", "users.me.read", "!calls.secret"],
        };
        let principal = Principal {
            subject,
            login: identifier,
            display_name: None,
            email: None,
            groups: Vec::new(),
            accesses: accesses.iter().map(|&access| access.to_owned()).collect(),
            attributes: Vec::new(),
        };
        let plugin = PluginStamp {
            digest: PluginDigest([0; 32]),
            generation: 1,
        };
        Ok(Answer {
            outcome: Outcome::Verified(principal),
            plugin,
        })
    }
}

struct OneBackend(BackendSlot);

impl Backends for OneBackend {
    fn find(&self, name: &str) -> Option<BackendSlot> {
        (name == self.0.name.as_str()).then(|| self.0.clone())
    }

    fn names(&self) -> Vec<BackendName> {
        vec![self.0.name.clone()]
    }
}

/// Nobody is sent a link to one.
struct NoPages;

impl Pages for NoPages {
    fn render(&self, _: &Page<'_>) -> Result<String, PageError> {
        Ok(String::new())
    }
}

/// A house that serves in this process, over a store of its own.
pub(crate) struct House {
    pub(crate) port: u16,
    pub(crate) tokens: Arc<TokenService>,
    pub(crate) directory: Arc<DirectoryService>,
}

/// Serves the wazo API over a database in the folder.
pub(crate) async fn serve(folder: &Path, max_sessions: u32) -> anyhow::Result<House> {
    serve_on(&format!("sqlite:{}", folder.join("keyway.db").display()), max_sessions).await
}

/// Serves the wazo API over an empty database.
#[expect(
    clippy::too_many_lines,
    reason = "each part once, in the order in which they need each other"
)]
pub(crate) async fn serve_on(url: &str, max_sessions: u32) -> anyhow::Result<House> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let store = keyway_store::open(url, keyway_store::StoreSettings::default(), &*random).await?;
    let passwords = Arc::new(PasswordPool::new(
        PasswordParams::default(),
        2,
        64,
        Arc::clone(&random),
    )?);
    let keys = KeyRing::open(&*store, &MasterKey::new([7; 32]), &*random, &*clock).await?;
    let settings = settings(max_sessions);
    let cache = Arc::new(TokenCache::new(settings.cache_capacity));
    let slot = BackendSlot {
        name: BackendName::parse("open_door")?,
        backend: Arc::new(OpenDoor),
        gate: Arc::new(Gate::new(GateLimits::default())),
        deadline: Duration::from_secs(30),
        acl_ceiling: Some(Arc::from(vec!["#".to_owned()])),
        group_policies: Arc::default(),
    };
    let backends: Arc<dyn Backends> = Arc::new(OneBackend(slot));
    let service = compose(&store, &backends, &passwords, keys, &cache, &clock, &random, settings);
    let (tokens, directory) = service;
    let house = (Arc::clone(&tokens), Arc::clone(&directory));
    let tenant_settings = SettingService::new(Arc::clone(&store), MasterKey::new([7; 32]), Arc::clone(&random));
    let notices = NoticeService::new(
        Arc::clone(&directory),
        Arc::clone(&tokens),
        None,
        Arc::clone(&clock),
        NoticeSettings::default(),
    );
    let privacyidea_policies = PrivacyideaPolicies::new(Arc::clone(&store));
    let tenants = Arc::new(TenantDirectory::new(Arc::clone(&store)));
    let events = EventService::new(
        Arc::clone(&store),
        Arc::clone(&tenants),
        Arc::clone(&clock),
        EventSettings::default(),
    );
    let master = MasterKey::new([7; 32]);
    let accounts = AccountService::new(
        Arc::clone(&store),
        Arc::clone(&cache),
        Arc::new(AccountDirectory::new(Arc::clone(&store), tenants, &master)),
        Arc::clone(&directory),
        Arc::clone(&clock),
        Arc::clone(&random),
        AccountSettings {
            rights: Rights::default(),
            default_user_policy: None,
            attempts_keep: Duration::from_hours(24),
            sweep_interval: Duration::ZERO,
        },
    );
    let dialects = DialectSettings::default();
    let factors = FactorService::new(
        Arc::clone(&store) as _,
        Arc::clone(&passwords),
        master.clone(),
        Arc::clone(&clock),
        Arc::clone(&random),
    );
    let state = AppState::new(AppParts {
        accounts: Arc::new(accounts),
        kazoo: KazooState::new(&master, &dialects.kazoo, Arc::clone(&clock)),
        webitel: WebitelState::new(&master, Arc::clone(&store)),
        tenant_settings: Arc::new(tenant_settings),
        notices: Arc::new(notices),
        pages: Arc::new(NoPages),
        tokens,
        backends,
        store,
        directory,
        own_settings: None,
        plugins: None,
        reload: None,
        desk: None,
        factors: Arc::new(factors),
        privacyidea_keys: PrivacyideaKeys::new(&master),
        privacyidea_policies,
        events: EventStreams::new(Arc::new(events), EventStreamSettings::default()),
        clock,
        random,
        dialects,
    });
    let listener = Listener::tcp("127.0.0.1:0".parse()?, None)?;
    let port = listener.address().context("a TCP listener has an address")?.port();
    let router = keyway_http::dialect::router(&[Dialect::Wazo], &state);
    tokio::spawn(listener.serve(router, state, Edge::new(EdgeSettings::default()), Stop::new()));
    let (tokens, directory) = house;
    Ok(House {
        port,
        tokens,
        directory,
    })
}

fn settings(max_sessions: u32) -> TokenSettings {
    TokenSettings {
        default_ttl: Duration::from_hours(2),
        max_ttl: Duration::from_hours(24),
        sweep_interval: Duration::ZERO,
        sweep_batch: 1000,
        cache_capacity: 131_072,
        default_user_policy: None,
        refresh_ttl: None,
        max_sessions,
        admin_status: None,
    }
}

#[expect(clippy::too_many_arguments, reason = "each part once")]
fn compose(
    store: &Arc<dyn Store>,
    backends: &Arc<dyn Backends>,
    passwords: &Arc<PasswordPool>,
    keys: KeyRing,
    cache: &Arc<TokenCache>,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    settings: TokenSettings,
) -> (Arc<TokenService>, Arc<DirectoryService>) {
    let tenants = Arc::new(TenantDirectory::new(Arc::clone(store)));
    let directory = DirectoryService::new(
        Arc::clone(store),
        Arc::clone(passwords),
        Arc::clone(cache),
        Arc::clone(&tenants),
        Arc::clone(clock),
        Arc::clone(random),
    );
    let tokens = TokenService::new(
        Arc::clone(store),
        Arc::clone(backends),
        Arc::clone(passwords),
        keys,
        Arc::clone(cache),
        tenants,
        Arc::clone(clock),
        Arc::clone(random),
        settings,
    );
    (Arc::new(tokens), Arc::new(directory))
}
