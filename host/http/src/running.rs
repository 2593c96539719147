//! The server's own configuration, as an API shows it and changes it while the server runs.

use std::time::Duration;

use keyway_core::directory::Provisions;
use keyway_core::token::TokenSettings;

/// What can be switched on and off while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Lines for developers in the log.
    Debug,
    /// A line in the log for each request, with the time that it took.
    Profiling,
}

/// The configuration that a server runs on. The server implements it.
pub trait OwnSettings: Send + Sync {
    /// What it is now.
    fn show(&self) -> RunningSettings;

    /// Turns something on or off, until the server stops or is told otherwise.
    fn turn(&self, switch: Switch, on: bool);
}

/// The configuration that a server runs on. Nothing in it is secret, save the first user's password, which no dialect writes.
#[derive(Debug, Clone)]
pub struct RunningSettings {
    /// Whether [`Switch::Debug`] is on.
    pub debug: bool,
    /// Whether [`Switch::Profiling`] is on.
    pub profiling: bool,
    /// How much is logged otherwise: `critical`, `error`, `warning`, `info` or `debug`.
    pub log_level: &'static str,
    /// The file that it came from.
    pub config_file: String,
    /// The listeners.
    pub listeners: Vec<RunningListener>,
    /// The store's URL, with asterisks for its password.
    pub store: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Lives of tokens, and what else is said of them.
    pub token: TokenSettings,
    /// Policies, groups and the first user.
    pub provisions: Provisions,
    /// The life of a link to a new password.
    pub password_reset_lifetime: Duration,
    /// The life of a link that confirms an address.
    pub email_confirmation_lifetime: Duration,
    /// How mails leave; `None` where none do.
    pub mail: Option<RunningMail>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningListener {
    /// The address.
    pub address: std::net::SocketAddr,
    /// The certificate's file, if it has one.
    pub certificate: Option<String>,
    /// The key's file.
    pub private_key: Option<String>,
}

/// How mails leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningMail {
    /// The server that takes them.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// As whom this server logs in there.
    pub user: Option<String>,
    /// From whom mails about new passwords are: name and address.
    pub password_reset_from: (String, String),
    /// From whom mails that ask to confirm an address are.
    pub email_confirmation_from: (String, String),
}
