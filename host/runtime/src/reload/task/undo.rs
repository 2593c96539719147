//! Going back: by an operator's word, or because a new generation failed its probation.

use std::sync::Arc;

use keyway_core::model::{BackendName, HistoryEntry, PluginDigest, PluginStatus};
use keyway_core::port::PluginHostError;
use tokio::sync::oneshot;

use super::{Asker, Reconciler, Waiter};
use crate::generation::Generation;
use crate::registry::Alarm;
use crate::reload::entry::{Entry, Trouble};
use crate::reload::record::BackendRecord;
use crate::reload::work::{Rollback, Ticket};

const ROLLED_BACK: &str = "rolled back by an operator";

type Answer = oneshot::Sender<Result<PluginStatus, PluginHostError>>;

impl Reconciler {
    pub(super) fn history(&self, backend: &str) -> Result<Vec<HistoryEntry>, PluginHostError> {
        let name = self.name(backend)?;
        Ok(self.record.of(&name).map(BackendRecord::history).unwrap_or_default())
    }

    /// Goes back to the plugin file that served before the one that serves now.
    pub(super) fn rollback(&mut self, backend: &str, done: Answer) {
        match self.rollback_of(backend) {
            Ok((name, from)) => {
                if let Some(entry) = self.entries.get_mut(&name) {
                    entry.work.ask_rollback(Rollback { from, done });
                }
            }
            // Who asked may have gone.
            Err(error) => drop(done.send(Err(error))),
        }
    }

    fn rollback_of(&self, backend: &str) -> Result<(BackendName, PluginDigest), PluginHostError> {
        let name = self.name(backend)?;
        let live = self.entry(&name)?.backend.live();
        let from = live.map(|live| live.generation.digest());
        let from = from.ok_or_else(|| PluginHostError::NoEarlierGeneration(name.clone()))?;
        self.earlier(&name, from)?;
        Ok((name, from))
    }

    fn earlier(&self, name: &BackendName, from: PluginDigest) -> Result<PluginDigest, PluginHostError> {
        let earlier = self.record.of(name).and_then(|record| record.earlier_digest(from));
        earlier.ok_or_else(|| PluginHostError::NoEarlierGeneration(name.clone()))
    }

    /// What the next rollback that was asked for goes back to. Those that have nothing to do are answered.
    pub(super) fn next_rollback(&mut self, name: &BackendName) -> Option<PluginDigest> {
        loop {
            let entry = self.entries.get(name)?;
            let from = entry.work.next_rollback()?.from;
            let live = entry.backend.live().map(|live| live.generation.digest());
            if live != Some(from) {
                self.finish_rollback(name, Ok(()));
                continue;
            }
            match self.earlier(name, from) {
                Ok(earlier) => return Some(earlier),
                Err(error) => self.finish_rollback(name, Err(error)),
            }
        }
    }

    pub(super) fn end_rollback(&mut self, name: &BackendName, copy: Result<Generation, String>) {
        let generation = match copy {
            Ok(generation) => generation,
            Err(reason) => return self.finish_rollback(name, Err(PluginHostError::NotLoaded(reason))),
        };
        let rollback = self.entries.get(name).and_then(|entry| entry.work.next_rollback());
        let Some(from) = rollback.map(|rollback| rollback.from) else {
            return;
        };
        self.record.of_mut(name).quarantine(from, ROLLED_BACK);
        self.go_live(name, Arc::new(generation), ROLLED_BACK);
        let trouble = Trouble::quarantined(format!("{from} is quarantined: {ROLLED_BACK}"));
        self.set_trouble(name, trouble);
        self.finish_rollback(name, Ok(()));
    }

    /// Answers the rollback that is first; a good answer only when the record is written.
    fn finish_rollback(&mut self, name: &BackendName, result: Result<(), PluginHostError>) {
        let entry = self.entries.get_mut(name);
        let Some(Rollback { done, .. }) = entry.and_then(|entry| entry.work.take_rollback()) else {
            return;
        };
        match result {
            Ok(()) => self.waiters.push(Waiter {
                ticket: 0,
                asker: Asker::One {
                    name: name.clone(),
                    must_serve: false,
                    done,
                },
            }),
            // Who asked may have gone.
            Err(error) => drop(done.send(Err(error))),
        }
    }

    /// Lifts the quarantine of the file in the plugins folder and loads it, or ends the probation of what serves.
    pub(super) fn promote(&mut self, backend: &str, done: Answer) {
        match self.begin_promotion(backend) {
            Ok((name, waits_for)) => self.waiters.push(Waiter {
                ticket: waits_for.unwrap_or(0),
                asker: Asker::One {
                    name,
                    must_serve: waits_for.is_some(),
                    done,
                },
            }),
            // Who asked may have gone.
            Err(error) => drop(done.send(Err(error))),
        }
    }

    /// Which backend is promoted, and which request must be answered first.
    fn begin_promotion(&mut self, backend: &str) -> Result<(BackendName, Option<Ticket>), PluginHostError> {
        let name = self.name(backend)?;
        let Some(entry) = self.entries.get_mut(&name) else {
            return Err(PluginHostError::UnknownBackend(name.to_string()));
        };
        if let Some((_, digest)) = entry.seen
            && self.record.of_mut(&name).lift(digest)
        {
            self.is_unsaved = true;
            self.ticket += 1;
            entry.work.outdate();
            entry.work.ask(self.ticket, true);
            return Ok((name, Some(self.ticket)));
        }
        match entry.backend.live().filter(|live| live.watch.is_on_probation()) {
            Some(live) => {
                live.watch.trust();
                Ok((name, None))
            }
            None => Err(PluginHostError::NothingToPromote(name)),
        }
    }

    /// Takes back a generation that failed its probation, if it still serves.
    pub(super) fn take_back(&mut self, alarm: &Alarm) {
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
            Trouble::quarantined(format!("{what} is quarantined: {REASON}")),
        );
    }

    fn set_trouble(&mut self, name: &BackendName, trouble: Trouble) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.trouble = Some(trouble);
        }
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

    pub(super) fn entry(&self, name: &BackendName) -> Result<&Entry, PluginHostError> {
        let entry = self.entries.get(name);
        entry.ok_or_else(|| PluginHostError::UnknownBackend(name.to_string()))
    }
}
