//! The plugin in a runtime of this process: no HTTP, no store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use keyway_core::Secret;
use keyway_core::model::{BackendName, Credential, Outcome};
use keyway_core::port::{BackendSlot, Backends as _, RequestContext, Step, SystemClock, VerifyRequest};
use keyway_runtime::{
    BackendSpec, EndpointSpec, HostServices, NoDatabases, Protection, Runtime, RuntimeSettings, Server, TlsSpec,
};
use keyway_tests::artefact;
use keyway_tests::slapd::Slapd;
use tempfile::TempDir;

use super::{LOGIN, PASSWORD, config, service_password};
use crate::instance::AtOnce;

/// How connections to the directory are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protected {
    No,
    Tls,
}

/// A runtime with the plugin as two backends: one that pools service connections, and one that keeps none.
pub(super) struct Plugin {
    pub(super) fresh: BackendSlot,
    pub(super) pooled: BackendSlot,
    runtime: Arc<Runtime>,
    _folder: TempDir,
}

impl Plugin {
    pub(super) async fn start(slapd: &Slapd, protected: Protected) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let plugins = folder.path().join("plugins");
        std::fs::create_dir(&plugins)?;
        std::fs::write(plugins.join("ldap.wasm"), artefact("ldap"))?;
        let mut settings = RuntimeSettings::new(plugins, folder.path().join("var"), Secret::new([7; 32]));
        settings.watch = false;
        let services = HostServices {
            directory: Arc::new(AtOnce),
            passwords: Arc::new(AtOnce),
            databases: Arc::new(NoDatabases),
        };
        let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await?;
        let specs = vec![
            spec("fresh", slapd, protected, false)?,
            spec("pooled", slapd, protected, true)?,
        ];
        let statuses = runtime.set_desired(specs).await;
        let find = |name| runtime.find(name).with_context(|| format!("{statuses:?}"));
        Ok(Self {
            fresh: find("fresh")?,
            pooled: find("pooled")?,
            runtime,
            _folder: folder,
        })
    }

    pub(super) async fn stop(&self) {
        self.runtime.shutdown().await;
    }
}

/// One login.
pub(super) async fn login(slot: &BackendSlot) -> anyhow::Result<()> {
    let request = VerifyRequest {
        context: RequestContext {
            request_id: "bench".to_owned(),
            dialect: "wazo",
            ..RequestContext::default()
        },
        step: Step::Start {
            identifier: LOGIN.to_owned(),
            credential: Credential::Password(PASSWORD.into()),
        },
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let answer = slot.backend.verify(request).await?;
    ensure!(matches!(answer.outcome, Outcome::Verified(_)), "{answer:?}");
    Ok(())
}

fn spec(name: &str, slapd: &Slapd, protected: Protected, pool: bool) -> anyhow::Result<BackendSpec> {
    let (address, protection) = match protected {
        Protected::No => (slapd.plain(), Protection::None),
        Protected::Tls => {
            let tls = TlsSpec::new(Some(slapd.authority().as_bytes()), None, None)?;
            (slapd.tls(), Protection::Implicit(Arc::new(tls)))
        }
    };
    let (host, port) = address.rsplit_once(':').context("an address")?;
    let server = Server {
        host: host.to_owned(),
        port: port.parse()?,
    };
    let endpoint = EndpointSpec {
        // As many as there are logins at once.
        idle: 8,
        ..EndpointSpec::new(vec![server], protection)
    };
    let mut spec = BackendSpec::new(BackendName::parse(name)?, "ldap");
    spec.config = config(pool);
    spec.grants.credential_expose = true;
    spec.grants.net.insert("directory".to_owned(), endpoint);
    let password = Secret::new(service_password().to_vec());
    spec.secrets.insert("bind_password".to_owned(), password);
    Ok(spec)
}
