//! Backends, and where a tenant's users are in LDAP.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::Operation;

pub(super) const TAG: &str = "backends";

/// The names that a login may give.
#[derive(ToSchema)]
struct Backends {
    data: Vec<String>,
}

/// Where a tenant's users are in LDAP; all null where they are not.
#[derive(ToSchema)]
struct Ldap {
    #[schema(required)]
    tenant_uuid: Option<Uuid>,
    #[schema(required)]
    host: Option<String>,
    #[schema(required)]
    port: Option<u16>,
    #[schema(required)]
    protocol_version: Option<u8>,
    #[schema(required)]
    protocol_security: Option<String>,
    #[schema(required)]
    bind_dn: Option<String>,
    #[schema(required)]
    user_base_dn: Option<String>,
    #[schema(required)]
    user_login_attribute: Option<String>,
    #[schema(required)]
    user_email_attribute: Option<String>,
    #[schema(required)]
    search_filters: Option<String>,
}

/// Where a tenant's users are to be in LDAP.
#[derive(ToSchema)]
struct NewLdap {
    #[schema(max_length = 512)]
    host: String,
    port: u16,
    #[schema(nullable = false, minimum = 2, maximum = 3, default = 3)]
    protocol_version: Option<u8>,
    protocol_security: Option<Security>,
    /// As whom users are looked for. Without it, users are bound by their names.
    #[schema(max_length = 256)]
    bind_dn: Option<String>,
    /// It is never shown.
    #[schema(max_length = 4096, write_only)]
    bind_password: Option<String>,
    #[schema(max_length = 256)]
    user_base_dn: String,
    #[schema(max_length = 64)]
    user_login_attribute: String,
    #[schema(max_length = 64)]
    user_email_attribute: String,
    /// With `{username}`, `{user_login_attribute}` and `{user_email_attribute}` in it.
    #[schema(max_length = 4096)]
    search_filters: Option<String>,
}

/// TLS from the first byte, or from a command on.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum Security {
    Ldaps,
    Tls,
}

pub(in crate::dialect::wazo) fn list_backends() -> Operation {
    Operation::open(TAG, "listBackends", "Lists the backends that a login may name").gives::<Backends>("Their names.")
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    let summary = "Shows where the tenant's users are in LDAP";
    Operation::of_tenant(TAG, "getLdap", summary, "auth.backends.ldap.read").gives::<Ldap>("The settings.")
}

pub(in crate::dialect::wazo) fn update() -> Operation {
    let summary = "Says where the tenant's users are in LDAP";
    Operation::of_tenant(TAG, "setLdap", summary, "auth.backends.ldap.update")
        .takes::<NewLdap>()
        .gives::<Ldap>("The settings.")
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    let summary = "Says that the tenant's users are not in LDAP";
    Operation::of_tenant(TAG, "deleteLdap", summary, "auth.backends.ldap.delete").gives_nothing("They are not.")
}
