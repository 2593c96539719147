//! `directory-digest`: the host's own users, found by a digest of login and password.

use std::sync::Arc;

use keyway_core::model;
use wasmtime::component::Resource;

use super::directory::{guests_user, not_granted};
use super::secrets::HeldSecret;
use crate::bindings::keyway::backend::directory::{DirectoryError, User};
use crate::bindings::keyway::backend::directory_digest::{DigestAlgorithm, Host};
use crate::call::CallState;
use crate::grant::Capability;

impl Host for CallState {
    async fn find_by_digest(
        &mut self,
        digest: Resource<HeldSecret>,
        algorithm: DigestAlgorithm,
        tenant: Option<String>,
    ) -> wasmtime::Result<Result<Option<User>, DirectoryError>> {
        self.meter.charge(tenant.as_ref().map_or(0, String::len))?;
        if !self.profile.capabilities.has(Capability::DirectoryVerify) {
            return Ok(Err(not_granted(Capability::DirectoryVerify)));
        }
        if !self.meter.take_comparison() {
            return Ok(Err(DirectoryError::LimitReached));
        }
        let algorithm = match algorithm {
            DigestAlgorithm::Md5 => model::DigestAlgorithm::Md5,
            DigestAlgorithm::Sha1 => model::DigestAlgorithm::Sha1,
        };
        let digest = self.held(&digest)?.clone();
        let profile = Arc::clone(&self.profile);
        let directory = &profile.services.directory;
        let search = directory.find_by_digest(&profile.backend, algorithm, &digest, tenant.as_deref());
        let found = match self.comparing.wait(search).await {
            // Whoever belongs to another tenant than the guest does is nobody to it.
            Ok(found) => found.filter(|user| self.is_own(user)),
            Err(error) => return Ok(Err(self.not_compared(&error))),
        };
        let groups = match directory.group_names(found.as_ref().map(|user| user.id)).await {
            Ok(groups) => groups,
            Err(error) => return Ok(Err(self.unavailable(&error))),
        };
        Ok(Ok(found.map(|user| {
            self.witness.matched(user.id);
            guests_user(&user, groups)
        })))
    }
}
