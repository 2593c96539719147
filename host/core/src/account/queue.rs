//! Attempts to log in on their way to the store. They are written after whoever tried has its answer: the time that this takes would tell which accounts there
//! are.

use std::error::Error;
use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::port::{AttemptStore, NewAttempt};

/// How many may wait. A store that answers is never that far behind.
const MAX_WAITING: usize = 4096;

/// How many are written at once, so that logins keep the store to themselves.
const AT_ONCE: usize = 32;

/// The way of attempts to the store.
pub(super) struct Queue {
    store: Arc<dyn AttemptStore>,
    /// To the one who writes, who starts with the first attempt.
    waiting: OnceLock<mpsc::Sender<Work>>,
}

enum Work {
    Write(Box<NewAttempt>),
    /// Tells when all is written that came before.
    Tell(oneshot::Sender<()>),
}

impl Queue {
    pub(super) fn new(store: Arc<dyn AttemptStore>) -> Self {
        Self {
            store,
            waiting: OnceLock::new(),
        }
    }

    /// Has an attempt written. To be called within a tokio runtime.
    pub(super) fn push(&self, attempt: NewAttempt) {
        let waiting = self.waiting.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(MAX_WAITING);
            tokio::spawn(write_all(Arc::clone(&self.store), receiver));
            sender
        });
        let Err(refused) = waiting.try_send(Work::Write(Box::new(attempt))) else {
            return;
        };
        if let Work::Write(attempt) = refused.into_inner() {
            let NewAttempt {
                tenant,
                kind,
                success,
                client,
                request_id,
                ..
            } = *attempt;
            tracing::warn!(%tenant, kind, success, client, request_id, "an attempt to log in was not recorded: too many wait for the store");
        }
    }

    /// Waits until all is written that was pushed before.
    pub(super) async fn settle(&self) {
        let Some(waiting) = self.waiting.get() else {
            return;
        };
        let (told, done) = oneshot::channel();
        if waiting.send(Work::Tell(told)).await.is_ok() {
            // Nobody tells where the runtime has ended, and with it all that was to be written.
            let _ = done.await;
        }
    }
}

async fn write_all(store: Arc<dyn AttemptStore>, mut waiting: mpsc::Receiver<Work>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
        let (mut writes, mut told) = (JoinSet::new(), Vec::new());
        for work in batch.drain(..) {
            match work {
                Work::Write(attempt) => drop(writes.spawn(write(Arc::clone(&store), attempt))),
                Work::Tell(one) => told.push(one),
            }
        }
        while writes.join_next().await.is_some() {}
        for one in told {
            // Who gave up waiting is not told.
            let _ = one.send(());
        }
    }
}

async fn write(store: Arc<dyn AttemptStore>, attempt: Box<NewAttempt>) {
    if let Err(error) = store.record_attempt(&attempt).await {
        let error = &error as &dyn Error;
        tracing::warn!(tenant = %attempt.tenant, request_id = attempt.request_id, error, "an attempt to log in was not recorded");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Semaphore;
    use uuid::Uuid;

    use super::*;
    use crate::model::{Paged, TenantId, Timestamp};
    use crate::port::{Attempt, StoreError};

    /// A store that writes when it is let.
    struct Slow {
        gate: Semaphore,
        written: AtomicUsize,
    }

    #[async_trait]
    impl AttemptStore for Slow {
        async fn record_attempt(&self, _attempt: &NewAttempt) -> Result<(), StoreError> {
            let _turn = self.gate.acquire().await;
            self.written.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        async fn list_attempts(
            &self,
            _tenant: TenantId,
            _since: Timestamp,
            _until: Timestamp,
            _limit: u32,
            _offset: u32,
        ) -> Result<Paged<Attempt>, StoreError> {
            unreachable!("nobody reads")
        }

        async fn find_attempt(&self, _tenant: TenantId, _id: i64) -> Result<Option<Attempt>, StoreError> {
            unreachable!("nobody reads")
        }

        async fn sweep_attempts(&self, _before: Timestamp, _batch: u32) -> Result<u64, StoreError> {
            unreachable!("nobody sweeps")
        }
    }

    fn attempt() -> NewAttempt {
        NewAttempt {
            at: Timestamp(0),
            tenant: TenantId(Uuid::nil()),
            identity: None,
            actor: None,
            kind: "user_auth".to_owned(),
            success: false,
            message: String::new(),
            client: String::new(),
            user_agent: String::new(),
            request_id: String::new(),
        }
    }

    fn slow() -> (Arc<Slow>, Queue) {
        let store = Arc::new(Slow {
            gate: Semaphore::new(0),
            written: AtomicUsize::new(0),
        });
        (Arc::clone(&store), Queue::new(store))
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_the_store_but_who_asks_for_it() {
        let (store, queue) = slow();
        queue.settle().await;
        for _ in 0..100 {
            queue.push(attempt());
        }
        let settled = tokio::time::timeout(std::time::Duration::from_mins(1), queue.settle()).await;
        assert!(settled.is_err(), "nothing is written yet");
        store.gate.add_permits(1);
        queue.settle().await;
        assert_eq!(store.written.load(Ordering::SeqCst), 100);
    }

    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for() {
        let (store, queue) = slow();
        for _ in 0..MAX_WAITING + 100 {
            queue.push(attempt());
        }
        store.gate.add_permits(1);
        queue.settle().await;
        assert_eq!(store.written.load(Ordering::SeqCst), MAX_WAITING);
        queue.push(attempt());
        queue.settle().await;
        assert_eq!(
            store.written.load(Ordering::SeqCst),
            MAX_WAITING + 1,
            "there is room again"
        );
    }
}
