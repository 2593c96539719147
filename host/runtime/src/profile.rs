//! What holds for every call of a generation.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::model::{BackendName, TenantId};

use crate::delegation::Delegation;
use crate::grant::Capabilities;
use crate::trace::Trace;
use crate::{HostServices, Limits};

/// What holds for every call of a generation.
#[derive(Clone)]
pub(crate) struct Profile {
    /// Whose calls these are.
    pub(crate) backend: BackendName,
    /// The `config` table as JSON.
    pub(crate) config: String,
    pub(crate) secrets: BTreeMap<String, Secret<Vec<u8>>>,
    pub(crate) capabilities: Capabilities,
    pub(crate) limits: Limits,
    pub(crate) services: HostServices,
    /// The other backends; `None` where there are none.
    pub(crate) delegation: Option<Arc<Delegation>>,
    /// Whose users alone it may link its own to; `None` for everybody's.
    pub(crate) tenant: Option<TenantId>,
    /// Whether it only stands for its variants, and there is nothing of its own to ask after.
    pub(crate) is_template: bool,
    /// For whom wants to see what a call does.
    pub(crate) trace: Trace,
}

impl Profile {
    /// For `describe` and `check-config`: nothing granted, no configuration, no secrets.
    pub(crate) fn bare(backend: BackendName, limits: Limits, services: HostServices) -> Self {
        Self {
            backend,
            config: "{}".to_owned(),
            secrets: BTreeMap::new(),
            capabilities: Capabilities::default(),
            limits,
            services,
            delegation: None,
            tenant: None,
            is_template: false,
            trace: Trace::default(),
        }
    }
}
