//! `delegate`: other backends that the operator lets this one ask.

use wasmtime::component::Resource;

use super::secrets::HeldSecret;
use crate::bindings::keyway::backend::delegate::{DelegateError, Found, Host};
use crate::bindings::keyway::backend::types::{Outcome, Principal};
use crate::call::CallState;

impl Host for CallState {
    async fn verify_password(
        &mut self,
        backend: String,
        identifier: String,
        _password: Resource<HeldSecret>,
    ) -> wasmtime::Result<Result<Outcome, DelegateError>> {
        self.meter.charge(backend.len() + identifier.len())?;
        Ok(Err(not_granted(&backend)))
    }

    async fn answer_challenge(
        &mut self,
        backend: String,
        state: Vec<u8>,
        _response: Resource<HeldSecret>,
    ) -> wasmtime::Result<Result<Outcome, DelegateError>> {
        self.meter.charge(backend.len() + state.len())?;
        Ok(Err(not_granted(&backend)))
    }

    async fn find_by_identifier(
        &mut self,
        backend: String,
        identifier: String,
    ) -> wasmtime::Result<Result<Found, DelegateError>> {
        self.meter.charge(backend.len() + identifier.len())?;
        Ok(Err(not_granted(&backend)))
    }

    async fn find_by_subject(
        &mut self,
        backend: String,
        subject: String,
    ) -> wasmtime::Result<Result<Found, DelegateError>> {
        self.meter.charge(backend.len() + subject.len())?;
        Ok(Err(not_granted(&backend)))
    }

    async fn list_users(
        &mut self,
        backend: String,
        login: String,
        _most: u32,
    ) -> wasmtime::Result<Result<Option<Vec<Principal>>, DelegateError>> {
        self.meter.charge(backend.len() + login.len())?;
        Ok(Err(not_granted(&backend)))
    }
}

fn not_granted(backend: &str) -> DelegateError {
    DelegateError::NotGranted(format!("grants.delegate = [\"{backend}\"]"))
}
