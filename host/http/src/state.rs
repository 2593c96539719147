//! What handlers work with. Composed once by the server; handlers take their part of it through `FromRef`.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::FromRef;
use jiff::tz::TimeZone;
use keyway_core::account::AccountService;
use keyway_core::directory::DirectoryService;
use keyway_core::event::EventService;
use keyway_core::factor::FactorService;
use keyway_core::model::PluginStatus;
use keyway_core::notice::NoticeService;
use keyway_core::port::{BackendDesk, Backends, Clock, Pages, PluginHost, Random, Store};
use keyway_core::setting::SettingService;
use keyway_core::token::TokenService;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    Cors, KazooSettings, KazooState, OwnSettings, PrivacyideaKeys, PrivacyideaPolicies, PrivacyideaSettings,
    WebitelSettings, WebitelState,
};

/// What the composition root hands over.
pub struct AppParts {
    /// Issues, checks and revokes tokens.
    pub tokens: Arc<TokenService>,
    /// The backends that are configured now.
    pub backends: Arc<dyn Backends>,
    /// Asked only whether it answers.
    pub store: Arc<dyn Store>,
    /// Users, tenants and policies.
    pub directory: Arc<DirectoryService>,
    /// What tenants and users are to Kazoo's and Webitel's clients.
    pub accounts: Arc<AccountService>,
    /// Mails to users.
    pub notices: Arc<NoticeService>,
    /// Pages for people who follow the links of mails.
    pub pages: Arc<dyn Pages>,
    /// What tenants set for themselves.
    pub tenant_settings: Arc<SettingService>,
    /// The plugins; `None` where no server runs (a command that works on the store alone).
    pub plugins: Option<Arc<dyn PluginHost>>,
    /// The configuration that the server runs on; `None` where no server runs.
    pub own_settings: Option<Arc<dyn OwnSettings>>,
    /// Reads the configuration again; `None` where no server runs.
    pub reload: Option<Arc<dyn Reload>>,
    /// The configuration of backends, as APIs change it; `None` where no server runs.
    pub desk: Option<Arc<dyn BackendDesk>>,
    /// Second factors.
    pub factors: Arc<FactorService>,
    /// The keys of privacyIDEA's dialect.
    pub privacyidea_keys: PrivacyideaKeys,
    /// The policies of privacyIDEA's dialect.
    pub privacyidea_policies: PrivacyideaPolicies,
    /// What Kazoo's dialect keeps.
    pub kazoo: KazooState,
    /// What Webitel's dialect keeps.
    pub webitel: WebitelState,
    /// What happens, for those who follow it.
    pub events: EventStreams,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where unguessable bytes come from.
    pub random: Arc<dyn Random>,
    /// What the configuration says about each dialect.
    pub dialects: DialectSettings,
}

/// [`AppParts`], shared. Cloning costs one reference count.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

impl AppState {
    /// Shares the parts.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl FromRef<AppState> for Arc<TokenService> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.tokens)
    }
}

impl FromRef<AppState> for Arc<DirectoryService> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.directory)
    }
}

/// Who may follow what happens, all together.
#[derive(Clone)]
pub struct EventStreams {
    /// What happens.
    pub service: Arc<EventService>,
    /// The limits of those who follow it.
    pub settings: EventStreamSettings,
    /// What is left of [`EventStreamSettings::max_streams`].
    pub(crate) places: Arc<Semaphore>,
}

/// The limits of those who follow what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStreamSettings {
    /// How many may at once. Further ones get 503.
    pub max_streams: usize,
    /// How often it is looked whether a reader's token is still good, besides each time that there is something to read.
    pub check_interval: Duration,
    /// How often a reader that hears nothing is told that it is still connected.
    pub keep_alive: Duration,
    /// How long a reader may take to read before it is given up.
    pub patience: Duration,
}

impl EventStreams {
    /// Nobody follows yet.
    pub fn new(service: Arc<EventService>, settings: EventStreamSettings) -> Self {
        let places = Arc::new(Semaphore::new(settings.max_streams.min(Semaphore::MAX_PERMITS)));
        Self {
            service,
            settings,
            places,
        }
    }
}

impl Default for EventStreamSettings {
    fn default() -> Self {
        Self {
            max_streams: 64,
            check_interval: Duration::from_secs(5),
            keep_alive: Duration::from_secs(15),
            patience: Duration::from_secs(30),
        }
    }
}

/// The `[dialect.*]` tables of the configuration.
#[derive(Debug, Clone, Default)]
pub struct DialectSettings {
    /// `[dialect.wazo]`.
    pub wazo: WazoSettings,
    /// `[dialect.privacyidea]`.
    pub privacyidea: PrivacyideaSettings,
    /// `[dialect.kazoo]`.
    pub kazoo: KazooSettings,
    /// `[dialect.webitel]`.
    pub webitel: WebitelSettings,
}

/// `[dialect.wazo]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WazoSettings {
    /// The backend of a login that names none.
    pub backend: String,
    /// Whether anybody may register.
    pub registration: bool,
    /// Which web pages may read the answers.
    pub cors: Cors,
    /// What answers show as `xivo_uuid`, the id of the installation.
    pub xivo_uuid: Option<String>,
    /// The zone of `issued_at` and `expires_at`, which carry none. Its rules, not one offset: summer time comes and goes while a server runs.
    pub time_zone: TimeZone,
}

impl Default for WazoSettings {
    fn default() -> Self {
        Self {
            backend: "wazo_user".to_owned(),
            registration: false,
            cors: Cors::default(),
            xivo_uuid: None,
            time_zone: TimeZone::UTC,
        }
    }
}

/// What a reload did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReloadReport {
    /// Settings that are live now, by key.
    pub applied: Vec<String>,
    /// Settings that differ from what runs and need a restart, by key.
    pub needs_restart: Vec<String>,
    /// The backends afterwards.
    pub plugins: Vec<PluginStatus>,
}

/// Reads the configuration again on a running server. The server implements it.
#[async_trait]
pub trait Reload: Send + Sync {
    /// Puts the configuration file's present content in place.
    ///
    /// # Errors
    /// The key, the file and the line of what is wrong; the old configuration stays in place.
    async fn reload(&self) -> Result<ReloadReport, String>;
}
