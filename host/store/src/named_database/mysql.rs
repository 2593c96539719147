//! A database of `MySQL`'s or `MariaDB`'s.

use async_trait::async_trait;
use keyway_core::port::{NamedDatabaseError, NamedDatabaseSpec, NamedRow};
use sqlx::mysql::{MySqlArguments, MySqlColumn, MySqlConnectOptions, MySqlPool, MySqlRow};
use sqlx::{Arguments as _, Column as _, Executor as _, MySqlConnection, Row as _, TypeInfo as _, ValueRef as _};
use tokio::sync::OnceCell;

use super::{Answer, Held, Reader, begin, failed, pool, refused, roll_back, take};

/// A database of `MySQL`'s or `MariaDB`'s.
pub(super) struct MySqlReader {
    options: MySqlConnectOptions,
    spec: NamedDatabaseSpec,
    pool: OnceCell<MySqlPool>,
}

impl MySqlReader {
    pub(super) fn new(options: MySqlConnectOptions, spec: &NamedDatabaseSpec) -> Self {
        Self {
            options,
            spec: spec.clone(),
            pool: OnceCell::new(),
        }
    }
}

/// Has the server end a query that nobody waits for any more. `MySQL` counts in milliseconds, `MariaDB` in seconds, and neither knows the other's word.
async fn limit(connection: &mut MySqlConnection, milliseconds: u128) -> Result<(), sqlx::Error> {
    let mysql = format!("SET SESSION max_execution_time = {milliseconds}");
    if connection.execute(sqlx::AssertSqlSafe(mysql)).await.is_err() {
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
        let mariadb = format!("SET SESSION max_statement_time = {seconds}.{rest:03}");
        connection.execute(sqlx::AssertSqlSafe(mariadb)).await?;
    }
    Ok(())
}

/// What a session keeps beyond its transactions: variables, the last number that was made, locks by name. No statement gets at them without these words.
const KEPT: [&str; 3] = ["@", "last_insert_id", "get_lock"];

/// Whether the next query on the connection, for somebody else perhaps, could find something of this one.
fn leaves_something(statement: &str) -> bool {
    let lower = statement.to_ascii_lowercase();
    KEPT.iter().any(|word| lower.contains(word))
}

#[async_trait]
impl Reader for MySqlReader {
    async fn read(
        &self,
        statement: &str,
        parameters: &[String],
        answer: &mut Answer,
    ) -> Result<(), NamedDatabaseError> {
        let timeout = self.spec.timeout.as_millis().max(1);
        let open = async || {
            pool(&self.spec)
                .after_connect(move |connection, _| Box::pin(limit(connection, timeout)))
                .connect_lazy_with(self.options.clone())
        };
        let mut held = Held::from(self.pool.get_or_init(open).await).await?;
        let mut transaction = begin(&mut held.connection, "START TRANSACTION READ ONLY").await?;
        let mut arguments = MySqlArguments::default();
        for parameter in parameters {
            arguments
                .add(parameter.clone())
                .map_err(|_| refused("", "a parameter cannot be bound"))?;
        }
        let is_at_end = {
            let query = sqlx::query_with(sqlx::AssertSqlSafe(statement), arguments);
            let rows = query.fetch(&mut *transaction);
            take(rows, answer, texts).await?
        };
        // Rows that nobody takes would have to be read to their end.
        if is_at_end {
            roll_back(transaction).await?;
            held.is_clean = !leaves_something(statement);
        }
        Ok(())
    }
}

fn texts(row: &MySqlRow) -> Result<NamedRow, NamedDatabaseError> {
    row.columns()
        .iter()
        .map(|column| Ok((column.name().to_owned(), text(row, column)?)))
        .collect()
}

fn text(row: &MySqlRow, column: &MySqlColumn) -> Result<Option<String>, NamedDatabaseError> {
    let at = column.ordinal();
    let value = row.try_get_raw(at).map_err(|error| failed(&error))?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = column.type_info().name();
    let converted = match kind {
        "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" | "BOOLEAN" => {
            row.try_get_unchecked::<i64, _>(at).map(|value| value.to_string())
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED" | "BIGINT UNSIGNED"
        | "YEAR" => row.try_get_unchecked::<u64, _>(at).map(|value| value.to_string()),
        "FLOAT" => row.try_get_unchecked::<f32, _>(at).map(|value| value.to_string()),
        "DOUBLE" => row.try_get_unchecked::<f64, _>(at).map(|value| value.to_string()),
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" | "JSON" | "DECIMAL" => {
            row.try_get_unchecked::<String, _>(at)
        }
        // The driver takes texts that are compared byte by byte for bytes, so what they hold has to tell.
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            let bytes = row.try_get_unchecked::<Vec<u8>, _>(at);
            bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into())))
        }
        kind => {
            let reason = format!("the column `{}` is of the type {kind}; cast it to text", column.name());
            return Err(refused("", &reason));
        }
    };
    converted.map(Some).map_err(|error| failed(&error))
}
