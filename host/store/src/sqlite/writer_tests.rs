//! What the writer promises whatever is written.

use std::time::Duration;

use futures::future::join_all;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tempfile::TempDir;

use super::*;

struct Bench {
    _folder: TempDir,
    options: SqliteConnectOptions,
    writer: Writer,
}

impl Bench {
    /// A writer over a database with one table. `pages` is how many the database may grow to, in each connection.
    async fn new(queue: usize, batch: usize, pages: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("bench.db"))
            .create_if_missing(true)
            .busy_timeout(Duration::from_millis(100))
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("max_page_count", pages.to_string());
        let mut connection = options.connect().await.expect("a database");
        execute(
            &mut connection,
            "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)",
        )
        .await
        .expect("a table");
        let writer = Writer::start(options.clone(), connection, queue, batch);
        Self {
            _folder: folder,
            options,
            writer,
        }
    }

    async fn note(&self, text: &str) -> Result<(), StoreError> {
        let text = text.to_owned();
        let work = self.writer.write("note", move |connection| {
            Box::pin(async move {
                sqlx::query("INSERT INTO note (text) VALUES ($1)")
                    .bind(text)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        });
        work.await
    }

    /// What somebody else sees.
    async fn notes(&self) -> Vec<String> {
        let mut connection = self.options.connect().await.expect("a connection");
        sqlx::query_scalar("SELECT text FROM note ORDER BY text")
            .fetch_all(&mut connection)
            .await
            .expect("the notes")
    }
}

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable { .. }))
}

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    let bench = Bench::new(1000, 100, 1_000_000).await;
    let texts: Vec<String> = (0..500).map(|number| format!("{number:03}")).collect();
    for outcome in join_all(texts.iter().map(|text| bench.note(text))).await {
        outcome.expect("written");
    }
    assert_eq!(bench.notes().await, texts);
    let task = bench.writer.end().await.expect("the writer's task");
    assert_eq!(task.jobs, 500);
    assert!((5..=8).contains(&task.commits), "{} commits", task.commits);
}

#[tokio::test]
async fn a_write_that_fails_does_not_undo_its_neighbours() {
    let bench = Bench::new(1000, 100, 1_000_000).await;
    let half = bench.writer.write("note", |connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO note (text) VALUES ('half')")
                .execute(&mut *connection)
                .await?;
            sqlx::query("INSERT INTO note (text) VALUES ('half')")
                .execute(connection)
                .await?;
            Ok(())
        })
    });
    let (first, half, last) = futures::join!(bench.note("first"), half, bench.note("last"));
    assert!(first.is_ok() && is_unavailable(&half) && last.is_ok());
    assert_eq!(bench.notes().await, ["first", "last"]);
    assert_eq!(
        bench.writer.end().await.expect("the writer's task").commits,
        1,
        "they shared a transaction"
    );
}

#[tokio::test]
async fn a_write_that_panics_takes_nobody_along() {
    let bench = Bench::new(1000, 100, 1_000_000).await;
    let defect = bench.writer.write::<(), _>("note", |connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO note (text) VALUES ('half')")
                .execute(connection)
                .await?;
            std::panic::panic_any("a defect")
        })
    });
    let (first, defect, last) = futures::join!(bench.note("first"), defect, bench.note("last"));
    assert!(first.is_ok() && is_unavailable(&defect) && last.is_ok());
    assert_eq!(bench.notes().await, ["first", "last"]);
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_answered_as_written_that_is_not() {
    let bench = Bench::new(1000, 10, 40).await;
    let texts: Vec<String> = (0..200)
        .map(|number| format!("{number:03}{}", "x".repeat(1000)))
        .collect();
    let outcomes = join_all(texts.iter().map(|text| bench.note(text))).await;
    assert!(outcomes.iter().any(Result::is_ok), "some fit");
    assert!(outcomes.iter().any(is_unavailable), "not all fit");
    let answered: Vec<&String> = texts
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(text, _)| text)
        .collect();
    assert_eq!(bench.notes().await.iter().collect::<Vec<_>>(), answered);

    // And when there is room again, it goes on.
    let mut other = bench
        .options
        .clone()
        .pragma("max_page_count", "1000")
        .connect()
        .await
        .expect("a connection");
    execute(&mut other, "DELETE FROM note").await.expect("room");
    other.close().await.expect("closed");
    bench.note("after").await.expect("written");
    assert_eq!(bench.notes().await, ["after"]);
}

#[tokio::test]
async fn a_batch_that_is_rolled_back_whole_is_told_to_all_of_it() {
    let bench = Bench::new(1000, 100, 1_000_000).await;
    // What a full disk or an I/O error may do by itself: the transaction is gone, the savepoints with it.
    let undone = bench.writer.write("note", |connection| {
        Box::pin(async move {
            execute(connection, "ROLLBACK").await?;
            Err::<(), Failure>(Refused::TooSlow.into())
        })
    });
    let (first, undone, last) = futures::join!(bench.note("first"), undone, bench.note("last"));
    assert!(is_unavailable(&first) && is_unavailable(&undone) && is_unavailable(&last));
    assert_eq!(bench.notes().await, [""; 0]);
    bench.note("next").await.expect("written over a fresh connection");
}

#[tokio::test]
async fn a_lock_that_another_process_holds_is_waited_for_in_bounded_time() {
    let bench = Bench::new(1000, 100, 1_000_000).await;
    let mut other = bench.options.connect().await.expect("a connection");
    execute(&mut other, "BEGIN IMMEDIATE").await.expect("the lock");
    assert!(is_unavailable(&bench.note("meanwhile").await));
    execute(&mut other, "ROLLBACK").await.expect("the lock is given back");
    bench.note("after").await.expect("written");
    assert_eq!(bench.notes().await, ["after"]);
}

#[tokio::test]
async fn a_full_queue_turns_writes_away_at_once() {
    let bench = Bench::new(2, 1, 1_000_000).await;
    // On one thread the writer does not run before all ten have asked.
    let texts: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let outcomes = join_all(texts.iter().map(|text| bench.note(text))).await;
    assert!(
        outcomes[..2].iter().all(Result::is_ok) && outcomes[2..].iter().all(is_unavailable),
        "{outcomes:?}"
    );
    assert_eq!(bench.notes().await, ["0", "1"]);
}

#[tokio::test]
async fn a_writer_that_is_stopped_does_what_waits_and_no_more() {
    let bench = Bench::new(1000, 3, 1_000_000).await;
    let texts: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let (outcomes, stopped) = futures::join!(join_all(texts.iter().map(|text| bench.note(text))), bench.writer.stop());
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert!(stopped.is_some());
    assert!(is_unavailable(&bench.note("late").await));
    assert!(bench.writer.check().is_err());
    assert_eq!(bench.notes().await, texts);
}
