//! The configuration: a TOML file, environment variables over it, and the checks that make values of it. One file per section.
//!
//! `RawX` is what was typed, with the place of each value; `X` is what the server works with. Nothing here acts on anything.

mod backend;
mod dialect;
mod directory;
mod endpoint;
mod environment;
mod error;
mod events;
mod grant;
mod http;
mod kazoo;
mod keys;
mod listen;
mod log;
mod mail;
mod password;
mod plain;
mod privacyidea;
mod quantity;
mod rights;
mod secret;
mod source;
mod store;
mod tenant_ldap;
mod token;
mod webitel;
mod zone;

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use keyway_core::rights::Rights;
use keyway_core::token::TokenSettings;
use keyway_http::edge::EdgeSettings;
use keyway_runtime::BackendSpec;
use serde::Deserialize;
use toml::Spanned;

pub(crate) use dialect::DialectConfig;
pub(crate) use directory::DirectoryConfig;
pub(crate) use environment::{read as read_environment, variable};
pub(crate) use error::ConfigError;
#[cfg(test)]
pub(crate) use events::Wanted;
pub(crate) use events::{AmqpConfig, EventsConfig, ExchangeType, WebhookConfig};
pub(crate) use keys::MasterKeyPlace;
pub(crate) use listen::{Listen, ListenTls};
pub(crate) use log::{LogConfig, LogFormat, LogLevel};
pub(crate) use mail::MailConfig;
pub(crate) use password::PasswordConfig;
pub(crate) use store::StoreConfig;
pub(crate) use tenant_ldap::TenantLdap;

use source::Source;

/// Where a configuration is looked for when none is named.
const USUAL_FILES: [&str; 2] = ["keyway.toml", "/etc/keyway/keyway.toml"];

/// The whole file as typed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    data_dir: Option<String>,
    plugins_dir: Option<String>,
    time_zone: Option<Spanned<String>>,
    #[serde(default)]
    listen: Vec<listen::RawListen>,
    #[serde(default)]
    store: store::RawStore,
    #[serde(default)]
    token: token::RawToken,
    #[serde(default)]
    password: password::RawPassword,
    #[serde(default)]
    directory: directory::RawDirectory,
    #[serde(default)]
    rights: Vec<Spanned<rights::RawRight>>,
    #[serde(default)]
    dialect: dialect::RawDialects,
    #[serde(default)]
    http: http::RawHttp,
    #[serde(default)]
    keys: keys::RawKeys,
    mail: Option<mail::RawMail>,
    #[serde(default)]
    log: LogConfig,
    #[serde(default)]
    events: events::RawEvents,
    #[serde(default)]
    backend: Vec<backend::RawBackend>,
}

/// A configuration that is fit for use. All paths are absolute or relative to the working directory, never to the file.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file that it came from.
    pub(crate) file: PathBuf,
    /// Certificates, keys and secrets: what is read besides it, now and by every reload.
    pub(crate) files: Vec<PathBuf>,
    /// SQLite file, keys, compiled plugins, admin socket.
    pub(crate) data_dir: PathBuf,
    /// The watched folder of plugins.
    pub(crate) plugins_dir: PathBuf,
    /// The zone of dates that are local by a dialect's rules.
    pub(crate) time_zone: TimeZone,
    /// The listeners, at least one.
    pub(crate) listen: Vec<Listen>,
    /// The store.
    pub(crate) store: StoreConfig,
    /// Token lives, sweep, cache.
    pub(crate) token: TokenSettings,
    /// Password hashing.
    pub(crate) password: PasswordConfig,
    /// Policies, groups and users.
    pub(crate) directory: DirectoryConfig,
    /// What the same person is to each dialect.
    pub(crate) rights: Rights,
    /// What serves the directories that tenants name themselves; `None` for nothing.
    pub(crate) tenant_ldap: Option<TenantLdap>,
    /// The dialects' own settings.
    pub(crate) dialect: DialectConfig,
    /// Limits of the edge.
    pub(crate) http: EdgeSettings,
    /// Where the master key comes from.
    pub(crate) master_key: MasterKeyPlace,
    /// Mails, and the pages that their links lead to.
    pub(crate) mail: MailConfig,
    /// The log.
    pub(crate) log: LogConfig,
    /// Events: how long they are kept, who follows them, who is told.
    pub(crate) events: EventsConfig,
    /// The backends, at least one.
    pub(crate) backends: Vec<BackendSpec>,
}

impl Config {
    /// Reads the file that is named, or the first of the usual ones that exists, with the environment over it.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub(crate) fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        let file = find_file(named)?;
        let text = std::fs::read_to_string(&file).map_err(|error| ConfigError::Unreadable {
            file: file.clone(),
            reason: error.to_string(),
        })?;
        Self::parse(&file, &text, &read_environment())
    }

    /// Makes a configuration of a file's text.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`].
    pub(crate) fn parse(file: &Path, text: &str, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let (source, raw) = Source::parse(file, text, environment)?;
        let data_dir = source.path(raw.data_dir.as_deref().unwrap_or("var"));
        let backends = backend::RawBackend::check_all(&raw.backend, &source)?;
        let token = raw.token.check(&source)?;
        let mut config = Self {
            plugins_dir: source.path(raw.plugins_dir.as_deref().unwrap_or("plugins")),
            time_zone: zone::check(raw.time_zone.as_ref(), &source)?,
            listen: listen::RawListen::check_all(&raw.listen, &source)?,
            store: raw.store.check(&data_dir, &source)?,
            events: raw.events.check(token.sweep_interval, &source)?,
            token,
            password: raw.password.check(&source)?,
            directory: raw.directory.check(&source)?,
            rights: rights::RawRight::check_all(&raw.rights, &source)?,
            tenant_ldap: raw.dialect.check_tenant_ldap(&backend::names(&backends), &source)?,
            dialect: raw.dialect.check(&backend::names(&backends), &source)?,
            http: raw.http.check(&source)?,
            master_key: raw.keys.check(&data_dir, &source)?,
            mail: mail::RawMail::check(raw.mail.as_ref(), &source)?,
            log: raw.log,
            backends,
            file: file.to_owned(),
            files: Vec::new(),
            data_dir,
        };
        rights::provide(&config.rights, &mut config.directory.provisions);
        config.files = source.into_files();
        Ok(config)
    }

    /// What the runtime is to have ready: the backends, and what those of tenants are made of.
    pub(crate) fn desired(&self) -> Vec<BackendSpec> {
        let template = self.tenant_ldap.as_ref().map(|ldap| ldap.template.clone());
        self.backends.iter().cloned().chain(template).collect()
    }
}

fn find_file(named: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let found = match named {
        Some(named) => Some(named.to_owned()),
        None => USUAL_FILES.iter().map(PathBuf::from).find(|file| file.exists()),
    };
    let found = found.ok_or_else(|| ConfigError::NoFile {
        searched: USUAL_FILES.map(|file| format!("`{file}`")).join(" and "),
    })?;
    std::path::absolute(&found).map_err(|error| ConfigError::Unreadable {
        file: found,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
