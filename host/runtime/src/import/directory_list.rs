//! `directory-list`: the host's own users, listed.

use crate::bindings::keyway::backend::directory::{DirectoryError, User};
use crate::bindings::keyway::backend::directory_list::Host;
use crate::call::CallState;

impl Host for CallState {
    async fn list_users(
        &mut self,
        pattern: String,
        tenant: Option<String>,
        _most: u32,
    ) -> wasmtime::Result<Result<Vec<User>, DirectoryError>> {
        self.meter
            .charge(pattern.len() + tenant.as_ref().map_or(0, String::len))?;
        Ok(Err(DirectoryError::NotGranted("directory.list".to_owned())))
    }
}
