//! What is to be done about one backend: nothing, a swap, or a refusal. Planning changes nothing, so backends are planned at once.

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
use crate::generation::Generation;

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

/// Everything that planning looks at.
pub(crate) struct Planner<'a> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) archive: &'a Arc<Archive>,
    pub(crate) plugins_dir: &'a Path,
    pub(crate) max_plugin_bytes: u64,
    /// Whether to try again what was refused before.
    pub(crate) insist: bool,
}

impl Planner<'_> {
    pub(crate) async fn plan(&self, entry: &Entry, record: Option<&BackendRecord>) -> Plan {
        let path = match plugin_path(self.plugins_dir, &entry.spec.plugin) {
            Ok(path) => path,
            Err(reason) => return keep(entry.seen, Trouble::degraded(reason)),
        };
        if let Some(plan) = self.plan_unread(entry, record, &path) {
            return plan;
        }
        let max = self.max_plugin_bytes;
        let read = tokio::task::spawn_blocking(move || file::read_plugin(&path, max)).await;
        match read {
            Ok(Ok(file)) => self.plan_file(entry, record, file).await,
            Ok(Err(ReadError::Unstable(_))) => Plan::Wait,
            Ok(Err(error)) => keep(None, Trouble::degraded(error.to_string())),
            Err(error) => keep(None, Trouble::degraded(error.to_string())),
        }
    }

    /// What can be said without reading the file again.
    fn plan_unread(&self, entry: &Entry, record: Option<&BackendRecord>, path: &Path) -> Option<Plan> {
        let (stamp, digest) = entry.seen.filter(|_| !self.insist)?;
        if FileStamp::of(path).ok()? != stamp {
            return None;
        }
        let is_live = |digest| entry.live_fingerprint() == Some(self.workshop.fingerprint(&entry.spec, digest));
        let trouble = entry.trouble.as_ref();
        let unchanged = if record.is_some_and(|record| record.quarantined(digest).is_some()) {
            trouble.is_some()
                && entry
                    .backend
                    .live()
                    .is_some_and(|live| is_live(live.generation.digest()))
        } else {
            let fingerprint = Some(self.workshop.fingerprint(&entry.spec, digest));
            is_live(digest) || trouble.is_some_and(|trouble| trouble.fingerprint == fingerprint)
        };
        let due = trouble
            .and_then(|trouble| trouble.retry_at)
            .is_some_and(|at| at <= Instant::now());
        (unchanged && !due).then(|| Plan::Keep {
            seen: entry.seen,
            trouble: entry.trouble.clone(),
        })
    }

    async fn plan_file(&self, entry: &Entry, record: Option<&BackendRecord>, file: PluginFile) -> Plan {
        let seen = Some((file.stamp, file.digest));
        if let Some(reason) = record.and_then(|record| record.quarantined(file.digest)) {
            let trouble = Trouble::quarantined(format!("{} is quarantined: {reason}", file.digest));
            return self.plan_earlier(entry, record, seen, trouble).await;
        }
        let fingerprint = self.workshop.fingerprint(&entry.spec, file.digest);
        if entry.live_fingerprint() == Some(fingerprint) {
            return self.plan_unchanged(entry, seen).await;
        }
        if let Some(reason) = record.and_then(|record| record.fingerprint_quarantined(&fingerprint)) {
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
        let refusal = match self.bring_up(entry, file.digest, file.bytes).await {
            Ok((generation, None)) => {
                return Plan::Swap(Box::new(Swap {
                    generation,
                    seen,
                    trouble: None,
                    remark: "installed",
                }));
            }
            // Nothing serves yet, and what the plugin depends on may come back: better than nothing.
            Ok((generation, Some(unhealthy))) if entry.backend.live().is_none() => {
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
            Err(error) => Trouble::degraded(format!("{} was not loaded: {error}", file.digest)),
        };
        let fingerprint = Some(fingerprint);
        self.plan_earlier(entry, record, seen, Trouble { fingerprint, ..refusal })
            .await
    }

    /// The file is what serves. Whether it is in order may have changed.
    async fn plan_unchanged(&self, entry: &Entry, seen: Option<(FileStamp, PluginDigest)>) -> Plan {
        let trouble = match entry.backend.live() {
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
        entry: &Entry,
        record: Option<&BackendRecord>,
        seen: Option<(FileStamp, PluginDigest)>,
        trouble: Trouble,
    ) -> Plan {
        let live = entry.backend.live().map(|live| live.generation.digest());
        let earlier = live.or_else(|| record.and_then(BackendRecord::live_digest));
        let refused = seen.map(|(_, digest)| digest);
        let Some(digest) = earlier.filter(|digest| Some(*digest) != refused || live.is_some()) else {
            return keep(seen, trouble);
        };
        let is_current = entry.live_fingerprint() == Some(self.workshop.fingerprint(&entry.spec, digest));
        // An old generation keeps its old configuration, unless it is meant to go on: then a changed one must reach it.
        let is_meant = trouble.state == keyway_core::model::PluginState::Quarantined;
        if is_current || (live.is_some() && !is_meant) {
            return keep(seen, trouble);
        }
        match self.bring_up_copy(entry, digest).await {
            Ok(generation) => Plan::Swap(Box::new(Swap {
                generation,
                seen,
                trouble: Some(trouble),
                remark: "kept while the newer file cannot serve",
            })),
            Err(reason) => {
                let reason = format!("{}; {reason}", trouble.reason);
                keep(seen, Trouble { reason, ..trouble })
            }
        }
    }

    /// Brings up the copy of a plugin file that served before.
    pub(crate) async fn bring_up_copy(&self, entry: &Entry, digest: PluginDigest) -> Result<Generation, String> {
        let archive = Arc::clone(self.archive);
        let copy = tokio::task::spawn_blocking(move || archive.get(digest))
            .await
            .ok()
            .flatten();
        let bytes = copy.ok_or_else(|| format!("the copy of {digest} is missing or damaged"))?;
        let brought_up = self.workshop.bring_up(&entry.spec, digest, bytes).await;
        brought_up.map_err(|error| format!("{digest} was not loaded: {error}"))
    }

    /// A generation, and what its health check says.
    async fn bring_up(
        &self,
        entry: &Entry,
        digest: PluginDigest,
        bytes: Vec<u8>,
    ) -> Result<(Generation, Option<BringUpError>), BringUpError> {
        let copy = bytes.clone();
        let generation = self.workshop.bring_up(&entry.spec, digest, bytes).await?;
        let archive = Arc::clone(self.archive);
        let kept = tokio::task::spawn_blocking(move || archive.put(digest, &copy)).await;
        if !matches!(kept, Ok(Ok(()))) {
            tracing::warn!(plugin = %digest, "the plugin file cannot be copied; a rollback to it will not be possible");
        }
        let health = generation.health(HEALTH_DEADLINE).await;
        Ok((generation, health.and_then(Result::err).map(BringUpError::Unhealthy)))
    }
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
