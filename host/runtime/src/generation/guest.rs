//! One instance of a plugin and the store it lives in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::model::{Credential, DigestAlgorithm};
use keyway_core::port::{BackendFault, RequestContext};
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::Resource;
use wasmtime::{Store, UpdateDeadline, WasmBacktrace};

use crate::bindings::exports::keyway::backend::{authenticator, browse, change_password, health, lookup};
use crate::bindings::keyway::backend::types as wit;
use crate::call::CallState;
use crate::delegation;
use crate::engine::{HostEngine, Running};
use crate::fault::{self, DeadlineHit};
use crate::import::secrets::HeldSecret;
use crate::plugin::Plugin;
use crate::profile::Profile;

/// Bytes that a guest may hand over at once while it lists: a listing, and what describes it.
const LISTING_FUEL: usize = 4 << 20;

/// What a plugin says about itself, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) wants: Vec<String>,
    pub(crate) config_schema: String,
}

/// One instance of a plugin. Dropping it ends whatever it is doing.
pub(crate) struct Guest {
    store: Store<CallState>,
    exports: Option<Exports>,
    plugin: Arc<Plugin>,
    engine: Arc<HostEngine>,
    running: Option<Running>,
    /// Its place among the calls under way.
    place: Option<OwnedSemaphorePermit>,
    /// How many calls it has served.
    pub(super) calls: u32,
}

struct Exports {
    authenticator: authenticator::Guest,
    health: Option<health::Guest>,
    lookup: Option<lookup::Guest>,
    change_password: Option<change_password::Guest>,
    browse: Option<browse::Guest>,
}

impl Guest {
    /// A store for an instance. The instance itself is made by [`Guest::wake`].
    pub(crate) fn new(
        engine: &Arc<HostEngine>,
        plugin: &Arc<Plugin>,
        profile: &Arc<Profile>,
        context: RequestContext,
        deadline: Instant,
    ) -> Result<Self, BackendFault> {
        let state = CallState::new(Arc::clone(profile), context, deadline, engine.burner());
        let mut store = Store::try_new(&engine.engine, state).map_err(|_| BackendFault::Saturated)?;
        store.limiter(|state| state);
        store.set_hostcall_fuel(usize::try_from(profile.limits.host_call_bytes).unwrap_or(usize::MAX));
        store.set_max_component_handles(usize::try_from(profile.limits.handles).unwrap_or(usize::MAX));
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| on_tick(store.data_mut()));
        Ok(Self {
            store,
            exports: None,
            plugin: Arc::clone(plugin),
            engine: Arc::clone(engine),
            running: Some(engine.running()),
            place: None,
            calls: 0,
        })
    }

    /// Waits for a place among the calls under way, and makes the instance, unless there is one.
    pub(crate) async fn wake(&mut self) -> wasmtime::Result<()> {
        if self.place.is_none() {
            let depth = delegation::depth(&self.store.data().context);
            self.place = Some(self.engine.places(depth).acquire_owned().await?);
        }
        if self.exports.is_none() {
            let instance = self.plugin.pre.instantiate_async(&mut self.store).await?;
            let (plugin, store) = (&self.plugin, &mut self.store);
            let health = plugin.health.as_ref();
            let lookup = plugin.lookup.as_ref();
            let change_password = plugin.change_password.as_ref();
            let browse = plugin.browse.as_ref();
            self.exports = Some(Exports {
                authenticator: plugin.authenticator.load(&mut *store, &instance)?,
                health: health.map(|found| found.load(&mut *store, &instance)).transpose()?,
                lookup: lookup.map(|found| found.load(&mut *store, &instance)).transpose()?,
                change_password: change_password
                    .map(|found| found.load(&mut *store, &instance))
                    .transpose()?,
                browse: browse.map(|found| found.load(&mut *store, &instance)).transpose()?,
            });
        }
        Ok(())
    }

    pub(crate) fn state_mut(&mut self) -> &mut CallState {
        self.store.data_mut()
    }

    /// Puts a credential into the guest's hands: a handle, not the value.
    pub(crate) fn lend(&mut self, credential: Credential) -> wasmtime::Result<wit::Credential> {
        let state = self.store.data_mut();
        Ok(match credential {
            Credential::Password(value) => wit::Credential::Password(state.hold(value)?),
            Credential::Digest { algorithm, value } => wit::Credential::Digest(wit::DigestCredential {
                algorithm: match algorithm {
                    DigestAlgorithm::Md5 => wit::DigestAlgorithm::Md5,
                    DigestAlgorithm::Sha1 => wit::DigestAlgorithm::Sha1,
                },
                value: state.hold(value)?,
            }),
            Credential::Otp(value) => wit::Credential::Otp(state.hold(value)?),
            Credential::ApiKey(value) => wit::Credential::ApiKey(state.hold(value)?),
        })
    }

    pub(crate) async fn verify(
        &mut self,
        context: &wit::Context,
        step: &wit::Step,
    ) -> wasmtime::Result<Result<wit::Outcome, wit::Fault>> {
        let exports = awake(self.exports.as_ref())?;
        exports.authenticator.call_verify(&mut self.store, context, step).await
    }

    /// `None` if there is no such export.
    pub(crate) async fn find(
        &mut self,
        context: &wit::Context,
        key: &lookup::Key,
    ) -> wasmtime::Result<Option<Result<lookup::Found, wit::Fault>>> {
        match &awake(self.exports.as_ref())?.lookup {
            Some(lookup) => lookup.call_find(&mut self.store, context, key).await.map(Some),
            None => Ok(None),
        }
    }

    /// `None` if there is no such export.
    pub(crate) async fn change(
        &mut self,
        context: &wit::Context,
        identifier: &str,
        present: Resource<HeldSecret>,
        new: Resource<HeldSecret>,
    ) -> wasmtime::Result<Option<Result<change_password::Answer, wit::Fault>>> {
        match &awake(self.exports.as_ref())?.change_password {
            Some(change) => {
                let changed = change.call_change(&mut self.store, context, identifier, present, new);
                changed.await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// `None` if there is no such export.
    pub(crate) async fn list(
        &mut self,
        context: &wit::Context,
        query: &browse::Query,
    ) -> wasmtime::Result<Option<Result<browse::Listing, wit::Fault>>> {
        let Some(browse) = &awake(self.exports.as_ref())?.browse else {
            return Ok(None);
        };
        // What the guest hands over at once is a listing, and no caller's word stands behind its size.
        let usual = self.store.hostcall_fuel();
        self.store.set_hostcall_fuel(usual.max(LISTING_FUEL));
        let listed = browse.call_list(&mut self.store, context, query).await;
        self.store.set_hostcall_fuel(usual);
        listed.map(Some)
    }

    pub(crate) async fn health(&mut self) -> wasmtime::Result<Result<(), BackendFault>> {
        self.wake().await?;
        let exports = awake(self.exports.as_ref())?;
        let Some(health) = &exports.health else {
            return Ok(Ok(()));
        };
        let checked = health.call_check(&mut self.store).await?;
        Ok(checked.map_err(|reported| fault::reported(&reported, self.store.data())))
    }

    pub(crate) async fn describe(&mut self) -> wasmtime::Result<wit::Description> {
        self.wake().await?;
        let exports = awake(self.exports.as_ref())?;
        exports.authenticator.call_describe(&mut self.store).await
    }

    pub(crate) async fn check_config(&mut self, json: &str) -> wasmtime::Result<Result<(), Vec<wit::Problem>>> {
        self.wake().await?;
        let exports = awake(self.exports.as_ref())?;
        exports.authenticator.call_check_config(&mut self.store, json).await
    }

    /// Turns the end of a call into an answer or a fault, and logs what only the log may know.
    pub(crate) fn settle<T>(
        &mut self,
        ended: wasmtime::Result<Result<T, BackendFault>>,
        budget: Duration,
    ) -> Result<T, BackendFault> {
        self.calls += 1;
        match ended {
            Ok(Ok(answer)) => {
                self.log_dropped_lines();
                Ok(answer)
            }
            Ok(Err(fault)) => self.fail(fault, None),
            Err(error) => {
                let fault = fault::trapped(&error, self.store.data(), budget);
                self.fail(fault, Some(&error))
            }
        }
    }

    /// The fault of a call that ended by the clock.
    pub(crate) fn expire<T>(&self, budget: Duration) -> Result<T, BackendFault> {
        // One that never got its place had no chance to answer.
        let fault = match self.place {
            Some(_) => fault::late(self.store.data(), budget),
            None => BackendFault::Saturated,
        };
        self.fail(fault, None)
    }

    /// Logs a fault with what led to it, and gives it back.
    pub(crate) fn fail<T>(&self, fault: BackendFault, error: Option<&wasmtime::Error>) -> Result<T, BackendFault> {
        self.log_dropped_lines();
        let state = self.store.data();
        let cause = error.map(|error| state.clean(&format!("{error:#}"), 2048));
        let backtrace = error
            .and_then(|error| error.downcast_ref::<WasmBacktrace>())
            .map(|backtrace| state.clean(&backtrace.to_string(), 4096));
        tracing::warn!(
            backend = %state.profile.backend,
            request_id = state.request_id,
            plugin = %self.plugin.digest,
            cause,
            backtrace,
            output = state.output(),
            "{fault}"
        );
        Err(fault)
    }

    fn log_dropped_lines(&self) {
        let state = self.store.data();
        if state.meter.dropped_lines > 0 {
            let (backend, lines) = (&state.profile.backend, state.meter.dropped_lines);
            tracing::warn!(%backend, request_id = state.request_id, lines, "the plugin logged more than it may");
        }
    }

    /// Whether it may serve another call: nothing of this one is left in it.
    pub(super) fn is_clean(&self) -> bool {
        let state = self.store.data();
        self.exports.is_some() && !state.has_secrets() && state.meter.refused_growth.is_none()
    }

    pub(super) fn rest(&mut self) {
        self.running = None;
        self.place = None;
    }

    pub(super) fn begin_again(&mut self, context: RequestContext, deadline: Instant) {
        self.running = Some(self.engine.running());
        self.store.data_mut().begin_again(context, deadline);
        self.store.set_epoch_deadline(1);
    }

    pub(super) fn engine(&self) -> &Arc<HostEngine> {
        &self.engine
    }
}

fn awake(exports: Option<&Exports>) -> wasmtime::Result<&Exports> {
    exports.ok_or_else(|| wasmtime::Error::msg("the instance was not made"))
}

/// Called each time that the epoch advances while the guest runs: others get their turn, and past the deadline it ends.
fn on_tick(state: &mut CallState) -> wasmtime::Result<UpdateDeadline> {
    if Instant::now() >= state.deadline {
        return Err(DeadlineHit.into());
    }
    Ok(state.burner.tick())
}
