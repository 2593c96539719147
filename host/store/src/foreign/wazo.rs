//! wazo-auth's PostgreSQL database, as of its release 25.14: one transaction that only reads, so that all of it is of one moment.

use std::collections::HashMap;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyway_core::Secret;
use keyway_core::port::{
    ForeignCounts, ForeignDirectory, ForeignGroup, ForeignLdap, ForeignPolicy, ForeignRefreshToken, ForeignTenant,
    ForeignUser, StoreError,
};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions as _, FromRow, PgConnection};
use tokio::sync::Mutex;

use super::row::{EmailRow, GroupRow, HangsOnUser, LdapRow, LinkRow, PolicyRow, RefreshRow, TenantRow, UserRow};
use crate::failure::{Failure, during};
use crate::open::OpenError;
use crate::postgres::{connect, place};

/// What is read, table by table. Older releases lack some of it.
const NEEDED: [(&str, &str); 14] = [
    ("auth_access", "id access"),
    (
        "auth_address",
        "id tenant_uuid line_1 line_2 city state country zip_code",
    ),
    ("auth_email", "uuid user_uuid address main confirmed"),
    ("auth_group", "uuid tenant_uuid name slug system_managed"),
    ("auth_group_policy", "group_uuid policy_uuid"),
    (
        "auth_ldap_config",
        "tenant_uuid host port protocol_version protocol_security bind_dn bind_password user_base_dn user_login_attribute \
         user_email_attribute search_filters",
    ),
    (
        "auth_policy",
        "uuid tenant_uuid name slug description shared config_managed",
    ),
    ("auth_policy_access", "policy_uuid access_id"),
    (
        "auth_refresh_token",
        "uuid client_id user_uuid backend login user_agent remote_addr created_at mobile metadata",
    ),
    (
        "auth_tenant",
        "uuid parent_uuid name slug phone contact_uuid default_authentication_method",
    ),
    ("auth_tenant_domain", "tenant_uuid name"),
    (
        "auth_user",
        "uuid tenant_uuid username firstname lastname enabled password_hash password_salt purpose authentication_method",
    ),
    ("auth_user_group", "group_uuid user_uuid"),
    ("auth_user_policy", "user_uuid policy_uuid"),
];

const COUNTS: &str = "SELECT (SELECT count(*) FROM auth_tenant), (SELECT count(*) FROM auth_policy), \
    (SELECT count(*) FROM auth_group), (SELECT count(*) FROM auth_user), (SELECT count(*) FROM auth_refresh_token), \
    (SELECT count(*) FROM auth_ldap_config)";

// Ids and other words are read as text, whatever type a release gives them. The index on a `varchar` serves its `text` as well.
const TENANTS: &str = "SELECT t.uuid::text, t.parent_uuid::text, t.name::text, t.slug::text, t.phone::text, t.contact_uuid::text, \
    t.default_authentication_method::text, \
    a.line_1::text, a.line_2::text, a.city::text, a.state::text, a.country::text, a.zip_code::text, \
    ARRAY(SELECT d.name::text FROM auth_tenant_domain d WHERE d.tenant_uuid = t.uuid ORDER BY d.name) AS domains, \
    (SELECT g.uuid::text FROM auth_group g WHERE g.tenant_uuid = t.uuid AND g.name = 'wazo-all-users-tenant-' || t.uuid LIMIT 1) \
    AS all_users \
    FROM auth_tenant t LEFT JOIN LATERAL (SELECT * FROM auth_address WHERE tenant_uuid = t.uuid ORDER BY id LIMIT 1) a ON true \
    ORDER BY t.uuid";

const POLICIES: &str = "SELECT p.uuid::text, p.tenant_uuid::text, p.name::text, p.slug::text, p.description::text, \
    coalesce(p.shared, false) AS shared, coalesce(p.config_managed, false) AS managed, \
    ARRAY(SELECT a.access::text FROM auth_policy_access l JOIN auth_access a ON a.id = l.access_id WHERE l.policy_uuid = p.uuid \
    ORDER BY a.id) AS accesses FROM auth_policy p WHERE p.uuid::text > $1 ORDER BY p.uuid::text LIMIT $2";

const GROUPS: &str = "SELECT g.uuid::text, g.tenant_uuid::text, g.name::text, g.slug::text, \
    coalesce(g.system_managed, false) AS system_managed, \
    ARRAY(SELECT p.policy_uuid::text FROM auth_group_policy p WHERE p.group_uuid = g.uuid ORDER BY p.policy_uuid) AS policies \
    FROM auth_group g WHERE g.uuid::text > $1 ORDER BY g.uuid::text LIMIT $2";

const USERS: &str = "SELECT u.uuid::text, u.tenant_uuid::text, u.username::text, u.firstname::text, u.lastname::text, u.purpose::text, \
    u.authentication_method::text, coalesce(u.enabled, false) AS enabled, u.password_hash::text, u.password_salt \
    FROM auth_user u WHERE u.uuid::text > $1 ORDER BY u.uuid::text LIMIT $2";

// What hangs on users is read for a page of them at once: not every release has an index for one.
const USER_POLICIES: &str = "SELECT p.user_uuid::text AS owner, p.policy_uuid::text AS id FROM auth_user_policy p \
    WHERE p.user_uuid::text = ANY($1) ORDER BY p.policy_uuid";

const USER_GROUPS: &str = "SELECT m.user_uuid::text AS owner, m.group_uuid::text AS id \
    FROM auth_user_group m JOIN auth_group g ON g.uuid = m.group_uuid \
    WHERE m.user_uuid::text = ANY($1) AND g.name <> 'wazo-all-users-tenant-' || g.tenant_uuid ORDER BY m.group_uuid";

const EMAILS: &str = "SELECT e.user_uuid::text, e.uuid::text, e.address::text, e.main, e.confirmed FROM auth_email e \
    WHERE e.user_uuid::text = ANY($1) ORDER BY e.user_uuid, e.main DESC, e.address";

const REFRESH_TOKENS: &str = "SELECT r.uuid::text, r.user_uuid::text, r.client_id::text, r.backend::text, r.login::text, \
    r.user_agent::text, r.remote_addr::text, r.mobile, \
    (extract(epoch FROM r.created_at) * 1000000)::bigint AS created_at, r.metadata::text AS metadata \
    FROM auth_refresh_token r WHERE r.uuid::text > $1 ORDER BY r.uuid::text LIMIT $2";

const LDAP_SETTINGS: &str = "SELECT l.tenant_uuid::text, l.host::text, l.port::integer AS port, \
    l.protocol_version::smallint AS protocol_version, l.protocol_security::text, l.bind_dn::text, l.bind_password::text, \
    l.user_base_dn::text, l.user_login_attribute::text, l.user_email_attribute::text, l.search_filters::text \
    FROM auth_ldap_config l ORDER BY l.tenant_uuid";

/// Opens wazo-auth's database to be read. What the URL leaves out, a password for example, is taken from PostgreSQL's own variables and its
/// password file.
///
/// # Errors
/// [`OpenError`]; [`OpenError::Foreign`] for a database that is none of wazo-auth's, or too old a one.
pub async fn open_wazo(url: &str, timeout: Duration) -> Result<Arc<dyn ForeignDirectory>, OpenError> {
    // The driver takes any scheme for its own.
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(OpenError::ForeignUrl("names no PostgreSQL database"));
    }
    // The reason stays out of the message: it may quote the URL.
    let options = PgConnectOptions::from_str(url).map_err(|_| OpenError::ForeignUrl("cannot be read"))?;
    let options = options.application_name("keyway import").disable_statement_logging();
    let place = place(&options);
    let refused = |source| OpenError::connect(&place, source);
    let mut connection = connect(&options, timeout).await.map_err(refused)?;
    sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut connection)
        .await
        .map_err(refused)?;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = ANY(current_schemas(false))",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(refused)?;
    for (table, needed) in NEEDED {
        for column in needed.split_whitespace() {
            if !columns.iter().any(|(of, name)| of == table && name == column) {
                let missing = format!("{table}.{column}");
                return Err(OpenError::Foreign { place, missing });
            }
        }
    }
    Ok(Arc::new(WazoDatabase(Mutex::new(connection))))
}

struct WazoDatabase(Mutex<PgConnection>);

impl WazoDatabase {
    /// Rows after the one with this id.
    async fn page<R>(&self, select: &'static str, after: &str, limit: u32) -> Result<Vec<R>, Failure>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = sqlx::query_as(select).bind(after).bind(i64::from(limit));
        Ok(rows.fetch_all(&mut *self.0.lock().await).await?)
    }

    /// What hangs on these users, by user.
    async fn hanging<R>(
        &self,
        select: &'static str,
        users: &[String],
    ) -> Result<HashMap<String, Vec<R::Hangs>>, Failure>
    where
        R: HangsOnUser + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let select = sqlx::query_as::<_, R>(select).bind(users);
        let rows = select.fetch_all(&mut *self.0.lock().await).await?;
        let mut of: HashMap<String, Vec<R::Hangs>> = HashMap::new();
        for row in rows {
            let (user, hangs) = row.apart();
            of.entry(user).or_default().push(hangs);
        }
        Ok(of)
    }

    async fn all<R>(&self, select: &'static str) -> Result<Vec<R>, Failure>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        Ok(sqlx::query_as(select).fetch_all(&mut *self.0.lock().await).await?)
    }
}

#[async_trait]
impl ForeignDirectory for WazoDatabase {
    async fn counts(&self) -> Result<ForeignCounts, StoreError> {
        let counted = async {
            let row: (i64, i64, i64, i64, i64, i64) =
                sqlx::query_as(COUNTS).fetch_one(&mut *self.0.lock().await).await?;
            let number = |count: i64| u64::try_from(count).unwrap_or(0);
            Ok(ForeignCounts {
                tenants: number(row.0),
                policies: number(row.1),
                groups: number(row.2),
                users: number(row.3),
                refresh_tokens: number(row.4),
                ldap_settings: number(row.5),
            })
        };
        during("count rows", counted).await
    }

    async fn tenants(&self) -> Result<Vec<ForeignTenant>, StoreError> {
        let rows = during("read tenants", self.all::<TenantRow>(TENANTS)).await?;
        Ok(rows.into_iter().map(ForeignTenant::from).collect())
    }

    async fn policies(&self, after: &str, limit: u32) -> Result<Vec<ForeignPolicy>, StoreError> {
        let rows = during("read policies", self.page::<PolicyRow>(POLICIES, after, limit)).await?;
        Ok(rows.into_iter().map(ForeignPolicy::from).collect())
    }

    async fn groups(&self, after: &str, limit: u32) -> Result<Vec<ForeignGroup>, StoreError> {
        let rows = during("read groups", self.page::<GroupRow>(GROUPS, after, limit)).await?;
        Ok(rows.into_iter().map(ForeignGroup::from).collect())
    }

    async fn users(&self, after: &str, limit: u32) -> Result<Vec<ForeignUser>, StoreError> {
        let rows = during("read users", self.page::<UserRow>(USERS, after, limit)).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.uuid.clone()).collect();
        let mut emails = during("read addresses", self.hanging::<EmailRow>(EMAILS, &ids)).await?;
        let mut policies = during("read users' policies", self.hanging::<LinkRow>(USER_POLICIES, &ids)).await?;
        let mut groups = during("read users' groups", self.hanging::<LinkRow>(USER_GROUPS, &ids)).await?;
        let users = rows.into_iter().map(|row| {
            let emails = emails.remove(&row.uuid).unwrap_or_default();
            let policies = policies.remove(&row.uuid).unwrap_or_default();
            let groups = groups.remove(&row.uuid).unwrap_or_default();
            row.with(emails, policies, groups)
        });
        Ok(users.collect())
    }

    async fn refresh_tokens(&self, after: &Secret<String>, limit: u32) -> Result<Vec<ForeignRefreshToken>, StoreError> {
        let rows = self.page::<RefreshRow>(REFRESH_TOKENS, after.expose(), limit);
        let rows = during("read refresh tokens", rows).await?;
        Ok(rows.into_iter().map(ForeignRefreshToken::from).collect())
    }

    async fn ldap_settings(&self) -> Result<Vec<ForeignLdap>, StoreError> {
        let rows = during("read LDAP settings", self.all::<LdapRow>(LDAP_SETTINGS)).await?;
        Ok(rows.into_iter().map(ForeignLdap::from).collect())
    }
}
