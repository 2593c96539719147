//! Users, their verifiers, and the identities of backends' own subjects. Compiled once per driver.
//!
//! Each function that writes wants to be called inside a transaction.

use keyway_core::Secret;
use keyway_core::model::{
    BackendName, IdentityId, Paged, Purpose, Query, TenantId, Timestamp, User, UserId, login_key,
};
use keyway_core::port::{NewUser, Revoked, StoredVerifier, UserFilter, UserOrder};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::list::{count, push_equal, push_order, push_scope, push_search, push_slice};
use super::revocation::{self, Whole};
use super::token::BY_USER;
use super::{Connection, Database, LOCKS_ROWS};
use crate::failure::{Failure, explain, optional_text, text};
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

pub(super) async fn add_user(connection: &mut Connection, new: &NewUser) -> Result<(), Failure> {
    let user = &new.user;
    let login = optional_text("directory_user.login", user.login.as_deref())?;
    let firstname = optional_text("directory_user.firstname", user.firstname.as_deref())?;
    let lastname = optional_text("directory_user.lastname", user.lastname.as_deref())?;
    sqlx::query(
        "INSERT INTO directory_user (id, tenant, login, login_key, firstname, firstname_key, lastname, lastname_key, purpose, \
         authentication_method, search_key, enabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(user.id.0)
    .bind(user.tenant.0)
    .bind(login)
    .bind(login_key(login.unwrap_or_default()))
    .bind(firstname)
    .bind(login_key(firstname.unwrap_or_default()))
    .bind(lastname)
    .bind(login_key(lastname.unwrap_or_default()))
    .bind(user.purpose.as_str())
    .bind(user.authentication_method.as_str())
    .bind(search_key(user))
    .bind(user.enabled)
    .bind(user.created_at.0)
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, &[("login_key", "login")], "tenant"))?;
    for (position, email) in (0_i32..).zip(&user.emails) {
        sqlx::query(
            "INSERT INTO user_email (id, tenant, address_key, address, directory_user, position, main, confirmed) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(email.id.0)
        .bind(user.tenant.0)
        .bind(login_key(text("user_email.address", &email.address)?))
        .bind(&email.address)
        .bind(user.id.0)
        .bind(position)
        .bind(email.main)
        .bind(email.confirmed)
        .execute(&mut *connection)
        .await
        .map_err(|error| explain(error, &[("address_key", "email")], "tenant"))?;
    }
    sqlx::query(
        "INSERT INTO group_member (directory_group, directory_user) \
         SELECT g.id, u.id FROM directory_group g JOIN directory_user u ON u.tenant = g.tenant WHERE u.id = $1 AND g.system",
    )
    .bind(user.id.0)
    .execute(&mut *connection)
    .await?;
    if let Some(verifier) = &new.verifier {
        write_verifier(connection, user.id, verifier, user.created_at).await?;
    }
    Ok(())
}

/// What a search for users looks at.
fn search_key(user: &User) -> String {
    let addresses = user.emails.iter().map(|email| &email.address);
    let texts = user
        .login
        .iter()
        .chain(&user.firstname)
        .chain(&user.lastname)
        .chain(addresses);
    let keys: Vec<_> = texts.map(|text| login_key(text)).collect();
    keys.join("\n")
}

async fn write_verifier(
    connection: &mut Connection,
    id: UserId,
    verifier: &StoredVerifier,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO user_password (directory_user, verifier, set_at) VALUES ($1, $2, $3) \
         ON CONFLICT (directory_user) DO UPDATE SET verifier = excluded.verifier, set_at = excluded.set_at",
    )
    .bind(id.0)
    .bind(text("user_password.verifier", verifier.expose())?)
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
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
        None => users_where!("login_key = $1 AND $2 IS NULL ORDER BY id LIMIT 2"),
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
             ORDER BY id LIMIT 2"
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
    Ok(users(rows)?)
}

pub(super) async fn list_users(
    connection: &mut Connection,
    query: &Query<UserFilter, UserOrder>,
) -> Result<Paged<User>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM directory_user u WHERE ");
    push_scope(&mut total, "u.tenant", query.scope);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM directory_user u WHERE ");
    push_conditions(&mut filtered, query);
    let order = match query.order {
        UserOrder::Login => "u.login_key",
        UserOrder::Firstname => "u.firstname_key",
        UserOrder::Lastname => "u.lastname_key",
    };
    // The slice is taken of users, and their addresses are joined to it, so that each user counts once.
    let mut items = QueryBuilder::new(
        "SELECT u.id, u.tenant, u.login, u.firstname, u.lastname, u.purpose, u.authentication_method, u.enabled, u.created_at, \
         e.id AS email, e.address, e.main, e.confirmed FROM (SELECT * FROM directory_user u WHERE ",
    );
    push_conditions(&mut items, query);
    push_slice(&mut items, order, "u.id", query.direction, query.page);
    items.push(") u LEFT JOIN user_email e ON e.directory_user = u.id");
    push_order(&mut items, order, "u.id", query.direction);
    items.push(", e.position");
    let total = count(connection, total).await?;
    let is_narrowed = query.filter != UserFilter::default() || query.search.is_some();
    let filtered = if is_narrowed {
        count(connection, filtered).await?
    } else {
        total
    };
    let rows: Vec<UserRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: users(rows)?,
        total,
        filtered,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<UserFilter, UserOrder>) {
    push_scope(builder, "u.tenant", query.scope);
    push_search(builder, &["u.search_key"], query.search.as_deref());
    let filter = &query.filter;
    if let Some(id) = filter.id {
        builder.push(" AND u.id = ").push_bind(id.0);
    }
    push_equal(builder, "u.login", filter.login.as_deref());
    push_equal(builder, "u.firstname", filter.firstname.as_deref());
    push_equal(builder, "u.lastname", filter.lastname.as_deref());
    push_equal(builder, "u.purpose", filter.purpose.map(Purpose::as_str));
    if let Some(address) = &filter.email {
        builder.push(" AND u.id IN (SELECT directory_user FROM user_email WHERE 1 = 1");
        push_equal(builder, "address", Some(address));
        builder.push(")");
    }
    if let Some(group) = filter.group {
        builder
            .push(" AND u.id IN (SELECT directory_user FROM group_member WHERE directory_group = ")
            .push_bind(group.0)
            .push(")");
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

/// Users who have a policy, directly or through a group; a condition on `p` is to follow.
const HAS_POLICY: &str = " AND u.id IN (SELECT h.holder FROM (SELECT identity AS holder, policy FROM policy_attachment \
    UNION SELECT m.directory_user, g.policy FROM group_member m JOIN group_policy g ON g.directory_group = m.directory_group) h \
    JOIN policy p ON p.id = h.policy WHERE ";

pub(super) async fn remove_user(connection: &mut Connection, id: UserId) -> Result<Option<Revoked>, Failure> {
    if !lock_user(connection, id).await? {
        return Ok(None);
    }
    let revoked = BY_USER.end(connection, id.0).await?;
    sqlx::query("DELETE FROM policy_attachment WHERE identity = $1")
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM directory_user WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(Some(revoked))
}

/// Whether there is such a user. From here on no session of the user can be opened until the transaction ends.
async fn lock_user(connection: &mut Connection, id: UserId) -> Result<bool, Failure> {
    let select = if LOCKS_ROWS {
        "SELECT id FROM directory_user WHERE id = $1 FOR UPDATE"
    } else {
        "SELECT id FROM directory_user WHERE id = $1"
    };
    Ok(sqlx::query(select)
        .bind(id.0)
        .fetch_optional(connection)
        .await?
        .is_some())
}

pub(super) async fn find_verifier(connection: &mut Connection, id: UserId) -> Result<Option<StoredVerifier>, Failure> {
    let verifier: Option<String> = sqlx::query_scalar("SELECT verifier FROM user_password WHERE directory_user = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    Ok(verifier.map(Secret::new))
}

pub(super) async fn set_verifier(
    connection: &mut Connection,
    id: UserId,
    verifier: &StoredVerifier,
    at: Timestamp,
) -> Result<Option<Revoked>, Failure> {
    if !lock_user(connection, id).await? {
        return Ok(None);
    }
    write_verifier(connection, id, verifier, at).await?;
    let revoked = BY_USER.end(connection, id.0).await?;
    revocation::note(connection, Whole::Identity(id.into()), at).await?;
    Ok(Some(revoked))
}

pub(super) async fn renew_verifier(
    connection: &mut Connection,
    id: UserId,
    current: &StoredVerifier,
    renewed: &StoredVerifier,
) -> Result<bool, Failure> {
    let updated = sqlx::query("UPDATE user_password SET verifier = $3 WHERE directory_user = $1 AND verifier = $2")
        .bind(id.0)
        .bind(text("user_password.verifier", current.expose())?)
        .bind(text("user_password.verifier", renewed.expose())?)
        .execute(connection)
        .await?;
    Ok(updated.rows_affected() == 1)
}

pub(super) async fn find_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
) -> Result<Option<IdentityId>, Failure> {
    let id: Option<Uuid> = sqlx::query_scalar("SELECT id FROM identity WHERE backend = $1 AND subject = $2")
        .bind(backend.as_str())
        .bind(text("identity.subject", subject)?)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(IdentityId))
}

/// Adds an identity; returns the one that is there, whoever added it.
pub(super) async fn add_identity(
    connection: &mut Connection,
    backend: &BackendName,
    subject: &str,
    fresh: IdentityId,
    at: Timestamp,
) -> Result<IdentityId, Failure> {
    let id: Uuid = sqlx::query_scalar(
        "INSERT INTO identity (id, backend, subject, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (backend, subject) DO UPDATE SET subject = excluded.subject RETURNING id",
    )
    .bind(fresh.0)
    .bind(backend.as_str())
    .bind(text("identity.subject", subject)?)
    .bind(at.0)
    .fetch_one(connection)
    .await?;
    Ok(IdentityId(id))
}
