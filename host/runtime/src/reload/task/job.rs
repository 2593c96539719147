//! Plans and rollbacks: they are begun as tasks of their own, and their results carried out here, one at a time.

use std::sync::Arc;

use keyway_core::model::{BackendName, PluginDigest};
use tokio::task::{Id, JoinError};

use super::Reconciler;
use crate::generation::Generation;
use crate::registry::{Live, Watch};
use crate::reload::entry::Trouble;
use crate::reload::file::FileStamp;
use crate::reload::plan::{Plan, Situation, Swap};

/// What a job came to.
pub(super) enum Done {
    Plan(Plan),
    /// An earlier generation, brought up again; or why it could not be.
    Copy(Result<Generation, String>),
}

impl Reconciler {
    /// Begins what is to be done and is not under way.
    pub(super) fn begin(&mut self) {
        let due = self.entries.iter().filter(|(_, entry)| entry.work.is_due());
        let due: Vec<BackendName> = due.map(|(name, _)| name.clone()).collect();
        for name in due {
            if let Some(earlier) = self.next_rollback(&name) {
                self.begin_rollback(&name, earlier);
            } else {
                self.begin_plan(&name);
            }
        }
    }

    fn begin_plan(&mut self, name: &BackendName) {
        let Some(entry) = self.entries.get_mut(name).filter(|entry| entry.work.is_due()) else {
            return;
        };
        let planner = self.planner.clone();
        let situation = Situation::of(entry, self.record.of(name));
        let job = self
            .jobs
            .spawn(async move { Done::Plan(planner.plan(&situation).await) });
        entry.work.begin_plan(job);
    }

    fn begin_rollback(&mut self, name: &BackendName, earlier: PluginDigest) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        let (planner, spec) = (self.planner.clone(), Arc::clone(&entry.spec));
        let job = self.jobs.spawn(async move {
            let copy = planner.bring_up_copy(&spec, earlier).await;
            Done::Copy(copy.map_err(|error| error.to_string()))
        });
        entry.work.begin_rollback(job);
    }

    /// Carries out what a job came to, unless what it began with has changed. Returns whether a file was being written.
    pub(super) fn end(&mut self, ended: Result<(Id, Done), JoinError>) -> bool {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let mut entries = self.entries.iter_mut();
        let found = entries.find_map(|(name, entry)| Some((name.clone(), entry.work.end(id)?)));
        // The backend may be gone.
        let Some((name, job)) = found.filter(|(_, job)| !job.is_outdated) else {
            return false;
        };
        let done = match ended {
            Ok((_, done)) => done,
            Err(error) => {
                tracing::error!(backend = %name, %error, "a reload ended by an error in this host");
                let reason = "loading it ended by an error in this host".to_owned();
                if job.is_rollback {
                    Done::Copy(Err(reason))
                } else {
                    let trouble = Some(Trouble::degraded(reason));
                    Done::Plan(Plan::Keep { seen: None, trouble })
                }
            }
        };
        match done {
            Done::Plan(Plan::Wait) => return true,
            Done::Plan(Plan::Keep { seen, trouble }) => self.keep(&name, seen, trouble),
            Done::Plan(Plan::Swap(swap)) => self.swap(&name, *swap),
            Done::Copy(copy) => self.end_rollback(&name, copy),
        }
        false
    }

    fn keep(&mut self, name: &BackendName, seen: Option<(FileStamp, PluginDigest)>, trouble: Option<Trouble>) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        if let Some(trouble) = &trouble
            && entry
                .trouble
                .as_ref()
                .is_none_or(|before| before.reason != trouble.reason)
        {
            let serving = entry.backend.live().map(|live| live.number);
            tracing::error!(backend = %name, serving, reason = trouble.reason, "the plugin is not as desired");
        }
        entry.seen = seen;
        entry.trouble = trouble;
    }

    fn swap(&mut self, name: &BackendName, swap: Swap) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        entry.seen = swap.seen;
        entry.trouble = swap.trouble;
        self.go_live(name, Arc::new(swap.generation), swap.remark);
    }

    /// Puts a generation live. The one before is kept for as long as this one is on probation.
    pub(super) fn go_live(&mut self, name: &BackendName, generation: Arc<Generation>, remark: &str) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        entry.work.outdate();
        self.is_unsaved = true;
        let before = entry.backend.live();
        let described = &generation.described;
        let number = self.record.of_mut(name).went_live(
            generation.digest(),
            &described.version,
            &generation.fingerprint,
            remark,
            self.clock.now(),
            before.is_none(),
        );
        let is_on_probation =
            before.as_ref().is_some_and(|before| before.watch.has_done_well()) && remark == "installed";
        let watch = if is_on_probation {
            Watch::on_probation(self.settings.probation)
        } else {
            Watch::trusted()
        };
        tracing::info!(backend = %name, generation = number, plugin = %generation.digest(), version = described.version, remark, "a generation is live");
        let live = Arc::new(Live {
            backend: name.clone(),
            number,
            generation,
            watch,
        });
        entry.previous = entry.backend.swap(live).filter(|_| is_on_probation);
    }
}
