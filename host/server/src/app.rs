//! The composition root: puts the rooms together, in the order in which privileges can be given up, and takes them apart again.

mod backend_desk;
pub(crate) mod certificate;
pub(crate) mod data_dir;
pub(crate) mod error;
pub(crate) mod events;
mod listen;
pub(crate) mod log;
mod mail;
pub(crate) mod master_key;
mod own_settings;
pub(crate) mod privilege;
mod reload;
pub(crate) mod services;
mod signal;
mod tenant_ldap;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use keyway_core::key::MasterKey;
use keyway_core::port::{
    BackendDesk, Backends, Clock as _, EventSink, PluginHost, SystemClock, SystemRandom, TenantBackends,
};
use keyway_http::edge::{Drained, Edge, EdgeSettings, Listener, Stop};
use keyway_http::{AppParts, AppState, DialectSettings, OwnSettings, Reload, WazoSettings, admin, dialect};
use keyway_runtime::{HostServices, Runtime, RuntimeSettings};
use keyway_store::SqlDatabases;
use tokio::task::JoinSet;

use crate::config::Config;
use backend_desk::{Desk, Stage};
use data_dir::{DataDir, DataDirError, admin_socket};
pub(crate) use error::{StartError, chain};
use listen::Bound;
use log::LogControl;
use own_settings::OwnConfig;
use privilege::Account;
use reload::{Reloaded, Reloader};
use services::Services;
use signal::Signals;
use tenant_ldap::TenantDirectories;

/// How long the first requests wait for slow plugins to be compiled, rather than being told that their backend is not there.
const LOAD_PATIENCE: Duration = Duration::from_secs(10);

/// How often certificate files are looked at.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(30);

/// How long a stopping server waits for a store that is still to be told who tried to log in.
const ATTEMPTS_PATIENCE: Duration = Duration::from_secs(5);

/// How often the data folder is tried while something holds it that is no running server, and how long to wait in between.
const LOCK_ATTEMPTS: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// What a server needs besides its configuration.
pub(crate) struct Launch {
    /// Whom to become after binding.
    pub(crate) account: Option<Account>,
    /// The log, whose level a reload may change.
    pub(crate) log: LogControl,
}

/// A server between its start and its end.
pub(crate) struct Server {
    state: AppState,
    reloader: Arc<Reloader>,
    runtime: Arc<Runtime>,
    desk: Desk,
    bound: Vec<Bound>,
    admin: Listener,
    sinks: Vec<Arc<dyn EventSink>>,
    signals: Signals,
    settings: EdgeSettings,
    mail: Option<Arc<keyway_mail::Outbox>>,
    stop: Stop,
    config_file: std::path::PathBuf,
    _data_dir: DataDir,
}

impl Server {
    /// Binds, gives up privileges, opens the store, loads the plugins. Nothing is answered before [`Server::run`]; what connects
    /// earlier waits.
    ///
    /// # Errors
    /// [`StartError`].
    pub(crate) async fn start(config: Config, launch: Launch) -> Result<Self, StartError> {
        let signals = Signals::new()?;
        raise_file_limit();
        let config = match &launch.account {
            Some(account) => act_as(account, &config)?,
            None => config,
        };
        let data_dir = lock(&config).await?;
        let master = master_key::read(&config.master_key, &SystemRandom)?;
        let certificates = listen::load_certificates(&config)?;
        if let Some(account) = &launch.account {
            account.return_to_root()?;
        }
        let bound = listen::bind(&config, certificates)?;
        if let Some(account) = &launch.account {
            account.assume()?;
        }
        report(&config);
        let mut services = Services::open(&config, &master).await?;
        services.directory.prepare(config.directory.provisions.clone()).await?;
        let mail = services.start_mail(&config)?;
        let runtime = start_runtime(&config, &services, &master).await?;
        let desk = start_desk(&runtime, &services, &master);
        load(&desk, &config).await;
        let admin = Listener::unix(&admin_socket(&config.data_dir))?;
        let certificates = bound.iter().filter_map(|bound| bound.certificate.clone()).collect();
        let own = Arc::new(OwnConfig::new(&config, launch.log.clone()));
        let parts = Reloaded {
            runtime: Arc::clone(&runtime),
            desk: desk.clone(),
            tenant_ldap: tenant_directories(&runtime, &mut services, &config),
            directory: Arc::clone(&services.directory),
            accounts: Arc::clone(&services.accounts),
            own: Arc::clone(&own),
        };
        let reloader = Arc::new(Reloader::new(config.clone(), parts, certificates, launch.log));
        let dialects = dialects(&config);
        let sinks = events::sinks(&config.events, &dialects.wazo, &services.clock())?;
        let mut parts = services.into_parts(&config, Some(runtime.clone() as Arc<dyn Backends>), dialects);
        add_receivers(&sinks, &parts).await?;
        parts.plugins = Some(Arc::clone(&runtime) as Arc<dyn PluginHost>);
        parts.desk = Some(Arc::new(desk.clone()) as Arc<dyn BackendDesk>);
        parts.own_settings = Some(own as Arc<dyn OwnSettings>);
        parts.reload = Some(Arc::clone(&reloader) as Arc<dyn Reload>);
        Ok(Self {
            state: AppState::new(parts),
            reloader,
            runtime,
            desk,
            bound,
            admin,
            sinks,
            signals,
            settings: config.http,
            mail,
            stop: Stop::new(),
            config_file: config.file,
            _data_dir: data_dir,
        })
    }

    /// Users, tenants and policies, for who wants to put some there before the server answers.
    pub(crate) fn directory(&self) -> &keyway_core::directory::DirectoryService {
        &self.state.directory
    }

    /// Where it will answer.
    pub(crate) fn addresses(&self) -> Vec<std::net::SocketAddr> {
        self.bound.iter().filter_map(|bound| bound.listener.address()).collect()
    }

    /// Serves until a signal ends it, then finishes what was accepted.
    pub(crate) async fn run(self) {
        let mut background = JoinSet::new();
        background.spawn(self.signals.follow(Arc::clone(&self.reloader), self.stop.clone()));
        background.spawn(watch::follow(self.config_file, self.reloader, self.stop.clone()));
        let tokens = Arc::clone(&self.state.tokens);
        background.spawn(async move { tokens.run().await });
        background.spawn(self.desk.follow());
        background.spawn(keyway_http::sweep_audit(self.state.clone()));
        let accounts = Arc::clone(&self.state.accounts);
        background.spawn(async move { accounts.run().await });
        spawn_events(&mut background, &self.state, self.sinks, self.stop.clone());
        let mut listeners = JoinSet::new();
        let edge = Edge::new(self.settings.clone());
        for bound in self.bound {
            if let Some((_, tls)) = bound.certificate {
                let stop = self.stop.clone();
                background.spawn(async move { tls.watch(CERTIFICATE_INTERVAL, stop).await });
            }
            announce(&bound.listener, &bound.dialects);
            let router = dialect::router(&bound.dialects, &self.state);
            listeners.spawn(
                bound
                    .listener
                    .serve(router, self.state.clone(), edge.clone(), self.stop.clone()),
            );
        }
        let router = admin::router(&self.state);
        // On its own, so that an operator is heard when strangers hold all the memory that there is for requests.
        let edge = Edge::new(self.settings);
        listeners.spawn(self.admin.serve(router, self.state.clone(), edge, self.stop.clone()));
        tracing::info!("ready");
        while let Some(ended) = listeners.join_next().await {
            if let Ok(Drained::Cut(connections)) = ended {
                tracing::warn!(connections, "connections were cut when the grace period ended");
            }
        }
        mail::finish(&self.state.notices, self.mail.as_deref()).await;
        self.state.accounts.settle_attempts(ATTEMPTS_PATIENCE).await;
        background.abort_all();
        self.runtime.shutdown().await;
        self.state.store.close().await;
        tracing::info!("stopped");
    }
}

/// Follows what happens, tells the receivers, and ends the streams of those who read when the server is about to stop: no listener is
/// done before they are.
fn spawn_events(background: &mut JoinSet<()>, state: &AppState, sinks: Vec<Arc<dyn EventSink>>, stop: Stop) {
    let service = Arc::clone(&state.events.service);
    background.spawn(async move { service.run().await });
    for sink in sinks {
        let service = Arc::clone(&state.events.service);
        background.spawn(async move { service.deliver(&*sink).await });
    }
    let service = Arc::clone(&state.events.service);
    background.spawn(async move {
        stop.wait().await;
        service.close();
    });
}

/// Makes this process act as the account and reads the configuration again, so that a file that only root can read is found now, and
/// not by the first reload.
fn act_as(account: &Account, config: &Config) -> Result<Config, StartError> {
    account.hand_over(&config.data_dir)?;
    account.act()?;
    account.check_files(config)?;
    account.check_data_dir(&config.data_dir)?;
    Ok(Config::load(Some(&config.file))?)
}

/// Locks the data folder. Another server has it for good; a command, or a server that is just stopping, is waited for.
async fn lock(config: &Config) -> Result<DataDir, StartError> {
    let mut attempts = 0;
    loop {
        match DataDir::open_for_server(&config.data_dir) {
            Err(DataDirError::Locked(_)) if attempts < LOCK_ATTEMPTS && !is_served(config).await => attempts += 1,
            locked => return Ok(locked?),
        }
        tokio::time::sleep(LOCK_PAUSE).await;
    }
}

async fn is_served(config: &Config) -> bool {
    tokio::net::UnixStream::connect(admin_socket(&config.data_dir))
        .await
        .is_ok()
}

/// As many open files as the machine allows: each connection is one, and the usual limit of 1024 is an interactive user's.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised =
        getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// Has events kept for whoever is to get them.
async fn add_receivers(sinks: &[Arc<dyn EventSink>], parts: &AppParts) -> Result<(), StartError> {
    for sink in sinks {
        let added = parts.events.service.add_receiver(sink.name());
        added.await.map_err(StartError::Receiver)?;
    }
    Ok(())
}

async fn start_runtime(config: &Config, services: &Services, master: &MasterKey) -> Result<Arc<Runtime>, StartError> {
    let settings = RuntimeSettings::new(
        config.plugins_dir.clone(),
        config.data_dir.clone(),
        master.derive("compiled plugins"),
    );
    let host = HostServices {
        directory: services.directory.clone(),
        passwords: services.passwords.clone(),
        databases: Arc::new(SqlDatabases),
    };
    Ok(Runtime::start(settings, host, services.clock()).await?)
}

/// What changes the configuration of backends.
fn start_desk(runtime: &Arc<Runtime>, services: &Services, master: &MasterKey) -> Desk {
    let stage = Arc::clone(runtime) as Arc<dyn Stage>;
    Desk::new(
        stage,
        Arc::clone(&services.store),
        master.clone(),
        Arc::new(SystemRandom),
    )
}

/// The backends of tenants that have directories of their own.
fn tenant_directories(
    runtime: &Arc<Runtime>,
    services: &mut Services,
    config: &Config,
) -> Option<Arc<TenantDirectories>> {
    let settings = Arc::clone(&services.tenant_settings);
    let ldap = config.tenant_ldap.clone()?;
    let directories = Arc::new(TenantDirectories::new(Arc::clone(runtime), settings, ldap));
    services.tenant_backends = Some(Arc::clone(&directories) as Arc<dyn TenantBackends>);
    Some(directories)
}

/// Loads the plugins. One that takes longer than the patience goes on in the background, and its backend answers when it is done.
async fn load(desk: &Desk, config: &Config) {
    let (desk, specs) = (desk.clone(), config.desired());
    let loading = tokio::spawn(async move { desk.use_file(specs).await });
    if tokio::time::timeout(LOAD_PATIENCE, loading).await.is_err() {
        tracing::warn!("some plugins are still being compiled; their backends answer 503 until then");
    }
}

fn dialects(config: &Config) -> DialectSettings {
    DialectSettings {
        wazo: WazoSettings {
            backend: config.dialect.wazo_backend.clone(),
            registration: config.directory.rules.registration,
            cors: config.dialect.wazo_cors.clone(),
            xivo_uuid: config.dialect.xivo_uuid.clone(),
            time_zone: config.time_zone.clone(),
        },
        privacyidea: config.dialect.privacyidea.clone(),
        kazoo: config.dialect.kazoo.settings.clone(),
        webitel: config.dialect.webitel.clone(),
    }
}

fn report(config: &Config) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %config.file.display(),
        data_dir = %config.data_dir.display(),
        plugins_dir = %config.plugins_dir.display(),
        "starting"
    );
    certificate::warn(&config.listen, SystemClock.now());
}

fn announce(listener: &Listener, dialects: &[dialect::Dialect]) {
    if let Some(address) = listener.address() {
        let dialects: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
        tracing::info!(%address, dialects = dialects.join(", "), "listening");
    }
}
