//! The threads that compute, and argon2's memory between two computations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Block;
use tokio::sync::oneshot;

use super::compute::{Outcome, Task};
use super::queue::{Job, Queue};
use super::{PasswordError, Share};

/// How long a worker keeps argon2's memory when there is nothing to do. Touching fresh memory costs a tenth of the computation, so a burst
/// of logins keeps it; an idle server gives it back.
const KEEP_MEMORY: Duration = Duration::from_secs(1);

/// A bounded number of threads, which the shares take in turn.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    /// Argon2's memory for current verifiers, in blocks of 1 KiB. A worker that needed more for an imported one gives it back at once.
    usual_blocks: usize,
    computed: AtomicU64,
    /// What all workers hold of argon2's memory, and what they need meanwhile for other schemes, in blocks of 1 KiB.
    held_blocks: AtomicUsize,
}

impl Pool {
    /// `waiting` is how many jobs of one share may wait while all threads work for it.
    pub(super) fn new(workers: usize, waiting: usize, usual_kib: u32) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(workers.saturating_add(waiting))),
            wake: Condvar::new(),
            usual_blocks: usual_kib as usize,
            computed: AtomicU64::new(0),
            held_blocks: AtomicUsize::new(0),
        });
        let mut threads = 0;
        for index in 0..workers {
            let shared = Arc::clone(&shared);
            let spawned = std::thread::Builder::new()
                .name(format!("password-{index}"))
                .spawn(move || shared.work());
            match spawned {
                Ok(_) => threads += 1,
                Err(error) => tracing::error!(%error, "a thread for password hashing could not be started"),
            }
        }
        if threads == 0 {
            shared.lock().close();
        }
        Self { shared }
    }

    /// Computes, in the order of the share's calls. A call that is dropped while it waits costs nothing any more.
    pub(super) async fn compute(&self, share: &Share, task: Task) -> Result<Outcome, PasswordError> {
        let (reply, outcome) = oneshot::channel();
        let share = share.clone();
        self.shared.push(Job { share, task, reply })?;
        // The sender is dropped without an answer only where the computation itself panicked.
        outcome.await.map_err(|_| PasswordError::Saturated)
    }

    pub(super) fn computed(&self) -> u64 {
        self.shared.computed.load(Ordering::Relaxed)
    }

    pub(super) fn held_kib(&self) -> usize {
        self.shared.held_blocks.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().close();
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), PasswordError> {
        self.lock().push(job)?;
        self.wake.notify_one();
        Ok(())
    }

    /// What one thread does until the pool is dropped.
    fn work(&self) {
        let mut memory = Vec::new();
        while let Some(Job { share, task, reply }) = self.next(&mut memory) {
            let outcome = if reply.is_closed() {
                None
            } else {
                self.run(&task, &mut memory)
            };
            // First, so that the caller who gets the answer finds the place free.
            self.lock().finish(&share);
            if let Some(outcome) = outcome {
                drop(reply.send(outcome));
            }
            if memory.len() > self.usual_blocks {
                self.give_back(&mut memory);
            }
        }
    }

    /// `None` if the computation panicked; the worker goes on.
    fn run(&self, task: &Task, memory: &mut Vec<Block>) -> Option<Outcome> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let before = memory.len();
        let scratch = task.scratch_kib();
        self.held_blocks.fetch_add(scratch, Ordering::Relaxed);
        let outcome = catch_unwind(AssertUnwindSafe(|| task.run(memory)));
        self.held_blocks.fetch_sub(scratch, Ordering::Relaxed);
        // It only ever grows in there.
        let grown = memory.len().saturating_sub(before);
        self.held_blocks.fetch_add(grown, Ordering::Relaxed);
        outcome.ok()
    }

    fn give_back(&self, memory: &mut Vec<Block>) {
        self.held_blocks.fetch_sub(memory.len(), Ordering::Relaxed);
        *memory = Vec::new();
    }

    /// The next job, or `None` when the pool is gone.
    fn next(&self, memory: &mut Vec<Block>) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.take() {
                return Some(job);
            }
            if queue.is_closed() {
                return None;
            }
            if memory.is_empty() {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) = self
                .wake
                .wait_timeout(queue, KEEP_MEMORY)
                .unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            if waited.timed_out() && queue.is_empty() {
                // Giving back 64 MiB takes milliseconds, in which others may want the queue.
                drop(queue);
                self.give_back(memory);
                queue = self.lock();
            }
        }
    }
}
