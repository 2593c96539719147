//! A database of PostgreSQL's.

use async_trait::async_trait;
use keyway_core::port::{NamedDatabaseError, NamedDatabaseSpec, NamedRow};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArgumentBuffer, PgArguments, PgColumn, PgConnectOptions, PgPool, PgRow, PgTypeInfo, PgTypeKind,
};
use sqlx::types::Uuid;
use sqlx::{
    Arguments as _, Column as _, Either, Encode, Executor as _, Postgres, Row as _, SqlSafeStr as _, Statement as _,
    Type, TypeInfo as _, ValueRef as _,
};
use tokio::sync::OnceCell;

use super::{Answer, Held, Reader, begin, failed, pool, refused, roll_back, take};

/// The code for a text that is none of the type that it should be of.
const NO_SUCH_TEXT: &str = "22P02";
/// The code for a type that a text cannot stand for.
const NO_SUCH_TYPE: &str = "42804";

/// A database of PostgreSQL's.
pub(super) struct PostgresReader {
    options: PgConnectOptions,
    spec: NamedDatabaseSpec,
    pool: OnceCell<PgPool>,
}

impl PostgresReader {
    pub(super) fn new(options: PgConnectOptions, spec: &NamedDatabaseSpec) -> Self {
        Self {
            options,
            spec: spec.clone(),
            pool: OnceCell::new(),
        }
    }
}

#[async_trait]
impl Reader for PostgresReader {
    async fn read(
        &self,
        statement: &str,
        parameters: &[String],
        answer: &mut Answer,
    ) -> Result<(), NamedDatabaseError> {
        let open = async || pool(&self.spec).connect_lazy_with(self.options.clone());
        let mut held = Held::from(self.pool.get_or_init(open).await).await?;
        // The server ends the statement, too, if nobody waits for it any more.
        let timeout = self.spec.timeout.as_millis().max(1);
        let begun = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {timeout}");
        let mut transaction = begin(&mut held.connection, &begun).await?;
        let prepared = transaction.prepare(sqlx::AssertSqlSafe(statement).into_sql_str());
        let prepared = prepared.await.map_err(|error| failed(&error))?;
        let arguments = bind(prepared.parameters(), parameters)?;
        let is_at_end = {
            let rows = prepared.query_with(arguments).fetch(&mut *transaction);
            take(rows, answer, texts).await?
        };
        // Rows that nobody takes would have to be read to their end.
        if is_at_end {
            roll_back(transaction).await?;
            // The one thing that a session keeps, and only a function can have made.
            if statement.contains('(') {
                let unlocked = held.connection.execute("SELECT pg_advisory_unlock_all()").await;
                unlocked.map_err(|error| failed(&error))?;
            }
            held.is_clean = true;
        }
        Ok(())
    }
}

/// Binds texts as what the statement expects in their places.
fn bind(
    expected: Option<Either<&[PgTypeInfo], usize>>,
    parameters: &[String],
) -> Result<PgArguments, NamedDatabaseError> {
    let Some(Either::Left(expected)) = expected else {
        return Err(refused("", "the parameters are not known"));
    };
    if expected.len() != parameters.len() {
        let reason = format!(
            "it has {} parameters, and {} were given",
            expected.len(),
            parameters.len()
        );
        return Err(refused("08P01", &reason));
    }
    let mut arguments = PgArguments::default();
    for (number, (kind, text)) in expected.iter().zip(parameters).enumerate() {
        let bound = bind_one(&mut arguments, kind, text).ok_or_else(|| {
            let reason = format!("parameter {} is no {}", number + 1, kind.name());
            refused(NO_SUCH_TEXT, &reason)
        })?;
        if !bound {
            let (number, kind) = (number + 1, kind.name());
            let reason = format!(
                "parameter {number} is a {kind}, which no text is bound as; cast what it is compared with to text"
            );
            return Err(refused(NO_SUCH_TYPE, &reason));
        }
    }
    Ok(arguments)
}

/// Binds a text as this type; `None` if it is no such text, `false` if there is no text of the type.
fn bind_one(arguments: &mut PgArguments, kind: &PgTypeInfo, text: &str) -> Option<bool> {
    fn add<'q, T>(arguments: &mut PgArguments, value: Option<T>) -> Option<bool>
    where
        T: Encode<'q, Postgres> + Type<Postgres> + 'q,
    {
        arguments.add(value?).ok().map(|()| true)
    }
    match kind.name() {
        "INT2" => add(arguments, text.trim().parse::<i16>().ok()),
        "INT4" => add(arguments, text.trim().parse::<i32>().ok()),
        "INT8" => add(arguments, text.trim().parse::<i64>().ok()),
        "FLOAT4" => add(arguments, text.trim().parse::<f32>().ok()),
        "FLOAT8" => add(arguments, text.trim().parse::<f64>().ok()),
        "BOOL" => add(arguments, boolean(text)),
        "UUID" => add(arguments, Uuid::parse_str(text.trim()).ok()),
        _ if is_text(kind) => add(arguments, Some(TextOf(text.to_owned(), kind.clone()))),
        _ => Some(false),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "on" => Some(true),
        "false" | "f" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Whether values of the type travel as the texts that they are.
fn is_text(kind: &PgTypeInfo) -> bool {
    let plain = ["TEXT", "VARCHAR", "CHAR", "\"CHAR\"", "NAME", "UNKNOWN", "JSON", "XML"];
    match kind.kind() {
        PgTypeKind::Enum(_) => true,
        PgTypeKind::Domain(base) => is_text(base),
        _ => plain.contains(&kind.name()) || kind.name().eq_ignore_ascii_case("citext"),
    }
}

/// A text for a place of some type of texts.
struct TextOf(String, PgTypeInfo);

impl Type<Postgres> for TextOf {
    fn type_info() -> PgTypeInfo {
        <String as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for TextOf {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.1.clone())
    }
}

fn texts(row: &PgRow) -> Result<NamedRow, NamedDatabaseError> {
    row.columns()
        .iter()
        .map(|column| Ok((column.name().to_owned(), text(row, column)?)))
        .collect()
}

fn text(row: &PgRow, column: &PgColumn) -> Result<Option<String>, NamedDatabaseError> {
    let at = column.ordinal();
    let value = row.try_get_raw(at).map_err(|error| failed(&error))?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = column.type_info();
    let converted = match kind.name() {
        "INT2" => row.try_get::<i16, _>(at).map(|value| value.to_string()),
        "INT4" => row.try_get::<i32, _>(at).map(|value| value.to_string()),
        "INT8" => row.try_get::<i64, _>(at).map(|value| value.to_string()),
        "OID" => row
            .try_get::<sqlx::postgres::types::Oid, _>(at)
            .map(|value| value.0.to_string()),
        "FLOAT4" => row.try_get::<f32, _>(at).map(|value| value.to_string()),
        "FLOAT8" => row.try_get::<f64, _>(at).map(|value| value.to_string()),
        "BOOL" => row.try_get::<bool, _>(at).map(|value| value.to_string()),
        "UUID" => row.try_get::<Uuid, _>(at).map(|value| value.to_string()),
        _ if is_text(kind) => value.as_str().map(str::to_owned).map_err(sqlx::Error::Decode),
        kind => {
            let reason = format!("the column `{}` is of the type {kind}; cast it to text", column.name());
            return Err(refused("", &reason));
        }
    };
    converted.map(Some).map_err(|error| failed(&error))
}
