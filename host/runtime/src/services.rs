//! What the host does for a plugin: the services behind the imports, as traits so that tests and benchmarks can stand in for them.

use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::{DirectoryError, DirectoryService};
use keyway_core::model::{BackendName, User, UserId};
use keyway_core::password::{PasswordError, PasswordPool, Share};
use keyway_core::port::{NamedDatabase, NamedDatabaseSpec, NamedDatabases};

/// What stands behind the import `directory`. [`DirectoryService`] is the real one.
#[async_trait]
pub trait HostDirectory: Send + Sync {
    /// As [`DirectoryService::find_by_login`].
    async fn find_by_login(&self, login: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError>;

    /// As [`DirectoryService::find_by_email`].
    async fn find_by_email(&self, email: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError>;

    /// As [`DirectoryService::group_names`].
    async fn group_names(&self, user: Option<UserId>) -> Result<Vec<String>, DirectoryError>;

    /// As [`DirectoryService::verify_password`].
    async fn verify_password(
        &self,
        backend: &BackendName,
        user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError>;
}

/// What stands behind `secret.matches`. [`PasswordPool`] is the real one.
#[async_trait]
pub trait HostPasswords: Send + Sync {
    /// As [`PasswordPool::compare_untrusted`]: the verifier is the guest's own word.
    async fn matches(
        &self,
        backend: &BackendName,
        value: &Secret<Vec<u8>>,
        verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError>;
}

/// What the host does for plugins.
#[derive(Clone)]
pub struct HostServices {
    /// The host's own users.
    pub directory: Arc<dyn HostDirectory>,
    /// Comparisons with verifiers.
    pub passwords: Arc<dyn HostPasswords>,
    /// What opens the databases that the operator names. The room `store` has the real one.
    pub databases: Arc<dyn NamedDatabases>,
}

/// For a host that opens no databases.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDatabases;

impl NamedDatabases for NoDatabases {
    fn open(&self, _spec: &NamedDatabaseSpec) -> Result<Arc<dyn NamedDatabase>, String> {
        Err("cannot be opened: this host opens no databases".to_owned())
    }
}

#[async_trait]
impl HostDirectory for DirectoryService {
    async fn find_by_login(&self, login: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Self::find_by_login(self, login, tenant).await
    }

    async fn find_by_email(&self, email: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Self::find_by_email(self, email, tenant).await
    }

    async fn group_names(&self, user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Self::group_names(self, user).await
    }

    async fn verify_password(
        &self,
        backend: &BackendName,
        user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Self::verify_password(self, backend, user, password).await
    }
}

#[async_trait]
impl HostPasswords for PasswordPool {
    async fn matches(
        &self,
        backend: &BackendName,
        value: &Secret<Vec<u8>>,
        verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        let share = Share::Backend(backend.clone());
        self.compare_untrusted(&share, value, verifier).await
    }
}
