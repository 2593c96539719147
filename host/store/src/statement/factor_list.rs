//! Second factors, as they are read. Compiled once per driver.

use keyway_core::model::{Direction, Factor, FactorKind, FactorState, IdentityId, Paged, login_key};
use keyway_core::port::{FactorFilter, FactorOrder, FactorQuery, StoreError, StoredFactor};
use sqlx::QueryBuilder;

use super::list::{count, push_equal, push_order, push_pattern};
use super::{Connection, Database};
use crate::failure::Failure;
use crate::row::{FactorRow, StoredFactorRow};

/// The columns of a [`FactorRow`], and perhaps one more.
macro_rules! select_factors {
    ($rest:literal) => {
        select_factors!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT id, serial, kind, algorithm, digits, period, owner, tenant, login, realm, resolver, state, pin, counter, drift, failures, \
             max_failures, otp_window, sync_window, description, attributes, created_at, last_used_at",
            $more,
            " FROM factor WHERE ",
            $rest
        )
    };
}

pub(super) async fn find(connection: &mut Connection, serial: &str) -> Result<Option<StoredFactor>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if serial.contains('\0') {
        return Ok(None);
    }
    let row: Option<StoredFactorRow> = sqlx::query_as(select_factors!(", sealed_seed", "serial_key = $1"))
        .bind(login_key(serial))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(StoredFactor::try_from).transpose()?)
}

pub(super) async fn active(connection: &mut Connection, owner: IdentityId) -> Result<Vec<StoredFactor>, Failure> {
    let rows: Vec<StoredFactorRow> = sqlx::query_as(select_factors!(
        ", sealed_seed",
        "owner = $1 AND state = 'active' ORDER BY serial_key"
    ))
    .bind(owner.0)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(StoredFactor::try_from).collect::<Result<_, _>>()?)
}

/// From one length to the next: each is found in the index, however many factors share it.
const OTP_LENGTHS: &str = "WITH RECURSIVE length(digits) AS (\
    SELECT min(digits) FROM factor WHERE state = 'active' AND owner IS NOT NULL AND kind <> 'recovery' \
    UNION ALL SELECT (SELECT min(f.digits) FROM factor f WHERE f.state = 'active' AND f.owner IS NOT NULL AND f.kind <> 'recovery' AND f.digits > l.digits) \
    FROM length l WHERE l.digits IS NOT NULL) \
    SELECT digits FROM length WHERE digits IS NOT NULL ORDER BY digits";

pub(super) async fn otp_lengths(connection: &mut Connection) -> Result<Vec<u8>, Failure> {
    let lengths: Vec<i32> = sqlx::query_scalar(OTP_LENGTHS).fetch_all(connection).await?;
    let lengths = lengths.into_iter().map(|length| {
        u8::try_from(length).map_err(|_| StoreError::Inconsistent {
            what: format!("`factor.digits` is {length} somewhere"),
        })
    });
    Ok(lengths.collect::<Result<_, _>>()?)
}

pub(super) async fn list(connection: &mut Connection, query: &FactorQuery) -> Result<Paged<Factor>, Failure> {
    let total = count(connection, QueryBuilder::new("SELECT count(*) FROM factor")).await?;
    let filtered = if query.filter == FactorFilter::default() {
        total
    } else {
        let mut filtered = QueryBuilder::new("SELECT count(*) FROM factor WHERE ");
        push_conditions(&mut filtered, &query.filter);
        count(connection, filtered).await?
    };
    let order = match query.order {
        FactorOrder::Serial => "serial_key",
        FactorOrder::Kind => "kind",
        FactorOrder::Login => "login_key",
        FactorOrder::Realm => "realm_key",
        FactorOrder::Description => "description_key",
        FactorOrder::Failures => "failures",
        FactorOrder::CreatedAt => "created_at",
    };
    let direction = if query.descending {
        Direction::Descending
    } else {
        Direction::Ascending
    };
    let mut items = QueryBuilder::new(select_factors!(""));
    push_conditions(&mut items, &query.filter);
    push_order(&mut items, order, "serial_key", direction);
    // A number for "all", because SQLite has no OFFSET without a LIMIT.
    items.push(" LIMIT ").push_bind(query.limit.map_or(i64::MAX, i64::from));
    items.push(" OFFSET ").push_bind(i64::from(query.offset));
    let rows: Vec<FactorRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(Factor::try_from).collect::<Result<_, _>>()?,
        total,
        filtered,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, filter: &FactorFilter) {
    builder.push("1 = 1");
    if let Some(owner) = filter.owner {
        builder.push(" AND owner = ").push_bind(owner.0);
    }
    match filter.assigned {
        Some(true) => {
            builder.push(" AND owner IS NOT NULL");
        }
        Some(false) => {
            builder.push(" AND owner IS NULL");
        }
        None => {}
    }
    push_equal(builder, "kind", filter.kind.map(FactorKind::as_str));
    push_equal(builder, "state", filter.state.map(FactorState::as_str));
    for (column, pattern) in [
        ("serial_key", &filter.serial),
        ("login_key", &filter.login),
        ("realm_key", &filter.realm),
        ("resolver_key", &filter.resolver),
        ("description_key", &filter.description),
    ] {
        push_pattern(builder, column, pattern.as_deref());
    }
}
