//! Rows of wazo-auth's tables, and their way into what an importer takes.

use keyway_core::Secret;
use keyway_core::model::{PostalAddress, Timestamp};
use keyway_core::password::pbkdf2_sha512_verifier;
use keyway_core::port::{
    ForeignEmail, ForeignGroup, ForeignLdap, ForeignPolicy, ForeignRefreshToken, ForeignTenant, ForeignUser,
};
use sqlx::FromRow;

/// How often wazo-auth hashes a password.
const ROUNDS: u32 = 250_000;

#[derive(FromRow)]
pub(super) struct TenantRow {
    uuid: String,
    parent_uuid: String,
    name: Option<String>,
    slug: String,
    phone: Option<String>,
    contact_uuid: Option<String>,
    default_authentication_method: String,
    line_1: Option<String>,
    line_2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    zip_code: Option<String>,
    domains: Vec<String>,
    all_users: Option<String>,
}

impl From<TenantRow> for ForeignTenant {
    fn from(row: TenantRow) -> Self {
        Self {
            id: row.uuid,
            parent: row.parent_uuid,
            name: row.name,
            slug: row.slug,
            phone: row.phone,
            contact: row.contact_uuid,
            address: PostalAddress {
                line_1: row.line_1,
                line_2: row.line_2,
                city: row.city,
                state: row.state,
                country: row.country,
                zip_code: row.zip_code,
            },
            authentication_method: row.default_authentication_method,
            domains: row.domains,
            all_users: row.all_users,
        }
    }
}

#[derive(FromRow)]
pub(super) struct PolicyRow {
    uuid: String,
    tenant_uuid: String,
    name: String,
    slug: String,
    description: Option<String>,
    shared: bool,
    managed: bool,
    accesses: Vec<String>,
}

impl From<PolicyRow> for ForeignPolicy {
    fn from(row: PolicyRow) -> Self {
        Self {
            id: row.uuid,
            tenant: row.tenant_uuid,
            name: row.name,
            slug: row.slug,
            description: row.description,
            accesses: row.accesses,
            shared: row.shared,
            managed: row.managed,
        }
    }
}

#[derive(FromRow)]
pub(super) struct GroupRow {
    uuid: String,
    tenant_uuid: String,
    name: String,
    slug: String,
    system_managed: bool,
    policies: Vec<String>,
}

impl From<GroupRow> for ForeignGroup {
    fn from(row: GroupRow) -> Self {
        Self {
            id: row.uuid,
            tenant: row.tenant_uuid,
            name: row.name,
            slug: row.slug,
            system: row.system_managed,
            policies: row.policies,
        }
    }
}

#[derive(FromRow)]
pub(super) struct UserRow {
    pub(super) uuid: String,
    tenant_uuid: String,
    username: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    purpose: String,
    authentication_method: String,
    enabled: bool,
    password_hash: Option<String>,
    password_salt: Option<Vec<u8>>,
}

impl UserRow {
    pub(super) fn with(self, emails: Vec<ForeignEmail>, policies: Vec<String>, groups: Vec<String>) -> ForeignUser {
        ForeignUser {
            verifier: verifier(self.password_hash.map(Secret::new), self.password_salt.as_deref()),
            id: self.uuid,
            tenant: self.tenant_uuid,
            login: self.username,
            firstname: self.firstname,
            lastname: self.lastname,
            purpose: self.purpose,
            authentication_method: self.authentication_method,
            enabled: self.enabled,
            emails,
            policies,
            groups,
        }
    }
}

/// PBKDF2-HMAC-SHA-512 as wazo-auth has it: the hash in hexadecimal, the salt in bytes.
fn verifier(hash: Option<Secret<String>>, salt: Option<&[u8]>) -> Result<Option<Secret<String>>, &'static str> {
    let Some(hash) = hash else {
        return Ok(None);
    };
    let unknown = "its password hash is of no kind that can be taken over";
    let bytes = Secret::new(hex::decode(hash.expose().trim()).map_err(|_| unknown)?);
    let verifier = pbkdf2_sha512_verifier(ROUNDS, salt.unwrap_or_default(), &bytes);
    verifier.map(Some).ok_or(unknown)
}

/// A row of what users have any number of.
pub(super) trait HangsOnUser {
    type Hangs;

    /// The user's id, and what hangs on it.
    fn apart(self) -> (String, Self::Hangs);
}

/// The id of a policy or of a group.
#[derive(FromRow)]
pub(super) struct LinkRow {
    owner: String,
    id: String,
}

impl HangsOnUser for LinkRow {
    type Hangs = String;

    fn apart(self) -> (String, String) {
        (self.owner, self.id)
    }
}

#[derive(FromRow)]
pub(super) struct EmailRow {
    user_uuid: String,
    uuid: String,
    address: String,
    main: bool,
    confirmed: bool,
}

impl HangsOnUser for EmailRow {
    type Hangs = ForeignEmail;

    fn apart(self) -> (String, ForeignEmail) {
        let email = ForeignEmail {
            id: self.uuid,
            address: self.address,
            main: self.main,
            confirmed: self.confirmed,
        };
        (self.user_uuid, email)
    }
}

#[derive(FromRow)]
pub(super) struct RefreshRow {
    uuid: String,
    user_uuid: Option<String>,
    client_id: Option<String>,
    backend: Option<String>,
    login: Option<String>,
    user_agent: Option<String>,
    remote_addr: Option<String>,
    mobile: bool,
    created_at: Option<i64>,
    metadata: Option<String>,
}

impl From<RefreshRow> for ForeignRefreshToken {
    fn from(row: RefreshRow) -> Self {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            value: Secret::new(row.uuid),
            user: row.user_uuid.unwrap_or_default(),
            client_id: row.client_id.unwrap_or_default(),
            backend: filled(row.backend),
            login: filled(row.login),
            address: filled(row.remote_addr),
            user_agent: filled(row.user_agent),
            created_at: row.created_at.map(Timestamp),
            mobile: row.mobile,
            attributes: attributes(row.metadata.as_deref()),
        }
    }
}

/// The texts of a JSON object.
fn attributes(json: Option<&str>) -> Vec<(String, String)> {
    let value = json.and_then(|json| keyway_core::json::parse(json.as_bytes()).ok());
    let Some(serde_json::Value::Object(fields)) = value else {
        return Vec::new();
    };
    let texts = fields.into_iter().filter_map(|(name, value)| match value {
        serde_json::Value::String(text) => Some((name, text)),
        _ => None,
    });
    texts.collect()
}

#[derive(FromRow)]
pub(super) struct LdapRow {
    tenant_uuid: String,
    host: String,
    port: i32,
    protocol_version: Option<i16>,
    protocol_security: Option<String>,
    bind_dn: Option<String>,
    bind_password: Option<String>,
    user_base_dn: String,
    user_login_attribute: Option<String>,
    user_email_attribute: Option<String>,
    search_filters: Option<String>,
}

impl From<LdapRow> for ForeignLdap {
    fn from(row: LdapRow) -> Self {
        Self {
            tenant: row.tenant_uuid,
            host: row.host,
            port: row.port,
            protocol_version: row.protocol_version,
            protocol_security: row.protocol_security,
            bind_dn: row.bind_dn,
            bind_password: row.bind_password.map(Secret::new),
            user_base_dn: row.user_base_dn,
            user_login_attribute: row.user_login_attribute,
            user_email_attribute: row.user_email_attribute,
            search_filters: row.search_filters,
        }
    }
}
