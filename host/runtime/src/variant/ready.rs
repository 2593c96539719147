//! The variants that are in use, ready for their next call, and what outlives a change of their settings: whoever says something else again and again
//! gets no more places by it, and no fresh breaker.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use keyway_core::gate::Gate;
use keyway_core::model::{BackendName, TenantId};
use keyway_core::port::BackendSlot;

use super::{Template, VariantSpec};
use crate::BackendSpec;

/// Tenants that are remembered; the one that was not heard of for the longest makes room.
const TENANTS: usize = 4096;

/// What a tenant's variants have in common, one after the other.
pub(super) struct Lasting {
    pub(super) gate: Arc<Gate>,
    /// The last of the template's generations that a defect was counted against for this tenant's sake.
    pub(super) blamed: AtomicU64,
}

/// The variants of all templates.
#[derive(Default)]
pub(crate) struct Variants(Mutex<HashMap<(BackendName, TenantId), Tenant>>);

struct Tenant {
    lasting: Arc<Lasting>,
    ready: Option<Ready>,
    used: Instant,
}

struct Ready {
    template: Arc<BackendSpec>,
    spec: Arc<VariantSpec>,
    slot: BackendSlot,
}

impl Variants {
    /// The one that is ready, if it is made of the same; a new one otherwise.
    pub(crate) fn find(&self, template: &Template, spec: VariantSpec) -> BackendSlot {
        let key = (template.spec.name.clone(), spec.tenant);
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= TENANTS && !tenants.contains_key(&key) {
            let oldest = tenants.iter().min_by_key(|(_, tenant)| tenant.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                tenants.remove(&oldest);
            }
        }
        let tenant = tenants.entry(key).or_insert_with(|| Tenant::new(template));
        tenant.used = Instant::now();
        let is_same = |ready: &&Ready| Arc::ptr_eq(&ready.template, &template.spec) && *ready.spec == spec;
        if let Some(ready) = tenant.ready.as_ref().filter(is_same) {
            return ready.slot.clone();
        }
        tenant.lasting.gate.set_limits(template.share());
        let spec = Arc::new(spec);
        let slot = template.slot(Arc::clone(&spec), Arc::clone(&tenant.lasting));
        tenant.ready = Some(Ready {
            template: Arc::clone(&template.spec),
            spec,
            slot: slot.clone(),
        });
        slot
    }

    /// Lets go of the tenant's, and of its connections.
    pub(crate) fn forget(&self, name: &BackendName, tenant: TenantId) {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = tenants.get_mut(&(name.clone(), tenant)) {
            tenant.ready = None;
        }
    }

    /// Lets go of all that are made of other templates than these.
    pub(crate) fn keep(&self, is_template: impl Fn(&BackendName) -> bool) {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|(name, _), _| is_template(name));
    }
}

impl Tenant {
    fn new(template: &Template) -> Self {
        Self {
            lasting: Arc::new(Lasting {
                gate: Arc::new(Gate::new(template.share())),
                blamed: AtomicU64::new(0),
            }),
            ready: None,
            used: Instant::now(),
        }
    }
}
