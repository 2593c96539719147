//! What is being done about one backend, and what is to be done next. There is never more than one thing under way for a backend.

use std::collections::VecDeque;

use keyway_core::model::{PluginDigest, PluginStatus};
use keyway_core::port::PluginHostError;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, Id};

/// Counts what was asked for, over all backends. A plan answers everything that was asked before it began.
pub(crate) type Ticket = u64;

/// What is being done about one backend, and what is to be done next.
#[derive(Default)]
pub(crate) struct Work {
    under_way: Option<UnderWay>,
    /// Oldest first. The first stays here while it is under way.
    rollbacks: VecDeque<Rollback>,
    /// The newest request for a plan, and for one that tries again what was refused before.
    asked: Ticket,
    insisted: Ticket,
    answered: Ticket,
}

/// A job under way.
pub(crate) struct UnderWay {
    job: AbortHandle,
    /// What a plan answers.
    ticket: Ticket,
    pub(crate) is_rollback: bool,
    /// Whether what it began with has changed since, so that its result is of no use.
    pub(crate) is_outdated: bool,
}

/// An operator's request to go back.
pub(crate) struct Rollback {
    /// The plugin file that served when it was asked for.
    pub(crate) from: PluginDigest,
    pub(crate) done: oneshot::Sender<Result<PluginStatus, PluginHostError>>,
}

impl Work {
    pub(crate) fn ask(&mut self, ticket: Ticket, insist: bool) {
        self.asked = ticket;
        if insist {
            self.insisted = ticket;
        }
    }

    pub(crate) fn has_answered(&self, ticket: Ticket) -> bool {
        self.answered >= ticket
    }

    /// Whether something is to be done and nothing is under way.
    pub(crate) fn is_due(&self) -> bool {
        self.under_way.is_none() && (!self.rollbacks.is_empty() || self.asked > self.answered)
    }

    /// Whether the plan that comes next tries again what was refused before.
    pub(crate) fn insists(&self) -> bool {
        self.insisted > self.answered
    }

    pub(crate) fn begin_plan(&mut self, job: AbortHandle) {
        self.under_way = Some(UnderWay {
            job,
            ticket: self.asked,
            is_rollback: false,
            is_outdated: false,
        });
    }

    pub(crate) fn begin_rollback(&mut self, job: AbortHandle) {
        self.under_way = Some(UnderWay {
            job,
            ticket: self.answered,
            is_rollback: true,
            is_outdated: false,
        });
    }

    /// Takes the job out if it is this one. Unless it is outdated, it has then answered what it was begun for.
    pub(crate) fn end(&mut self, job: Id) -> Option<UnderWay> {
        let ended = self.under_way.take_if(|under_way| under_way.job.id() == job)?;
        if !ended.is_outdated {
            self.answered = ended.ticket;
        }
        Some(ended)
    }

    /// What the job under way began with has changed: it ends, and is begun anew.
    pub(crate) fn outdate(&mut self) {
        if let Some(under_way) = &mut self.under_way {
            under_way.is_outdated = true;
            under_way.job.abort();
        }
    }

    /// An operator's word comes before a plan; the plan is made anew afterwards.
    pub(crate) fn ask_rollback(&mut self, rollback: Rollback) {
        self.rollbacks.push_back(rollback);
        if self.under_way.as_ref().is_some_and(|under_way| !under_way.is_rollback) {
            self.outdate();
        }
    }

    pub(crate) fn next_rollback(&self) -> Option<&Rollback> {
        self.rollbacks.front()
    }

    pub(crate) fn take_rollback(&mut self) -> Option<Rollback> {
        self.rollbacks.pop_front()
    }
}
