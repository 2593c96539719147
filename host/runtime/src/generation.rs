//! A generation: one plugin with one configuration, ready to be called.

mod ability;
mod guest;
mod warm;

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::model::{Outcome, PluginDigest};
use keyway_core::port::{BackendFault, RequestContext, Step, VerifyRequest};
use tokio::time::error::Elapsed;

use self::warm::WarmPool;
use crate::bindings::keyway::backend::types as wit;
use crate::engine::HostEngine;
use crate::plugin::{Plugin, PluginError};
use crate::profile::Profile;
use crate::trace::Trace;
use crate::{HostServices, Instances, answer, fault};

pub(crate) use self::guest::{Described, Guest};

/// One plugin with one configuration.
pub(crate) struct Generation {
    engine: Arc<HostEngine>,
    plugin: Arc<Plugin>,
    profile: Arc<Profile>,
    warm: Option<WarmPool>,
    /// What the plugin says about itself.
    pub(crate) described: Described,
    /// Stands for plugin, configuration, secrets, grants and limits together.
    pub(crate) fingerprint: [u8; 32],
}

impl Generation {
    pub(crate) fn new(
        engine: Arc<HostEngine>,
        plugin: Arc<Plugin>,
        profile: Profile,
        instances: Instances,
        described: Described,
        fingerprint: [u8; 32],
    ) -> Self {
        let warm = match instances {
            Instances::Fresh => None,
            Instances::Reuse => Some(WarmPool::new(profile.limits.concurrency)),
        };
        Self {
            engine,
            plugin,
            profile: Arc::new(profile),
            warm,
            described,
            fingerprint,
        }
    }

    /// One of the same plugin for another profile.
    pub(crate) fn variant(&self, profile: Profile) -> Self {
        Self::new(
            Arc::clone(&self.engine),
            Arc::clone(&self.plugin),
            profile,
            Instances::Fresh,
            self.described.clone(),
            self.fingerprint,
        )
    }

    /// The same, with what its calls do told.
    pub(crate) fn traced(self, trace: Trace) -> Self {
        let profile = Profile {
            trace,
            ..(*self.profile).clone()
        };
        Self {
            profile: Arc::new(profile),
            ..self
        }
    }

    /// What the plugin finds wrong with a configuration.
    pub(crate) async fn check_config(&self, json: &str) -> Result<Vec<wit::Problem>, BackendFault> {
        let profile = &self.profile;
        let bare = Profile::bare(profile.backend.clone(), profile.limits, self.services());
        let checked = self.plugin.check_config(&self.engine, &Arc::new(bare), json).await;
        checked.map_err(|error| match error {
            PluginError::CheckConfig(fault) => fault,
            error => BackendFault::Broken(error.to_string()),
        })
    }

    /// What the host does for it.
    pub(crate) fn services(&self) -> HostServices {
        self.profile.services.clone()
    }

    pub(crate) fn digest(&self) -> PluginDigest {
        self.plugin.digest
    }

    /// Decides one step of a login.
    ///
    /// # Errors
    /// [`BackendFault`].
    pub(crate) async fn verify(&self, request: VerifyRequest) -> Result<Outcome, BackendFault> {
        let mut call = self.begin(&request.context, request.deadline)?;
        let work = verify(&mut call.guest, request, call.budget);
        let ended = tokio::time::timeout_at(call.deadline.into(), work).await;
        self.end(call, ended)
    }

    /// Takes an instance for one call.
    fn begin(&self, context: &RequestContext, deadline: Instant) -> Result<Call, BackendFault> {
        let started = Instant::now();
        let deadline = deadline.min(started + self.profile.limits.deadline);
        Ok(Call {
            guest: self.guest(context.clone(), deadline)?,
            deadline,
            budget: deadline.saturating_duration_since(started),
        })
    }

    /// What came of a call. Its instance serves again only after a clean one, and only where the operator wants that.
    fn end<T>(
        &self,
        mut call: Call,
        ended: Result<wasmtime::Result<Result<T, BackendFault>>, Elapsed>,
    ) -> Result<T, BackendFault> {
        let result = match ended {
            Ok(result) => call.guest.settle(result, call.budget),
            Err(_) => call.guest.expire(call.budget),
        };
        if let (Some(warm), Ok(_)) = (&self.warm, &result) {
            warm.put(call.guest);
        }
        result
    }

    /// Asks the plugin whether what it depends on is in order; `None` if it has no such export.
    pub(crate) async fn health(&self, longest: Duration) -> Option<Result<(), BackendFault>> {
        self.plugin.health.as_ref().filter(|_| !self.profile.is_template)?;
        let budget = longest.min(self.profile.limits.deadline);
        let deadline = Instant::now() + budget;
        let context = named("health");
        let mut guest = match Guest::new(&self.engine, &self.plugin, &self.profile, context, deadline) {
            Ok(guest) => guest,
            Err(fault) => return Some(Err(fault)),
        };
        let ended = tokio::time::timeout_at(deadline.into(), guest.health()).await;
        Some(match ended {
            Ok(result) => guest.settle(result, budget),
            Err(_) => guest.expire(budget),
        })
    }

    fn guest(&self, context: RequestContext, deadline: Instant) -> Result<Guest, BackendFault> {
        match self.warm.as_ref().and_then(WarmPool::take) {
            Some(mut guest) => {
                guest.begin_again(context, deadline);
                Ok(guest)
            }
            None => Guest::new(&self.engine, &self.plugin, &self.profile, context, deadline),
        }
    }
}

/// One call that is under way.
struct Call {
    guest: Guest,
    deadline: Instant,
    budget: Duration,
}

/// The circumstances of a call that no caller made.
pub(crate) fn named(what: &str) -> RequestContext {
    RequestContext {
        request_id: what.to_owned(),
        ..RequestContext::default()
    }
}

/// A request's circumstances, as a guest is told of them.
fn told(context: RequestContext, budget: Duration) -> wit::Context {
    wit::Context {
        request_id: context.request_id,
        dialect: context.dialect.to_owned(),
        client_address: context.client_address,
        tenant: context.tenant,
        budget_ms: u32::try_from(budget.as_millis()).unwrap_or(u32::MAX),
        attributes: context.attributes,
    }
}

async fn verify(
    guest: &mut Guest,
    request: VerifyRequest,
    budget: Duration,
) -> wasmtime::Result<Result<Outcome, BackendFault>> {
    guest.wake().await?;
    let step = match request.step {
        Step::Start { identifier, credential } => wit::Step::Start(wit::Start {
            identifier,
            credential: guest.lend(credential)?,
        }),
        Step::Answer { state, response } => wit::Step::Answer(wit::Answer {
            state,
            response: guest.state_mut().hold(response)?,
        }),
    };
    let context = told(request.context, budget);
    let answered = guest.verify(&context, &step).await?;
    let state = guest.state_mut();
    Ok(match answered {
        Ok(outcome) => answer::translate(outcome, state.witness.of_login()),
        Err(reported) => Err(fault::reported(&reported, state)),
    })
}

#[cfg(test)]
mod tests;
