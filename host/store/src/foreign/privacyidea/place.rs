//! Where privacyIDEA's database is. Its own configuration names the driver's library beside the database (`mysql+pymysql://`), and writes a path behind
//! three slashes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::open::OpenError;
use crate::postgres;

/// Where a database is.
pub(super) enum Place {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
}

impl Place {
    /// The reason stays out of messages: it may quote the URL, and somebody may have written a password into it.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| refused("names no database"))?;
        let scheme = scheme.split('+').next().unwrap_or_default().to_ascii_lowercase();
        let plain = |scheme: &str| format!("{scheme}:{}", with_host(rest));
        let unreadable = |_| refused("cannot be read");
        match scheme.as_str() {
            "sqlite" => {
                let path = file(rest).ok_or_else(|| refused("names no database file"))?;
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .read_only(true)
                    .create_if_missing(false);
                Ok(Self::Sqlite(options.disable_statement_logging()))
            }
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(&plain("postgres")).map_err(unreadable)?;
                let options = options.application_name("keyway import");
                Ok(Self::Postgres(options.disable_statement_logging()))
            }
            "mysql" | "mariadb" => {
                // The driver's own word for what another library calls `unix_socket`.
                let url = plain("mysql")
                    .replace("?unix_socket=", "?socket=")
                    .replace("&unix_socket=", "&socket=");
                let options = MySqlConnectOptions::from_str(&url).map_err(unreadable)?;
                Ok(Self::MySql(options.disable_statement_logging()))
            }
            _ => Err(refused("names a kind of database that cannot be read")),
        }
    }
}

fn refused(why: &'static str) -> OpenError {
    OpenError::PrivacyideaUrl(why)
}

/// The host may be left out where a parameter names a socket: `postgresql://user@/name?host=/run/postgresql`.
fn with_host(rest: &str) -> String {
    match (rest.split_once("@/"), rest.strip_prefix("///")) {
        (Some((user, rest)), _) => format!("{user}@localhost/{rest}"),
        (None, Some(rest)) => format!("//localhost/{rest}"),
        (None, None) => rest.to_owned(),
    }
}

/// `sqlite:////folder/file` and `sqlite:/folder/file` are absolute, `sqlite:///file` is what there is of both, `sqlite:file` is relative.
fn file(rest: &str) -> Option<PathBuf> {
    let path = match rest.strip_prefix("///") {
        Some(path) if path.starts_with('/') => path,
        Some(path) if Path::new(path).exists() => path,
        Some(_) | None => rest.strip_prefix("//").unwrap_or(rest),
    };
    let is_file = !path.is_empty() && !path.starts_with(':') && !path.contains(['?', '\0']);
    is_file.then(|| PathBuf::from(path))
}

impl fmt::Display for Place {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(options) => write!(f, "the database file `{}`", options.get_filename().display()),
            Self::Postgres(options) => f.write_str(&postgres::place(options)),
            Self::MySql(options) => write!(
                f,
                "the database `{}` at `{}:{}` as `{}`",
                options.get_database().unwrap_or_default(),
                options.get_host(),
                options.get_port(),
                options.get_username(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_be_written_as_privacyidea_has_it() {
        for (url, place) in [
            ("sqlite:////var/pi.sqlite", "the database file `/var/pi.sqlite`"),
            ("sqlite:/var/pi.sqlite", "the database file `/var/pi.sqlite`"),
            ("sqlite:///nowhere/pi.sqlite", "the database file `/nowhere/pi.sqlite`"),
            ("sqlite:pi.sqlite", "the database file `pi.sqlite`"),
            ("sqlite:///Cargo.toml", "the database file `Cargo.toml`"),
            (
                "postgresql+psycopg2://pi:hidden7@db/pi",
                "the database `pi` at `db:5432` as `pi`",
            ),
            (
                "postgresql+psycopg2://pi:hidden7@/pi",
                "the database `pi` at `localhost:5432` as `pi`",
            ),
            (
                "postgresql:///pi?user=pi",
                "the database `pi` at `localhost:5432` as `pi`",
            ),
            (
                "mysql+pymysql://pi:hidden7@db:3307/pi?charset=utf8",
                "the database `pi` at `db:3307` as `pi`",
            ),
        ] {
            let parsed = Place::parse(url).map(|place| place.to_string());
            assert_eq!(parsed.ok().as_deref(), Some(place), "{url}");
        }
    }

    #[test]
    fn a_url_of_another_kind_is_refused_without_being_repeated() {
        for url in [
            "",
            "pi",
            "sqlite:",
            "sqlite::memory:",
            "oracle://pi:hidden7@db/pi",
            "mysql://pi:hidden7@db:port/pi",
        ] {
            let refused = Place::parse(url).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|refused| !refused.contains("hidden7")), "{url}");
        }
    }
}
