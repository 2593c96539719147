//! `secrets`: values that stay in the host while a guest asks about them.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::password::PasswordError;
use wasmtime::component::Resource;

use crate::bindings::keyway::backend::secrets::{Host, HostSecret, SecretError};
use crate::call::CallState;
use crate::grant::Capability;

/// What one look at a secret counts for beside its bytes, so that looking at a short one a million times ends at the limit too.
const EXPOSE_COST: usize = 1024;

/// The value behind a guest's handle.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it, which they can only do with what is public"
)]
pub struct HeldSecret {
    pub(crate) value: Secret<Vec<u8>>,
    /// Whether a caller presented it, and not the operator.
    pub(crate) is_callers: bool,
}

impl Host for CallState {}

impl HostSecret for CallState {
    async fn matches(
        &mut self,
        handle: Resource<HeldSecret>,
        verifier: Option<String>,
    ) -> wasmtime::Result<Result<bool, SecretError>> {
        self.meter.charge(verifier.as_ref().map_or(0, String::len))?;
        if !self.meter.take_comparison() {
            return Ok(Err(SecretError::LimitReached));
        }
        let value = self.held(&handle)?.clone();
        let verifier = verifier.map(Secret::new);
        let profile = Arc::clone(&self.profile);
        let comparison = profile
            .services
            .passwords
            .matches(&profile.backend, &value, verifier.as_ref());
        let compared = self.comparing.wait(comparison).await;
        Ok(compared.map_err(|error| match error {
            PasswordError::Unsupported(scheme) => SecretError::UnsupportedVerifier(scheme),
            PasswordError::TooCostly => SecretError::VerifierTooCostly,
            PasswordError::Saturated => {
                self.pool_is_busy();
                SecretError::Busy
            }
            // Only new verifiers can be too weak; an imported one that is comes back as a comparison.
            PasswordError::TooWeak => SecretError::UnsupportedVerifier("too weak".to_owned()),
        }))
    }

    fn expose(&mut self, handle: Resource<HeldSecret>) -> wasmtime::Result<Result<Vec<u8>, SecretError>> {
        if !self.profile.capabilities.has(Capability::CredentialExpose) {
            let capability = Capability::CredentialExpose.name().to_owned();
            return Ok(Err(SecretError::NotGranted(capability)));
        }
        let is_callers = self.is_callers(&handle)?;
        let value = self.held(&handle)?.clone();
        let bytes = value.expose().clone();
        self.meter.charge(EXPOSE_COST + bytes.len())?;
        self.remember_exposed(value, is_callers);
        Ok(Ok(bytes))
    }

    fn drop(&mut self, handle: Resource<HeldSecret>) -> wasmtime::Result<()> {
        self.forget(handle)
    }
}
