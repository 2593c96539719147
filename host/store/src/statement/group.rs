//! Groups: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{Group, GroupId, Paged, PolicyId, Query, UserId, login_key};
use keyway_core::port::{GroupFilter, GroupOrder, GroupStore, StoreError};
use sqlx::QueryBuilder;

use super::list::{count, push_equal, push_scope, push_search, push_slice};
use super::{Connection, Database, DriverStore};
use crate::failure::{Failure, explain, text};
use crate::row::GroupRow;

const UNIQUE: &[(&str, &str)] = &[("slug_key", "group slug"), ("name_key", "group name")];

#[async_trait]
impl GroupStore for DriverStore {
    async fn add_group(&self, group: &Group) -> Result<(), StoreError> {
        let group = group.clone();
        self.write("add a group", move |connection| {
            Box::pin(async move { add_group(connection, &group).await })
        })
        .await
    }

    async fn find_group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.call("find a group", async {
            find_group(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn list_groups(&self, query: &Query<GroupFilter, GroupOrder>) -> Result<Paged<Group>, StoreError> {
        self.call("list groups", async {
            list_groups(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn group_names(&self, member: UserId, limit: u32) -> Result<Vec<String>, StoreError> {
        self.call("list a user's groups", async {
            group_names(&mut *self.reader().await?, member, limit).await
        })
        .await
    }

    async fn rename_group(&self, id: GroupId, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write("rename a group", move |connection| {
            Box::pin(async move { rename_group(connection, id, &name).await })
        })
        .await
    }

    async fn remove_group(&self, id: GroupId) -> Result<bool, StoreError> {
        self.write("remove a group", move |connection| {
            Box::pin(remove_group(connection, id))
        })
        .await
    }

    async fn add_group_member(&self, group: GroupId, user: UserId) -> Result<(), StoreError> {
        self.write("add a member to a group", move |connection| {
            Box::pin(add_member(connection, group, user))
        })
        .await
    }

    async fn remove_group_member(&self, group: GroupId, user: UserId) -> Result<bool, StoreError> {
        self.write("remove a member from a group", move |connection| {
            Box::pin(remove_member(connection, group, user))
        })
        .await
    }

    async fn attach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<(), StoreError> {
        self.write("attach a policy to a group", move |connection| {
            Box::pin(attach_policy(connection, group, policy))
        })
        .await
    }

    async fn detach_group_policy(&self, group: GroupId, policy: PolicyId) -> Result<bool, StoreError> {
        self.write("detach a policy from a group", move |connection| {
            Box::pin(detach_policy(connection, group, policy))
        })
        .await
    }
}

pub(super) async fn add_group(connection: &mut Connection, group: &Group) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO directory_group (id, tenant, name, name_key, slug, slug_key, system) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(group.id.0)
    .bind(group.tenant.0)
    .bind(text("directory_group.name", &group.name)?)
    .bind(login_key(&group.name))
    .bind(text("directory_group.slug", &group.slug)?)
    .bind(login_key(&group.slug))
    .bind(group.system)
    .execute(connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(())
}

async fn find_group(connection: &mut Connection, id: GroupId) -> Result<Option<Group>, Failure> {
    let select = "SELECT id, tenant, name, slug, system FROM directory_group WHERE id = $1";
    let row: Option<GroupRow> = sqlx::query_as(select).bind(id.0).fetch_optional(connection).await?;
    Ok(row.map(Group::from))
}

async fn list_groups(
    connection: &mut Connection,
    query: &Query<GroupFilter, GroupOrder>,
) -> Result<Paged<Group>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM directory_group g WHERE ");
    push_scope(&mut total, "g.tenant", query.scope);
    push_member(&mut total, query.filter.member);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM directory_group g WHERE ");
    push_conditions(&mut filtered, query);
    let mut items = QueryBuilder::new("SELECT g.id, g.tenant, g.name, g.slug, g.system FROM directory_group g WHERE ");
    push_conditions(&mut items, query);
    let order = match query.order {
        GroupOrder::Name => "g.name_key",
        GroupOrder::Slug => "g.slug_key",
        GroupOrder::Id => "g.id",
    };
    push_slice(&mut items, order, "g.id", query.direction, query.page);
    let total = count(connection, total).await?;
    let filtered = count(connection, filtered).await?;
    let rows: Vec<GroupRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: rows.into_iter().map(Group::from).collect(),
        total,
        filtered,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<GroupFilter, GroupOrder>) {
    push_scope(builder, "g.tenant", query.scope);
    push_search(builder, &["g.name_key", "g.slug_key"], query.search.as_deref());
    let filter = &query.filter;
    if let Some(id) = filter.id {
        builder.push(" AND g.id = ").push_bind(id.0);
    }
    push_equal(builder, "g.name", filter.name.as_deref());
    push_equal(builder, "g.slug", filter.slug.as_deref());
    if let Some(system) = filter.system {
        builder.push(" AND g.system = ").push_bind(system);
    }
    push_member(builder, filter.member);
    if let Some(policy) = filter.policy {
        builder
            .push(" AND g.id IN (SELECT directory_group FROM group_policy WHERE policy = ")
            .push_bind(policy.0)
            .push(")");
    }
    if let Some(slug) = &filter.policy_slug {
        builder.push(
            " AND g.id IN (SELECT a.directory_group FROM group_policy a JOIN policy p ON p.id = a.policy WHERE 1 = 1",
        );
        push_equal(builder, "p.slug", Some(slug));
        builder.push(")");
    }
}

fn push_member(builder: &mut QueryBuilder<Database>, member: Option<UserId>) {
    if let Some(member) = member {
        builder
            .push(" AND g.id IN (SELECT directory_group FROM group_member WHERE directory_user = ")
            .push_bind(member.0)
            .push(")");
    }
}

async fn group_names(connection: &mut Connection, member: UserId, limit: u32) -> Result<Vec<String>, Failure> {
    let select = "SELECT g.name FROM group_member m JOIN directory_group g ON g.id = m.directory_group \
        WHERE m.directory_user = $1 AND NOT g.system ORDER BY g.name_key, g.id LIMIT $2";
    Ok(sqlx::query_scalar(select)
        .bind(member.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?)
}

async fn rename_group(connection: &mut Connection, id: GroupId, name: &str) -> Result<bool, Failure> {
    let updated = sqlx::query("UPDATE directory_group SET name = $2, name_key = $3 WHERE id = $1")
        .bind(id.0)
        .bind(text("directory_group.name", name)?)
        .bind(login_key(name))
        .execute(connection)
        .await
        .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    Ok(updated.rows_affected() == 1)
}

async fn remove_group(connection: &mut Connection, id: GroupId) -> Result<bool, Failure> {
    // Members and attachments go with it: the foreign keys cascade.
    let removed = sqlx::query("DELETE FROM directory_group WHERE id = $1")
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

pub(super) async fn add_member(connection: &mut Connection, group: GroupId, user: UserId) -> Result<(), Failure> {
    sqlx::query("INSERT INTO group_member (directory_group, directory_user) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(group.0)
        .bind(user.0)
        .execute(&mut *connection)
        .await
        .map_err(|error| explain(error, &[], "user"))?;
    Ok(())
}

async fn remove_member(connection: &mut Connection, group: GroupId, user: UserId) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM group_member WHERE directory_group = $1 AND directory_user = $2")
        .bind(group.0)
        .bind(user.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

pub(super) async fn attach_policy(
    connection: &mut Connection,
    group: GroupId,
    policy: PolicyId,
) -> Result<(), Failure> {
    sqlx::query("INSERT INTO group_policy (directory_group, policy) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(group.0)
        .bind(policy.0)
        .execute(connection)
        .await
        .map_err(|error| explain(error, &[], "policy"))?;
    Ok(())
}

async fn detach_policy(connection: &mut Connection, group: GroupId, policy: PolicyId) -> Result<bool, Failure> {
    let removed = sqlx::query("DELETE FROM group_policy WHERE directory_group = $1 AND policy = $2")
        .bind(group.0)
        .bind(policy.0)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}
