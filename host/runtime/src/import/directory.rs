//! `directory`: the host's own users, read only.

use std::sync::Arc;

use keyway_core::directory::DirectoryError as Trouble;
use keyway_core::model::{User as Found, UserId};
use keyway_core::password::PasswordError;
use uuid::Uuid;
use wasmtime::component::Resource;

use super::secrets::HeldSecret;
use crate::bindings::keyway::backend::directory::{DirectoryError, Host, User};
use crate::call::CallState;
use crate::grant::Capability;

impl Host for CallState {
    async fn find_by_login(
        &mut self,
        login: String,
        tenant: Option<String>,
    ) -> wasmtime::Result<Result<Option<User>, DirectoryError>> {
        if let Err(refused) = self.begin_lookup(&login, tenant.as_deref())? {
            return Ok(Err(refused));
        }
        let directory = Arc::clone(&self.profile.services.directory);
        let found = directory.find_by_login(&login, tenant.as_deref()).await;
        Ok(self.end_lookup(found).await)
    }

    async fn find_by_email(
        &mut self,
        email: String,
        tenant: Option<String>,
    ) -> wasmtime::Result<Result<Option<User>, DirectoryError>> {
        if let Err(refused) = self.begin_lookup(&email, tenant.as_deref())? {
            return Ok(Err(refused));
        }
        let directory = Arc::clone(&self.profile.services.directory);
        let found = directory.find_by_email(&email, tenant.as_deref()).await;
        Ok(self.end_lookup(found).await)
    }

    async fn verify_password(
        &mut self,
        user_id: Option<String>,
        password: Resource<HeldSecret>,
    ) -> wasmtime::Result<Result<bool, DirectoryError>> {
        self.meter.charge(user_id.as_ref().map_or(0, String::len))?;
        if !self.profile.capabilities.has(Capability::DirectoryVerify) {
            return Ok(Err(not_granted(Capability::DirectoryVerify)));
        }
        if !self.meter.take_comparison() {
            return Ok(Err(DirectoryError::LimitReached));
        }
        // What is no UUID is nobody's id, and costs the same.
        let user = user_id.and_then(|id| Uuid::parse_str(&id).ok()).map(UserId);
        let password = self.held(&password)?.clone();
        let profile = Arc::clone(&self.profile);
        let directory = &profile.services.directory;
        let comparison = directory.verify_password(&profile.backend, user, &password);
        match self.comparing.wait(comparison).await {
            Ok(matches) => {
                if let (true, Some(user)) = (matches, user) {
                    self.witness.matched(user);
                }
                Ok(Ok(matches && user.is_some()))
            }
            Err(error) => Ok(Err(self.not_compared(&error))),
        }
    }
}

impl CallState {
    fn begin_lookup(&mut self, key: &str, tenant: Option<&str>) -> wasmtime::Result<Result<(), DirectoryError>> {
        self.meter.charge(key.len() + tenant.map_or(0, str::len))?;
        if !self.profile.capabilities.has(Capability::DirectoryFind) {
            return Ok(Err(not_granted(Capability::DirectoryFind)));
        }
        if !self.meter.take_lookup() {
            return Ok(Err(DirectoryError::LimitReached));
        }
        Ok(Ok(()))
    }

    async fn end_lookup(&mut self, found: Result<Option<Found>, Trouble>) -> Result<Option<User>, DirectoryError> {
        let found = match found {
            Ok(found) => found,
            Err(Trouble::Ambiguous(_)) => return Err(DirectoryError::Ambiguous),
            Err(error) => return Err(self.unavailable(&error)),
        };
        let id = found.as_ref().map(|user| user.id);
        let seen = found.as_ref().filter(|user| self.is_own(user)).map(|user| user.id);
        let groups = self.profile.services.directory.group_names(id).await;
        let groups = groups.map_err(|error| self.unavailable(&error))?;
        if let Some(user) = seen {
            let may_link = self.profile.capabilities.has(Capability::DirectoryLink);
            self.witness.found(user, may_link);
        }
        Ok(found.map(|user| guests_user(&user, groups)))
    }

    /// Whether the guest may speak of this user.
    pub(super) fn is_own(&self, user: &Found) -> bool {
        self.profile.tenant.is_none_or(|tenant| user.tenant == tenant)
    }

    /// As [`CallState::unavailable`]. A pool without room is nobody's fault.
    pub(super) fn not_compared(&mut self, error: &Trouble) -> DirectoryError {
        if matches!(error, Trouble::Password(PasswordError::Saturated)) {
            self.pool_is_busy();
            return DirectoryError::Unavailable;
        }
        self.unavailable(error)
    }

    /// The guest learns only that there is no answer; the reason goes to the log.
    pub(super) fn unavailable(&self, error: &Trouble) -> DirectoryError {
        tracing::warn!(backend = %self.profile.backend, request_id = self.request_id, %error, "the directory did not answer a plugin");
        DirectoryError::Unavailable
    }
}

pub(super) fn not_granted(capability: Capability) -> DirectoryError {
    DirectoryError::NotGranted(capability.name().to_owned())
}

pub(super) fn guests_user(user: &Found, groups: Vec<String>) -> User {
    User {
        id: user.id.to_string(),
        email: user.main_email().map(ToOwned::to_owned),
        login: user.name().into_owned(),
        display_name: user.display_name(),
        tenant: user.tenant.to_string(),
        enabled: user.enabled,
        groups,
    }
}
