//! From the driver's errors to the port's.

use keyway_core::port::StoreError;
use sqlx::error::ErrorKind;

/// Why a statement did not do its work, before it is known what the caller wanted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The answer is one that the port names.
    Named(StoreError),
    /// The database failed.
    Driver(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// The port's error. `action` completes "the store is unavailable while it should ...".
    pub(crate) fn during(self, action: &'static str) -> StoreError {
        match self {
            Self::Named(error) => error,
            Self::Driver(source) => StoreError::Unavailable { action, source },
        }
    }
}

/// Waits for the work, and gives its failure the port's form.
pub(crate) async fn during<T>(
    action: &'static str,
    work: impl Future<Output = Result<T, Failure>> + Send,
) -> Result<T, StoreError> {
    work.await.map_err(|failure| failure.during(action))
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Named(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // The driver names the column and never shows the value.
            sqlx::Error::ColumnDecode { index, .. } => Self::Named(StoreError::Inconsistent {
                what: format!("column {index} is of another type"),
            }),
            error => Self::Driver(error.into()),
        }
    }
}

/// Why a call was not even tried, or was given up.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Refused {
    /// More writes are waiting than may.
    #[error("too many writes are waiting")]
    QueueFull,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The write was given up together with those that it shared a transaction with.
    #[error("the transaction that held this write failed; the log says why")]
    BatchFailed,
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TooSlow,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Driver(refused.into())
    }
}

/// Names the constraint that a write violated. `unique` says what is taken, by the name of the column that holds it; its last entry also
/// stands for a unique constraint that holds none of them. `referred` is what a foreign key did not find.
pub(crate) fn explain(error: sqlx::Error, unique: &[(&str, &'static str)], referred: &'static str) -> Failure {
    let Some(database) = error.as_database_error() else {
        return error.into();
    };
    match database.kind() {
        ErrorKind::UniqueViolation => {
            // PostgreSQL tells the constraint's name; SQLite's message tells the columns. Both hold the column's name.
            let violated = database.constraint().unwrap_or(database.message());
            let taken = unique
                .iter()
                .find(|(column, _)| violated.contains(column))
                .or(unique.last());
            taken.map_or_else(|| error.into(), |(_, what)| StoreError::Conflict { what }.into())
        }
        ErrorKind::ForeignKeyViolation => StoreError::Missing { what: referred }.into(),
        _ => error.into(),
    }
}

/// As [`text`], for a column that may hold none.
pub(crate) fn optional_text<'a>(column: &'static str, value: Option<&'a str>) -> Result<Option<&'a str>, Failure> {
    value.map(|value| text(column, value)).transpose()
}

/// A text that both databases can hold: PostgreSQL has no NUL, so neither store takes one.
pub(crate) fn text<'a>(column: &'static str, text: &'a str) -> Result<&'a str, Failure> {
    if text.contains('\0') {
        return Err(StoreError::Inconsistent {
            what: format!("`{column}` would hold a NUL character"),
        }
        .into());
    }
    Ok(text)
}
