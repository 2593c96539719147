//! `directory-list`: the host's own users, listed.

use std::sync::Arc;

use super::directory::guests_user;
use crate::answer::LISTED;
use crate::bindings::keyway::backend::directory::{DirectoryError, User};
use crate::bindings::keyway::backend::directory_list::Host;
use crate::call::CallState;
use crate::grant::Capability;

impl Host for CallState {
    async fn list_users(
        &mut self,
        pattern: String,
        tenant: Option<String>,
        most: u32,
    ) -> wasmtime::Result<Result<Vec<User>, DirectoryError>> {
        self.meter
            .charge(pattern.len() + tenant.as_ref().map_or(0, String::len))?;
        if !self.profile.capabilities.has(Capability::DirectoryList) {
            let wanted = Capability::DirectoryList.name().to_owned();
            return Ok(Err(DirectoryError::NotGranted(wanted)));
        }
        if !self.meter.take_lookup() {
            return Ok(Err(DirectoryError::LimitReached));
        }
        let directory = Arc::clone(&self.profile.services.directory);
        // Others' users would only take the place of those whom the guest may see.
        let tenant = tenant.or_else(|| self.profile.tenant.map(|own| own.to_string()));
        let listed = directory.list(&pattern, tenant.as_deref(), most.min(LISTED)).await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(self.unavailable(&error))),
        };
        let mut users = Vec::with_capacity(listed.len());
        for found in &listed {
            if self.is_own(found) {
                // Nobody is linked to whom a list holds: there are too many in it.
                self.witness.found(found.id, false);
                users.push(guests_user(found, Vec::new()));
            }
        }
        let bytes = users.iter().map(size).sum();
        let is_allowed = self.meter.take_fetched(bytes);
        Ok(is_allowed.then_some(users).ok_or(DirectoryError::LimitReached))
    }
}

fn size(user: &User) -> usize {
    let texts = [
        Some(&user.id),
        Some(&user.login),
        user.email.as_ref(),
        user.display_name.as_ref(),
        Some(&user.tenant),
    ];
    texts.into_iter().flatten().map(String::len).sum()
}
