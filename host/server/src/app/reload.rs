//! Reading the configuration again while the server runs.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::account::AccountService;
use keyway_core::directory::DirectoryService;
use keyway_core::port::{Clock as _, PluginHost as _, SystemClock};
use keyway_http::edge::Tls;
use keyway_http::{Reload, ReloadReport};
use keyway_runtime::Runtime;
use tokio::sync::Mutex;

use super::backend_desk::Desk;
use super::certificate;
use super::error::chain;
use super::log::LogControl;
use super::own_settings::OwnConfig;
use super::tenant_ldap::TenantDirectories;
use crate::config::{Config, ListenTls};

/// Puts a configuration's present content in place of what runs.
pub(crate) struct Reloader {
    file: PathBuf,
    running: Mutex<Config>,
    parts: Reloaded,
    /// Those of the listeners that run, and where each was loaded from.
    certificates: Vec<(ListenTls, Tls)>,
    log: LogControl,
}

/// What a reload reaches besides certificates and the log.
pub(crate) struct Reloaded {
    /// The plugins.
    pub(crate) runtime: Arc<Runtime>,
    /// The configuration of backends.
    pub(crate) desk: Desk,
    /// The backends that tenants have of their own.
    pub(crate) tenant_ldap: Option<Arc<TenantDirectories>>,
    /// Policies and groups.
    pub(crate) directory: Arc<DirectoryService>,
    /// What somebody is to Kazoo's and Webitel's clients.
    pub(crate) accounts: Arc<AccountService>,
    /// What shows the configuration.
    pub(crate) own: Arc<OwnConfig>,
}

impl Reloader {
    /// For a server that runs on this configuration.
    pub(crate) fn new(config: Config, parts: Reloaded, certificates: Vec<(ListenTls, Tls)>, log: LogControl) -> Self {
        Self {
            file: config.file.clone(),
            running: Mutex::new(config),
            parts,
            certificates,
            log,
        }
    }

    /// Reloads, and says in the log what came of it.
    pub(crate) async fn reload_and_log(&self, trigger: &'static str) {
        match self.reload().await {
            Ok(report) => {
                tracing::info!(trigger, applied = report.applied.join(", "), "configuration reloaded");
                if !report.needs_restart.is_empty() {
                    tracing::warn!(
                        sections = report.needs_restart.join(", "),
                        "these settings changed and need a restart"
                    );
                }
            }
            Err(problem) => {
                tracing::error!(
                    trigger,
                    problem,
                    "the configuration cannot be used; the running one stays in place"
                );
            }
        }
    }

    /// Reads those certificates again that the configuration still names. One that it does not is the old configuration's, whose
    /// files may be gone.
    fn reload_certificates(&self, fresh: &Config, report: &mut ReloadReport) -> Result<(), String> {
        let is_named = |place: &ListenTls| fresh.listen.iter().any(|listen| listen.tls.as_ref() == Some(place));
        for (_, tls) in self.certificates.iter().filter(|(place, _)| is_named(place)) {
            if tls.reload().map_err(|error| chain(&error))? {
                report.applied.push("listen.tls".to_owned());
            }
        }
        report.applied.dedup();
        certificate::warn(&fresh.listen, SystemClock.now());
        Ok(())
    }
}

#[async_trait]
impl Reload for Reloader {
    async fn reload(&self) -> Result<ReloadReport, String> {
        let mut running = self.running.lock().await;
        let fresh = Config::load(Some(&self.file)).map_err(|error| chain(&error))?;
        let mut report = ReloadReport {
            needs_restart: needs_restart(&running, &fresh).into_iter().map(str::to_owned).collect(),
            ..ReloadReport::default()
        };
        self.reload_certificates(&fresh, &mut report)?;
        let provisions = fresh.directory.provisions.clone();
        let prepared = self.parts.directory.prepare(provisions).await;
        prepared.map_err(|error| format!("`directory`: {}", chain(&error)))?;
        report.applied.push("directory".to_owned());
        self.parts.accounts.use_rights(fresh.rights.clone());
        report.applied.push("rights".to_owned());
        if fresh.log.level != running.log.level && self.log.apply(fresh.log) {
            report.applied.push("log.level".to_owned());
        }
        // Always, because a secret's file may have changed where the text did not; the runtime tells what is new from what is not.
        // What APIs have added stays below what the file says now.
        self.parts.desk.use_file(fresh.desired()).await;
        if let Some(directories) = &self.parts.tenant_ldap {
            directories.update(fresh.tenant_ldap.clone());
        }
        report.plugins = self.parts.runtime.reconcile().await;
        report.applied.push("backend".to_owned());
        // What needs a restart stays as it runs, so that the next reload names it again.
        running.log.level = fresh.log.level;
        running.backends = fresh.backends;
        running.directory.provisions = fresh.directory.provisions;
        running.rights = fresh.rights;
        self.parts.own.update(&running);
        Ok(report)
    }
}

/// The keys whose values differ and are only read at start.
fn needs_restart(running: &Config, fresh: &Config) -> Vec<&'static str> {
    let sections = [
        ("data_dir", running.data_dir == fresh.data_dir),
        ("plugins_dir", running.plugins_dir == fresh.plugins_dir),
        ("time_zone", running.time_zone == fresh.time_zone),
        ("listen", running.listen == fresh.listen),
        ("store", running.store == fresh.store),
        ("token", running.token == fresh.token),
        ("directory", running.directory.rules == fresh.directory.rules),
        ("password", running.password == fresh.password),
        (
            "dialect",
            running.dialect == fresh.dialect && running.tenant_ldap.is_some() == fresh.tenant_ldap.is_some(),
        ),
        ("http", running.http == fresh.http),
        ("keys", running.master_key == fresh.master_key),
        ("mail", running.mail == fresh.mail),
        ("events", running.events == fresh.events),
        ("log.format", running.log.format == fresh.log.format),
    ];
    sections
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(section, _)| section)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MAIL: &str = "mail = { base_url = \"http://x\", host = \"x\", from = { address = \"a@x.org\" } }";

    #[test]
    fn what_needs_a_restart_is_named() {
        let parse = |text: &str| Config::parse(Path::new("/srv/keyway.toml"), text, &[]).expect(text);
        let running = parse("");
        for live in ["log.level = \"debug\"", "directory.policies.p.acl = []"] {
            assert!(needs_restart(&running, &parse(live)).is_empty());
        }
        let table = [
            ("data_dir = \"x\"", vec!["data_dir", "store", "keys"]),
            ("plugins_dir = \"x\"", vec!["plugins_dir"]),
            ("time_zone = \"Asia/Kathmandu\"", vec!["time_zone"]),
            ("[[listen]]\naddress = \"127.0.0.1:1\"", vec!["listen"]),
            ("store.url = \"sqlite:/x\"", vec!["store"]),
            ("token.max_ttl = \"9d\"", vec!["token"]),
            ("directory.max_sessions = 9", vec!["directory"]),
            ("token.sweep_interval = \"9s\"", vec!["token", "events"]),
            ("events.retention = \"9d\"", vec!["events"]),
            ("password.iterations = 4", vec!["password"]),
            ("dialect.wazo.backend = \"xivo_user\"", vec!["dialect"]),
            ("dialect.wazo.ldap.enabled = false", vec!["dialect"]),
            ("dialect.wazo.ldap.timeout = \"9s\"", vec![]),
            ("http.body_limit = \"2MiB\"", vec!["http"]),
            (MAIL, vec!["mail"]),
            ("log.format = \"json\"", vec!["log.format"]),
        ];
        for (text, sections) in table {
            assert_eq!(needs_restart(&running, &parse(text)), sections, "{text}");
        }
    }
}
