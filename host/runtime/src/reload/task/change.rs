//! A change of one backend's configuration, while the others stay as they are.

use keyway_core::model::BackendName;
use tokio::sync::oneshot;

use super::{Asker, Reconciler, Waiter};
use crate::BackendSpec;
use crate::reload::entry::Entry;
use crate::reload::trial::TrialError;

impl Reconciler {
    /// Puts a configuration in the place of the one before. What is not known, or is a template, is not changed.
    pub(super) fn change(&mut self, spec: BackendSpec, done: oneshot::Sender<Result<(), String>>) {
        let name = spec.name.clone();
        let is_known = |entry: &Entry| !entry.spec.is_template && !spec.is_template;
        if self.entries.get(&name).is_some_and(is_known)
            && let Some(entry) = self.entries.remove(&name)
        {
            self.ticket += 1;
            let mut entry = self.replace(entry, spec);
            entry.work.ask(self.ticket, true);
            self.entries.insert(name.clone(), entry);
            self.publish();
        }
        let asker = Asker::Effect { name, done };
        let ticket = self.ticket;
        self.waiters.push(Waiter { ticket, asker });
    }

    /// Whether what is desired serves, and why not.
    pub(super) fn effect(&self, name: &BackendName) -> Result<(), String> {
        let entry = self.entries.get(name).ok_or_else(|| TrialError::Unknown.to_string())?;
        let is_desired = entry.backend.live().is_some_and(|live| {
            let generation = &live.generation;
            generation.fingerprint == self.planner.workshop.fingerprint(&entry.spec, generation.digest())
        });
        if is_desired {
            return Ok(());
        }
        Err(entry.status().reason.unwrap_or_else(|| "it is not loaded".to_owned()))
    }

    /// Tries a configuration beside everything else.
    pub(super) fn try_out(&self, spec: BackendSpec, done: oneshot::Sender<Result<(), TrialError>>) {
        let Some(entry) = self.entries.get(&spec.name).filter(|entry| !entry.spec.is_template) else {
            drop(done.send(Err(TrialError::Unknown)));
            return;
        };
        let spec = self.fit(spec);
        let (planner, live) = (self.planner.clone(), entry.backend.live());
        tokio::spawn(async move {
            // Who asked may have gone.
            drop(done.send(planner.try_out(&spec, live).await));
        });
    }
}
