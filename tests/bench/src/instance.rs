//! The plugin host alone: instance, verify with two host calls, drop. What stands behind the calls answers at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, Credential, DigestAlgorithm, Outcome, User, UserId};
use keyway_core::password::PasswordError;
use keyway_core::port::{Backends as _, RequestContext, Step, SystemClock, VerifyRequest};
use keyway_runtime::{
    BackendSpec, HostDirectory, HostPasswords, HostServices, Instances, NoDatabases, Runtime, RuntimeSettings,
};
use keyway_tests::artefact;

use crate::table::{Bound, Table};

const CALLS: usize = 20_000;

/// Knows nobody, and finds every password right.
pub(crate) struct AtOnce;

#[async_trait]
impl HostDirectory for AtOnce {
    async fn find_by_login(&self, _: &str, _: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn find_by_email(&self, _: &str, _: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, _pattern: &str, _tenant: Option<&str>, _most: u32) -> Result<Vec<User>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn group_names(&self, _: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn verify_password(
        &self,
        _: &BackendName,
        _: Option<UserId>,
        _: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        Ok(false)
    }

    async fn find_by_digest(
        &self,
        _: &BackendName,
        _: DigestAlgorithm,
        _: &Secret<Vec<u8>>,
        _: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }
}

#[async_trait]
impl HostPasswords for AtOnce {
    async fn matches(
        &self,
        _: &BackendName,
        _: &Secret<Vec<u8>>,
        verifier: Option<&Secret<String>>,
    ) -> Result<bool, PasswordError> {
        Ok(verifier.is_some())
    }
}

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    tokio.block_on(async {
        let (p50, p99) = run(Instances::Fresh).await?;
        table.figure(
            "instance: fresh, verify with two host calls, drop, p50",
            p50,
            "us",
            Bound::AtMost(30.0),
        );
        table.note("instance: the same, p99", p99, "us");
        let (p50, p99) = run(Instances::Reuse).await?;
        table.note("instance: reused, verify with two host calls, p50", p50, "us");
        table.note("instance: the same, p99", p99, "us");
        Ok(())
    })
}

async fn run(instances: Instances) -> anyhow::Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins)?;
    std::fs::write(plugins.join("hello_backend.wasm"), artefact("hello_backend"))?;
    let mut settings = RuntimeSettings::new(plugins, folder.path().join("var"), Secret::new([7; 32]));
    settings.watch = false;
    let services = HostServices {
        directory: Arc::new(AtOnce),
        passwords: Arc::new(AtOnce),
        databases: Arc::new(NoDatabases),
    };
    let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await?;
    let mut spec = BackendSpec::new(BackendName::parse("hello")?, "hello_backend");
    spec.config = serde_json::json!({"users": {"alice": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"}});
    spec.instances = instances;
    let statuses = runtime.set_desired(vec![spec]).await;
    let slot = runtime.find("hello").with_context(|| format!("{statuses:?}"))?;
    let mut spans = Vec::with_capacity(CALLS);
    for call in 0..CALLS + 2000 {
        let request = VerifyRequest {
            context: RequestContext {
                request_id: "bench".to_owned(),
                dialect: "wazo",
                ..RequestContext::default()
            },
            step: Step::Start {
                identifier: "alice".to_owned(),
                credential: Credential::Password("s3cre7".into()),
            },
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let begun = Instant::now();
        let answer = slot.backend.verify(request).await?;
        let span = begun.elapsed();
        ensure!(matches!(answer.outcome, Outcome::Verified(_)), "{answer:?}");
        if call >= 2000 {
            spans.push(span);
        }
    }
    runtime.shutdown().await;
    spans.sort_unstable();
    let at = |part: usize| spans[CALLS * part / 100].as_secs_f64() * 1_000_000.0;
    Ok((at(50), at(99)))
}
