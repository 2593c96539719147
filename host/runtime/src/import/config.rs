//! `config`: what the operator wrote for this backend.

use wasmtime::component::Resource;

use super::secrets::HeldSecret;
use crate::bindings::keyway::backend::config::Host;
use crate::call::CallState;

impl Host for CallState {
    fn json(&mut self) -> wasmtime::Result<String> {
        Ok(self.profile.config.clone())
    }

    fn get_secret(&mut self, name: String) -> wasmtime::Result<Option<Resource<HeldSecret>>> {
        self.meter.charge(name.len())?;
        let value = self.profile.secrets.get(&name).cloned();
        value.map(|value| self.hold_configured(value)).transpose()
    }
}
