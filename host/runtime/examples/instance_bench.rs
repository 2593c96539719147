//! What the host itself adds to a login: a fresh instance, `verify` with its host calls, and the drop; and the same with a reused
//! instance. The directory and the password pool answer at once, so nothing but the runtime is measured. Prints one line of JSON.
//!
//! `cargo run --release -p keyway-runtime --example instance_bench -- target/wasm32-wasip2/plugin/wazo_user.wasm`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, Credential, Outcome, PluginState, TenantId, Timestamp, User, UserId};
use keyway_core::password::PasswordError;
use keyway_core::port::{Backends as _, RequestContext, Step, StoredVerifier, SystemClock, VerifyRequest};
use keyway_runtime::{BackendSpec, HostDirectory, HostPasswords, HostServices, Instances, Runtime, RuntimeSettings};
use serde_json::json;
use uuid::Uuid;

const WARM_UP: usize = 200;
const CALLS: usize = 5000;

struct Everybody;

#[async_trait]
impl HostDirectory for Everybody {
    async fn find_by_login(&self, login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(Some(User {
            id: UserId(Uuid::from_u128(1)),
            tenant: TenantId(Uuid::nil()),
            login: login.to_owned(),
            display_name: None,
            emails: Vec::new(),
            enabled: true,
            created_at: Timestamp(0),
        }))
    }

    // The first question that `wazo_user` asks, so that it asks two in all.
    async fn find_by_email(&self, email: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        self.find_by_login(email, tenant).await
    }

    async fn verify_password(&self, _user: Option<UserId>, _value: &Secret<Vec<u8>>) -> Result<bool, DirectoryError> {
        Ok(true)
    }
}

#[async_trait]
impl HostPasswords for Everybody {
    async fn matches(
        &self,
        _value: &Secret<Vec<u8>>,
        _verifier: Option<&StoredVerifier>,
    ) -> Result<bool, PasswordError> {
        Ok(true)
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its output is what it is for")]
async fn main() -> anyhow::Result<()> {
    let file: PathBuf = std::env::args_os().nth(1).context("name a plugin file")?.into();
    let folder = tempfile::tempdir()?;
    let plugins = folder.path().join("plugins");
    std::fs::create_dir_all(&plugins)?;
    std::fs::copy(&file, plugins.join("measured.wasm"))?;
    let settings = RuntimeSettings::new(plugins, folder.path().join("var"), Secret::new([7; 32]));
    let services = HostServices {
        directory: Arc::new(Everybody),
        passwords: Arc::new(Everybody),
    };
    let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await?;
    let fresh = BackendSpec::new(BackendName::parse("fresh")?, "measured");
    let mut reused = BackendSpec::new(BackendName::parse("reused")?, "measured");
    reused.instances = Instances::Reuse;
    let began = Instant::now();
    let statuses = runtime.set_desired(vec![fresh, reused]).await;
    let loaded = began.elapsed();
    for status in statuses {
        ensure!(status.state == PluginState::Serving, "{status:?}");
    }
    let fresh = measure(&runtime, "fresh").await?;
    let reused = measure(&runtime, "reused").await?;
    runtime.shutdown().await;
    println!(
        "{}",
        json!({ "load_ms": loaded.as_secs_f64() * 1e3, "fresh": fresh, "reused": reused })
    );
    Ok(())
}

async fn measure(runtime: &Runtime, backend: &str) -> anyhow::Result<serde_json::Value> {
    let slot = runtime.find(backend).context("the backend is configured")?;
    let mut spans = Vec::with_capacity(CALLS);
    for call in 0..WARM_UP + CALLS {
        let request = VerifyRequest {
            context: RequestContext {
                request_id: "bench".to_owned(),
                dialect: "wazo",
                ..RequestContext::default()
            },
            step: Step::Start {
                identifier: "alice".to_owned(),
                credential: Credential::Password(Secret::from("s3cre7")),
            },
            deadline: Instant::now() + Duration::from_secs(5),
        };
        let began = Instant::now();
        let answer = slot.backend.verify(request).await?;
        let span = began.elapsed();
        ensure!(matches!(answer.outcome, Outcome::Verified(_)), "{answer:?}");
        if call >= WARM_UP {
            spans.push(span);
        }
    }
    spans.sort_unstable();
    let percentile = |of_hundred: usize| {
        let at = spans.get(spans.len() * of_hundred / 100);
        at.map_or(f64::NAN, |span| span.as_secs_f64() * 1e6)
    };
    Ok(json!({ "p50_us": percentile(50), "p99_us": percentile(99) }))
}
