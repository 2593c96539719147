//! The server's configuration.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::document::{Operation, Shape};

pub(super) const TAG: &str = "configuration";

/// The configuration that the server runs on. Asterisks stand for secrets.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the wire")]
struct Config {
    config_file: String,
    /// Whether lines for developers are in the log.
    debug: bool,
    /// Whether each request has a line in the log with its time.
    profiling_enabled: bool,
    log_level: String,
    /// In seconds.
    default_token_lifetime: u64,
    /// In seconds.
    token_cleanup_interval: f64,
    token_cleanup_batch_size: u64,
    max_user_concurrent_sessions: u64,
    /// In seconds.
    password_reset_expiration: u64,
    /// In seconds.
    email_confirmation_expiration: u64,
    update_policy_on_startup: bool,
    /// By their slugs.
    default_policies: BTreeMap<String, ConfiguredPolicy>,
    /// Slugs of policies.
    all_users_policies: BTreeMap<String, bool>,
    /// By their slugs.
    tenant_default_groups: BTreeMap<String, ConfiguredGroup>,
    #[schema(required)]
    default_user_policy: Option<String>,
    bootstrap_user_on_startup: bool,
    #[schema(required)]
    bootstrap_user_username: Option<String>,
    #[schema(required)]
    bootstrap_user_password: Option<String>,
    #[schema(required)]
    bootstrap_user_purpose: Option<String>,
    #[schema(required)]
    bootstrap_user_policy_slug: Option<String>,
    #[schema(required)]
    smtp: Option<Smtp>,
    /// Only where mails leave, as the other three.
    #[schema(nullable = false)]
    password_reset_from_name: Option<String>,
    #[schema(nullable = false)]
    password_reset_from_address: Option<String>,
    #[schema(nullable = false)]
    email_confirmation_from_name: Option<String>,
    #[schema(nullable = false)]
    email_confirmation_from_address: Option<String>,
    enabled_backend_plugins: BTreeMap<String, bool>,
    enabled_http_plugins: BTreeMap<String, bool>,
    /// The id of the installation.
    #[schema(required)]
    uuid: Option<String>,
    /// Where the store is.
    db_uri: String,
    rest_api: RestApi,
}

/// A policy of the configuration.
#[derive(ToSchema)]
struct ConfiguredPolicy {
    acl: Vec<String>,
    #[schema(required)]
    description: Option<String>,
}

/// A group of the configuration.
#[derive(ToSchema)]
struct ConfiguredGroup {
    name: String,
    /// Slugs of policies.
    policies: BTreeMap<String, bool>,
}

/// Where mails are sent.
#[derive(ToSchema)]
struct Smtp {
    hostname: String,
    port: u16,
    #[schema(required)]
    username: Option<String>,
    #[schema(required)]
    password: Option<String>,
}

/// Where the server listens.
#[derive(ToSchema)]
struct RestApi {
    #[schema(required)]
    listen: Option<String>,
    #[schema(required)]
    port: Option<u16>,
    #[schema(required)]
    certificate: Option<String>,
    #[schema(required)]
    private_key: Option<String>,
    addresses: Vec<String>,
    trusted_proxies: Vec<String>,
    cors: CrossOrigin,
}

/// Which web pages may read the answers.
#[derive(ToSchema)]
struct CrossOrigin {
    enabled: bool,
    allow_headers: Vec<String>,
    origins: Origins,
}

/// `*` for all pages, or their origins.
#[derive(ToSchema)]
#[serde(untagged)]
enum Origins {
    /// All.
    All(String),
    /// These.
    Some(Vec<String>),
}

/// A change of a switch.
#[derive(ToSchema)]
struct Change {
    op: Replace,
    path: Switch,
    value: bool,
}

/// The only operation.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum Replace {
    Replace,
}

/// What can be switched.
#[derive(ToSchema)]
enum Switch {
    #[serde(rename = "/debug")]
    Debug,
    #[serde(rename = "/profiling_enabled")]
    Profiling,
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    Operation::of_tenant(TAG, "getConfig", "Shows the configuration", "auth.config.read")
        .gives::<Config>("The configuration, without secrets.")
}

pub(in crate::dialect::wazo) fn change() -> Operation {
    Operation::of_tenant(TAG, "changeConfig", "Turns debugging on or off", "auth.config.update")
        .detail("By a JSON Patch that replaces, until the server stops.")
        .takes_shape(Shape::list_of::<Change>())
        .gives::<Config>("The configuration, without secrets.")
}
