//! From a URL to a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyway_core::port::{Random, Store};
use sqlx::migrate::MigrateError;

use crate::postgres::PostgresStore;
use crate::sqlite::SqliteStore;

/// How much a store may hold at once, and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// How many connections read at once from `SQLite`.
    pub read_connections: u32,
    /// How many connections to `PostgreSQL` there may be; one more listens for changes.
    pub connections: u32,
    /// How many writes may wait for `SQLite`. One more is [`keyway_core::port::StoreError::Unavailable`].
    pub write_queue: usize,
    /// How many writes at the most share one transaction, and so one sync to disk, in `SQLite`.
    pub write_batch: usize,
    /// How long to wait for a connection, or for another process that writes to the same `SQLite` file.
    pub acquire_timeout: Duration,
    /// How long one call may take on `PostgreSQL`, waiting for a connection included.
    pub call_timeout: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            read_connections: 4,
            connections: 16,
            write_queue: 4096,
            write_batch: 256,
            acquire_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(10),
        }
    }
}

/// Why a store was not opened. No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no store.
    #[error("the store's url {0}; write `sqlite:FILE` or `postgres://USER@HOST/DATABASE`")]
    Url(&'static str),
    /// The URL names no database that could be brought in.
    #[error("the url of the database to be brought in {0}; write `postgres://USER@HOST/DATABASE`")]
    ForeignUrl(&'static str),
    /// The URL names no database of privacyIDEA's that could be brought in.
    #[error(
        "the url of the database to be brought in {0}; write `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `mysql://USER@HOST/DATABASE`"
    )]
    PrivacyideaUrl(&'static str),
    /// The database file cannot be made or opened.
    #[error("cannot open the database file `{}`; its folder must exist and be writable", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database does not let us in.
    #[error("cannot connect to {place}; check that it runs and accepts this user")]
    Connect {
        /// Which, without the password.
        place: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database was last written by a newer version.
    #[error("{place} was written by a newer version of keyway; run that version, or restore a backup")]
    Newer {
        /// Which, without the password.
        place: String,
    },
    /// The database is not of the system that it should be of.
    #[error(
        "{place} is no database of wazo-auth 25.14 or later that this user may read: it lacks `{missing}`; \
         check its name and user, or upgrade wazo-auth first"
    )]
    Foreign {
        /// Which, without the password.
        place: String,
        /// Which table and column it lacks.
        missing: String,
    },
    /// The database is none of privacyIDEA's.
    #[error(
        "{place} is no database of privacyIDEA 3.0 or later that this user may read: it lacks the table `{missing}`; \
         check its name and user, or upgrade privacyIDEA first"
    )]
    NotPrivacyidea {
        /// Which, without the password.
        place: String,
        /// Which table it lacks.
        missing: String,
    },
    /// The schema cannot be brought up to date.
    #[error("cannot bring the tables of {place} up to date; nothing was changed by the step that failed")]
    Migrate {
        /// Which, without the password.
        place: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    pub(crate) fn connect(place: &str, source: sqlx::Error) -> Self {
        Self::Connect {
            place: place.to_owned(),
            source: source.into(),
        }
    }

    pub(crate) fn migrate(place: &str, source: MigrateError) -> Self {
        let place = place.to_owned();
        match source {
            MigrateError::VersionMissing(_) => Self::Newer { place },
            source => Self::Migrate {
                place,
                source: source.into(),
            },
        }
    }
}

/// Opens the store that the URL names, `sqlite:FILE` or `postgres://USER@HOST/DATABASE`, makes its tables or brings them up to date, and
/// makes the top tenant where there is none. A database file is made readable for its owner only.
///
/// # Errors
/// [`OpenError`].
pub async fn open(url: &str, settings: StoreSettings, random: &dyn Random) -> Result<Arc<dyn Store>, OpenError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Arc::new(PostgresStore::open(url, settings, random).await?));
    }
    let path = url
        .strip_prefix("sqlite:")
        .ok_or(OpenError::Url("names no kind of store that there is"))?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) {
        return Err(OpenError::Url("names no database file"));
    }
    Ok(Arc::new(SqliteStore::open(Path::new(path), settings, random).await?))
}
