//! The one writer, with group commit: what waits while a transaction is synced to disk shares the next one.
//!
//! A job runs under a savepoint of its own, so that one that fails does not undo its neighbours, and is answered only after the commit. If
//! the transaction as a whole fails, none of its jobs was done and all are told so.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use keyway_core::port::StoreError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::failure::{Failure, Refused};

/// Work that waits for its turn.
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Done> + Send>;

/// Work that waits for the commit.
struct Done {
    /// Whether what it wrote is to be kept.
    keep: bool,
    /// Answers the caller, once it is known what became of the transaction.
    answer: Answer,
}

type Answer = Box<dyn FnOnce(Result<(), Refused>) + Send>;

/// The handle to the writer's task.
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    closing: Arc<Notify>,
    task: Mutex<Option<JoinHandle<Task>>>,
}

impl Writer {
    /// Starts writing over `connection`; `options` are for another one should it fail.
    pub(super) fn start(
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        queue: usize,
        batch: usize,
    ) -> Self {
        let (sender, waiting) = mpsc::channel(queue.max(1));
        let closing = Arc::new(Notify::new());
        let task = Task {
            options,
            connection: Some(connection),
            batch: batch.max(1),
            commits: 0,
            jobs: 0,
        };
        let task = tokio::spawn(task.run(waiting, Arc::clone(&closing)));
        Self {
            queue: sender,
            closing,
            task: Mutex::new(Some(task)),
        }
    }

    /// Does `work` in a transaction, and returns when that is on disk. If the caller goes away, the work may still be done.
    pub(super) async fn write<T, W>(&self, action: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                // A panic in here is a defect, and must not take the writer along.
                let outcome = AssertUnwindSafe(work(connection)).catch_unwind().await;
                let outcome = outcome.unwrap_or_else(|_| Err(Refused::BatchFailed.into()));
                let keep = outcome.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    // Nobody listens if the caller has gone away.
                    let _ = sender.send(committed.map_err(Failure::from).and(outcome));
                });
                Done { keep, answer }
            })
        });
        let answered = match self.queue.try_send(job) {
            Ok(()) => receiver.await.unwrap_or_else(|_| Err(Refused::BatchFailed.into())),
            Err(TrySendError::Full(_)) => Err(Refused::QueueFull.into()),
            Err(TrySendError::Closed(_)) => Err(Refused::Closed.into()),
        };
        answered.map_err(|failure| failure.during(action))
    }

    /// Whether work is taken.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.queue.is_closed() {
            Err(Refused::Closed.into())
        } else {
            Ok(())
        }
    }

    /// Takes no more work, does what waits, and gives the connection back to whoever asks first.
    pub(super) async fn stop(&self) -> Option<SqliteConnection> {
        self.end().await?.connection
    }

    async fn end(&self) -> Option<Task> {
        self.closing.notify_one();
        let task = self.task.lock().await.take()?;
        task.await.ok()
    }
}

/// What the writer's task owns.
struct Task {
    options: SqliteConnectOptions,
    /// `None` after a transaction failed: the next one starts over a fresh connection.
    connection: Option<SqliteConnection>,
    batch: usize,
    commits: u64,
    jobs: u64,
}

impl Task {
    async fn run(mut self, mut waiting: mpsc::Receiver<Job>, closing: Arc<Notify>) -> Self {
        let mut jobs = Vec::with_capacity(self.batch);
        loop {
            tokio::select! {
                taken = waiting.recv_many(&mut jobs, self.batch) => {
                    if taken == 0 {
                        break;
                    }
                    self.commit(jobs.drain(..)).await;
                }
                // What waits is still handed out, and then the end.
                () = closing.notified() => waiting.close(),
            }
        }
        tracing::debug!(commits = self.commits, writes = self.jobs, "the writer has ended");
        self
    }

    /// Runs the jobs in one transaction and answers them.
    async fn commit(&mut self, jobs: impl ExactSizeIterator<Item = Job>) {
        self.jobs += jobs.len() as u64;
        let mut answers = Vec::with_capacity(jobs.len());
        let outcome = match self.connect().await {
            Ok(connection) => transact(connection, jobs, &mut answers).await,
            Err(error) => Err(error),
        };
        let committed = match outcome {
            Ok(()) => {
                self.commits += 1;
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "a transaction failed, and nothing of it was written");
                // Whatever state the connection is in goes with it, an open transaction first of all.
                self.connection = None;
                Err(Refused::BatchFailed)
            }
        };
        for answer in answers {
            answer(committed);
        }
    }

    async fn connect(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(self.options.connect().await?)),
        }
    }
}

/// Runs the jobs between BEGIN and COMMIT, and leaves their answers in `answers`. Jobs that were not run when it fails are dropped, which
/// tells their callers.
async fn transact(
    connection: &mut SqliteConnection,
    jobs: impl Iterator<Item = Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    execute(connection, "BEGIN IMMEDIATE").await?;
    for job in jobs {
        execute(connection, "SAVEPOINT job").await?;
        let Done { keep, answer } = job(connection).await;
        answers.push(answer);
        if !keep {
            // A full disk may have rolled everything back already. Then there is no savepoint to go back to, and this fails: without it,
            // the jobs that follow would each commit on their own.
            execute(connection, "ROLLBACK TO job").await?;
        }
        execute(connection, "RELEASE job").await?;
    }
    execute(connection, "COMMIT").await
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
