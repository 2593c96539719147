//! `[[backend]]`: a plugin, its configuration, its grants and its limits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::{BackendName, PluginDigest};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::error::ConfigError;
use super::http::{positive_size, positive_time};
use super::password::within;
use super::plain;
use super::quantity::{Size, Span};
use super::secret::RawSecretFile;
use super::source::Source;

/// One `[[backend]]` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBackend {
    name: Spanned<String>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    plugin: Spanned<String>,
    config: Option<Spanned<toml::Table>>,
    #[serde(default)]
    grants: RawGrants,
    #[serde(default)]
    secrets: BTreeMap<Spanned<String>, RawSecretFile>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    instances: Instances,
    acl_ceiling: Option<Vec<Spanned<String>>>,
    pin: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGrants {
    log: Option<bool>,
    directory: Option<Vec<DirectoryGrant>>,
    credential: Option<Vec<CredentialGrant>>,
    // Named by the contract, and refused with a reason of their own.
    net: Option<Spanned<IgnoredAny>>,
    file: Option<Spanned<IgnoredAny>>,
    delegate: Option<Spanned<IgnoredAny>>,
    kv: Option<Spanned<IgnoredAny>>,
    otp: Option<Spanned<IgnoredAny>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DirectoryGrant {
    Find,
    Verify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CredentialGrant {
    Expose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    deadline: Option<Spanned<Span>>,
    memory: Option<Spanned<Size>>,
    concurrency: Option<Spanned<u32>>,
    queue: Option<Spanned<u32>>,
}

/// Whether each login gets an instance of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Instances {
    /// Each login does.
    #[default]
    Fresh,
    /// A clean instance serves again.
    Reuse,
}

/// What a backend may ask the host for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackendGrants {
    /// `log`.
    pub(crate) log: bool,
    /// `directory.find`.
    pub(crate) find: bool,
    /// `directory.verify`.
    pub(crate) verify: bool,
    /// `credential.expose`.
    pub(crate) expose: bool,
}

/// What a backend may use up; `None` for the host's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BackendLimits {
    /// How long one login step may take, waiting included.
    pub(crate) deadline: Option<Duration>,
    /// Bytes of memory for one instance.
    pub(crate) memory: Option<usize>,
    /// Calls at once.
    pub(crate) concurrency: Option<u32>,
    /// Calls that may wait.
    pub(crate) queue: Option<u32>,
}

/// One backend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BackendConfig {
    /// The name that callers ask for.
    pub(crate) name: BackendName,
    /// Other names for it.
    pub(crate) aliases: Vec<BackendName>,
    /// The stem of the plugin's file in `plugins_dir`.
    pub(crate) plugin: String,
    /// The plugin's own configuration.
    pub(crate) config: serde_json::Value,
    /// What it may ask for.
    pub(crate) grants: BackendGrants,
    /// Its secrets, by name.
    pub(crate) secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// What it may use up.
    pub(crate) limits: BackendLimits,
    /// Fresh instances or reused ones.
    pub(crate) instances: Instances,
    /// Accesses that it may hand out by its own word.
    pub(crate) acl_ceiling: Option<Vec<String>>,
    /// The only plugin file that may serve.
    pub(crate) pin: Option<PluginDigest>,
}

impl RawBackend {
    /// Checks all of them together. Without any there is one: the host's own users, under both of their names.
    pub(super) fn check_all(raw: &[Self], source: &Source) -> Result<Vec<BackendConfig>, ConfigError> {
        if raw.is_empty() {
            return default_backend()
                .map(|backend| vec![backend])
                .map_err(|_| source.refuse(0..0, "no backend"));
        }
        let mut owners: HashMap<String, String> = HashMap::new();
        let mut backends = Vec::new();
        for raw in raw {
            for name in std::iter::once(&raw.name).chain(&raw.aliases) {
                if let Some(owner) = owners.insert(name.get_ref().clone(), raw.name.get_ref().clone()) {
                    let problem = format!("`{}` is taken by the backend `{owner}`", name.get_ref());
                    return Err(source.refuse(name.span(), problem));
                }
            }
            backends.push(raw.check(source)?);
        }
        Ok(backends)
    }

    fn check(&self, source: &Source) -> Result<BackendConfig, ConfigError> {
        let pin = self.pin.as_ref().map(|raw| {
            PluginDigest::parse(raw.get_ref()).map_err(|error| source.refuse(raw.span(), error.to_string()))
        });
        let mut secrets = BTreeMap::new();
        for (name, file) in &self.secrets {
            secrets.insert(name.get_ref().clone(), file.check(source)?);
        }
        let ceiling = self.acl_ceiling.as_ref();
        Ok(BackendConfig {
            name: backend_name(&self.name, source)?,
            aliases: self
                .aliases
                .iter()
                .map(|alias| backend_name(alias, source))
                .collect::<Result<_, _>>()?,
            plugin: plugin_stem(&self.plugin, source)?,
            config: match &self.config {
                Some(raw) => plain::object(raw.get_ref()).map_err(|problem| source.refuse(raw.span(), problem))?,
                None => serde_json::Value::Object(serde_json::Map::new()),
            },
            grants: self.grants.check(source)?,
            secrets,
            limits: self.limits.check(source)?,
            instances: self.instances,
            acl_ceiling: ceiling.map(|accesses| accesses.iter().map(|access| access.get_ref().clone()).collect()),
            pin: pin.transpose()?,
        })
    }
}

/// The names and aliases of all backends.
pub(super) fn names(backends: &[BackendConfig]) -> HashSet<String> {
    let all = backends
        .iter()
        .flat_map(|backend| std::iter::once(&backend.name).chain(&backend.aliases));
    all.map(ToString::to_string).collect()
}

impl RawGrants {
    fn check(&self, source: &Source) -> Result<BackendGrants, ConfigError> {
        let later = [&self.net, &self.file, &self.delegate, &self.kv, &self.otp];
        if let Some(raw) = later.into_iter().flatten().next() {
            return Err(source.refuse(
                raw.span(),
                "not supported by this version, which grants `log`, `directory` and `credential`",
            ));
        }
        let directory = |wanted| self.directory.as_ref().is_none_or(|granted| granted.contains(&wanted));
        let credential = self.credential.as_deref().unwrap_or_default();
        Ok(BackendGrants {
            log: self.log.unwrap_or(true),
            find: directory(DirectoryGrant::Find),
            verify: directory(DirectoryGrant::Verify),
            expose: credential.contains(&CredentialGrant::Expose),
        })
    }
}

impl RawLimits {
    fn check(&self, source: &Source) -> Result<BackendLimits, ConfigError> {
        let deadline = positive_time(self.deadline.as_ref(), Duration::ZERO, source)?;
        let memory = positive_size(self.memory.as_ref(), 0, source)?;
        Ok(BackendLimits {
            deadline: self.deadline.is_some().then_some(deadline),
            memory: self.memory.is_some().then_some(memory),
            concurrency: within(self.concurrency.as_ref(), 1..=100_000, source)?,
            queue: within(self.queue.as_ref(), 0..=1_000_000, source)?,
        })
    }
}

fn backend_name(raw: &Spanned<String>, source: &Source) -> Result<BackendName, ConfigError> {
    BackendName::parse(raw.get_ref())
        .map_err(|error| source.refuse(raw.span(), format!("`{}` is not acceptable; {error}", raw.get_ref())))
}

/// A file stem that cannot lead out of the plugins folder.
fn plugin_stem(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
    let refuse = |span: Range<usize>, problem: String| Err(source.refuse(span, problem));
    let name = raw.get_ref();
    if name.is_empty() {
        return refuse(raw.span(), "name a plugin, `wazo_user` for example".to_owned());
    }
    if let Some(stem) = name.strip_suffix(".wasm") {
        return refuse(raw.span(), format!("write `{stem}`, without `.wasm`"));
    }
    // The rule for backend names is the one for plugin names: no slash, no leading dot.
    match BackendName::parse(name) {
        Ok(_) => Ok(name.clone()),
        Err(_) => refuse(
            raw.span(),
            format!("`{name}` is not the name of a file in `plugins_dir`"),
        ),
    }
}

fn default_backend() -> Result<BackendConfig, keyway_core::model::InvalidBackendName> {
    Ok(BackendConfig {
        name: BackendName::parse("wazo_user")?,
        aliases: vec![BackendName::parse("xivo_user")?],
        plugin: "wazo_user".to_owned(),
        config: serde_json::Value::Object(serde_json::Map::new()),
        grants: BackendGrants {
            log: true,
            find: true,
            verify: true,
            expose: false,
        },
        secrets: BTreeMap::new(),
        limits: BackendLimits::default(),
        instances: Instances::Fresh,
        acl_ceiling: None,
        pin: None,
    })
}
