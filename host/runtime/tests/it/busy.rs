//! A password pool without room is nobody's fault: neither the plugin's own words nor the clock make it one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, DigestAlgorithm, TenantId, Timestamp, User, UserId};
use keyway_core::password::PasswordError;
use keyway_core::port::BackendFault;
use keyway_runtime::{HostDirectory, HostPasswords, HostServices, NoDatabases};
use uuid::Uuid;

use crate::host::{ALICE, PASSWORD, TestHost, spec};

/// A pool that has no room, or never comes to an end.
#[derive(Clone, Copy)]
enum Pool {
    Full,
    Endless,
}

impl Pool {
    async fn compare(self) -> Result<bool, PasswordError> {
        match self {
            Self::Full => Err(PasswordError::Saturated),
            Self::Endless => std::future::pending().await,
        }
    }
}

#[async_trait]
impl HostPasswords for Pool {
    async fn matches(
        &self,
        _backend: &BackendName,
        _value: &Secret<Vec<u8>>,
        _verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        self.compare().await
    }
}

#[async_trait]
impl HostDirectory for Pool {
    async fn find_by_login(&self, login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(Some(User::new(ALICE, TenantId(Uuid::nil()), login, Timestamp(0))))
    }

    async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, _pattern: &str, _tenant: Option<&str>, _most: u32) -> Result<Vec<User>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn group_names(&self, _user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn verify_password(
        &self,
        _backend: &BackendName,
        _user: Option<UserId>,
        _password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Ok(self.compare().await?)
    }

    async fn find_by_digest(
        &self,
        _backend: &BackendName,
        _algorithm: DigestAlgorithm,
        _digest: &Secret<Vec<u8>>,
        _tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        self.compare().await?;
        Ok(None)
    }
}

async fn host_over(pool: Pool, plugin: &str) -> TestHost {
    let host = TestHost::start_over(HostServices {
        directory: Arc::new(pool),
        passwords: Arc::new(pool),
        databases: Arc::new(NoDatabases),
    })
    .await;
    host.install_built(plugin, plugin);
    let mut spec = spec(plugin);
    spec.limits.deadline = Duration::from_millis(300);
    assert_eq!(host.desire(spec).await.reason, None);
    host
}

#[tokio::test]
async fn a_plugin_that_finds_the_pool_full_is_not_at_fault() {
    for plugin in ["hello_backend", "wazo_user"] {
        let host = host_over(Pool::Full, plugin).await;
        let fault = host.login(plugin, "alice", PASSWORD).await;
        assert_eq!(fault, Err(BackendFault::Saturated), "{plugin}");
    }
}

#[tokio::test]
async fn a_plugin_that_the_pool_keeps_waiting_is_not_at_fault() {
    for plugin in ["hello_backend", "wazo_user"] {
        let host = host_over(Pool::Endless, plugin).await;
        let fault = host.login(plugin, "alice", PASSWORD).await;
        assert_eq!(fault, Err(BackendFault::Saturated), "{plugin}");
    }
}

#[tokio::test]
async fn a_plugin_whose_digest_finds_no_room_or_no_end_is_not_at_fault() {
    for pool in [Pool::Full, Pool::Endless] {
        let host = host_over(pool, "hostile").await;
        let fault = host.login("hostile", "finds_by_digest", PASSWORD).await;
        assert_eq!(fault, Err(BackendFault::Saturated));
    }
}

#[tokio::test]
async fn a_full_pool_hides_no_fault_that_has_nothing_to_do_with_it() {
    let host = host_over(Pool::Full, "hostile").await;
    let fault = host.login("hostile", "unavailable", PASSWORD).await;
    assert!(matches!(fault, Err(BackendFault::Unavailable(_))), "{fault:?}");
    let fault = host.login("hostile", "slow=60000", PASSWORD).await;
    assert!(matches!(fault, Err(BackendFault::DeadlineExceeded(_))), "{fault:?}");
}
