//! What the configuration defines of the directory, put in place: the port and its statements. Compiled once per driver.
//!
//! Each statement speaks of all tenants at once, so that five thousand of them cost little more than one.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use keyway_core::model::{Policy, PolicyId, TenantId, login_key};
use keyway_core::port::{ProvidedGroup, Provision, ProvisionStore, Random, StoreError};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Connection, Database, DriverStore, LOCKS_ROWS};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{PolicyRow, to_json};

const UNIQUE: &[(&str, &str)] = &[("slug_key", "policy slug"), ("name_key", "policy name")];

/// The lock under which one node at a time does this; any number that nothing else of ours locks.
const LOCK: i64 = 0x6b77_7072_6f76;

/// How many groups one statement makes: each binds eight values, of which PostgreSQL takes 65,535 and SQLite 32,766.
const GROUPS_AT_ONCE: usize = 1000;

#[async_trait]
impl ProvisionStore for DriverStore {
    async fn provide(&self, provision: &Provision, random: Arc<dyn Random>) -> Result<(), StoreError> {
        let provision = provision.clone();
        self.write(
            "put policies and groups of the configuration in place",
            move |connection| Box::pin(async move { provide(connection, &provision, &*random).await }),
        )
        .await
    }
}

async fn provide(connection: &mut Connection, provision: &Provision, random: &dyn Random) -> Result<(), Failure> {
    if LOCKS_ROWS {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *connection)
            .await?;
    }
    let provided = put_policies(connection, &provision.policies).await?;
    remove_others(connection, &provided).await?;
    let all_users: Vec<_> = provision.all_users.iter().map(|slug| login_key(slug)).collect();
    for (slug, policy) in &provided {
        let wanted = all_users.contains(slug);
        set_all_users_policy(connection, *policy, wanted).await?;
    }
    release_other_groups(connection, &provision.groups).await?;
    for group in &provision.groups {
        add_missing_groups(connection, group, random).await?;
        let wanted: Vec<_> = group.policies.iter().map(|slug| login_key(slug)).collect();
        for (slug, policy) in &provided {
            set_group_policy(connection, group, *policy, wanted.contains(slug)).await?;
        }
    }
    Ok(())
}

/// Makes the policies what they should be; returns their ids by their slugs' keys.
async fn put_policies(connection: &mut Connection, policies: &[Policy]) -> Result<HashMap<String, PolicyId>, Failure> {
    let mut provided = HashMap::new();
    for policy in policies {
        let wanted = Policy {
            shared: true,
            managed: true,
            ..policy.clone()
        };
        let id = if let Some(current) = find_by_slug(connection, wanted.tenant, &wanted.slug).await? {
            let wanted = Policy {
                id: current.id,
                slug: current.slug.clone(),
                ..wanted
            };
            if current != wanted {
                update_policy(connection, &wanted).await?;
            }
            current.id
        } else {
            insert_policy(connection, &wanted).await?;
            wanted.id
        };
        provided.insert(login_key(&policy.slug), id);
    }
    Ok(provided)
}

async fn find_by_slug(connection: &mut Connection, tenant: TenantId, slug: &str) -> Result<Option<Policy>, Failure> {
    let select = "SELECT id, tenant, name, slug, description, accesses, shared, managed FROM policy WHERE tenant = $1 AND slug_key = $2";
    let row: Option<PolicyRow> = sqlx::query_as(select)
        .bind(tenant.0)
        .bind(login_key(slug))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(Policy::try_from).transpose()?)
}

/// A tenant below may have the name or the slug itself. There, its own policy is the one that is meant.
async fn insert_policy(connection: &mut Connection, policy: &Policy) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO policy (id, tenant, name, name_key, slug, slug_key, description, accesses, shared, managed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
    )
    .bind(policy.id.0)
    .bind(policy.tenant.0)
    .bind(text("policy.name", &policy.name)?)
    .bind(login_key(&policy.name))
    .bind(text("policy.slug", &policy.slug)?)
    .bind(login_key(&policy.slug))
    .bind(optional_text("policy.description", policy.description.as_deref())?)
    .bind(to_json("policy.accesses", &policy.accesses)?)
    .bind(true)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(())
}

async fn update_policy(connection: &mut Connection, policy: &Policy) -> Result<(), Failure> {
    sqlx::query(
        "UPDATE policy SET name = $2, name_key = $3, description = $4, accesses = $5, shared = $6, managed = $6 WHERE id = $1",
    )
    .bind(policy.id.0)
    .bind(text("policy.name", &policy.name)?)
    .bind(login_key(&policy.name))
    .bind(optional_text("policy.description", policy.description.as_deref())?)
    .bind(to_json("policy.accesses", &policy.accesses)?)
    .bind(true)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(())
}

/// Managed policies that are not provided any more.
async fn remove_others(connection: &mut Connection, provided: &HashMap<String, PolicyId>) -> Result<(), Failure> {
    let managed: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM policy WHERE managed")
        .fetch_all(&mut *connection)
        .await?;
    let is_provided = |id: &Uuid| provided.values().any(|known| known.0 == *id);
    for policy in managed.into_iter().filter(|id| !is_provided(id)) {
        sqlx::query(
            "DELETE FROM group_policy WHERE policy = $1 \
             AND directory_group IN (SELECT id FROM directory_group WHERE system OR provided)",
        )
        .bind(policy)
        .execute(&mut *connection)
        .await?;
        let removed = sqlx::query(
            "DELETE FROM policy WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM policy_attachment WHERE policy = $1) \
             AND NOT EXISTS (SELECT 1 FROM group_policy WHERE policy = $1)",
        )
        .bind(policy)
        .execute(&mut *connection)
        .await?;
        if removed.rows_affected() == 0 {
            sqlx::query("UPDATE policy SET managed = $2 WHERE id = $1")
                .bind(policy)
                .bind(false)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Attaches a policy to each tenant's group of all users, or detaches it from all of them.
async fn set_all_users_policy(connection: &mut Connection, policy: PolicyId, wanted: bool) -> Result<(), Failure> {
    let statement = if wanted {
        "INSERT INTO group_policy (directory_group, policy) SELECT g.id, p.id FROM directory_group g JOIN policy p ON p.id = $1 WHERE g.system \
         AND NOT EXISTS (SELECT 1 FROM group_policy x WHERE x.directory_group = g.id AND x.policy = $1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM group_policy WHERE policy = $1 AND directory_group IN (SELECT id FROM directory_group WHERE system)"
    };
    sqlx::query(statement).bind(policy.0).execute(connection).await?;
    Ok(())
}

/// Groups that are not provided any more are the tenants' own.
async fn release_other_groups(connection: &mut Connection, groups: &[ProvidedGroup]) -> Result<(), Failure> {
    let mut release = QueryBuilder::<Database>::new("UPDATE directory_group SET provided = ");
    release.push_bind(false).push(" WHERE provided");
    for group in groups {
        release.push(" AND slug_key <> ").push_bind(login_key(&group.slug));
    }
    release.build().execute(connection).await?;
    Ok(())
}

/// Makes the group in each tenant that has none of its slug or name.
async fn add_missing_groups(
    connection: &mut Connection,
    group: &ProvidedGroup,
    random: &dyn Random,
) -> Result<(), Failure> {
    let (name, slug) = (
        text("directory_group.name", &group.name)?,
        text("directory_group.slug", &group.slug)?,
    );
    let (name_key, slug_key) = (login_key(name), login_key(slug));
    let tenants: Vec<Uuid> = sqlx::query_scalar(
        "SELECT t.id FROM tenant t WHERE NOT EXISTS \
         (SELECT 1 FROM directory_group g WHERE g.tenant = t.id AND (g.slug_key = $1 OR g.name_key = $2))",
    )
    .bind(&slug_key)
    .bind(&name_key)
    .fetch_all(&mut *connection)
    .await?;
    for tenants in tenants.chunks(GROUPS_AT_ONCE) {
        let mut insert = QueryBuilder::<Database>::new(
            "INSERT INTO directory_group (id, tenant, name, name_key, slug, slug_key, system, provided) ",
        );
        insert.push_values(tenants, |mut row, tenant| {
            row.push_bind(random.uuid()).push_bind(*tenant);
            row.push_bind(name).push_bind(name_key.as_str());
            row.push_bind(slug).push_bind(slug_key.as_str());
            row.push_bind(false).push_bind(true);
        });
        // A tenant may be gone, or have made such a group, since it was asked for.
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Attaches a policy to the group of each tenant, or detaches it from all of them.
async fn set_group_policy(
    connection: &mut Connection,
    group: &ProvidedGroup,
    policy: PolicyId,
    wanted: bool,
) -> Result<(), Failure> {
    let statement = if wanted {
        "INSERT INTO group_policy (directory_group, policy) SELECT g.id, p.id FROM directory_group g JOIN policy p ON p.id = $1 \
         WHERE g.provided AND g.slug_key = $2 \
         AND NOT EXISTS (SELECT 1 FROM group_policy x WHERE x.directory_group = g.id AND x.policy = $1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM group_policy WHERE policy = $1 \
         AND directory_group IN (SELECT id FROM directory_group WHERE provided AND slug_key = $2)"
    };
    sqlx::query(statement)
        .bind(policy.0)
        .bind(login_key(&group.slug))
        .execute(connection)
        .await?;
    Ok(())
}
