//! Going back: by an operator's word, or because a new generation failed its probation.

use std::sync::Arc;

use keyway_core::model::{BackendName, HistoryEntry, PluginStatus};
use keyway_core::port::PluginHostError;

use super::Reconciler;
use crate::registry::Alarm;
use crate::reload::entry::{Entry, Trouble};
use crate::reload::record::BackendRecord;

impl Reconciler {
    pub(super) fn history(&self, backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError> {
        let name = self.name(backend)?;
        Ok(self.record.of(&name).map(BackendRecord::history).unwrap_or_default())
    }

    /// Goes back to the plugin file that served before this one.
    pub(super) async fn rollback(&mut self, backend: &str) -> Result<PluginStatus, PluginHostError> {
        const REASON: &str = "rolled back by an operator";
        let name = self.name(backend)?;
        let none = || PluginHostError::NoEarlierGeneration(name.clone());
        let entry = self.entry(&name)?;
        let live = entry.backend.live().ok_or_else(none)?;
        let current = live.generation.digest();
        let earlier = self.record.of(&name).and_then(|record| record.earlier_digest(current));
        let earlier = earlier.ok_or_else(none)?;
        let brought_up = self.planner(true).bring_up_copy(entry, earlier).await;
        let generation = brought_up.map_err(PluginHostError::NotLoaded)?;
        self.record.of_mut(&name).quarantine(current, REASON);
        self.go_live(&name, Arc::new(generation), REASON);
        self.set_trouble(
            &name,
            Some(Trouble::quarantined(format!("{current} is quarantined: {REASON}"))),
        );
        self.save().await;
        self.status(&name)
    }

    /// Lifts the quarantine of the file in the plugins folder and loads it, or ends the probation of what serves.
    pub(super) async fn promote(&mut self, backend: &str) -> Result<PluginStatus, PluginHostError> {
        let name = self.name(backend)?;
        let entry = self.entry(&name)?;
        let live = entry.backend.live();
        if let Some((_, digest)) = entry.seen
            && self.record.of_mut(&name).lift(digest)
        {
            self.save().await;
            self.reconcile_settled().await;
            let status = self.status(&name)?;
            return match status.reason {
                Some(reason) => Err(PluginHostError::NotLoaded(reason)),
                None => Ok(status),
            };
        }
        match live.filter(|live| live.watch.is_on_probation()) {
            Some(live) => {
                live.watch.trust();
                self.post();
                self.status(&name)
            }
            None => Err(PluginHostError::NothingToPromote(name)),
        }
    }

    /// Takes back a generation that failed its probation, if it still serves.
    pub(super) async fn take_back(&mut self, alarm: &Alarm) {
        const REASON: &str = "its calls failed, and the generation before it did well";
        let Ok(entry) = self.entry(&alarm.backend) else { return };
        let (Some(live), Some(previous)) = (entry.backend.live(), entry.previous.clone()) else {
            return;
        };
        if live.number != alarm.number || !live.watch.is_on_probation() {
            return;
        }
        let failed = live.generation.digest();
        let record = self.record.of_mut(&alarm.backend);
        let what = if failed == previous.generation.digest() {
            record.quarantine_fingerprint(&live.generation.fingerprint, REASON);
            "this configuration".to_owned()
        } else {
            record.quarantine(failed, REASON);
            failed.to_string()
        };
        tracing::error!(backend = %alarm.backend, generation = live.number, plugin = %failed, "the generation is taken back: {REASON}");
        self.go_live(&alarm.backend, Arc::clone(&previous.generation), "taken back to");
        self.set_trouble(
            &alarm.backend,
            Some(Trouble::quarantined(format!("{what} is quarantined: {REASON}"))),
        );
        self.save().await;
    }

    fn set_trouble(&mut self, name: &BackendName, trouble: Option<Trouble>) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.trouble = trouble;
        }
        self.post();
    }

    fn name(&self, backend: &str) -> Result<BackendName, PluginHostError> {
        let by_name = self.entries.keys().find(|name| name.as_str() == backend);
        let by_alias = || {
            let mut entries = self.entries.values();
            entries
                .find(|entry| entry.spec.aliases.iter().any(|alias| alias.as_str() == backend))
                .map(|entry| &entry.spec.name)
        };
        let name = by_name.or_else(by_alias).cloned();
        name.ok_or_else(|| PluginHostError::UnknownBackend(backend.to_owned()))
    }

    fn entry(&self, name: &BackendName) -> Result<&Entry, PluginHostError> {
        let entry = self.entries.get(name);
        entry.ok_or_else(|| PluginHostError::UnknownBackend(name.to_string()))
    }

    fn status(&self, name: &BackendName) -> Result<PluginStatus, PluginHostError> {
        self.entry(name).map(Entry::status)
    }
}
