//! A file of `SQLite`'s.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use keyway_core::port::{NamedDatabaseError, NamedDatabaseSpec, NamedRow};
use libsqlite3_sys::{SQLITE_LIMIT_ATTACHED, SQLITE_LIMIT_LENGTH, sqlite3_limit};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePool, SqliteRow};
use sqlx::{Arguments as _, Column as _, Row as _, Sqlite, SqliteConnection, TypeInfo as _, ValueRef as _};
use tokio::sync::OnceCell;

use super::{Answer, Held, Reader, failed, pool, refused, take};

/// Instructions of `SQLite`'s machine between two looks at the clock.
const BETWEEN_LOOKS: i32 = 1_000;

/// A value may be so much longer than a whole answer: then it is the answer's bound that is told.
const SLACK: u64 = 64 << 10;

/// A file of `SQLite`'s.
pub(super) struct SqliteReader {
    options: SqliteConnectOptions,
    spec: NamedDatabaseSpec,
    pool: OnceCell<SqlitePool>,
}

impl SqliteReader {
    pub(super) fn new(options: SqliteConnectOptions, spec: &NamedDatabaseSpec) -> Self {
        Self {
            options,
            spec: spec.clone(),
            pool: OnceCell::new(),
        }
    }

    async fn connection(&self) -> Result<Held<Sqlite>, NamedDatabaseError> {
        let longest = i32::try_from(self.spec.max_bytes.saturating_add(SLACK)).unwrap_or(i32::MAX);
        let open = async || {
            pool(&self.spec)
                .after_connect(move |connection, _| Box::pin(limit(connection, longest)))
                .connect_lazy_with(self.options.clone())
        };
        let pool = self.pool.get_or_init(open).await;
        Held::from(pool).await
    }
}

/// A query can have `SQLite` make a value of a gigabyte, and no clock stops that. Nor is any file but this one its business.
async fn limit(connection: &mut SqliteConnection, longest: i32) -> Result<(), sqlx::Error> {
    let mut handle = connection.lock_handle().await?;
    let raw = handle.as_raw_handle().as_ptr();
    #[expect(
        unsafe_code,
        reason = "the driver has no other way to set these, and SQLite no other way to be held to them"
    )]
    // SAFETY: the handle is of an open connection, which nothing else uses while it is locked.
    unsafe {
        sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, longest);
        sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
    }
    Ok(())
}

#[async_trait]
impl Reader for SqliteReader {
    async fn read(
        &self,
        statement: &str,
        parameters: &[String],
        answer: &mut Answer,
    ) -> Result<(), NamedDatabaseError> {
        let mut held = self.connection().await?;
        stop_at(&mut held.connection, Instant::now() + self.spec.timeout).await?;
        let mut arguments = SqliteArguments::default();
        for parameter in parameters {
            arguments
                .add(parameter.clone())
                .map_err(|_| refused("", "a parameter cannot be bound"))?;
        }
        {
            let query = sqlx::query_with(sqlx::AssertSqlSafe(statement), arguments);
            let rows = query.fetch(&mut *held.connection);
            take(rows, answer, texts).await?;
        }
        // Nothing is left of a query whose rows nobody takes any more.
        held.is_clean = true;
        Ok(())
    }
}

/// Has a query end in time: it runs on a thread of its own, which would go on without anybody who waits for it.
async fn stop_at(connection: &mut SqliteConnection, deadline: Instant) -> Result<(), NamedDatabaseError> {
    let mut handle = connection.lock_handle().await.map_err(|error| failed(&error))?;
    // A moment later than whoever waits, so that the reason is always the same.
    let deadline = deadline + Duration::from_millis(50);
    handle.set_progress_handler(BETWEEN_LOOKS, move || Instant::now() < deadline);
    Ok(())
}

fn texts(row: &SqliteRow) -> Result<NamedRow, NamedDatabaseError> {
    let text = |column: &sqlx::sqlite::SqliteColumn| {
        let value = row.try_get_raw(column.ordinal()).map_err(|error| failed(&error))?;
        let kind = value.type_info().name().to_owned();
        let converted = match kind.as_str() {
            _ if value.is_null() => None,
            // Dates and times are told by their columns, and are texts in truth.
            "TEXT" | "DATE" | "TIME" | "DATETIME" => Some(row.try_get_unchecked::<String, _>(column.ordinal())),
            "INTEGER" | "BOOLEAN" => Some(
                row.try_get_unchecked::<i64, _>(column.ordinal())
                    .map(|value| value.to_string()),
            ),
            "REAL" => Some(
                row.try_get_unchecked::<f64, _>(column.ordinal())
                    .map(|value| value.to_string()),
            ),
            kind => {
                return Err(refused(
                    "",
                    &format!("the column `{}` holds a {kind}, which is no text", column.name()),
                ));
            }
        };
        let converted = converted.transpose().map_err(|error| failed(&error))?;
        Ok((column.name().to_owned(), converted))
    };
    row.columns().iter().map(text).collect()
}
