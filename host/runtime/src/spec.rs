//! What an operator wants to run.

use std::collections::BTreeMap;

use keyway_core::Secret;
use keyway_core::model::{BackendName, PluginDigest};

use crate::{Grants, Limits};

/// How instances are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Instances {
    /// One for each call, dropped after it: nothing can leak from one login into another.
    #[default]
    Fresh,
    /// Instances are kept after clean calls and used again, unless they have seen a secret. For plugins that are slow to start and
    /// written with care.
    Reuse,
}

/// One `[[backend]]` of the configuration, checked and with its secret files read.
#[derive(Debug, Clone)]
pub struct BackendSpec {
    /// Its name.
    pub name: BackendName,
    /// Other names that lead to it.
    pub aliases: Vec<BackendName>,
    /// The stem of the plugin's file name: `wazo_user` stands for `<plugins_dir>/wazo_user.wasm`. It must be a plain file name.
    pub plugin: String,
    /// The `config` table as a JSON object; `{}` where there is none.
    pub config: serde_json::Value,
    /// The contents of `secrets.<name>`.
    pub secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// What the operator allows.
    pub grants: Grants,
    /// How much it may use.
    pub limits: Limits,
    /// Access patterns that the backend may hand out by its own word; `None` for none.
    pub acl_ceiling: Option<Vec<String>>,
    /// Slugs of the top tenant's policies that the members of the backend's own groups have, by the groups' names. The host's groups are none of them.
    pub group_policies: BTreeMap<String, Vec<String>>,
    /// How instances are made.
    pub instances: Instances,
    /// The only plugin file that is acceptable, if the operator pins one.
    pub pin: Option<PluginDigest>,
    /// Whether it only lends its plugin, grants and limits to variants ([`Runtime::find_variant`](crate::Runtime::find_variant)): nobody logs in
    /// through it itself, and it is not loaded before a variant is asked for.
    pub is_template: bool,
}

impl BackendSpec {
    /// A backend with defaults for everything else.
    pub fn new(name: BackendName, plugin: &str) -> Self {
        Self {
            name,
            aliases: Vec::new(),
            plugin: plugin.to_owned(),
            config: serde_json::Value::Object(serde_json::Map::new()),
            secrets: BTreeMap::new(),
            grants: Grants::default(),
            limits: Limits::default(),
            acl_ceiling: None,
            group_policies: BTreeMap::new(),
            instances: Instances::default(),
            pin: None,
            is_template: false,
        }
    }
}
