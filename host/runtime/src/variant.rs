//! Backends that share a template's plugin, grants and limits, and have a configuration, secrets and endpoints of their own: one for each tenant
//! that brings its own directory.
//!
//! A template is loaded when the first variant is asked for, and nobody logs in through it itself. A swap of its plugin reaches each variant with its
//! next call.

mod ready;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::gate::{Gate, GateLimits};
use keyway_core::model::{Answer, Changed, Found, Outcome, PluginStamp, Subject, TenantId};
use keyway_core::port::{
    Abilities, Backend, BackendFault, BackendSlot, BrowseRequest, ChangeRequest, Listing, LookupRequest, VerifyRequest,
};
use tokio::sync::Mutex;

use self::ready::Lasting;
pub(crate) use self::ready::Variants;
use crate::generation::Generation;
use crate::grant::Capabilities;
use crate::profile::Profile;
use crate::registry::{Live, LiveBackend};
use crate::reload::bring_up::describe_problem;
use crate::trace::Trace;
use crate::{BackendSpec, EndpointSpec, Grants, fault};

/// What one variant has of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantSpec {
    /// Whose it is. It can link its users to this tenant's and to nobody else's.
    pub tenant: TenantId,
    /// The configuration, a JSON object.
    pub config: serde_json::Value,
    /// The secrets.
    pub secrets: BTreeMap<String, Secret<Vec<u8>>>,
    /// The endpoints, in place of `grants.net`.
    pub net: BTreeMap<String, EndpointSpec>,
}

/// What variants are made of.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) spec: Arc<BackendSpec>,
    pub(crate) backend: Arc<LiveBackend>,
    /// Over all variants, so that many tenants whose directories hang take no more than their share of the host.
    pub(crate) gate: Arc<Gate>,
}

impl Template {
    /// What one tenant may have under way at once, and when it is kept away.
    fn share(&self) -> GateLimits {
        let mut limits = self.spec.limits.gate();
        limits.concurrency = (limits.concurrency / SHARE).max(1);
        limits
    }

    /// The backend of one tenant.
    fn slot(&self, spec: Arc<VariantSpec>, lasting: Arc<Lasting>) -> BackendSlot {
        BackendSlot {
            name: self.spec.name.clone(),
            gate: Arc::clone(&lasting.gate),
            deadline: self.spec.limits.deadline,
            acl_ceiling: self.spec.acl_ceiling.as_deref().map(Arc::from),
            group_policies: Arc::new(self.spec.group_policies.clone()),
            backend: Arc::new(Variant {
                template: self.clone(),
                spec,
                lasting,
                made: Mutex::default(),
            }),
        }
    }
}

/// One variant has one of so many parts of its template's places.
const SHARE: u32 = 4;

struct Variant {
    template: Template,
    spec: Arc<VariantSpec>,
    lasting: Arc<Lasting>,
    /// The number of the template's generation that it was made of, and what came of it.
    made: Mutex<Option<Made>>,
}

struct Made {
    number: u64,
    generation: Result<Arc<Generation>, BackendFault>,
}

impl Variant {
    /// The generation to call, on the plugin that the template has now.
    async fn generation(&self) -> Result<(Arc<Live>, Arc<Generation>), BackendFault> {
        let live = self.template.backend.live().ok_or(BackendFault::NotLoaded)?;
        let mut made = self.made.lock().await;
        if let Some(made) = made.as_ref().filter(|made| made.number == live.number) {
            return Ok((live, made.generation.clone()?));
        }
        let generation = self.make(&live.generation).await.map(Arc::new);
        // What the plugin said of the configuration is what it would say again; anything else may have passed by the next call.
        let is_lasting = matches!(generation, Ok(_) | Err(BackendFault::Misconfigured(_)));
        *made = is_lasting.then(|| Made {
            number: live.number,
            generation: generation.clone(),
        });
        Ok((live, generation?))
    }

    async fn make(&self, base: &Generation) -> Result<Generation, BackendFault> {
        let template = &self.template.spec;
        let config = self.spec.config.to_string();
        let problems = base.check_config(&config).await?;
        if !problems.is_empty() {
            let texts: Vec<String> = problems.iter().map(describe_problem).collect();
            return Err(BackendFault::Misconfigured(format!(
                "the configuration of the tenant `{}`: {}",
                self.spec.tenant,
                texts.join("; ")
            )));
        }
        let grants = Grants {
            net: self.spec.net.clone(),
            ..template.grants.clone()
        };
        let services = base.services();
        let capabilities = Capabilities::settle(&base.described.wants, &grants, &*services.databases)
            .map_err(|error| BackendFault::Misconfigured(error.to_string()))?;
        Ok(base.variant(Profile {
            backend: template.name.clone(),
            config,
            secrets: self.spec.secrets.clone(),
            capabilities,
            limits: template.limits,
            services,
            // All tenants' go by one name, so none of them can be told apart by who asks.
            delegation: None,
            tenant: Some(self.spec.tenant),
            is_template: false,
            trace: Trace::default(),
        }))
    }
}

impl Variant {
    /// Counts a call for the probation of the template's generation, whose defects must not be one tenant's doing: of each tenant one counts.
    fn observe<T>(&self, live: &Live, result: &Result<T, BackendFault>) {
        let is_defect = result.as_ref().err().is_some_and(fault::is_defect);
        let is_again = is_defect && self.lasting.blamed.swap(live.number, Ordering::Relaxed) == live.number;
        if !is_again {
            self.template.backend.observe(live, result);
        }
    }

    /// Has a generation do something, within the share that all variants have of the host.
    async fn call<T, F>(
        &self,
        deadline: Instant,
        work: impl FnOnce(Arc<Generation>) -> F,
    ) -> Result<(Arc<Live>, Arc<Generation>, T), BackendFault>
    where
        F: Future<Output = Result<T, BackendFault>>,
    {
        let pass = self.template.gate.enter(deadline).await.map_err(|fault| match fault {
            // Others took the places. This tenant's directory has not been asked, and its breaker hears nothing.
            BackendFault::DeadlineExceeded(_) => BackendFault::Saturated,
            fault => fault,
        })?;
        let (live, generation) = self.generation().await?;
        let result = work(Arc::clone(&generation)).await;
        self.observe(&live, &result);
        // A directory that is down is its tenant's trouble; the breaker in front of this variant sees to it.
        pass.settle(None);
        result.map(|answer| (live, generation, answer))
    }
}

#[async_trait]
impl Backend for Variant {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        let deadline = request.deadline;
        let verify = |generation: Arc<Generation>| async move { generation.verify(request).await };
        let (live, generation, outcome) = self.call(deadline, verify).await?;
        check(&outcome)?;
        let plugin = PluginStamp {
            digest: generation.digest(),
            generation: live.number,
        };
        Ok(Answer { outcome, plugin })
    }

    fn stamp(&self) -> Option<PluginStamp> {
        self.template.backend.stamp()
    }

    fn abilities(&self) -> Abilities {
        self.template.backend.abilities()
    }

    async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        let deadline = request.deadline;
        let lookup = |generation: Arc<Generation>| async move { generation.lookup(request).await };
        let (_, _, found) = self.call(deadline, lookup).await?;
        Ok(found)
    }

    async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        let deadline = request.deadline;
        let change = |generation: Arc<Generation>| async move { generation.change_password(request).await };
        let (_, _, changed) = self.call(deadline, change).await?;
        Ok(changed)
    }

    async fn browse(&self, request: BrowseRequest) -> Result<Option<Listing>, BackendFault> {
        let deadline = request.deadline;
        let browse = |generation: Arc<Generation>| async move { generation.browse(request).await };
        let (_, _, listed) = self.call(deadline, browse).await?;
        Ok(listed)
    }
}

/// What a tenant's backend may answer. All of them go by one name, so a name of its own for somebody could be another tenant's, too.
fn check(outcome: &Outcome) -> Result<(), BackendFault> {
    let reason = match outcome {
        Outcome::Refused(_) => return Ok(()),
        Outcome::Verified(principal) => match principal.subject {
            Subject::Linked(_) => return Ok(()),
            Subject::Directory(_) | Subject::Own(_) | Subject::Delegated { .. } | Subject::Found(_) => {
                "let in only users of the tenant, linked to its own"
            }
        },
        Outcome::Challenged(_) => "give no challenges",
    };
    Err(BackendFault::Misconfigured(format!(
        "a tenant's own backend can {reason}"
    )))
}
