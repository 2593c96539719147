//! What the host does for a plugin: the services behind the imports, as traits so that tests and benchmarks can stand in for them.

use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::{DirectoryError, DirectoryService};
use keyway_core::model::{BackendName, DigestAlgorithm, Page, Query, TenantScope, User, UserId};
use keyway_core::password::{PasswordError, PasswordPool, Share};
use keyway_core::port::{NamedDatabase, NamedDatabaseSpec, NamedDatabases};

use crate::pattern::Pattern;

/// How many users a list looks at at once, and how often: what holds the text that is searched for may fit the pattern all the same.
const PAGE: u32 = 1_000;
const PAGES: u32 = 20;

/// What stands behind the import `directory`. [`DirectoryService`] is the real one.
#[async_trait]
pub trait HostDirectory: Send + Sync {
    /// As [`DirectoryService::find_by_login`].
    async fn find_by_login(&self, login: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError>;

    /// As [`DirectoryService::find_by_email`].
    async fn find_by_email(&self, email: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError>;

    /// Those whose login or one of whose addresses fits the pattern, in which `*` stands for any text and case does not count: at most `most`, by login.
    async fn list(&self, pattern: &str, tenant: Option<&str>, most: u32) -> Result<Vec<User>, DirectoryError>;

    /// As [`DirectoryService::group_names`].
    async fn group_names(&self, user: Option<UserId>) -> Result<Vec<String>, DirectoryError>;

    /// As [`DirectoryService::verify_password`].
    async fn verify_password(
        &self,
        backend: &BackendName,
        user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError>;

    /// As [`DirectoryService::find_by_digest`].
    async fn find_by_digest(
        &self,
        backend: &BackendName,
        algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
        tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError>;
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

    async fn list(&self, pattern: &str, tenant: Option<&str>, most: u32) -> Result<Vec<User>, DirectoryError> {
        let scope = match tenant {
            None => TenantScope::All,
            Some(text) => match self.tenant_tree().await?.find(text) {
                Some(tenant) => TenantScope::Only(tenant),
                None => return Ok(Vec::new()),
            },
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let pattern = Pattern::new(pattern);
        let fits = |user: &User| {
            let addresses = user.emails.iter().map(|email| email.address.as_str());
            addresses.chain(user.login.as_deref()).any(|name| pattern.fits(name))
        };
        let mut query = Query {
            search: pattern.longest_piece().map(ToOwned::to_owned),
            ..Query::all(scope)
        };
        let mut listed = Vec::new();
        for page in 0..PAGES {
            query.page = Page {
                offset: page * PAGE,
                limit: PAGE,
            };
            let found = self.list_users(&query).await?.items;
            let is_last = found.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            listed.extend(found.into_iter().filter(fits));
            if is_last || listed.len() >= most {
                break;
            }
        }
        listed.truncate(most);
        Ok(listed)
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

    async fn find_by_digest(
        &self,
        backend: &BackendName,
        algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
        tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        Self::find_by_digest(self, backend, algorithm, digest, tenant).await
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
