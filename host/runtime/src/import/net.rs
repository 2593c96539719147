//! `net`: connections to the endpoints that the operator granted, by their names.

use std::sync::Arc;

use wasmtime::component::Resource;
use zeroize::Zeroize as _;

use crate::bindings::keyway::backend::net::{
    Host, HostConnection, NetError as WitError, Protection as WitProtection, TlsError,
};
use crate::call::CallState;
use crate::net::{Connection, Endpoint, NetError, Protection, TlsFault};
use crate::text::Exposed;

/// The connection behind a guest's handle.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it, which they can only do with what is public"
)]
pub struct HeldConnection {
    pub(crate) name: String,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) connection: Connection,
    pub(crate) trail: Trail,
}

/// What a connection has carried: enough to tell whether a caller's credential was in it.
#[derive(Default)]
pub(crate) struct Trail {
    /// The last bytes that were written, a beginning of a credential perhaps.
    end: Vec<u8>,
    carried_credential: bool,
}

impl Trail {
    /// Looks for a credential in what is written.
    pub(crate) fn follow(&mut self, bytes: &[u8], credentials: &Exposed) {
        if self.carried_credential || credentials.is_empty() {
            return;
        }
        self.end.extend_from_slice(bytes);
        self.carried_credential = credentials.is_in(&self.end);
        let kept = self.end.len().min(credentials.longest());
        self.end.drain(..self.end.len() - kept);
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.end.zeroize();
    }
}

impl Host for CallState {
    fn protection_of(&mut self, endpoint: String) -> wasmtime::Result<Result<WitProtection, WitError>> {
        self.meter.charge(endpoint.len())?;
        Ok(self
            .endpoint(&endpoint)
            .map(|endpoint| match endpoint.spec().protection {
                Protection::None => WitProtection::None,
                Protection::StartTls(_) => WitProtection::StartTls,
                Protection::Implicit(_) => WitProtection::Tls,
            }))
    }

    async fn connect(&mut self, name: String) -> wasmtime::Result<Result<Resource<HeldConnection>, WitError>> {
        self.meter.charge(name.len())?;
        let endpoint = match self.endpoint(&name) {
            Ok(endpoint) => endpoint,
            Err(error) => return Ok(Err(error)),
        };
        if !self.meter.take_connection(&name, endpoint.spec().connections) {
            return Ok(Err(WitError::LimitReached));
        }
        match endpoint.connect(&self.profile.trace).await {
            Ok(connection) => self.hold_connection(name, endpoint, connection).map(Ok),
            Err(error) => Ok(Err(self.net_failed(&name, &error))),
        }
    }

    fn resume(
        &mut self,
        name: String,
        state: String,
    ) -> wasmtime::Result<Result<Option<Resource<HeldConnection>>, WitError>> {
        self.meter.charge(name.len() + state.len())?;
        let endpoint = match self.endpoint(&name) {
            Ok(endpoint) => endpoint,
            Err(error) => return Ok(Err(error)),
        };
        if !self.meter.take_connection(&name, endpoint.spec().connections) {
            return Ok(Err(WitError::LimitReached));
        }
        if let Some(connection) = endpoint.resume(&state) {
            return Ok(Ok(Some(self.hold_connection(name, endpoint, connection)?)));
        }
        self.meter.return_connection(&name);
        Ok(Ok(None))
    }
}

impl HostConnection for CallState {
    async fn read(
        &mut self,
        handle: Resource<HeldConnection>,
        most: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, WitError>> {
        let (name, most_bytes) = self.metered(&handle)?;
        let Some(left) = self.meter.net_bytes_left(&name, most_bytes) else {
            return Ok(Err(WitError::LimitReached));
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(left);
        let read = self.held_connection(&handle)?.connection.read(most).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(self.net_failed(&name, &error))),
        };
        if self.meter.take_net_bytes(&name, bytes.len(), most_bytes) {
            Ok(Ok(bytes))
        } else {
            Ok(Err(WitError::LimitReached))
        }
    }

    async fn write(
        &mut self,
        handle: Resource<HeldConnection>,
        bytes: Vec<u8>,
    ) -> wasmtime::Result<Result<(), WitError>> {
        let (name, most_bytes) = self.metered(&handle)?;
        if !self.meter.take_net_bytes(&name, bytes.len(), most_bytes) {
            return Ok(Err(WitError::LimitReached));
        }
        self.follow(&handle, &bytes)?;
        let written = self.held_connection(&handle)?.connection.write(&bytes).await;
        Ok(written.map_err(|error| self.net_failed(&name, &error)))
    }

    async fn start_tls(&mut self, handle: Resource<HeldConnection>) -> wasmtime::Result<Result<(), WitError>> {
        let trace = self.profile.trace.clone();
        let held = self.held_connection(&handle)?;
        let name = held.name.clone();
        let begun = held.connection.start_tls(&trace).await;
        Ok(begun.map_err(|error| self.net_failed(&name, &error)))
    }

    fn keep(&mut self, handle: Resource<HeldConnection>, state: String) -> wasmtime::Result<()> {
        self.meter.charge(state.len())?;
        let held = self.release_connection(handle)?;
        if held.trail.carried_credential {
            let (backend, request_id) = (&self.profile.backend, &self.request_id);
            tracing::debug!(%backend, request_id, endpoint = held.name, "a plugin asked to keep a connection that carried a credential; it was closed");
        } else {
            held.endpoint.keep(state, held.connection);
        }
        Ok(())
    }

    fn drop(&mut self, handle: Resource<HeldConnection>) -> wasmtime::Result<()> {
        self.release_connection(handle).map(drop)
    }
}

impl CallState {
    /// The name of a connection's endpoint, and the bytes that a call may exchange with it.
    fn metered(&mut self, handle: &Resource<HeldConnection>) -> wasmtime::Result<(String, u64)> {
        let held = self.held_connection(handle)?;
        Ok((held.name.clone(), held.endpoint.spec().bytes))
    }

    fn endpoint(&self, name: &str) -> Result<Arc<Endpoint>, WitError> {
        let granted = self.profile.capabilities.endpoint(name).cloned();
        granted.ok_or_else(|| WitError::NotGranted(format!("grants.net.{name}")))
    }

    /// Says in the log why, and tells the guest what it is.
    fn net_failed(&self, endpoint: &str, error: &NetError) -> WitError {
        let (backend, request_id) = (&self.profile.backend, &self.request_id);
        tracing::warn!(%backend, request_id, endpoint, %error, "an endpoint failed");
        told(error)
    }
}

fn told(error: &NetError) -> WitError {
    match error {
        NetError::Refused { .. } => WitError::RefusedByPolicy,
        NetError::Unresolved(_) => WitError::Unresolved,
        NetError::Unreachable { .. } => WitError::Unreachable,
        NetError::TimedOut(_) => WitError::TimedOut,
        NetError::Closed(_) => WitError::Closed,
        NetError::Limit(_) => WitError::LimitReached,
        NetError::Tls { fault, .. } => WitError::Tls(match fault {
            TlsFault::WrongName => TlsError::WrongName,
            TlsFault::Expired => TlsError::Expired,
            TlsFault::UnknownIssuer => TlsError::UnknownIssuer,
            TlsFault::ClientCertificate => TlsError::ClientCertificate,
            TlsFault::Handshake => TlsError::Handshake,
        }),
    }
}
