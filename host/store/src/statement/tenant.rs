//! Tenants: the port and its statements. Compiled once per driver.

use async_trait::async_trait;
use keyway_core::model::{
    Group, GroupId, NewEvent, Paged, PolicyId, Query, Tenant, TenantId, Timestamp, UserId, account_key, login_key,
};
use keyway_core::port::{NewTenant, Random, Revoked, StoreError, TenantFilter, TenantMove, TenantOrder, TenantStore};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::event;
use super::list::{count, push_equal, push_order, push_scope, push_search, push_slice};
use super::revocation::{self, Whole};
use super::{Connection, Database, DriverStore, LOCKS_ROWS, adopt, group, tenant_removal};
use crate::failure::{Failure, explain, optional_text, text};
use crate::row::{TenantRow, tenants, to_json};

/// The name of the advisory lock under which tenants move; see `revocation.rs` for the others.
pub(super) const MOVES: i32 = 0x6b77_0007;

#[async_trait]
impl TenantStore for DriverStore {
    async fn add_tenant(&self, tenant: &NewTenant) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write_tenants("add a tenant", move |connection| {
            Box::pin(async move { add_tenant(connection, &tenant).await })
        })
        .await
    }

    async fn find_tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        self.call("find a tenant", async {
            find_tenant(&mut *self.reader().await?, id).await
        })
        .await
    }

    async fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        self.call("list tenants", async { list_tenants(&mut *self.reader().await?).await })
            .await
    }

    async fn list_tenants_in(&self, query: &Query<TenantFilter, TenantOrder>) -> Result<Paged<Tenant>, StoreError> {
        self.call("list tenants", async {
            list_tenants_in(&mut *self.reader().await?, query).await
        })
        .await
    }

    async fn update_tenant(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.write_tenants("update a tenant", move |connection| {
            Box::pin(async move { update_tenant(connection, &tenant).await })
        })
        .await
    }

    async fn move_tenant(&self, id: TenantId, parent: TenantId, at: Timestamp) -> Result<TenantMove, StoreError> {
        let work = self.write_tenants_revoking("move a tenant", move |connection| {
            Box::pin(async move {
                let moved = move_tenant(connection, id, parent, at).await?;
                let revoked = match &moved {
                    TenantMove::Moved(revoked) => revoked.clone(),
                    TenantMove::Unknown | TenantMove::Circular => Revoked::default(),
                };
                Ok((moved, revoked))
            })
        });
        Ok(work.await?.0)
    }

    async fn adopt_top_tenant(&self, id: TenantId, all_users: GroupId) -> Result<Option<Revoked>, StoreError> {
        let (is_new, revoked) = self
            .write_tenants_revoking("give the top tenant another id", move |connection| {
                Box::pin(adopt::adopt_top_tenant(connection, id, all_users))
            })
            .await?;
        Ok(is_new.then_some(revoked))
    }

    async fn remove_tenant(&self, id: TenantId) -> Result<bool, StoreError> {
        self.write_tenants("remove a tenant", move |connection| {
            Box::pin(tenant_removal::remove(connection, id))
        })
        .await
    }

    async fn remove_whole_tenant(&self, id: TenantId) -> Result<Option<Revoked>, StoreError> {
        let (was_there, revoked) = self
            .write_tenants_revoking("remove a tenant and what it owns", move |connection| {
                Box::pin(tenant_removal::remove_whole(connection, id))
            })
            .await?;
        Ok(was_there.then_some(revoked))
    }
}

/// Makes the top tenant unless there is one.
pub(super) async fn add_master(connection: &mut Connection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key, slug, slug_key) SELECT $1, $1, 'master', 'master', 'master', 'master' \
         WHERE NOT EXISTS (SELECT 1 FROM tenant WHERE parent = id) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the group of all users of each tenant that has none.
pub(super) async fn add_missing_groups(connection: &mut Connection, random: &dyn Random) -> Result<(), sqlx::Error> {
    let select =
        "SELECT id FROM tenant t WHERE NOT EXISTS (SELECT 1 FROM directory_group g WHERE g.tenant = t.id AND g.system)";
    let tenants: Vec<Uuid> = sqlx::query_scalar(select).fetch_all(&mut *connection).await?;
    for tenant in tenants {
        let (group, name) = (random.uuid(), Group::all_users_name(TenantId(tenant)));
        sqlx::query(
            "INSERT INTO directory_group (id, tenant, name, name_key, slug, slug_key, system) VALUES ($1, $2, $3, $3, $3, $3, $4)",
        )
        .bind(group)
        .bind(tenant)
        .bind(name)
        .bind(true)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO group_member (directory_group, directory_user) SELECT $1, id FROM directory_user WHERE tenant = $2",
        )
        .bind(group)
        .bind(tenant)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[
    ("realm_key", "tenant realm"),
    ("slug", "tenant slug"),
    // Else the primary key: PostgreSQL's name for it, and SQLite's.
    ("id", "tenant id"),
];

/// All columns but the domains, which are joined to them.
const COLUMNS: &str =
    "t.id, t.parent, t.name, t.realm, t.slug, t.phone, t.contact, t.address, t.authentication_method, d.domain";

async fn add_tenant(connection: &mut Connection, new: &NewTenant) -> Result<(), Failure> {
    let tenant = &new.tenant;
    if tenant.id == tenant.parent {
        return Err(StoreError::Missing { what: "tenant" }.into());
    }
    check_contact(connection, tenant.contact).await?;
    let name = optional_text("tenant.name", tenant.name.as_deref())?;
    let realm = optional_text("tenant.realm", tenant.realm.as_deref())?;
    sqlx::query(
        "INSERT INTO tenant (id, parent, name, name_key, realm, realm_key, slug, slug_key, phone, contact, address, \
         authentication_method, named) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, (SELECT max(named) + 1 FROM tenant))",
    )
    .bind(tenant.id.0)
    .bind(tenant.parent.0)
    .bind(name)
    .bind(login_key(name.unwrap_or_default()))
    .bind(realm)
    .bind(realm.map(login_key))
    .bind(text("tenant.slug", &tenant.slug)?)
    .bind(login_key(&tenant.slug))
    .bind(optional_text("tenant.phone", tenant.phone.as_deref())?)
    .bind(tenant.contact.map(|user| user.0))
    .bind(to_json("tenant.address", &tenant.address)?)
    .bind(tenant.authentication_method.as_str())
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "tenant"))?;
    add_domains(connection, tenant).await?;
    let all_users = Group {
        id: new.all_users,
        tenant: tenant.id,
        name: Group::all_users_name(tenant.id),
        slug: Group::all_users_name(tenant.id),
        system: true,
    };
    add_group(connection, &all_users, &new.all_users_policies).await?;
    for (group, policies) in &new.groups {
        add_group(connection, group, policies).await?;
    }
    sqlx::query("UPDATE directory_group SET provided = $2 WHERE tenant = $1 AND NOT system")
        .bind(tenant.id.0)
        .bind(true)
        .execute(&mut *connection)
        .await?;
    event::record(connection, &[NewEvent::tenant_added(tenant)]).await
}

/// That the contact is somebody. Asked apart, because no foreign key says in both databases which of them does not hold.
async fn check_contact(connection: &mut Connection, contact: Option<UserId>) -> Result<(), Failure> {
    let Some(user) = contact else {
        return Ok(());
    };
    let found = sqlx::query("SELECT 1 FROM directory_user WHERE id = $1")
        .bind(user.0)
        .fetch_optional(connection)
        .await?;
    match found {
        Some(_) => Ok(()),
        None => Err(StoreError::Missing { what: "user" }.into()),
    }
}

async fn add_group(connection: &mut Connection, group: &Group, policies: &[PolicyId]) -> Result<(), Failure> {
    group::add_group(connection, group).await?;
    for policy in policies {
        group::attach_policy(connection, group.id, *policy).await?;
    }
    Ok(())
}

async fn add_domains(connection: &mut Connection, tenant: &Tenant) -> Result<(), Failure> {
    for (position, domain) in (0_i32..).zip(&tenant.domains) {
        sqlx::query("INSERT INTO tenant_domain (domain_key, domain, tenant, position) VALUES ($1, $2, $3, $4)")
            .bind(login_key(text("tenant_domain.domain", domain)?))
            .bind(domain)
            .bind(tenant.id.0)
            .bind(position)
            .execute(&mut *connection)
            .await
            .map_err(|error| explain(error, &[("domain_key", "tenant domain")], "tenant"))?;
    }
    Ok(())
}

pub(super) async fn find_tenant(connection: &mut Connection, id: TenantId) -> Result<Option<Tenant>, Failure> {
    let mut select = QueryBuilder::new("SELECT ");
    select
        .push(COLUMNS)
        .push(" FROM tenant t LEFT JOIN tenant_domain d ON d.tenant = t.id WHERE t.id = ");
    select.push_bind(id.0).push(" ORDER BY d.position");
    let rows: Vec<TenantRow> = select.build_query_as::<TenantRow>().fetch_all(connection).await?;
    Ok(tenants(rows)?.pop())
}

async fn list_tenants(connection: &mut Connection) -> Result<Vec<Tenant>, Failure> {
    let mut select = QueryBuilder::new("SELECT ");
    select
        .push(COLUMNS)
        .push(" FROM tenant t LEFT JOIN tenant_domain d ON d.tenant = t.id");
    select.push(" ORDER BY t.named, t.id, d.position");
    let rows: Vec<TenantRow> = select.build_query_as().fetch_all(connection).await?;
    Ok(tenants(rows)?)
}

async fn list_tenants_in(
    connection: &mut Connection,
    query: &Query<TenantFilter, TenantOrder>,
) -> Result<Paged<Tenant>, Failure> {
    let mut total = QueryBuilder::new("SELECT count(*) FROM tenant t WHERE ");
    push_scope(&mut total, "t.id", query.scope);
    let mut filtered = QueryBuilder::new("SELECT count(*) FROM tenant t WHERE ");
    push_conditions(&mut filtered, query);
    let order = match query.order {
        TenantOrder::Name => "t.name_key",
        TenantOrder::Slug => "t.slug_key",
    };
    // The slice is taken of tenants, and their domains are joined to it, so that each tenant counts once.
    let mut items = QueryBuilder::new("SELECT ");
    items.push(COLUMNS).push(" FROM (SELECT * FROM tenant t WHERE ");
    push_conditions(&mut items, query);
    push_slice(&mut items, order, "t.id", query.direction, query.page);
    items.push(") t LEFT JOIN tenant_domain d ON d.tenant = t.id");
    push_order(&mut items, order, "t.id", query.direction);
    items.push(", d.position");
    let total = count(connection, total).await?;
    let filtered = count(connection, filtered).await?;
    let rows: Vec<TenantRow> = items.build_query_as().fetch_all(connection).await?;
    Ok(Paged {
        items: tenants(rows)?,
        total,
        filtered,
    })
}

fn push_conditions(builder: &mut QueryBuilder<Database>, query: &Query<TenantFilter, TenantOrder>) {
    push_scope(builder, "t.id", query.scope);
    if query.search.as_deref().is_some_and(|text| !text.is_empty()) {
        builder.push(" AND t.id IN (SELECT id FROM tenant WHERE 1 = 1");
        push_search(builder, &["name_key", "slug_key"], query.search.as_deref());
        builder.push(" UNION SELECT tenant FROM tenant_domain WHERE 1 = 1");
        push_search(builder, &["domain_key"], query.search.as_deref());
        builder.push(")");
    }
    let filter = &query.filter;
    if let Some(ids) = &filter.ids {
        builder.push(" AND t.id IN (");
        let mut list = builder.separated(", ");
        for id in ids {
            list.push_bind(id.0);
        }
        // An empty list is no SQL.
        list.push("NULL");
        builder.push(")");
    }
    push_equal(builder, "t.name", filter.name.as_deref());
    push_equal(builder, "t.slug", filter.slug.as_deref());
    if let Some(domain) = &filter.domain {
        builder.push(" AND t.id IN (SELECT tenant FROM tenant_domain WHERE 1 = 1");
        push_equal(builder, "domain_key", Some(&login_key(domain)));
        builder.push(")");
    }
}

async fn update_tenant(connection: &mut Connection, tenant: &Tenant) -> Result<bool, Failure> {
    check_contact(connection, tenant.contact).await?;
    let name = optional_text("tenant.name", tenant.name.as_deref())?;
    let realm = optional_text("tenant.realm", tenant.realm.as_deref())?;
    let select = if LOCKS_ROWS {
        "SELECT name FROM tenant WHERE id = $1 FOR NO KEY UPDATE"
    } else {
        "SELECT name FROM tenant WHERE id = $1"
    };
    let before: Option<Option<String>> = sqlx::query_scalar(select)
        .bind(tenant.id.0)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(before) = before else {
        return Ok(false);
    };
    let key = |name: Option<&str>| account_key(name.unwrap_or_default());
    let takes_name = key(before.as_deref()) != key(name);
    let updated = sqlx::query(
        "UPDATE tenant SET name = $2, name_key = $3, realm = $4, realm_key = $5, phone = $6, contact = $7, address = $8, \
         authentication_method = $9, named = CASE WHEN $10 AND parent <> id THEN (SELECT max(named) + 1 FROM tenant) ELSE named END \
         WHERE id = $1",
    )
    .bind(tenant.id.0)
    .bind(name)
    .bind(login_key(name.unwrap_or_default()))
    .bind(realm)
    .bind(realm.map(login_key))
    .bind(optional_text("tenant.phone", tenant.phone.as_deref())?)
    .bind(tenant.contact.map(|user| user.0))
    .bind(to_json("tenant.address", &tenant.address)?)
    .bind(tenant.authentication_method.as_str())
    .bind(takes_name)
    .execute(&mut *connection)
    .await
    .map_err(|error| explain(error, UNIQUE, "user"))?;
    if updated.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM tenant_domain WHERE tenant = $1")
        .bind(tenant.id.0)
        .execute(&mut *connection)
        .await?;
    add_domains(connection, tenant).await?;
    event::record(connection, &[NewEvent::tenant_updated(tenant.id, name)]).await?;
    Ok(true)
}

async fn move_tenant(
    connection: &mut Connection,
    id: TenantId,
    parent: TenantId,
    at: Timestamp,
) -> Result<TenantMove, Failure> {
    if LOCKS_ROWS {
        // Two moves at once could put two tenants below each other. Nobody else waits.
        sqlx::query("SELECT pg_advisory_xact_lock($1, 0)")
            .bind(MOVES)
            .execute(&mut *connection)
            .await?;
    }
    let current: Option<Uuid> = sqlx::query_scalar("SELECT parent FROM tenant WHERE id = $1")
        .bind(id.0)
        .fetch_optional(&mut *connection)
        .await?;
    match current {
        None => return Ok(TenantMove::Unknown),
        Some(current) if current == id.0 => return Ok(TenantMove::Circular),
        Some(_) => {}
    }
    // From the new parent upwards: shorter than from the tenant downwards.
    let is_below: bool = sqlx::query_scalar(
        "WITH RECURSIVE above(id) AS (SELECT id FROM tenant WHERE id = $1 \
         UNION SELECT t.parent FROM tenant t JOIN above a ON a.id = t.id) \
         SELECT EXISTS (SELECT 1 FROM above WHERE id = $2)",
    )
    .bind(parent.0)
    .bind(id.0)
    .fetch_one(&mut *connection)
    .await?;
    if is_below {
        return Ok(TenantMove::Circular);
    }
    // Logins of the tenants that move, and whoever closes an account above the place where they go, come before or after this.
    revocation::lock_out(connection, Whole::Subtree(id)).await?;
    revocation::hold_lineage(connection, &[parent]).await?;
    // All rows are fetched: SQLite looks at foreign keys when the statement ends.
    let names: Vec<Option<String>> = sqlx::query_scalar("UPDATE tenant SET parent = $2 WHERE id = $1 RETURNING name")
        .bind(id.0)
        .bind(parent.0)
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| explain(error, &[], "tenant"))?;
    let events: Vec<_> = names
        .iter()
        .map(|name| NewEvent::tenant_updated(id, name.as_deref()))
        .collect();
    event::record(connection, &events).await?;
    Ok(TenantMove::Moved(revocation::confine(connection, id, at).await?))
}
