//! What is to be done about one backend: nothing, a swap, or a refusal. Planning changes nothing and owns all that it looks at, so backends
//! are planned at once, beside the task that carries plans out.

use std::path::{Component as PathPart, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyway_core::model::PluginDigest;
use tokio::time::Instant;

use super::archive::Archive;
use super::bring_up::{BringUpError, HEALTH_DEADLINE, Workshop};
use super::entry::{Entry, Trouble};
use super::file::{self, FileStamp, PluginFile, ReadError};
use super::record::BackendRecord;
use crate::BackendSpec;
use crate::generation::Generation;
use crate::registry::Live;

/// How often a file that is being written is looked at for somebody who waits for it, and how long is between two looks.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// How long after a failed health check the same is tried again.
const HEALTH_RETRY: Duration = Duration::from_secs(15);

/// What is to be done about one backend.
pub(crate) enum Plan {
    /// What is desired is live.
    Keep {
        seen: Option<(FileStamp, PluginDigest)>,
        trouble: Option<Trouble>,
    },
    /// The file is being written; look again soon.
    Wait,
    /// This generation goes live.
    Swap(Box<Swap>),
}

/// A generation that goes live.
pub(crate) struct Swap {
    pub(crate) generation: Generation,
    pub(crate) seen: Option<(FileStamp, PluginDigest)>,
    /// Why it is not what the file in the plugins folder would be, or not in order.
    pub(crate) trouble: Option<Trouble>,
    pub(crate) remark: &'static str,
}

/// Why a copy of an earlier plugin file cannot serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    #[error("the copy of {0} is missing or damaged")]
    Missing(PluginDigest),
    #[error("{digest} was not loaded: {error}")]
    Refused { digest: PluginDigest, error: BringUpError },
}

impl CopyError {
    fn is_passing(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error.is_passing())
    }
}

/// What planning has of the host.
#[derive(Clone)]
pub(crate) struct Planner {
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) archive: Arc<Archive>,
    pub(crate) plugins_dir: PathBuf,
    pub(crate) max_plugin_bytes: u64,
}

/// A backend as it stood when planning began.
pub(crate) struct Situation {
    pub(crate) spec: Arc<BackendSpec>,
    pub(crate) live: Option<Arc<Live>>,
    pub(crate) seen: Option<(FileStamp, PluginDigest)>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) record: BackendRecord,
    /// Whether it is to be loaded at all.
    pub(crate) is_wanted: bool,
    /// Whether somebody waits, and wants to have tried again what was refused before.
    pub(crate) insist: bool,
}

impl Situation {
    pub(crate) fn of(entry: &Entry, record: Option<&BackendRecord>) -> Self {
        Self {
            spec: Arc::clone(&entry.spec),
            live: entry.backend.live(),
            seen: entry.seen,
            trouble: entry.trouble.clone(),
            record: record.cloned().unwrap_or_default(),
            is_wanted: entry.backend.is_wanted(),
            insist: entry.work.insists(),
        }
    }

    fn live_fingerprint(&self) -> Option<[u8; 32]> {
        self.live.as_ref().map(|live| live.generation.fingerprint)
    }
}

impl Planner {
    /// Plans. For somebody who waits, a file that is being written is waited for, within reason.
    pub(crate) async fn plan(&self, backend: &Situation) -> Plan {
        let mut looks = if backend.insist { LOOKS } else { 1 };
        loop {
            let plan = self.look(backend).await;
            looks -= 1;
            if looks == 0 || !matches!(plan, Plan::Wait) {
                return plan;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&self, backend: &Situation) -> Plan {
        if !backend.is_wanted {
            return Plan::Keep {
                seen: None,
                trouble: None,
            };
        }
        let path = match plugin_path(&self.plugins_dir, &backend.spec.plugin) {
            Ok(path) => path,
            Err(reason) => return keep(backend.seen, Trouble::degraded(reason)),
        };
        if let Some(plan) = self.plan_unread(backend, &path) {
            return plan;
        }
        let max = self.max_plugin_bytes;
        let read = tokio::task::spawn_blocking(move || file::read_plugin(&path, max)).await;
        match read {
            Ok(Ok(file)) => self.plan_file(backend, file).await,
            Ok(Err(ReadError::Unstable(_))) => Plan::Wait,
            Ok(Err(error)) => keep(None, Trouble::degraded(error.to_string())),
            Err(error) => keep(None, Trouble::degraded(error.to_string())),
        }
    }

    /// What can be said without reading the file again.
    fn plan_unread(&self, backend: &Situation, path: &Path) -> Option<Plan> {
        let (stamp, digest) = backend.seen.filter(|_| !backend.insist)?;
        if FileStamp::of(path).ok()? != stamp {
            return None;
        }
        let is_live = |digest| backend.live_fingerprint() == Some(self.workshop.fingerprint(&backend.spec, digest));
        let trouble = backend.trouble.as_ref();
        let unchanged = if backend.record.quarantined(digest).is_some() {
            let live = backend.live.as_ref();
            trouble.is_some() && live.is_some_and(|live| is_live(live.generation.digest()))
        } else {
            let fingerprint = Some(self.workshop.fingerprint(&backend.spec, digest));
            is_live(digest) || trouble.is_some_and(|trouble| trouble.fingerprint == fingerprint)
        };
        let due = trouble
            .and_then(|trouble| trouble.retry_at)
            .is_some_and(|at| at <= Instant::now());
        (unchanged && !due).then(|| Plan::Keep {
            seen: backend.seen,
            trouble: backend.trouble.clone(),
        })
    }

    async fn plan_file(&self, backend: &Situation, file: PluginFile) -> Plan {
        let seen = Some((file.stamp, file.digest));
        if let Some(reason) = backend.record.quarantined(file.digest) {
            let trouble = Trouble::quarantined(format!("{} is quarantined: {reason}", file.digest));
            return self.plan_earlier(backend, seen, trouble).await;
        }
        let fingerprint = self.workshop.fingerprint(&backend.spec, file.digest);
        if backend.live_fingerprint() == Some(fingerprint) {
            return self.plan_unchanged(backend, seen).await;
        }
        if let Some(reason) = backend.record.fingerprint_quarantined(&fingerprint) {
            let quarantined = Trouble::quarantined(format!("this configuration is quarantined: {reason}"));
            let fingerprint = Some(fingerprint);
            return keep(
                seen,
                Trouble {
                    fingerprint,
                    ..quarantined
                },
            );
        }
        let refusal = match self.bring_up(&backend.spec, file.digest, file.bytes).await {
            Ok((generation, None)) => {
                return Plan::Swap(Box::new(Swap {
                    generation,
                    seen,
                    trouble: None,
                    remark: "installed",
                }));
            }
            // Nothing serves yet, and what the plugin depends on may come back: better than nothing. Nor is what serves any better.
            Ok((generation, Some(unhealthy))) if !serves_well(backend, file.digest).await => {
                return Plan::Swap(Box::new(Swap {
                    generation,
                    seen,
                    trouble: Some(Trouble {
                        retry_at: Some(Instant::now() + HEALTH_RETRY),
                        ..Trouble::degraded(unhealthy.to_string())
                    }),
                    remark: "installed",
                }));
            }
            Ok((_, Some(unhealthy))) => Trouble {
                retry_at: Some(Instant::now() + HEALTH_RETRY),
                ..Trouble::degraded(format!("{} was not loaded: {unhealthy}", file.digest))
            },
            // The file is not to blame, so it is not remembered, and tried again at the next look.
            Err(error) if error.is_passing() => {
                let trouble = Trouble::degraded(format!("{} was not loaded yet: {error}", file.digest));
                return self.plan_earlier(backend, seen, trouble).await;
            }
            Err(error) => Trouble::degraded(format!("{} was not loaded: {error}", file.digest)),
        };
        let fingerprint = Some(fingerprint);
        self.plan_earlier(backend, seen, Trouble { fingerprint, ..refusal })
            .await
    }

    /// The file is what serves. Whether it is in order may have changed.
    async fn plan_unchanged(&self, backend: &Situation, seen: Option<(FileStamp, PluginDigest)>) -> Plan {
        let trouble = match &backend.live {
            Some(live) => live.generation.health(HEALTH_DEADLINE).await.and_then(Result::err),
            None => None,
        };
        Plan::Keep {
            seen,
            trouble: trouble.map(|fault| Trouble {
                retry_at: Some(Instant::now() + HEALTH_RETRY),
                ..Trouble::degraded(BringUpError::Unhealthy(fault).to_string())
            }),
        }
    }

    /// The file in the plugins folder cannot serve; what served last does, after a restart from its copy.
    async fn plan_earlier(
        &self,
        backend: &Situation,
        seen: Option<(FileStamp, PluginDigest)>,
        trouble: Trouble,
    ) -> Plan {
        let live = backend.live.as_ref().map(|live| live.generation.digest());
        let earlier = live.or_else(|| backend.record.live_digest());
        let refused = seen.map(|(_, digest)| digest);
        let Some(digest) = earlier.filter(|digest| Some(*digest) != refused || live.is_some()) else {
            return keep(seen, trouble);
        };
        let is_current = backend.live_fingerprint() == Some(self.workshop.fingerprint(&backend.spec, digest));
        // An old generation keeps its old configuration, unless it is meant to go on: then a changed one must reach it.
        let is_meant = trouble.state == keyway_core::model::PluginState::Quarantined;
        if is_current || (live.is_some() && !is_meant) {
            return keep(seen, trouble);
        }
        match self.bring_up_copy(&backend.spec, digest).await {
            Ok(generation) => Plan::Swap(Box::new(Swap {
                generation,
                seen,
                trouble: Some(trouble),
                remark: "kept while the newer file cannot serve",
            })),
            Err(error) => {
                let reason = format!("{}; {error}", trouble.reason);
                let fingerprint = trouble.fingerprint.filter(|_| !error.is_passing());
                keep(
                    seen,
                    Trouble {
                        reason,
                        fingerprint,
                        ..trouble
                    },
                )
            }
        }
    }

    /// Brings up the copy of a plugin file that served before.
    pub(crate) async fn bring_up_copy(
        &self,
        spec: &BackendSpec,
        digest: PluginDigest,
    ) -> Result<Generation, CopyError> {
        let archive = Arc::clone(&self.archive);
        let copy = tokio::task::spawn_blocking(move || archive.get(digest))
            .await
            .ok()
            .flatten();
        let bytes = copy.ok_or(CopyError::Missing(digest))?;
        let brought_up = self.workshop.bring_up(spec, digest, bytes).await;
        brought_up.map_err(|error| CopyError::Refused { digest, error })
    }

    /// A generation, and what its health check says.
    async fn bring_up(
        &self,
        spec: &BackendSpec,
        digest: PluginDigest,
        bytes: Vec<u8>,
    ) -> Result<(Generation, Option<BringUpError>), BringUpError> {
        let copy = bytes.clone();
        let generation = self.workshop.bring_up(spec, digest, bytes).await?;
        let archive = Arc::clone(&self.archive);
        let kept = tokio::task::spawn_blocking(move || archive.put(digest, &copy)).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!(plugin = %digest, "the plugin file cannot be copied; a rollback to it will not be possible");
        }
        let health = generation.health(HEALTH_DEADLINE).await;
        Ok((generation, health.and_then(Result::err).map(BringUpError::Unhealthy)))
    }
}

/// Whether what serves is better than an unhealthy generation on this plugin file would be.
async fn serves_well(backend: &Situation, digest: PluginDigest) -> bool {
    match &backend.live {
        // A changed configuration of the same plugin: the operator's last word holds.
        Some(live) if live.generation.digest() == digest => !is_unhealthy(live).await,
        Some(_) => true,
        None => false,
    }
}

/// Whether a live generation says that something that it depends on is not there.
pub(crate) async fn is_unhealthy(live: &Live) -> bool {
    let health = live.generation.health(HEALTH_DEADLINE).await;
    matches!(health, Some(Err(_)))
}

fn keep(seen: Option<(FileStamp, PluginDigest)>, trouble: Trouble) -> Plan {
    Plan::Keep {
        seen,
        trouble: Some(trouble),
    }
}

/// Where a plugin's file is. Its name must be a plain one, so that no configuration reaches outside the folder.
pub(crate) fn plugin_path(folder: &Path, stem: &str) -> Result<PathBuf, String> {
    let mut parts = Path::new(stem).components();
    match (parts.next(), parts.next()) {
        (Some(PathPart::Normal(name)), None) if name == stem && !stem.contains('\0') => {
            Ok(folder.join(format!("{stem}.wasm")))
        }
        _ => Err(format!("`{stem}` is no plain file name")),
    }
}

#[cfg(test)]
mod tests;
