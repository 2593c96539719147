//! A runtime over a temporary folder, with a directory of one user and a password pool that answers at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{
    Answer, BackendName, Credential, DigestAlgorithm, Outcome, PluginState, PluginStatus, TenantId, Timestamp, User,
    UserId,
};
use keyway_core::password::PasswordError;
use keyway_core::port::{
    BackendFault, BackendSlot, Backends as _, PluginHost as _, RequestContext, Step, SystemClock, VerifyRequest,
};
use keyway_runtime::{BackendSpec, HostDirectory, HostPasswords, HostServices, NoDatabases, Runtime, RuntimeSettings};
use uuid::Uuid;

pub(crate) const ALICE: UserId = UserId(Uuid::from_u128(0xa11ce));
pub(crate) const PASSWORD: &str = "s3cre7";
/// Alice's, in the tenant `master`.
pub(crate) const DIGEST: &str = "81dc9bdb52d04dc20036dbd8313ed055";
pub(crate) const BOBS_DIGEST: &str = "e2fc714c4727ee9395f324cd2e7f331f";

struct OneUser;

#[async_trait]
impl HostDirectory for OneUser {
    async fn find_by_login(&self, login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok((login == "alice").then(|| User::new(ALICE, TenantId(Uuid::nil()), "alice", Timestamp(0))))
    }

    async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, pattern: &str, _tenant: Option<&str>, most: u32) -> Result<Vec<User>, DirectoryError> {
        let alice = self.find_by_login(pattern.trim_end_matches('*'), None).await?;
        Ok(alice.into_iter().take(usize::try_from(most).unwrap()).collect())
    }

    async fn group_names(&self, user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(user
            .iter()
            .filter(|user| **user == ALICE)
            .map(|_| "staff".to_owned())
            .collect())
    }

    async fn verify_password(
        &self,
        _backend: &BackendName,
        user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Ok(user == Some(ALICE) && password.expose() == PASSWORD.as_bytes())
    }

    async fn find_by_digest(
        &self,
        _backend: &BackendName,
        algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
        tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        let users = [
            (DIGEST, ALICE, "alice"),
            (BOBS_DIGEST, UserId(Uuid::from_u128(0xb0b)), "bob"),
        ];
        let is_theirs = |own: &str| {
            let is_digest = algorithm == DigestAlgorithm::Md5 && digest.expose() == own.as_bytes();
            is_digest && tenant == Some("master")
        };
        let found = users.into_iter().find(|(own, _, _)| is_theirs(own));
        Ok(found.map(|(_, id, login)| User::new(id, TenantId(Uuid::nil()), login, Timestamp(0))))
    }
}

struct OnePassword;

#[async_trait]
impl HostPasswords for OnePassword {
    async fn matches(
        &self,
        _backend: &BackendName,
        value: &Secret<Vec<u8>>,
        verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        Ok(verifier.is_some() && value.expose() == PASSWORD.as_bytes())
    }
}

pub(crate) fn services() -> HostServices {
    HostServices {
        directory: Arc::new(OneUser),
        passwords: Arc::new(OnePassword),
        databases: Arc::new(NoDatabases),
    }
}

/// Where `make plugins` leaves a plugin.
pub(crate) fn built(plugin: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/wasm32-wasip2/plugin");
    let path = folder.join(format!("{plugin}.wasm"));
    assert!(
        path.is_file(),
        "`{}` is absent: run `make plugins guests`",
        path.display()
    );
    path
}

pub(crate) struct TestHost {
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) runtime: Arc<Runtime>,
}

impl TestHost {
    pub(crate) async fn start() -> Self {
        Self::start_over(services()).await
    }

    pub(crate) async fn start_over(services: HostServices) -> Self {
        Self::start_in(Arc::new(tempfile::tempdir().unwrap()), services).await
    }

    async fn start_in(folder: Arc<tempfile::TempDir>, services: HostServices) -> Self {
        let key = Secret::new([7; 32]);
        let settings = RuntimeSettings {
            max_concurrent_calls: 16,
            ..RuntimeSettings::new(folder.path().join("plugins"), folder.path().join("var"), key)
        };
        let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await.unwrap();
        Self { folder, runtime }
    }

    /// The same folder with a new runtime, as after a restart.
    pub(crate) async fn restart(self) -> Self {
        self.runtime.shutdown().await;
        let folder = Arc::clone(&self.folder);
        drop(self);
        Self::start_in(folder, services()).await
    }

    pub(crate) fn plugin_path(&self, stem: &str) -> PathBuf {
        self.folder.path().join("plugins").join(format!("{stem}.wasm"))
    }

    /// Puts a plugin in place as an installer does: beside it, then by a rename.
    pub(crate) fn install(&self, stem: &str, bytes: &[u8]) {
        let temporary = self.plugin_path(stem).with_extension("new");
        std::fs::write(&temporary, bytes).unwrap();
        std::fs::rename(temporary, self.plugin_path(stem)).unwrap();
    }

    pub(crate) fn install_built(&self, stem: &str, plugin: &str) {
        self.install(stem, &std::fs::read(built(plugin)).unwrap());
    }

    /// Desires one backend, and says how it stands.
    pub(crate) async fn desire(&self, spec: BackendSpec) -> PluginStatus {
        let mut statuses = self.runtime.set_desired(vec![spec]).await;
        assert_eq!(statuses.len(), 1);
        statuses.remove(0)
    }

    /// Installs a built plugin under its own name and desires a backend of it, which must then serve.
    pub(crate) async fn serve(&self, plugin: &str) -> PluginStatus {
        self.install_built(plugin, plugin);
        let status = self.desire(spec(plugin)).await;
        assert_eq!((status.state, status.reason.as_deref()), (PluginState::Serving, None));
        status
    }

    pub(crate) async fn status(&self) -> PluginStatus {
        self.runtime.list().await.remove(0)
    }

    pub(crate) async fn status_of(&self, backend: &str) -> PluginStatus {
        let mut statuses = self.runtime.list().await.into_iter();
        statuses.find(|status| status.backend.as_str() == backend).unwrap()
    }

    /// Waits until the only backend stands as `wanted` says.
    pub(crate) async fn status_when(&self, wanted: impl Fn(&PluginStatus) -> bool) -> PluginStatus {
        let backend = self.status().await.backend;
        self.status_of_when(backend.as_str(), wanted).await
    }

    /// Waits until a backend stands as `wanted` says.
    pub(crate) async fn status_of_when(&self, backend: &str, wanted: impl Fn(&PluginStatus) -> bool) -> PluginStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mut statuses = self.runtime.list().await.into_iter();
            let status = statuses.find(|status| status.backend.as_str() == backend);
            if let Some(status) = status.as_ref().filter(|status| wanted(status)) {
                return status.clone();
            }
            assert!(Instant::now() < deadline, "it stays {status:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn slot(&self, backend: &str) -> BackendSlot {
        self.runtime.find(backend).unwrap()
    }

    pub(crate) async fn step(&self, backend: &str, step: Step) -> Result<Answer, BackendFault> {
        let slot = self.slot(backend);
        let context = context();
        let deadline = Instant::now() + slot.deadline;
        slot.backend
            .verify(VerifyRequest {
                context,
                step,
                deadline,
            })
            .await
    }

    pub(crate) async fn login(&self, backend: &str, identifier: &str, password: &str) -> Result<Outcome, BackendFault> {
        let step = Step::Start {
            identifier: identifier.to_owned(),
            credential: Credential::Password(Secret::from(password)),
        };
        self.step(backend, step).await.map(|answer| answer.outcome)
    }
}

/// The circumstances of a call by nobody in particular.
pub(crate) fn context() -> RequestContext {
    RequestContext {
        request_id: "test".to_owned(),
        dialect: "wazo",
        ..RequestContext::default()
    }
}

/// A backend of a plugin of the same name, with what the built plugins need to load.
pub(crate) fn spec(plugin: &str) -> BackendSpec {
    let mut spec = BackendSpec::new(BackendName::parse(plugin).unwrap(), plugin);
    if plugin == "hello_backend" {
        spec.config = serde_json::json!({ "users": { "alice": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g" } });
    }
    spec
}

/// A plugin with other bytes, and so another digest, that does the same: a custom section is appended.
pub(crate) fn variant(plugin: &str, mark: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(built(plugin)).unwrap();
    bytes.extend([0, 3, 1, b'v', mark]);
    bytes
}
