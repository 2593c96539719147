//! The state of one call: what the guest holds, what it has used up, and what the host remembers about it until the call ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use keyway_core::Secret;
use keyway_core::model::BackendName;
use keyway_core::port::RequestContext;
use wasmtime::component::{Resource, ResourceTable, ResourceTableError};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::comparing::Comparing;
use crate::engine::Burner;
use crate::import::net::{HeldConnection, Trail};
use crate::import::secrets::HeldSecret;
use crate::limits::{LimitHit, Meter};
use crate::net::{Connection, Endpoint};
use crate::profile::Profile;
use crate::text::Exposed;
use crate::vouch::Witness;
use crate::wasi;

/// The data of a store.
pub(crate) struct CallState {
    /// What holds for every call of this generation.
    pub(crate) profile: Arc<Profile>,
    /// The id under which the host logs this request.
    pub(crate) request_id: String,
    /// Where the request comes from.
    pub(crate) context: RequestContext,
    /// When the host gives up.
    pub(crate) deadline: Instant,
    /// What the guest has used up.
    pub(crate) meter: Meter,
    /// Whom the host has got to know during this call.
    pub(crate) witness: Witness,
    /// What the password pool did to this call.
    pub(crate) comparing: Comparing,
    /// The other backend that it waits for.
    pub(crate) asking: Option<BackendName>,
    /// Another backend that had a fault when it was asked.
    pub(crate) failed_delegate: Option<BackendName>,
    /// Its share of the processor, once it has run for longer than a login should.
    pub(crate) burner: Burner,
    table: ResourceTable,
    held_secrets: usize,
    held_connections: usize,
    exposed: Exposed,
    /// Those of them that a caller presented.
    credentials: Exposed,
    // Most guests never call WASI, so its context is made when the first one does.
    wasi: Option<WasiCtx>,
    output: Option<Arc<Mutex<Vec<u8>>>>,
}

impl CallState {
    pub(crate) fn new(profile: Arc<Profile>, context: RequestContext, deadline: Instant, burner: Burner) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(profile.limits.handles).unwrap_or(usize::MAX));
        let meter = Meter::new(&profile.limits);
        Self {
            profile,
            request_id: context.request_id.clone(),
            context,
            deadline,
            meter,
            witness: Witness::default(),
            comparing: Comparing::default(),
            asking: None,
            failed_delegate: None,
            burner,
            table,
            held_secrets: 0,
            held_connections: 0,
            exposed: Exposed::default(),
            credentials: Exposed::default(),
            wasi: None,
            output: None,
        }
    }

    /// Makes the state of an instance that was used before as good as new. What the instance itself occupies stays counted.
    pub(crate) fn begin_again(&mut self, context: RequestContext, deadline: Instant) {
        self.request_id.clone_from(&context.request_id);
        self.context = context;
        self.deadline = deadline;
        self.meter.begin_again(&self.profile.limits);
        self.witness.clear();
        self.comparing = Comparing::default();
        self.asking = None;
        self.failed_delegate = None;
        self.burner.rest();
        if let Some(output) = &self.output {
            output.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Whether the guest holds on to a secret or a connection, or has seen a secret, which may then be anywhere in its memory. Such an
    /// instance must not serve another call.
    pub(crate) fn has_secrets(&self) -> bool {
        self.held_secrets > 0 || self.held_connections > 0 || !self.exposed.is_empty()
    }

    /// Hands the guest a caller's credential.
    pub(crate) fn hold(&mut self, value: Secret<Vec<u8>>) -> wasmtime::Result<Resource<HeldSecret>> {
        self.hold_secret(HeldSecret {
            value,
            is_callers: true,
        })
    }

    /// Hands the guest one of the operator's secrets.
    pub(crate) fn hold_configured(&mut self, value: Secret<Vec<u8>>) -> wasmtime::Result<Resource<HeldSecret>> {
        self.hold_secret(HeldSecret {
            value,
            is_callers: false,
        })
    }

    fn hold_secret(&mut self, secret: HeldSecret) -> wasmtime::Result<Resource<HeldSecret>> {
        let handle = self.table.push(secret).map_err(|error| match error {
            ResourceTableError::Full => wasmtime::Error::from(LimitHit("handles")),
            other => other.into(),
        })?;
        self.held_secrets += 1;
        Ok(handle)
    }

    pub(crate) fn held(&self, handle: &Resource<HeldSecret>) -> wasmtime::Result<&Secret<Vec<u8>>> {
        Ok(&self.table.get(handle)?.value)
    }

    pub(crate) fn is_callers(&self, handle: &Resource<HeldSecret>) -> wasmtime::Result<bool> {
        Ok(self.table.get(handle)?.is_callers)
    }

    pub(crate) fn forget(&mut self, handle: Resource<HeldSecret>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        self.held_secrets = self.held_secrets.saturating_sub(1);
        Ok(())
    }

    pub(crate) fn hold_connection(
        &mut self,
        name: String,
        endpoint: Arc<Endpoint>,
        connection: Connection,
    ) -> wasmtime::Result<Resource<HeldConnection>> {
        let held = HeldConnection {
            name,
            endpoint,
            connection,
            trail: Trail::default(),
        };
        let handle = self.table.push(held).map_err(|error| match error {
            ResourceTableError::Full => wasmtime::Error::from(LimitHit("handles")),
            other => other.into(),
        })?;
        self.held_connections += 1;
        Ok(handle)
    }

    pub(crate) fn held_connection(
        &mut self,
        handle: &Resource<HeldConnection>,
    ) -> wasmtime::Result<&mut HeldConnection> {
        Ok(self.table.get_mut(handle)?)
    }

    /// Remembers whether a connection carries a caller's credential.
    pub(crate) fn follow(&mut self, handle: &Resource<HeldConnection>, bytes: &[u8]) -> wasmtime::Result<()> {
        self.table.get_mut(handle)?.trail.follow(bytes, &self.credentials);
        Ok(())
    }

    pub(crate) fn release_connection(&mut self, handle: Resource<HeldConnection>) -> wasmtime::Result<HeldConnection> {
        let held = self.table.delete(handle)?;
        self.held_connections = self.held_connections.saturating_sub(1);
        Ok(held)
    }

    /// The password pool had no room for a comparison. Whatever fault the guest makes of it is not its own.
    pub(crate) fn pool_is_busy(&mut self) {
        if !self.comparing.was_refused() {
            let (backend, request_id) = (&self.profile.backend, &self.request_id);
            tracing::warn!(%backend, request_id, "the password pool has no room for a comparison");
        }
        self.comparing.refuse();
    }

    /// Remembers a value that the guest has seen, so that it can be blanked out of what the guest says.
    pub(crate) fn remember_exposed(&mut self, value: Secret<Vec<u8>>, is_callers: bool) {
        if is_callers {
            self.credentials.remember(value.clone());
        }
        self.exposed.remember(value);
    }

    /// Text from the guest, fit for a log: exposed secrets blanked, control characters escaped, at most `max` bytes.
    pub(crate) fn clean(&self, text: &str, max: usize) -> String {
        self.exposed.clean(text, max)
    }

    /// What the guest wrote to stdout and stderr, cleaned.
    pub(crate) fn output(&self) -> String {
        let Some(output) = &self.output else {
            return String::new();
        };
        let output = output.lock().unwrap_or_else(PoisonError::into_inner);
        self.clean(&String::from_utf8_lossy(&output), wasi::OUTPUT_BYTES)
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let output = self.output.get_or_insert_with(Arc::default);
        let ctx = self.wasi.get_or_insert_with(|| wasi::context(output));
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

impl wasmtime::ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.meter.grow_memory(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.meter.grow_table(current, desired))
    }
}
