//! The rooms behind the dialects, put together over one store: for a server, and for a command that works without one.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use keyway_core::account::{AccountService, AccountSettings};
use keyway_core::accounts::AccountDirectory;
use keyway_core::directory::DirectoryService;
use keyway_core::event::EventService;
use keyway_core::factor::FactorService;
use keyway_core::import::Importer;
use keyway_core::import::privacyidea::PrivacyideaImporter;
use keyway_core::key::{KeyError, KeyRing, MasterKey};
use keyway_core::model::BackendName;
use keyway_core::notice::{NoticeService, NoticeSettings};
use keyway_core::password::{DigestKey, PasswordError, PasswordPool};
use keyway_core::port::{
    BackendSlot, Backends, Clock, Mailer, Random, Store, SystemClock, SystemRandom, TenantBackends,
};
use keyway_core::setting::SettingService;
use keyway_core::tenants::TenantDirectory;
use keyway_core::token::{Challenges, TokenCache, TokenService, TokenSettings};
use keyway_http::dialect::Dialect;
use keyway_http::{
    AppParts, DialectSettings, EventStreams, KazooState, PrivacyideaKeys, PrivacyideaPolicies, WebitelState,
};
use keyway_mail::{Outbox, SettingsError};
use keyway_store::OpenError;

use super::mail;
use crate::config::Config;

/// Why the services could not be put together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServicesError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The server's keys cannot be opened.
    #[error("cannot open the server's keys")]
    Keys(#[from] KeyError),
    /// The password parameters are not acceptable.
    #[error("cannot set up password hashing")]
    Passwords(#[from] PasswordError),
    /// The mail server's settings are not acceptable.
    #[error("cannot set up mail")]
    Mail(#[from] SettingsError),
}

/// The services over one store.
pub(crate) struct Services {
    /// The store itself.
    pub(crate) store: Arc<dyn Store>,
    /// Password hashing.
    pub(crate) passwords: Arc<PasswordPool>,
    /// Users, tenants and policies.
    pub(crate) directory: Arc<DirectoryService>,
    /// What tenants and users are to Kazoo's and Webitel's clients.
    pub(crate) accounts: Arc<AccountService>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    keys: KeyRing,
    master: MasterKey,
    factors: Arc<FactorService>,
    cache: Arc<TokenCache>,
    tenants: Arc<TenantDirectory>,
    mailer: Option<Arc<dyn Mailer>>,
    /// What tenants set for themselves.
    pub(crate) tenant_settings: Arc<SettingService>,
    /// The backends that tenants have of their own; none for a command without a server.
    pub(crate) tenant_backends: Option<Arc<dyn TenantBackends>>,
}

/// No backends at all: a command issues no tokens.
struct NoBackends;

impl Services {
    /// Opens the store of a configuration, and what stands on it.
    ///
    /// # Errors
    /// [`ServicesError`].
    pub(crate) async fn open(config: &Config, master: &MasterKey) -> Result<Self, ServicesError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let pool = &config.password;
        let passwords = PasswordPool::new(pool.params, pool.workers, pool.queue, Arc::clone(&random))?;
        let passwords = Arc::new(passwords);
        let store = keyway_store::open(config.store.url.expose(), config.store.settings, &*random).await?;
        let keys = KeyRing::open(&*store, master, &*random, &*clock).await?;
        let cache = Arc::new(TokenCache::new(config.token.cache_capacity));
        let tenants = Arc::new(TenantDirectory::new(Arc::clone(&store)));
        let mut directory = DirectoryService::new(
            Arc::clone(&store),
            Arc::clone(&passwords),
            Arc::clone(&cache),
            Arc::clone(&tenants),
            Arc::clone(&clock),
            Arc::clone(&random),
        );
        if serves_kazoo(config) {
            directory = directory.with_digests(DigestKey::new(master));
        }
        let directory = Arc::new(directory);
        let accounts = AccountService::new(
            Arc::clone(&store),
            Arc::clone(&cache),
            Arc::new(AccountDirectory::new(Arc::clone(&store), Arc::clone(&tenants), master)),
            Arc::clone(&directory),
            Arc::clone(&clock),
            Arc::clone(&random),
            account_settings(config),
        );
        let settings = SettingService::new(Arc::clone(&store), master.clone(), Arc::clone(&random));
        let factors = FactorService::new(
            Arc::clone(&store) as _,
            Arc::clone(&passwords),
            master.clone(),
            Arc::clone(&clock),
            Arc::clone(&random),
        );
        Ok(Self {
            master: master.clone(),
            factors: Arc::new(factors),
            tenant_settings: Arc::new(settings),
            tenant_backends: None,
            store,
            passwords,
            directory,
            accounts: Arc::new(accounts),
            clock,
            random,
            keys,
            cache,
            tenants,
            mailer: None,
        })
    }

    /// Starts the way for mails, which a command has no use for.
    ///
    /// # Errors
    /// [`ServicesError::Mail`].
    pub(crate) fn start_mail(&mut self, config: &Config) -> Result<Option<Arc<Outbox>>, ServicesError> {
        let outbox = mail::start(&config.mail, &self.clock, &self.random)?;
        self.mailer = outbox.clone().map(|outbox| outbox as Arc<dyn Mailer>);
        Ok(outbox)
    }

    /// What time it is.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// What brings another system's directory in.
    pub(crate) fn into_importer(self) -> Importer {
        Importer::new(self.store, self.keys, self.tenant_settings, self.clock, self.random)
    }

    /// What brings a database of privacyIDEA's in.
    pub(crate) fn into_privacyidea_importer(self) -> PrivacyideaImporter {
        PrivacyideaImporter::new(self.store, self.factors, self.passwords, self.clock, self.random)
    }

    /// What handlers work with. `backends` is `None` for a command without a server.
    pub(crate) fn into_parts(
        self,
        config: &Config,
        backends: Option<Arc<dyn Backends>>,
        dialects: DialectSettings,
    ) -> AppParts {
        let backends = backends.unwrap_or_else(|| Arc::new(NoBackends));
        let events = EventService::new(
            Arc::clone(&self.store),
            Arc::clone(&self.tenants),
            Arc::clone(&self.clock),
            config.events.settings.clone(),
        );
        let mut tokens = TokenService::new(
            Arc::clone(&self.store),
            Arc::clone(&backends),
            self.passwords,
            self.keys,
            self.cache,
            self.tenants,
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
            token_settings(config),
        );
        if let Some(owned) = self.tenant_backends {
            tokens = tokens.with_tenant_backends(owned);
        }
        let challenges = Challenges::new(
            Arc::clone(&self.store) as _,
            &self.master,
            Arc::clone(&self.clock),
            Arc::clone(&self.random),
        );
        let tokens = Arc::new(tokens.with_factors(Arc::clone(&self.factors), challenges));
        let notices = NoticeService::new(
            Arc::clone(&self.directory),
            Arc::clone(&tokens),
            self.mailer,
            Arc::clone(&self.clock),
            notice_settings(config),
        );
        let kazoo = KazooState::new(&self.master, &config.dialect.kazoo.settings, Arc::clone(&self.clock));
        AppParts {
            tokens,
            kazoo,
            webitel: WebitelState::new(&self.master, Arc::clone(&self.store)),
            accounts: self.accounts,
            notices: Arc::new(notices),
            pages: Arc::new(config.mail.templates.clone()),
            backends,
            privacyidea_policies: PrivacyideaPolicies::new(Arc::clone(&self.store)),
            store: self.store,
            directory: self.directory,
            tenant_settings: self.tenant_settings,
            own_settings: None,
            plugins: None,
            reload: None,
            desk: None,
            factors: self.factors,
            privacyidea_keys: PrivacyideaKeys::new(&self.master),
            events: EventStreams::new(Arc::new(events), config.events.streams.clone()),
            clock: self.clock,
            random: self.random,
            dialects,
        }
    }
}

/// What is said of tokens, and of users' sessions.
pub(crate) fn token_settings(config: &Config) -> TokenSettings {
    let rules = &config.directory.rules;
    TokenSettings {
        default_user_policy: rules.default_policy.clone(),
        max_sessions: rules.max_sessions,
        admin_status: rules.admin_status.clone(),
        ..config.token.clone()
    }
}

/// What is said of mails to users.
fn notice_settings(config: &Config) -> NoticeSettings {
    NoticeSettings {
        limit: config.mail.limit,
        password_reset_lifetime: config.directory.rules.password_reset_lifetime,
        email_confirmation_lifetime: config.directory.rules.email_confirmation_lifetime,
    }
}

/// What is said of accounts.
fn account_settings(config: &Config) -> AccountSettings {
    AccountSettings {
        rights: config.rights.clone(),
        default_user_policy: config.directory.rules.default_policy.clone(),
        attempts_keep: config.dialect.kazoo.attempts_keep,
        sweep_interval: config.token.sweep_interval,
    }
}

/// Whether clients come that send digests of passwords: a password that is set has to have some, by a command too.
fn serves_kazoo(config: &Config) -> bool {
    let mut served = config.listen.iter().flat_map(|listen| &listen.dialects);
    served.any(|dialect| *dialect == Dialect::Kazoo)
}

impl Backends for NoBackends {
    fn find(&self, _name: &str) -> Option<BackendSlot> {
        None
    }

    fn names(&self) -> Vec<BackendName> {
        Vec::new()
    }
}
