//! The configuration of backends, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::port::{BackendDesk, BackendSettings, BackendSettingsError};
use serde_json::Value;

/// Backends with their configurations. Nothing is configured at first.
#[derive(Default)]
pub(crate) struct FakeDesk {
    backends: Mutex<BTreeMap<String, BackendSettings>>,
    /// What was set, by the names of backend and secret.
    pub(crate) secrets: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    /// What the backends do not accept, if anything: a JSON pointer and what is wrong there.
    pub(crate) refuses: Mutex<Option<(String, String)>>,
}

impl FakeDesk {
    /// Configures a backend.
    pub(crate) fn put(&self, backend: &str, settings: BackendSettings) {
        self.lock().insert(backend.to_owned(), settings);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, BackendSettings>> {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self) -> Result<(), BackendSettingsError> {
        let refuses = self.refuses.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refuses {
            None => Ok(()),
            Some(problem) => Err(BackendSettingsError::Refused(vec![problem.clone()])),
        }
    }
}

#[async_trait]
impl BackendDesk for FakeDesk {
    async fn settings(&self, backend: &str) -> Result<BackendSettings, BackendSettingsError> {
        let found = self.lock().get(backend).cloned();
        found.ok_or_else(|| BackendSettingsError::Unknown(backend.to_owned()))
    }

    async fn change(&self, backend: &str, added: Value, revision: i64) -> Result<(), BackendSettingsError> {
        self.judge()?;
        let mut backends = self.lock();
        let found = backends.get_mut(backend);
        let settings = found.ok_or_else(|| BackendSettingsError::Unknown(backend.to_owned()))?;
        if settings.revision != revision {
            return Err(BackendSettingsError::Overtaken);
        }
        settings.added = added;
        settings.revision += 1;
        Ok(())
    }

    async fn try_out(&self, backend: &str, _added: Value) -> Result<(), BackendSettingsError> {
        self.settings(backend).await?;
        self.judge()
    }

    async fn set_secret(
        &self,
        backend: &str,
        name: &str,
        value: Option<Secret<Vec<u8>>>,
    ) -> Result<(), BackendSettingsError> {
        let key = (backend.to_owned(), name.to_owned());
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => drop(secrets.insert(key, value.expose().clone())),
            None => drop(secrets.remove(&key)),
        }
        Ok(())
    }
}
