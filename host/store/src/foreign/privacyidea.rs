//! privacyIDEA's database, of its releases from 3.0 on, in `SQLite`, PostgreSQL or `MySQL`: one transaction that only reads, so that all of it is of one moment.

mod place;
mod row;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyway_core::port::{
    PrivacyideaCounts, PrivacyideaDatabase, PrivacyideaPolicy, PrivacyideaRealm, PrivacyideaResolver, PrivacyideaToken,
    StoreError,
};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, SqliteConnection};
use tokio::sync::Mutex;

use crate::failure::{Failure, during};
use crate::open::OpenError;
use place::Place;
use row::{
    ConditionRow, ConfigRow, InfoRow, MemberRow, OwnerRow, PolicyRow, RealmRow, ResolverRow, SettingRow, TokenRow,
};

/// What is read, table by table.
const NEEDED: [&str; 9] = [
    "config",
    "policy",
    "realm",
    "resolver",
    "resolverconfig",
    "resolverrealm",
    "token",
    "tokeninfo",
    "tokenowner",
];

/// What is read where a release has it.
const OPTIONAL: [&str; 2] = ["policycondition", "usercache"];

// Columns are read by their names, those that older releases lack left out: their names are no words that all three databases take without quotes.
const CONFIG: &str = "SELECT * FROM config";
const RESOLVERS: &str = "SELECT id, name, rtype FROM resolver ORDER BY name";
const RESOLVER_SETTINGS: &str = "SELECT * FROM resolverconfig ORDER BY resolver_id, id";
const REALMS: &str = "SELECT * FROM realm ORDER BY name";
const MEMBERS: &str = "SELECT m.*, r.name AS resolver FROM resolverrealm m JOIN resolver r ON r.id = m.resolver_id ORDER BY m.realm_id, m.id";
const POLICIES: &str = "SELECT * FROM policy ORDER BY name";
const CONDITIONS: &str = "SELECT * FROM policycondition ORDER BY policy_id, id";

/// Opens privacyIDEA's database to be read. `url` may be written as privacyIDEA's own configuration has it.
///
/// # Errors
/// [`OpenError`]; [`OpenError::NotPrivacyidea`] for a database that is none of privacyIDEA's.
pub async fn open_privacyidea(url: &str, timeout: Duration) -> Result<Arc<dyn PrivacyideaDatabase>, OpenError> {
    let place = Place::parse(url)?;
    let shown = place.to_string();
    let refused = |source| OpenError::connect(&shown, source);
    let opened = tokio::time::timeout(timeout, Opened::begin(place)).await;
    let opened = opened.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())));
    let mut opened = opened.map_err(refused)?;
    let tables: HashSet<String> = opened.tables().await.map_err(refused)?.into_iter().collect();
    if let Some(missing) = NEEDED.iter().find(|table| !tables.contains(**table)) {
        return Err(OpenError::NotPrivacyidea {
            place: shown,
            missing: (*missing).to_owned(),
        });
    }
    let optional = OPTIONAL.into_iter().filter(|table| tables.contains(*table));
    Ok(Arc::new(Privacyidea {
        optional: optional.collect(),
        opened: Mutex::new(opened),
    }))
}

struct Privacyidea {
    optional: HashSet<&'static str>,
    opened: Mutex<Opened>,
}

/// A connection with a transaction under way.
enum Opened {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

/// The same work on a connection of each driver's.
macro_rules! on {
    ($opened:expr, $connection:ident => $work:expr) => {
        match $opened {
            Opened::Sqlite($connection) => $work,
            Opened::Postgres($connection) => $work,
            Opened::MySql($connection) => $work,
        }
    };
}

/// All rows of a statement that holds no value of anybody's but numbers.
macro_rules! rows {
    ($self:expr, $row:ty, $statement:expr) => {{
        let statement: String = $statement.into();
        let mut opened = $self.opened.lock().await;
        let rows: Result<Vec<$row>, sqlx::Error> = on!(&mut *opened, connection => {
            sqlx::query_as::<_, $row>(AssertSqlSafe(statement)).fetch_all(connection).await
        });
        rows.map_err(Failure::from)
    }};
}

impl Opened {
    async fn begin(place: Place) -> Result<Self, sqlx::Error> {
        match place {
            Place::Sqlite(options) => {
                let mut connection = SqliteConnection::connect_with(&options).await?;
                sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
                Ok(Self::Sqlite(connection))
            }
            Place::Postgres(options) => {
                let mut connection = PgConnection::connect_with(&options).await?;
                let begin = sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
                begin.execute(&mut connection).await?;
                Ok(Self::Postgres(connection))
            }
            Place::MySql(options) => {
                let mut connection = MySqlConnection::connect_with(&options).await?;
                let level = sqlx::raw_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
                level.execute(&mut connection).await?;
                let begin = sqlx::raw_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
                begin.execute(&mut connection).await?;
                Ok(Self::MySql(connection))
            }
        }
    }

    async fn tables(&mut self) -> Result<Vec<String>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let select = "SELECT name FROM sqlite_master WHERE type = 'table'";
                sqlx::query_scalar(select).fetch_all(connection).await
            }
            Self::Postgres(connection) => {
                let select = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = ANY(current_schemas(false))";
                sqlx::query_scalar(select).fetch_all(connection).await
            }
            Self::MySql(connection) => {
                let select = "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE()";
                sqlx::query_scalar(select).fetch_all(connection).await
            }
        }
    }
}

impl Privacyidea {
    async fn count(&self, table: &str) -> Result<u64, Failure> {
        let statement = format!("SELECT count(*) FROM {table}");
        let mut opened = self.opened.lock().await;
        let count: i64 = on!(&mut *opened, connection => {
            sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(connection).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn read_tokens(&self, after: i64, limit: u32) -> Result<Vec<PrivacyideaToken>, Failure> {
        let page = format!("SELECT * FROM token WHERE id > {after} ORDER BY id LIMIT {limit}");
        let rows = rows!(self, TokenRow, page)?;
        let Some(last) = rows.last().map(|row| row.id) else {
            return Ok(Vec::new());
        };
        let span = format!("token_id > {after} AND token_id <= {last}");
        let infos = rows!(
            self,
            InfoRow,
            format!("SELECT * FROM tokeninfo WHERE {span} ORDER BY token_id, id")
        )?;
        let login = if self.optional.contains("usercache") {
            "(SELECT max(u.username) FROM usercache u WHERE u.resolver = o.resolver AND u.user_id = o.user_id)"
        } else {
            "NULL"
        };
        let owners = format!(
            "SELECT o.token_id, o.resolver, o.user_id, r.name AS realm, {login} AS login \
             FROM tokenowner o LEFT JOIN realm r ON r.id = o.realm_id WHERE {span} ORDER BY o.token_id, o.id"
        );
        let owners = rows!(self, OwnerRow, owners)?;
        let mut infos = grouped(infos, |info| info.token_id);
        let mut owners = grouped(owners, |owner| owner.token_id);
        let tokens = rows.into_iter().map(|row| {
            let infos = infos.remove(&Some(row.id)).unwrap_or_default();
            let owners = owners.remove(&Some(row.id)).unwrap_or_default();
            row.with(infos, owners)
        });
        Ok(tokens.collect())
    }
}

/// Rows by what they belong to, in their order.
fn grouped<R>(rows: Vec<R>, of: impl Fn(&R) -> Option<i32>) -> HashMap<Option<i32>, Vec<R>> {
    let mut groups: HashMap<Option<i32>, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(of(&row)).or_default().push(row);
    }
    groups
}

#[async_trait]
impl PrivacyideaDatabase for Privacyidea {
    async fn counts(&self) -> Result<PrivacyideaCounts, StoreError> {
        let counted = async {
            Ok(PrivacyideaCounts {
                resolvers: self.count("resolver").await?,
                realms: self.count("realm").await?,
                tokens: self.count("token").await?,
                policies: self.count("policy").await?,
            })
        };
        during("count rows", counted).await
    }

    async fn resolvers(&self) -> Result<Vec<PrivacyideaResolver>, StoreError> {
        let read = async {
            let settings = rows!(self, ConfigRow, RESOLVER_SETTINGS)?;
            let mut settings = grouped(settings, |setting| setting.resolver_id);
            let resolvers = rows!(self, ResolverRow, RESOLVERS)?;
            let resolvers = resolvers.into_iter().map(|row| {
                let settings = settings.remove(&Some(row.id)).unwrap_or_default();
                row.with(settings)
            });
            Ok(resolvers.collect())
        };
        during("read resolvers", read).await
    }

    async fn realms(&self) -> Result<Vec<PrivacyideaRealm>, StoreError> {
        let read = async {
            let mut members = grouped(rows!(self, MemberRow, MEMBERS)?, |member| member.realm_id);
            let realms = rows!(self, RealmRow, REALMS)?.into_iter().map(|row| {
                let members = members.remove(&Some(row.id)).unwrap_or_default();
                row.with(members)
            });
            Ok(realms.collect())
        };
        during("read realms", read).await
    }

    async fn policies(&self) -> Result<Vec<PrivacyideaPolicy>, StoreError> {
        let read = async {
            let conditions = if self.optional.contains("policycondition") {
                rows!(self, ConditionRow, CONDITIONS)?
            } else {
                Vec::new()
            };
            let mut conditions = grouped(conditions, |condition| condition.policy_id);
            let policies = rows!(self, PolicyRow, POLICIES)?.into_iter().map(|row| {
                let conditions = conditions.remove(&Some(row.id)).unwrap_or_default();
                row.with(conditions)
            });
            Ok(policies.collect())
        };
        during("read policies", read).await
    }

    async fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        let read = async { rows!(self, SettingRow, CONFIG) };
        let rows = during("read settings", read).await?;
        Ok(rows.into_iter().filter_map(SettingRow::into_open).collect())
    }

    async fn tokens(&self, after: i64, limit: u32) -> Result<Vec<PrivacyideaToken>, StoreError> {
        during("read tokens", self.read_tokens(after, limit)).await
    }
}
