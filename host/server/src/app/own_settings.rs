//! What this server runs on, for an API that shows it. No secret leaves here.

use std::sync::{PoisonError, RwLock};

use keyway_http::{OwnSettings, RunningListener, RunningMail, RunningSettings, Switch};
use keyway_mail::{MailSettings, SenderAddress};

use super::log::{LogControl, Volume};
use super::services::token_settings;
use crate::config::{Config, ListenTls};

/// What stands for a password.
const MASK: &str = "********";

/// What this server runs on.
pub(crate) struct OwnConfig {
    running: RwLock<RunningSettings>,
    log: LogControl,
}

impl OwnConfig {
    /// A server that runs on this configuration.
    pub(crate) fn new(config: &Config, log: LogControl) -> Self {
        Self {
            running: RwLock::new(describe(config, log.volume())),
            log,
        }
    }

    /// It runs on this one now.
    pub(crate) fn update(&self, config: &Config) {
        *self.running.write().unwrap_or_else(PoisonError::into_inner) = describe(config, self.log.volume());
    }
}

impl OwnSettings for OwnConfig {
    fn show(&self) -> RunningSettings {
        let volume = self.log.volume();
        RunningSettings {
            debug: volume.debug,
            profiling: volume.requests,
            log_level: volume.level.name(),
            ..self.running.read().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    fn turn(&self, switch: Switch, on: bool) {
        let done = self.log.set(|volume| match switch {
            Switch::Debug => Volume { debug: on, ..volume },
            Switch::Profiling => Volume { requests: on, ..volume },
        });
        if !done {
            tracing::warn!(?switch, "the log's level cannot be changed");
        }
    }
}

fn describe(config: &Config, volume: Volume) -> RunningSettings {
    let rules = &config.directory.rules;
    RunningSettings {
        debug: volume.debug,
        profiling: volume.requests,
        log_level: volume.level.name(),
        config_file: config.file.display().to_string(),
        listeners: config
            .listen
            .iter()
            .map(|listen| listener(listen.address, listen.tls.as_ref()))
            .collect(),
        store: without_password(config.store.url.expose()),
        trusted_proxies: config.http.trusted_proxies.iter().map(ToString::to_string).collect(),
        token: token_settings(config),
        provisions: config.directory.provisions.clone(),
        password_reset_lifetime: rules.password_reset_lifetime,
        email_confirmation_lifetime: rules.email_confirmation_lifetime,
        mail: config.mail.settings.as_ref().map(mail),
    }
}

fn listener(address: std::net::SocketAddr, tls: Option<&ListenTls>) -> RunningListener {
    let files = match tls {
        Some(ListenTls::Files(files)) => Some(files),
        Some(ListenTls::SelfSigned) | None => None,
    };
    RunningListener {
        address,
        certificate: files.map(|files| files.cert.display().to_string()),
        private_key: files.map(|files| files.key.display().to_string()),
    }
}

fn mail(settings: &MailSettings) -> RunningMail {
    let sender = |sender: &SenderAddress| (sender.name().to_owned(), sender.address().to_owned());
    RunningMail {
        host: settings.server.host.clone(),
        port: settings.server.port,
        user: settings.server.account.as_ref().map(|account| account.user.clone()),
        password_reset_from: sender(&settings.password_reset_from),
        email_confirmation_from: sender(&settings.email_confirmation_from),
    }
}

/// A store's URL with asterisks for what could be a password: rather too much than too little of it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A password with such a character in it, or a query with an `@`: nobody can say where a password begins and ends.
    if path.contains('@') {
        return format!("{scheme}://{MASK}");
    }
    let path = path.split_once(['?', '#']).map_or(path, |(path, _)| path);
    match authority.rsplit_once('@') {
        Some((user, place)) => match user.split_once(':') {
            Some((name, _)) => format!("{scheme}://{name}:{MASK}@{place}{path}"),
            None => format!("{scheme}://{user}@{place}{path}"),
        },
        None => format!("{scheme}://{authority}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stores_url_shows_no_password() {
        let table = [
            ("sqlite:/srv/keyway.db", "sqlite:/srv/keyway.db"),
            ("postgres://db.example.org/keyway", "postgres://db.example.org/keyway"),
            ("postgres://keyway@db/keyway", "postgres://keyway@db/keyway"),
            (
                "postgres://keyway:s3cre7@db:5432/k",
                "postgres://keyway:********@db:5432/k",
            ),
            ("postgres://keyway:s3/c?r@e7@db/k?x=y", "postgres://********"),
            ("postgres://keyway:s3@cre7@db/k", "postgres://keyway:********@db/k"),
            ("postgres://db/k?user=u&password=s3cre7", "postgres://db/k"),
            ("postgres://db/k?password=s3@cre7", "postgres://********"),
            ("postgres://db:5432/k?password=s3@cre7", "postgres://********"),
            ("postgres://db?password=s3cre7", "postgres://db"),
        ];
        for (url, shown) in table {
            assert_eq!(without_password(url), shown, "{url}");
        }
    }
}
