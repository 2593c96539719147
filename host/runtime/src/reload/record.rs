//! What must outlast a restart: which plugin files served, which are quarantined, and which one serves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use keyway_core::model::{BackendName, HistoryEntry, PluginDigest, Timestamp};
use serde::{Deserialize, Serialize};

use super::file;
use crate::RuntimeError;

/// How many generations of a backend are remembered.
const HISTORY: usize = 5;

/// The record of all backends, kept in `state.json`.
pub(crate) struct Record {
    path: PathBuf,
    backends: BTreeMap<BackendName, BackendRecord>,
}

/// The record of one backend.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackendRecord {
    /// The number of the newest generation.
    last_generation: u64,
    /// Oldest first.
    history: Vec<Served>,
    /// Plugin digests, and fingerprints of generations that misbehaved because of another configuration; each with the reason.
    quarantine: BTreeMap<String, String>,
}

/// A generation that served.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Served {
    entry: HistoryEntry,
    /// Keyed, so that the record says nothing about secrets.
    fingerprint: String,
}

impl Record {
    /// Reads the record; an absent one is empty. Blocks.
    pub(crate) fn open(path: PathBuf) -> Result<Self, RuntimeError> {
        let unreadable = |reason: String| RuntimeError::Record {
            path: path.clone(),
            reason,
        };
        let backends = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        Ok(Self { path, backends })
    }

    /// The record as it is written, and where.
    pub(crate) fn to_file(&self) -> (PathBuf, Vec<u8>) {
        // These types have no failing serialization.
        (
            self.path.clone(),
            serde_json::to_vec_pretty(&self.backends).unwrap_or_default(),
        )
    }

    /// Writes what [`Record::to_file`] gave. Blocks.
    pub(crate) fn write(path: &Path, text: &[u8]) -> io::Result<()> {
        file::write_private(path, &[text])
    }

    pub(crate) fn of(&self, backend: &BackendName) -> Option<&BackendRecord> {
        self.backends.get(backend)
    }

    pub(crate) fn of_mut(&mut self, backend: &BackendName) -> &mut BackendRecord {
        self.backends.entry(backend.clone()).or_default()
    }

    /// Every plugin file that a rollback may ask for.
    pub(crate) fn digests(&self) -> BTreeSet<PluginDigest> {
        let served = self.backends.values().flat_map(|record| &record.history);
        served.map(|served| served.entry.digest).collect()
    }
}

impl BackendRecord {
    /// Records that a generation went live, and gives it its number. One that served before a restart keeps its own.
    pub(crate) fn went_live(
        &mut self,
        digest: PluginDigest,
        version: &str,
        fingerprint: &[u8; 32],
        remark: &str,
        now: Timestamp,
        is_restart: bool,
    ) -> u64 {
        let fingerprint = hex::encode(fingerprint);
        if is_restart
            && let Some(served) = self.history.iter().rev().find(|served| served.entry.live)
            && served.fingerprint == fingerprint
        {
            return served.entry.generation;
        }
        for served in &mut self.history {
            served.entry.live = false;
        }
        self.last_generation += 1;
        self.history.push(Served {
            entry: HistoryEntry {
                generation: self.last_generation,
                digest,
                version: version.to_owned(),
                since: now,
                remark: remark.to_owned(),
                live: true,
            },
            fingerprint,
        });
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
        self.last_generation
    }

    /// Newest first.
    pub(crate) fn history(&self) -> Vec<HistoryEntry> {
        self.history.iter().rev().map(|served| served.entry.clone()).collect()
    }

    /// The plugin file that serves, or served when the server stopped.
    pub(crate) fn live_digest(&self) -> Option<PluginDigest> {
        let live = self.history.iter().rev().find(|served| served.entry.live);
        live.map(|served| served.entry.digest)
    }

    /// The newest plugin file but `current` that is not quarantined.
    pub(crate) fn earlier_digest(&self, current: PluginDigest) -> Option<PluginDigest> {
        let digests = self.history.iter().rev().map(|served| served.entry.digest);
        digests
            .into_iter()
            .find(|digest| *digest != current && !self.quarantine.contains_key(&digest.to_string()))
    }

    /// Quarantines a plugin file.
    pub(crate) fn quarantine(&mut self, digest: PluginDigest, reason: &str) {
        self.quarantine.insert(digest.to_string(), reason.to_owned());
        for served in self.history.iter_mut().filter(|served| served.entry.digest == digest) {
            served.entry.remark = format!("quarantined: {reason}");
        }
    }

    /// Quarantines one configuration of a plugin file that is good with another.
    pub(crate) fn quarantine_fingerprint(&mut self, fingerprint: &[u8; 32], reason: &str) {
        let fingerprint = hex::encode(fingerprint);
        for served in self
            .history
            .iter_mut()
            .filter(|served| served.fingerprint == fingerprint)
        {
            served.entry.remark = format!("quarantined: {reason}");
        }
        self.quarantine.insert(fingerprint, reason.to_owned());
    }

    /// Why a plugin file is quarantined, if it is.
    pub(crate) fn quarantined(&self, digest: PluginDigest) -> Option<&str> {
        self.quarantine.get(&digest.to_string()).map(String::as_str)
    }

    /// Why a generation is quarantined, if it is.
    pub(crate) fn fingerprint_quarantined(&self, fingerprint: &[u8; 32]) -> Option<&str> {
        self.quarantine.get(&hex::encode(fingerprint)).map(String::as_str)
    }

    /// Lifts the quarantine of a plugin file, and of every configuration. Returns whether there was one.
    pub(crate) fn lift(&mut self, digest: PluginDigest) -> bool {
        let before = self.quarantine.len();
        let digest = digest.to_string();
        self.quarantine
            .retain(|key, _| key.starts_with("sha256:") && *key != digest);
        self.quarantine.len() != before
    }
}
