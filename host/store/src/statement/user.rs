//! Users, as they are read. Compiled once per driver.

use keyway_core::model::{GroupId, Paged, Purpose, Query, TenantId, User, UserId};
use keyway_core::port::{StoredDigest, UserFilter, UserOrder};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::list::{count, push_contains, push_equal, push_exact, push_order, push_scope, push_search, push_slice};
use super::{Connection, Database};
use crate::failure::Failure;
use crate::row::{UserRow, users};

/// Users with their email addresses, from the users that the condition picks.
macro_rules! users_where {
    ($which:literal) => {
        concat!(
            "SELECT u.id, u.tenant, u.login, u.firstname, u.lastname, u.purpose, u.authentication_method, u.enabled, u.created_at, \
             e.id AS email, e.address, e.main, e.confirmed \
             FROM (SELECT * FROM directory_user WHERE ",
            $which,
            ") u LEFT JOIN user_email e ON e.directory_user = u.id ORDER BY u.login_key, u.id, e.position"
        )
    };
}

pub(super) async fn find_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, Failure> {
    let rows: Vec<UserRow> = sqlx::query_as(users_where!("id = $1"))
        .bind(id.0)
        .fetch_all(connection)
        .await?;
    Ok(users(rows)?.pop())
}

pub(super) async fn find_users_by_login(
    connection: &mut Connection,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    let select = match tenant {
        Some(_) => users_where!("login_key = $1 AND tenant = $2"),
        None => users_where!("login_key = $1 AND $2 IS NULL ORDER BY created_at, id LIMIT 2"),
    };
    find_users_by(connection, select, key, tenant).await
}

pub(super) async fn find_users_by_email(
    connection: &mut Connection,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    let select = match tenant {
        Some(_) => users_where!(
            "id IN (SELECT directory_user FROM user_email WHERE address_key = $1 AND tenant = $2 AND confirmed)"
        ),
        None => users_where!(
            "id IN (SELECT directory_user FROM user_email WHERE address_key = $1 AND $2 IS NULL AND confirmed) \
             ORDER BY created_at, id LIMIT 2"
        ),
    };
    find_users_by(connection, select, key, tenant).await
}

async fn find_users_by(
    connection: &mut Connection,
    select: &'static str,
    key: &str,
    tenant: Option<TenantId>,
) -> Result<Vec<User>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if key.contains('\0') {
        return Ok(Vec::new());
    }
    let rows: Vec<UserRow> = sqlx::query_as(select)
        .bind(key)
        .bind(tenant.map(|tenant| tenant.0))
        .fetch_all(connection)
        .await?;
    Ok(eldest_first(users(rows)?))
}

/// At most two with this digest, whose password counts; the one who was made first comes first.
pub(super) async fn find_users_by_digest(
    connection: &mut Connection,
    tenant: TenantId,
    digest: &StoredDigest,
) -> Result<Vec<User>, Failure> {
    // As in `verifier.rs`: a tenant's own `default` is `native`.
    let select = users_where!(
        "id IN (SELECT directory_user FROM user_digest WHERE tenant = $1 AND algorithm = $2 AND hash = $3 AND cost = $4) \
         AND (authentication_method = 'native' OR (authentication_method = 'default' AND EXISTS (SELECT 1 FROM tenant t \
         WHERE t.id = directory_user.tenant AND t.authentication_method IN ('native', 'default')))) \
         ORDER BY created_at, id LIMIT 2"
    );
    let rows: Vec<UserRow> = sqlx::query_as(select)
        .bind(tenant.0)
        .bind(digest.algorithm.as_str())
        .bind(digest.hash.expose().as_slice())
        .bind(&digest.cost)
        .fetch_all(connection)
        .await?;
    Ok(eldest_first(users(rows)?))
}

fn eldest_first(mut users: Vec<User>) -> Vec<User> {
    users.sort_by_key(|user| (user.created_at, user.id));
    users
}

pub(super) async fn list_users(
    connection: &mut Connection,
    query: &Query<UserFilter, UserOrder>,
) -> Result<Paged<User>, Failure> {
    let counted = UserFilter {
        group: query.filter.group,
        ..UserFilter::default()
    };
    if query.filter == counted && query.search.is_none() {
        let total = count_users(connection, query).await?;
        let items = select_page(connection, query, &[]).await?;
        return Ok(Paged {
            items,
            total,
            filtered: total,
        });
    }
    let hits = find_hits(connection, query).await?;
    if hits.len() >= HITS {
        let (total, filtered) = count_both(connection, query).await?;
        let items = select_page(connection, query, &[]).await?;
        return Ok(Paged { items, total, filtered });
    }
    let items = match hits.as_slice() {
        [] => Vec::new(),
        hits => select_page(connection, query, hits).await?,
    };
    Ok(Paged {
        items,
        total: count_users(connection, query).await?,
        filtered: u64::try_from(hits.len()).unwrap_or(u64::MAX),
    })
}

/// How many there are, whatever the filter and the search say.
async fn count_users(connection: &mut Connection, query: &Query<UserFilter, UserOrder>) -> Result<u64, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM directory_user u WHERE ");
    push_scope(&mut total, "u.tenant", query.scope);
    push_group(&mut total, query.filter.group);
    count(connection, total).await
}

/// How many there are, and how many of them fit, in one reading.
async fn count_both(connection: &mut Connection, query: &Query<UserFilter, UserOrder>) -> Result<(u64, u64), Failure> {
    let mut counts = QueryBuilder::new("SELECT count(*), count(*) FILTER (WHERE 1 = 1");
    push_contains(&mut counts, "u.search_key", query.search.as_deref());
    push_filter(&mut counts, &query.filter);
    counts.push(") FROM directory_user u WHERE ");
    push_scope(&mut counts, "u.tenant", query.scope);
    push_group(&mut counts, query.filter.group);
    let (total, filtered): (i64, i64) = counts.build_query_as().fetch_one(connection).await?;
    Ok((u64::try_from(total).unwrap_or(0), u64::try_from(filtered).unwrap_or(0)))
}

/// From how many hits on a search is not carried out through their ids.
const HITS: usize = 250;

/// The ids of those who fit, up to [`HITS`] of them. A search may have to read all users: where few fit, this one reading is enough, and where many
/// do, the page's rows are found soon in its order.
async fn find_hits(connection: &mut Connection, query: &Query<UserFilter, UserOrder>) -> Result<Vec<Uuid>, Failure> {
    let mut select = QueryBuilder::new("SELECT u.id FROM directory_user u WHERE ");
    push_conditions(&mut select, query);
    select
        .push(" LIMIT ")
        .push_bind(i64::try_from(HITS).unwrap_or(i64::MAX));
    Ok(select.build_query_scalar().fetch_all(connection).await?)
}

/// The page, of these users or, where there are none, of those who fit.
async fn select_page(
    connection: &mut Connection,
    query: &Query<UserFilter, UserOrder>,
    hits: &[Uuid],
) -> Result<Vec<User>, Failure> {
    let order = match query.order {
        UserOrder::Login => "u.login_key",
        UserOrder::Firstname => "u.firstname_key",
        UserOrder::Lastname => "u.lastname_key",
    };
    // The slice is taken of users, and their addresses are joined to it, so that each user counts once. It is taken of their ids, which an
    // index in the wanted order holds, so that no rows are read to be skipped.
    let mut items = QueryBuilder::new(
        "SELECT u.id, u.tenant, u.login, u.firstname, u.lastname, u.purpose, u.authentication_method, u.enabled, u.created_at, \
         e.id AS email, e.address, e.main, e.confirmed FROM directory_user u LEFT JOIN user_email e ON e.directory_user = u.id \
         WHERE u.id IN (SELECT u.id FROM directory_user u WHERE ",
    );
    if hits.is_empty() {
        push_conditions(&mut items, query);
    } else {
        items.push("u.id IN (");
        let mut ids = items.separated(", ");
        for hit in hits {
            ids.push_bind(*hit);
        }
        items.push(")");
    }
    push_slice(&mut items, order, "u.id", query.direction, query.page);
    items.push(")");
    push_order(&mut items, order, "u.id", query.direction);
    items.push(", e.position");
    let rows: Vec<UserRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(users(rows)?)
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<UserFilter, UserOrder>) {
    push_scope(builder, "u.tenant", query.scope);
    push_group(builder, query.filter.group);
    push_search(builder, &["u.search_key"], query.search.as_deref());
    push_filter(builder, &query.filter);
}

/// Further conditions: those that make a list shorter without being what it is a list of.
fn push_filter(builder: &mut QueryBuilder<Database>, filter: &UserFilter) {
    if let Some(id) = filter.id {
        builder.push(" AND u.id = ").push_bind(id.0);
    }
    for (column, key, value) in [
        ("u.login", "u.login_key", &filter.login),
        ("u.firstname", "u.firstname_key", &filter.firstname),
        ("u.lastname", "u.lastname_key", &filter.lastname),
    ] {
        push_exact(builder, column, key, value.as_deref());
    }
    push_equal(builder, "u.purpose", filter.purpose.map(Purpose::as_str));
    if let Some(address) = &filter.email {
        builder.push(" AND u.id IN (SELECT directory_user FROM user_email WHERE 1 = 1");
        push_exact(builder, "address", "address_key", Some(address));
        builder.push(")");
    }
    if let Some(policy) = filter.policy {
        builder.push(" AND u.id IN (SELECT identity FROM policy_attachment WHERE policy = ");
        builder.push_bind(policy.0).push(")");
    }
    if let Some(slug) = &filter.policy_slug {
        builder.push(
            " AND u.id IN (SELECT a.identity FROM policy_attachment a JOIN policy p ON p.id = a.policy WHERE 1 = 1",
        );
        push_equal(builder, "p.slug", Some(slug));
        builder.push(")");
    }
    if let Some(policy) = filter.has_policy {
        builder.push(HAS_POLICY).push("p.id = ").push_bind(policy.0).push(")");
    }
    if let Some(slug) = &filter.has_policy_slug {
        builder.push(HAS_POLICY).push("1 = 1");
        push_equal(builder, "p.slug", Some(slug));
        builder.push(")");
    }
}

fn push_group(builder: &mut QueryBuilder<Database>, group: Option<GroupId>) {
    if let Some(group) = group {
        builder
            .push(" AND u.id IN (SELECT directory_user FROM group_member WHERE directory_group = ")
            .push_bind(group.0)
            .push(")");
    }
}

/// Users who have a policy, directly or through a group; a condition on `p` is to follow.
const HAS_POLICY: &str = " AND u.id IN (SELECT h.holder FROM (SELECT identity AS holder, policy FROM policy_attachment \
    UNION SELECT m.directory_user, g.policy FROM group_member m JOIN group_policy g ON g.directory_group = m.directory_group) h \
    JOIN policy p ON p.id = h.policy WHERE ";
