//! Policies, and to whom they are attached: the port and its statements. Compiled once per driver.

use std::collections::HashMap;

use async_trait::async_trait;
use keyway_core::model::{
    IdentityId, Paged, Policy, PolicyId, Query, TenantId, TenantScope, Timestamp, UserId, login_key,
};
use keyway_core::port::{PolicyFilter, PolicyOrder, PolicyStore, RevokeTarget, Revoked, StoreError};
use sqlx::QueryBuilder;

use super::list::{count, push_equal, push_scope, push_search, push_slice};
use super::{Connection, Database, DriverStore, token};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{PolicyRow, access_list, to_json};

const UNIQUE: &[(&str, &str)] = &[("slug_key", "policy slug"), ("name_key", "policy name")];

/// `$1` and the tenants above it.
const ABOVE: &str = "(WITH RECURSIVE above(id, parent) AS (SELECT id, parent FROM tenant WHERE id = $1 \
    UNION SELECT t.id, t.parent FROM tenant t JOIN above a ON t.id = a.parent) SELECT id FROM above)";

/// `$1` and the tenants below it.
const BELOW: &str = "(WITH RECURSIVE below(id) AS (SELECT id FROM tenant WHERE id = $1 \
    UNION SELECT t.id FROM tenant t JOIN below b ON t.parent = b.id) SELECT id FROM below)";

/// How many users one statement asks for, three times each: SQLite takes some 32,000 values.
const CHUNK: usize = 1000;

#[async_trait]
impl PolicyStore for DriverStore {
    async fn add_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        let policy = policy.clone();
        self.write("add a policy", move |connection| {
            Box::pin(async move { add_policy(connection, &policy).await })
        })
        .await
    }

    async fn find_policy(&self, id: PolicyId) -> Result<Option<Policy>, StoreError> {
        self.call("find a policy", async {
            find_policy(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn find_policy_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<Policy>, StoreError> {
        self.call("find a policy", async {
            find_policy_by_name(&mut *self.reader().await?, tenant, name).await
        })
        .await
    }

    async fn find_policy_by_slug(&self, tenant: TenantId, slug: &str) -> Result<Option<Policy>, StoreError> {
        self.call("find a policy", async {
            find_policy_by_slug(&mut *self.reader().await?, tenant, slug).await
        })
        .await
    }

    async fn list_policies(&self, query: &Query<PolicyFilter, PolicyOrder>) -> Result<Paged<Policy>, StoreError> {
        self.call("list policies", async {
            list_policies(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn replace_policy(&self, current: &Policy, next: &Policy) -> Result<bool, StoreError> {
        let (current, next) = (current.clone(), next.clone());
        self.write("change a policy", move |connection| {
            Box::pin(async move { replace_policy(connection, &current, &next).await })
        })
        .await
    }

    async fn remove_policy(&self, id: PolicyId) -> Result<bool, StoreError> {
        self.write("remove a policy", move |connection| {
            Box::pin(remove_policy(connection, id))
        })
        .await
    }

    async fn attach_policy(&self, policy: PolicyId, to: IdentityId) -> Result<(), StoreError> {
        self.write("attach a policy", move |connection| {
            Box::pin(attach_policy(connection, policy, to))
        })
        .await
    }

    async fn detach_policy(&self, policy: PolicyId, from: IdentityId) -> Result<bool, StoreError> {
        self.write("detach a policy", move |connection| {
            Box::pin(detach_policy(connection, policy, from))
        })
        .await
    }

    async fn take_policy(&self, policy: PolicyId, from: IdentityId, at: Timestamp) -> Result<Revoked, StoreError> {
        let work = self.write_revoking("take a policy", move |connection| {
            Box::pin(async move {
                let revoked = token::revoke(connection, &RevokeTarget::Identity(from), at).await?;
                detach_policy(connection, policy, from).await?;
                Ok(((), revoked))
            })
        });
        Ok(work.await?.1)
    }

    async fn accesses_for(
        &self,
        identity: IdentityId,
        user: Option<UserId>,
        default: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        self.call("find an identity's accesses", async {
            accesses_for(&mut *self.reader().await?, identity, user, default).await
        })
        .await
    }

    async fn accesses_of_users(&self, users: &[UserId], default: Option<&str>) -> Result<Vec<Vec<String>>, StoreError> {
        self.call("find users' accesses", async {
            accesses_of_users(&mut *self.reader().await?, users, default).await
        })
        .await
    }
}

async fn add_policy(connection: &mut Connection, policy: &Policy) -> Result<(), Failure> {
    refuse_taken(connection, policy).await?;
    sqlx::query(
        "INSERT INTO policy (id, tenant, name, name_key, slug, slug_key, description, accesses, shared, managed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(policy.id.0)
    .bind(policy.tenant.0)
    .bind(text("policy.name", &policy.name)?)
    .bind(login_key(&policy.name))
    .bind(text("policy.slug", &policy.slug)?)
    .bind(login_key(&policy.slug))
    .bind(optional_text("policy.description", policy.description.as_deref())?)
    .bind(to_json("policy.accesses", &policy.accesses)?)
    .bind(policy.shared)
    .bind(policy.managed)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(())
}

/// What is shared must be told from what it meets in the tenants below. Within the tenant, the table's own constraints see to it.
async fn refuse_taken(connection: &mut Connection, policy: &Policy) -> Result<(), Failure> {
    let (name, slug) = (login_key(&policy.name), login_key(&policy.slug));
    // What cannot be stored is refused by the statement that would store it.
    if name.contains('\0') || slug.contains('\0') {
        return Ok(());
    }
    let shared_above = format!("(shared AND tenant IN {ABOVE})");
    let whose = if policy.shared {
        format!("({shared_above} OR tenant IN {BELOW})")
    } else {
        shared_above
    };
    let select = format!(
        "SELECT name_key FROM policy WHERE {whose} AND id <> $2 AND tenant <> $1 AND (slug_key = $3 OR name_key = $4) LIMIT 1"
    );
    let taken: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
        .bind(policy.tenant.0)
        .bind(policy.id.0)
        .bind(&slug)
        .bind(&name)
        .fetch_optional(connection)
        .await?;
    match taken {
        None => Ok(()),
        Some(taken) if taken == name => Err(StoreError::Conflict { what: "policy name" }.into()),
        Some(_) => Err(StoreError::Conflict { what: "policy slug" }.into()),
    }
}

async fn find_policy(connection: &mut Connection, id: PolicyId) -> Result<Option<Policy>, Failure> {
    let select = "SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy WHERE id = $1";
    let row: Option<PolicyRow> = sqlx::query_as(select).bind(id.0).fetch_optional(connection).await?;
    Ok(row.map(Policy::try_from).transpose()?)
}

async fn find_policy_by_name(
    connection: &mut Connection,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Policy>, Failure> {
    // What cannot be stored cannot be found, and PostgreSQL would call the question an error.
    if name.contains('\0') {
        return Ok(None);
    }
    let select = "SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy WHERE tenant = $1 AND name_key = $2";
    let row: Option<PolicyRow> = sqlx::query_as(select)
        .bind(tenant.0)
        .bind(login_key(name))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Policy::try_from).transpose()?)
}

async fn find_policy_by_slug(
    connection: &mut Connection,
    tenant: TenantId,
    slug: &str,
) -> Result<Option<Policy>, Failure> {
    if slug.contains('\0') {
        return Ok(None);
    }
    let select = format!(
        "SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy \
         WHERE slug_key = $2 AND (tenant = $1 OR (shared AND tenant IN {ABOVE})) \
         ORDER BY CASE WHEN tenant = $1 THEN 0 ELSE 1 END, id LIMIT 1"
    );
    let row: Option<PolicyRow> = sqlx::query_as(sqlx::AssertSqlSafe(select))
        .bind(tenant.0)
        .bind(login_key(slug))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Policy::try_from).transpose()?)
}

async fn list_policies(
    connection: &mut Connection,
    query: &Query<PolicyFilter, PolicyOrder>,
) -> Result<Paged<Policy>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM policy p WHERE ");
    push_visible(&mut total, query);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM policy p WHERE ");
    push_conditions(&mut filtered, query);
    let mut items = QueryBuilder::new(
        "SELECT p.id, p.tenant, p.name, p.slug, p.description, p.accesses, p.shared, p.managed FROM policy p WHERE ",
    );
    push_conditions(&mut items, query);
    let order = match query.order {
        PolicyOrder::Name => "p.name_key",
        PolicyOrder::Slug => "p.slug_key",
        PolicyOrder::Description => "coalesce(p.description, '')",
        PolicyOrder::Id => "p.id",
    };
    push_slice(&mut items, order, "p.id", query.direction, query.page);
    let total = count(connection, total).await?;
    let filtered = count(connection, filtered).await?;
    let rows: Vec<PolicyRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(Policy::try_from).collect::<Result<_, _>>()?,
        total,
        filtered,
    })
}

/// A condition that holds for the policies that can be seen from these tenants, and are attached to whom the query names.
fn push_visible(builder: &mut QueryBuilder<Database>, query: &Query<PolicyFilter, PolicyOrder>) {
    builder.push("(");
    push_scope(builder, "p.tenant", query.scope);
    if let TenantScope::Only(tenant) | TenantScope::Subtree(tenant) = query.scope {
        builder
            .push(" OR (p.shared AND p.tenant IN (WITH RECURSIVE above(id, parent) AS (SELECT id, parent FROM tenant WHERE id = ")
            .push_bind(tenant.0)
            .push(
                " UNION SELECT t.id, t.parent FROM tenant t JOIN above a ON t.id = a.parent) SELECT id FROM above))",
            );
    }
    builder.push(")");
    if let Some(holder) = query.filter.holder {
        builder
            .push(" AND p.id IN (SELECT policy FROM policy_attachment WHERE identity = ")
            .push_bind(holder.0)
            .push(")");
    }
    if let Some(group) = query.filter.group {
        builder
            .push(" AND p.id IN (SELECT policy FROM group_policy WHERE directory_group = ")
            .push_bind(group.0)
            .push(")");
    }
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<PolicyFilter, PolicyOrder>) {
    push_visible(builder, query);
    let columns = ["p.name_key", "p.slug_key", "lower(coalesce(p.description, ''))"];
    push_search(builder, &columns, query.search.as_deref());
    let filter = &query.filter;
    if let Some(id) = filter.id {
        builder.push(" AND p.id = ").push_bind(id.0);
    }
    push_equal(builder, "p.name", filter.name.as_deref());
    push_equal(builder, "p.slug", filter.slug.as_deref());
    push_equal(builder, "p.description", filter.description.as_deref());
    if let Some(read_only) = filter.read_only {
        builder.push(if read_only {
            " AND (p.managed OR NOT "
        } else {
            " AND NOT (p.managed OR NOT "
        });
        builder.push("(");
        push_scope(builder, "p.tenant", query.scope);
        builder.push("))");
    }
}

async fn replace_policy(connection: &mut Connection, current: &Policy, next: &Policy) -> Result<bool, Failure> {
    refuse_taken(connection, next).await?;
    let updated = sqlx::query(
        "UPDATE policy SET name = $2, name_key = $3, description = $4, accesses = $5 \
         WHERE id = $1 AND accesses = $6 AND managed = $7",
    )
    .bind(current.id.0)
    .bind(text("policy.name", &next.name)?)
    .bind(login_key(&next.name))
    .bind(optional_text("policy.description", next.description.as_deref())?)
    .bind(to_json("policy.accesses", &next.accesses)?)
    .bind(to_json("policy.accesses", &current.accesses)?)
    .bind(current.managed)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(updated.rows_affected() == 1)
}

async fn remove_policy(connection: &mut Connection, id: PolicyId) -> Result<bool, Failure> {
    // Attachments go with it: the foreign keys cascade.
    let removed = sqlx::query("DELETE FROM policy WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

async fn attach_policy(connection: &mut Connection, policy: PolicyId, to: IdentityId) -> Result<(), Failure> {
    sqlx::query("INSERT INTO policy_attachment (identity, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(to.0)
        .bind(policy.0)
        .execute(connection)
        .await
        .map_err(|error| explain(error, &[], "policy"))?;
    Ok(())
}

async fn detach_policy(connection: &mut Connection, policy: PolicyId, from: IdentityId) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM policy_attachment WHERE identity = $1 AND policy = $2")
        .bind(from.0)
        .bind(policy.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

async fn accesses_for(
    connection: &mut Connection,
    identity: IdentityId,
    user: Option<UserId>,
    default: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let default = default.filter(|_| user.is_some()).map(login_key);
    let rows: Vec<(sqlx::types::Uuid, String)> = sqlx::query_as(
        "SELECT p.id, p.accesses FROM (\
            SELECT 0 AS part, d.id AS policy FROM policy d JOIN tenant t ON t.id = d.tenant AND t.parent = t.id WHERE d.slug_key = $3 \
            UNION ALL SELECT 1, g.policy FROM group_member m JOIN group_policy g ON g.directory_group = m.directory_group \
                WHERE m.directory_user = $2 \
            UNION ALL SELECT 2, a.policy FROM policy_attachment a WHERE a.identity = $1\
         ) held JOIN policy p ON p.id = held.policy GROUP BY p.id, p.accesses, p.name ORDER BY min(held.part), p.name, p.id",
    )
    .bind(identity.0)
    .bind(user.map(|user| user.0))
    .bind(default)
    .fetch_all(connection)
    .await?;
    let mut accesses = Vec::new();
    for (id, text) in rows {
        accesses.extend(access_list(id, &text)?);
    }
    Ok(accesses)
}

async fn accesses_of_users(
    connection: &mut Connection,
    users: &[UserId],
    default: Option<&str>,
) -> Result<Vec<Vec<String>>, Failure> {
    let default = default.map(login_key);
    let mut held: HashMap<sqlx::types::Uuid, Vec<String>> = HashMap::new();
    for chunk in users.chunks(CHUNK) {
        let mut select: QueryBuilder<Database> = QueryBuilder::new(
            "SELECT held.holder, p.id, p.accesses FROM (\
                SELECT u.id AS holder, 0 AS part, d.id AS policy FROM directory_user u CROSS JOIN policy d \
                    JOIN tenant t ON t.id = d.tenant AND t.parent = t.id WHERE d.slug_key = ",
        );
        select.push_bind(default.clone()).push(" AND u.id IN (");
        push_ids(&mut select, chunk);
        select.push(
            ") UNION ALL SELECT m.directory_user, 1, g.policy FROM group_member m \
                JOIN group_policy g ON g.directory_group = m.directory_group WHERE m.directory_user IN (",
        );
        push_ids(&mut select, chunk);
        select.push(") UNION ALL SELECT a.identity, 2, a.policy FROM policy_attachment a WHERE a.identity IN (");
        push_ids(&mut select, chunk);
        select.push(
            ")) held JOIN policy p ON p.id = held.policy GROUP BY held.holder, p.id, p.accesses, p.name \
             ORDER BY min(held.part), p.name, p.id",
        );
        let rows: Vec<(sqlx::types::Uuid, sqlx::types::Uuid, String)> =
            select.build_query_as().fetch_all(&mut *connection).await?;
        for (holder, id, text) in rows {
            held.entry(holder).or_default().extend(access_list(id, &text)?);
        }
    }
    Ok(users
        .iter()
        .map(|user| held.remove(&user.0).unwrap_or_default())
        .collect())
}

fn push_ids(select: &mut QueryBuilder<Database>, users: &[UserId]) {
    let mut ids = select.separated(", ");
    for user in users {
        ids.push_bind(user.0);
    }
}
