//! What waits for a thread: each share has a line of its own, and the lines take turns.
//!
//! So whoever asks for many computations waits behind its own, and others wait for one of them at most for each thread.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;

use super::compute::{Outcome, Task};
use super::{PasswordError, Share};

/// A computation that somebody waits for.
pub(super) struct Job {
    pub(super) share: Share,
    pub(super) task: Task,
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// The lines of all shares.
pub(super) struct Queue {
    lines: HashMap<Share, Line>,
    /// Whose turn it is, then who follows: each share with jobs waiting is in here once.
    turns: VecDeque<Share>,
    /// How many jobs of one share may be waiting or under way.
    limit: usize,
    /// No job is taken in any more.
    closed: bool,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Job>,
    /// Jobs that a worker has taken.
    under_way: usize,
    /// Whether the share is in the list of turns.
    has_turn: bool,
}

impl Queue {
    /// With room for `limit` jobs of each share, those under way included.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            lines: HashMap::new(),
            turns: VecDeque::new(),
            limit,
            closed: false,
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Puts a job at the end of its share's line.
    ///
    /// # Errors
    /// [`PasswordError::Saturated`] if the line is full.
    pub(super) fn push(&mut self, job: Job) -> Result<(), PasswordError> {
        if self.closed {
            return Err(PasswordError::Saturated);
        }
        let line = self.lines.entry(job.share.clone()).or_default();
        if line.is_full(self.limit) {
            // Callers that have gone away still stand in the line until somebody needs their room.
            line.waiting.retain(|job| !job.reply.is_closed());
        }
        if line.is_full(self.limit) {
            return Err(PasswordError::Saturated);
        }
        if !line.has_turn {
            line.has_turn = true;
            self.turns.push_back(job.share.clone());
        }
        line.waiting.push_back(job);
        Ok(())
    }

    /// The first job of the share whose turn it is. It counts as under way until [`Queue::finish`].
    pub(super) fn take(&mut self) -> Option<Job> {
        while let Some(share) = self.turns.pop_front() {
            let Some(line) = self.lines.get_mut(&share) else {
                continue;
            };
            let job = line.next();
            line.has_turn = !line.waiting.is_empty();
            line.under_way += usize::from(job.is_some());
            if line.has_turn {
                self.turns.push_back(share);
            } else if job.is_none() {
                self.forget_if_idle(&share);
            }
            if job.is_some() {
                return job;
            }
        }
        None
    }

    /// A job of this share is no longer under way.
    pub(super) fn finish(&mut self, share: &Share) {
        if let Some(line) = self.lines.get_mut(share) {
            line.under_way -= 1;
        }
        self.forget_if_idle(share);
    }

    fn forget_if_idle(&mut self, share: &Share) {
        if self.lines.get(share).is_some_and(Line::is_idle) {
            self.lines.remove(share);
        }
    }
}

impl Line {
    fn is_full(&self, limit: usize) -> bool {
        self.waiting.len() + self.under_way >= limit
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.waiting.is_empty() && !self.has_turn
    }

    /// The first job whose caller is still there.
    fn next(&mut self) -> Option<Job> {
        std::iter::from_fn(|| self.waiting.pop_front()).find(|job| !job.reply.is_closed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::model::BackendName;
    use crate::password::cost::Argon2Cost;
    use crate::password::verifier::Verifier;

    /// A queue, and what the callers hold on to.
    struct Lines {
        queue: Queue,
        callers: Vec<oneshot::Receiver<Outcome>>,
    }

    impl Lines {
        fn new(limit: usize) -> Self {
            Self {
                queue: Queue::new(limit),
                callers: Vec::new(),
            }
        }

        fn push(&mut self, share: &Share) -> Result<(), PasswordError> {
            let verifier = Verifier::current(Argon2Cost::new(8, 1, 1).unwrap(), vec![1; 16]);
            let (reply, caller) = oneshot::channel();
            self.queue.push(Job {
                share: share.clone(),
                task: Task::new(&Secret::new(Vec::new()), verifier),
                reply,
            })?;
            self.callers.push(caller);
            Ok(())
        }

        fn take(&mut self) -> Option<Share> {
            self.queue.take().map(|job| {
                // The job is gone, and its caller is not to look like one who went away.
                std::mem::forget(job.reply);
                job.share
            })
        }
    }

    fn backend(name: &str) -> Share {
        Share::Backend(BackendName::parse(name).unwrap())
    }

    #[test]
    fn shares_take_turns_and_each_keeps_its_own_order() {
        let mut lines = Lines::new(8);
        let (many, few) = (backend("many"), backend("few"));
        for share in [&many, &many, &many, &many, &few, &few, &Share::Unjudged] {
            assert_eq!(lines.push(share), Ok(()));
        }
        let order: Vec<_> = std::iter::from_fn(|| lines.take()).collect();
        let unjudged = Share::Unjudged;
        let turns = [&many, &few, &unjudged, &many, &few, &many, &many];
        assert_eq!(order.iter().collect::<Vec<_>>(), turns);
    }

    #[test]
    fn one_who_comes_late_waits_for_one_turn_of_the_others() {
        let mut lines = Lines::new(8);
        let (many, late) = (backend("many"), backend("late"));
        for _ in 0..4 {
            lines.push(&many).unwrap();
        }
        assert_eq!(lines.take(), Some(many.clone()));
        lines.push(&late).unwrap();
        assert_eq!(lines.take(), Some(many.clone()));
        assert_eq!(lines.take(), Some(late));
    }

    #[test]
    fn a_full_line_is_full_for_its_own_share_only() {
        let mut lines = Lines::new(2);
        let (full, other) = (backend("full"), backend("other"));
        lines.push(&full).unwrap();
        lines.push(&full).unwrap();
        assert_eq!(lines.push(&full), Err(PasswordError::Saturated));
        assert_eq!(lines.push(&other), Ok(()));
        assert_eq!(lines.take(), Some(full.clone()));
        assert_eq!(
            lines.push(&full),
            Err(PasswordError::Saturated),
            "what is under way counts"
        );
        lines.queue.finish(&full);
        assert_eq!(lines.push(&full), Ok(()));
    }

    #[test]
    fn callers_that_went_away_make_room_and_get_no_second_turn() {
        let mut lines = Lines::new(2);
        let (gone, other) = (backend("gone"), backend("other"));
        lines.push(&gone).unwrap();
        lines.push(&gone).unwrap();
        lines.callers.clear();
        for share in [&gone, &gone, &other] {
            assert_eq!(lines.push(share), Ok(()));
        }
        let order: Vec<_> = std::iter::from_fn(|| lines.take()).collect();
        assert_eq!(order, [gone.clone(), other, gone]);
    }

    #[test]
    fn a_share_without_jobs_is_forgotten() {
        let mut lines = Lines::new(2);
        let share = backend("once");
        lines.push(&share).unwrap();
        lines.take();
        lines.queue.finish(&share);
        lines.push(&share).unwrap();
        lines.callers.clear();
        assert_eq!(lines.take(), None);
        assert!(lines.queue.lines.is_empty() && lines.queue.turns.is_empty());
    }

    #[test]
    fn a_closed_queue_takes_nothing_in() {
        let mut lines = Lines::new(2);
        lines.queue.close();
        assert_eq!(lines.push(&Share::Directory), Err(PasswordError::Saturated));
    }
}
