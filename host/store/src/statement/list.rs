//! What all lists have in common: whose rows, a search, an order and a slice. Compiled once per driver.

use keyway_core::model::{Direction, Page, TenantScope, login_key};
use sqlx::QueryBuilder;

use super::{Connection, Database, POSITION};
use crate::failure::Failure;

/// The bytes of the longest text that a search looks at: a client's id, or a policy's description.
const LONGEST_TEXT: usize = 4096;

/// A condition that holds for the rows of these tenants. `column` is where a row names its tenant.
pub(super) fn push_scope(builder: &mut QueryBuilder<Database>, column: &'static str, scope: TenantScope) {
    match scope {
        TenantScope::All => {
            builder.push("1 = 1");
        }
        TenantScope::Only(tenant) => {
            builder.push(column).push(" = ").push_bind(tenant.0);
        }
        TenantScope::Subtree(top) => {
            builder
                .push(column)
                .push(" IN (WITH RECURSIVE below(id) AS (SELECT id FROM tenant WHERE id = ")
                .push_bind(top.0)
                .push(" UNION SELECT t.id FROM tenant t JOIN below b ON t.parent = b.id) SELECT id FROM below)");
        }
    }
}

/// A further condition: one of the columns, which hold lower-case keys, contains the text.
pub(super) fn push_search(builder: &mut QueryBuilder<Database>, columns: &[&'static str], text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return;
    };
    // Nothing is that long. To look for it all the same takes time, and SQLite takes no pattern of more than 50,000 bytes.
    if text.len() > LONGEST_TEXT {
        builder.push(" AND 1 = 0");
        return;
    }
    let pattern = format!("%{}%", escaped(&login_key(text)));
    builder.push(" AND (");
    for (position, column) in columns.iter().enumerate() {
        builder.push(if position == 0 { "" } else { " OR " });
        builder.push(*column).push(" LIKE ").push_bind(pattern.clone());
        builder.push(" ESCAPE '\\'");
    }
    builder.push(")");
}

/// As [`push_search`] in one column, for where all rows are read: no index knows of it, and it costs each row less.
pub(super) fn push_contains(builder: &mut QueryBuilder<Database>, column: &'static str, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return;
    };
    if text.len() > LONGEST_TEXT {
        builder.push(" AND 1 = 0");
        return;
    }
    builder.push(" AND ").push(POSITION).push("(").push(column).push(", ");
    builder.push_bind(findable(&login_key(text))).push(") > 0");
}

/// A further condition: the column, which holds lower-case keys, fits the pattern, in which `*` stands for any text.
pub(super) fn push_pattern(builder: &mut QueryBuilder<Database>, column: &str, pattern: Option<&str>) {
    let Some(pattern) = pattern else {
        return;
    };
    let key = login_key(pattern);
    if !key.contains('*') {
        builder.push(" AND ").push(column).push(" = ").push_bind(findable(&key));
        return;
    }
    let mut like = String::with_capacity(key.len());
    for part in key.split_inclusive('*') {
        like.push_str(&escaped(part.trim_end_matches('*')));
        // Stars that follow each other say no more than one.
        if part.ends_with('*') && (part.len() > 1 || like.is_empty()) {
            like.push('%');
        }
    }
    if like.len() > LONGEST_TEXT {
        builder.push(" AND 1 = 0");
    } else if like != "%" {
        builder.push(" AND ").push(column).push(" LIKE ").push_bind(like);
        builder.push(" ESCAPE '\\'");
    }
}

/// A further condition: the column has this value, if one is wanted.
pub(super) fn push_equal(builder: &mut QueryBuilder<Database>, column: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        builder
            .push(" AND ")
            .push(column)
            .push(" = ")
            .push_bind(findable(value));
    }
}

/// As [`push_equal`], for a column whose lower-case key is the one with an index.
pub(super) fn push_exact(
    builder: &mut QueryBuilder<Database>,
    column: &'static str,
    key: &'static str,
    value: Option<&str>,
) {
    push_equal(builder, key, value.map(login_key).as_deref());
    push_equal(builder, column, value);
}

/// The order and the slice. Rows that compare equal come in the order of their ids.
pub(super) fn push_slice(
    builder: &mut QueryBuilder<Database>,
    order: &'static str,
    id: &'static str,
    direction: Direction,
    page: Page,
) {
    push_order(builder, order, id, direction);
    builder.push(" LIMIT ").push_bind(i64::from(page.limit));
    builder.push(" OFFSET ").push_bind(i64::from(page.offset));
}

/// The order alone.
pub(super) fn push_order(
    builder: &mut QueryBuilder<Database>,
    order: &'static str,
    id: &'static str,
    direction: Direction,
) {
    let direction = match direction {
        Direction::Ascending => "",
        Direction::Descending => " DESC",
    };
    builder.push(" ORDER BY ").push(order).push(direction);
    if order != id {
        builder.push(", ").push(id).push(direction);
    }
}

/// How many rows there are. The builder holds a `SELECT count(*)`.
pub(super) async fn count(connection: &mut Connection, mut builder: QueryBuilder<Database>) -> Result<u64, Failure> {
    let count: i64 = builder.build_query_scalar().fetch_one(connection).await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    findable(&escaped)
}

/// PostgreSQL takes no NUL in a text, and no stored text holds one: what stands in its place is seldom stored, and never by accident.
pub(super) fn findable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
