//! From a URL to a database that is there, or might be.

use std::path::Path;

use keyway_core::port::NamedDatabaseSpec;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::SqliteConnectOptions;
use url::{Host, Url};

/// Where a database is.
pub(super) enum Place {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
}

/// How a connection is protected, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Place {
    /// What the specification names. The reason continues "the url".
    pub(super) fn parse(spec: &NamedDatabaseSpec) -> Result<Self, String> {
        if let Some(file) = spec.url.strip_prefix("sqlite:") {
            return sqlite(file, spec).map(Self::Sqlite);
        }
        // The text stays out of every message: somebody may have written a password into it.
        let url = Url::parse(&spec.url).map_err(|_| "cannot be read".to_owned())?;
        let is_mysql = match url.scheme() {
            "postgres" | "postgresql" => false,
            "mysql" | "mariadb" => true,
            _ => return Err("names no kind of database that there is".to_owned()),
        };
        let server = Server::of(&url, spec)?;
        Ok(if is_mysql {
            Self::MySql(server.mysql(spec))
        } else {
            Self::Postgres(server.postgres(spec))
        })
    }
}

fn sqlite(file: &str, spec: &NamedDatabaseSpec) -> Result<SqliteConnectOptions, String> {
    let file = file.strip_prefix("//").unwrap_or(file);
    if file.is_empty() || file.starts_with(':') || file.contains(['?', '\0']) {
        return Err("names no database file; write `sqlite:FILE`".to_owned());
    }
    if spec.password.is_some() || spec.ca.is_some() {
        return Err("names a file, which has neither a `password` nor a `ca`".to_owned());
    }
    Ok(SqliteConnectOptions::new()
        .filename(Path::new(file))
        .read_only(true)
        .create_if_missing(false)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF")
        .busy_timeout(spec.timeout)
        .disable_statement_logging())
}

/// What a URL says of a server.
struct Server {
    host: String,
    port: Option<u16>,
    user: String,
    password: String,
    database: String,
    protection: Protection,
}

impl Server {
    fn of(url: &Url, spec: &NamedDatabaseSpec) -> Result<Self, String> {
        if url.password().is_some() {
            return Err("holds a password; write `password = { file = \"FILE\" }` beside it".to_owned());
        }
        let (host, is_local) = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() => (name.to_owned(), name == "localhost"),
            Some(Host::Ipv4(address)) => (address.to_string(), address.is_loopback()),
            Some(Host::Ipv6(address)) => (address.to_string(), address.is_loopback()),
            _ => return Err("names no host; write `postgres://USER@HOST/DATABASE`".to_owned()),
        };
        // A URL of a kind that the standard does not know keeps a name as it was written.
        let host = decoded(&host)?;
        // A path is a folder or a socket, on this machine.
        let is_local =
            is_local || host.starts_with('/') || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let (user, database) = (decoded(url.username())?, decoded(url.path().trim_start_matches('/'))?);
        if user.is_empty() || database.is_empty() {
            return Err("names no user or no database; write `postgres://USER@HOST/DATABASE`".to_owned());
        }
        let password = match &spec.password {
            Some(password) => std::str::from_utf8(password.expose())
                .map_err(|_| "has a `password` that is no UTF-8".to_owned())?
                .to_owned(),
            None => String::new(),
        };
        let usual = match (&spec.ca, is_local) {
            (None, true) => Protection::Prefer,
            (Some(_), _) | (None, false) => Protection::VerifyFull,
        };
        Ok(Self {
            host,
            port: url.port(),
            user,
            password,
            database,
            protection: protection(url, usual)?,
        })
    }

    fn postgres(self, spec: &NamedDatabaseSpec) -> PgConnectOptions {
        // What is left out is not taken from the environment, which is about the server's own store.
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port.unwrap_or(5432))
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .application_name("keyway sql")
            .ssl_mode(match self.protection {
                Protection::Disable => PgSslMode::Disable,
                Protection::Prefer => PgSslMode::Prefer,
                Protection::Require => PgSslMode::Require,
                Protection::VerifyCa => PgSslMode::VerifyCa,
                Protection::VerifyFull => PgSslMode::VerifyFull,
            })
            .disable_statement_logging();
        if self.host.starts_with('/') {
            options = options.socket(&self.host);
        }
        match &spec.ca {
            Some(ca) => options.ssl_root_cert_from_pem(ca.expose().clone()),
            None => options,
        }
    }

    fn mysql(self, spec: &NamedDatabaseSpec) -> MySqlConnectOptions {
        let mut options = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port.unwrap_or(3306))
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            // Statements mean what they mean to the database's own client.
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .ssl_mode(match self.protection {
                Protection::Disable => MySqlSslMode::Disabled,
                Protection::Prefer => MySqlSslMode::Preferred,
                Protection::Require => MySqlSslMode::Required,
                Protection::VerifyCa => MySqlSslMode::VerifyCa,
                Protection::VerifyFull => MySqlSslMode::VerifyIdentity,
            })
            .disable_statement_logging();
        if self.host.starts_with('/') {
            options = options.socket(&self.host);
        }
        match &spec.ca {
            Some(ca) => options.ssl_ca_from_pem(ca.expose().clone()),
            None => options,
        }
    }
}

/// The one thing that may follow a `?`.
fn protection(url: &Url, usual: Protection) -> Result<Protection, String> {
    let mut protection = usual;
    for (name, value) in url.query_pairs() {
        if name != "sslmode" {
            return Err(format!(
                "has the parameter `{}`; there is only `sslmode`",
                name.escape_debug()
            ));
        }
        protection = match &*value {
            "disable" => Protection::Disable,
            "prefer" => Protection::Prefer,
            "require" => Protection::Require,
            "verify-ca" => Protection::VerifyCa,
            "verify-full" => Protection::VerifyFull,
            _ => {
                return Err(
                    "has an unknown `sslmode`; write `disable`, `prefer`, `require`, `verify-ca` or `verify-full`"
                        .to_owned(),
                );
            }
        };
    }
    Ok(protection)
}

fn decoded(text: &str) -> Result<String, String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8();
    text.map(String::from).map_err(|_| "is no UTF-8".to_owned())
}
