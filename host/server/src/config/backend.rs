//! `[[backend]]`: a plugin, its configuration, its grants and its limits.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use keyway_core::model::{BackendName, InvalidBackendName, PluginDigest};
use keyway_runtime::{BackendSpec, Instances, Limits};
use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::grant::{self, Asks, RawGrants};
use super::http::positive_time;
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
    instances: RawInstances,
    acl_ceiling: Option<Vec<String>>,
    #[serde(default)]
    group_policies: BTreeMap<String, Vec<String>>,
    pin: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLimits {
    deadline: Option<Spanned<Span>>,
    memory: Option<Spanned<Size>>,
    table_elements: Option<Spanned<u32>>,
    handles: Option<Spanned<u32>>,
    host_call_bytes: Option<Spanned<Size>>,
    log_lines: Option<Spanned<u32>>,
    lookups: Option<Spanned<u32>>,
    comparisons: Option<Spanned<u32>>,
    fetched_bytes: Option<Spanned<Size>>,
    delegations: Option<Spanned<u32>>,
    concurrency: Option<Spanned<u32>>,
    queue: Option<Spanned<u32>>,
    breaker_faults: Option<Spanned<u32>>,
    breaker_cooldown: Option<Spanned<Span>>,
}

/// Whether each login gets an instance of its own, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawInstances {
    #[default]
    Fresh,
    Reuse,
}

impl RawBackend {
    /// Checks all of them together. Without any there is one: the host's own users, under both of their names.
    pub(super) fn check_all(raw: &[Self], source: &Source) -> Result<Vec<BackendSpec>, ConfigError> {
        if raw.is_empty() {
            return default_backend()
                .map(|backend| vec![backend])
                .map_err(|_| source.refuse(0..0, "no backend"));
        }
        let mut owners: HashMap<String, String> = HashMap::new();
        for raw in raw {
            for name in std::iter::once(&raw.name).chain(&raw.aliases) {
                if let Some(owner) = owners.insert(name.get_ref().clone(), raw.name.get_ref().clone()) {
                    let problem = format!("`{}` is taken by the backend `{owner}`", name.get_ref());
                    return Err(source.refuse(name.span(), problem));
                }
            }
        }
        let backends = raw
            .iter()
            .map(|raw| raw.check(&owners, source))
            .collect::<Result<_, _>>()?;
        let asks = raw.iter().map(|raw| Asks {
            name: raw.name.get_ref(),
            asked: &raw.grants.delegate,
        });
        grant::refuse_cycles(&asks.collect::<Vec<_>>(), &owners, source)?;
        Ok(backends)
    }

    fn check(&self, owners: &HashMap<String, String>, source: &Source) -> Result<BackendSpec, ConfigError> {
        let mut spec = BackendSpec::new(backend_name(&self.name, source)?, &plugin_stem(&self.plugin, source)?);
        for alias in &self.aliases {
            spec.aliases.push(backend_name(alias, source)?);
        }
        if let Some(raw) = &self.config {
            spec.config = plain::object(raw.get_ref()).map_err(|problem| source.refuse(raw.span(), problem))?;
        }
        spec.instances = match self.instances {
            RawInstances::Fresh => Instances::Fresh,
            RawInstances::Reuse => Instances::Reuse,
        };
        spec.grants = self.grants.check(owners, source)?;
        spec.limits = self.limits.check(source)?;
        for (name, file) in &self.secrets {
            spec.secrets.insert(name.get_ref().clone(), file.check(source)?);
        }
        spec.acl_ceiling.clone_from(&self.acl_ceiling);
        spec.group_policies.clone_from(&self.group_policies);
        if let Some(raw) = &self.pin {
            let pin =
                PluginDigest::parse(raw.get_ref()).map_err(|error| source.refuse(raw.span(), error.to_string()))?;
            spec.pin = Some(pin);
        }
        Ok(spec)
    }
}

/// The names and aliases of all backends.
pub(super) fn names(backends: &[BackendSpec]) -> HashSet<String> {
    let all = backends
        .iter()
        .flat_map(|backend| std::iter::once(&backend.name).chain(&backend.aliases));
    all.map(ToString::to_string).collect()
}

impl RawLimits {
    fn check(&self, source: &Source) -> Result<Limits, ConfigError> {
        let usual = Limits::default();
        let count = |raw: &Option<Spanned<u32>>, least, usual| {
            Ok::<u32, ConfigError>(within(raw.as_ref(), least..=1_000_000, source)?.unwrap_or(usual))
        };
        let size = |raw: &Option<Spanned<Size>>, most, usual| match raw {
            Some(raw) if raw.get_ref().0 == 0 => Err(source.refuse(raw.span(), "must not be zero")),
            Some(raw) if raw.get_ref().0 > most => {
                Err(source.refuse(raw.span(), format!("must be at most `{}MiB`", most >> 20)))
            }
            Some(raw) => Ok(raw.get_ref().0),
            None => Ok(usual),
        };
        Ok(Limits {
            deadline: positive_time(self.deadline.as_ref(), usual.deadline, source)?,
            memory: size(&self.memory, Limits::MAX_MEMORY, usual.memory)?,
            table_elements: count(&self.table_elements, 1, usual.table_elements)?,
            handles: count(&self.handles, 1, usual.handles)?,
            host_call_bytes: size(&self.host_call_bytes, 1 << 30, usual.host_call_bytes)?,
            log_lines: count(&self.log_lines, 0, usual.log_lines)?,
            lookups: count(&self.lookups, 0, usual.lookups)?,
            comparisons: count(&self.comparisons, 0, usual.comparisons)?,
            fetched_bytes: size(&self.fetched_bytes, 1 << 30, usual.fetched_bytes)?,
            delegations: count(&self.delegations, 0, usual.delegations)?,
            concurrency: count(&self.concurrency, 1, usual.concurrency)?,
            queue: count(&self.queue, 0, usual.queue)?,
            breaker_faults: count(&self.breaker_faults, 0, usual.breaker_faults)?,
            breaker_cooldown: positive_time(self.breaker_cooldown.as_ref(), usual.breaker_cooldown, source)?,
        })
    }
}

fn backend_name(raw: &Spanned<String>, source: &Source) -> Result<BackendName, ConfigError> {
    let name = BackendName::parse(raw.get_ref())
        .map_err(|error| source.refuse(raw.span(), format!("`{}` is not acceptable; {error}", raw.get_ref())))?;
    // Whoever the host lets in by itself is known by it: accounts by their API keys, for one.
    if name == BackendName::host() {
        return Err(source.refuse(raw.span(), format!("`{name}` stands for the server itself")));
    }
    Ok(name)
}

/// A file stem that cannot lead out of the plugins folder.
pub(super) fn plugin_stem(raw: &Spanned<String>, source: &Source) -> Result<String, ConfigError> {
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

fn default_backend() -> Result<BackendSpec, InvalidBackendName> {
    let mut spec = BackendSpec::new(BackendName::parse("wazo_user")?, "wazo_user");
    spec.aliases.push(BackendName::parse("xivo_user")?);
    Ok(spec)
}
