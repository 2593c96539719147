//! Tenants.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use utoipa::openapi::schema::ArrayBuilder;
use uuid::Uuid;

use super::uuid;
use crate::dialect::wazo::tenant::ORDERS;
use crate::document::{Answer, Operation, Shape};

pub(super) const TAG: &str = "tenants";

/// A tenant.
#[derive(ToSchema)]
struct Tenant {
    uuid: Uuid,
    /// The tenant above it; the top tenant is above itself.
    parent_uuid: Uuid,
    #[schema(required)]
    name: Option<String>,
    slug: String,
    /// A user.
    #[schema(required)]
    contact: Option<Uuid>,
    #[schema(required)]
    phone: Option<String>,
    default_authentication_method: TenantMethod,
    domain_names: Vec<String>,
    address: Address,
}

/// By which method the users of a tenant prove who they are.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum TenantMethod {
    Native,
    Ldap,
    Saml,
}

/// Where a tenant is.
#[derive(ToSchema)]
struct Address {
    #[schema(max_length = 256, required)]
    line_1: Option<String>,
    #[schema(max_length = 256, required)]
    line_2: Option<String>,
    #[schema(max_length = 128, required)]
    city: Option<String>,
    #[schema(max_length = 128, required)]
    state: Option<String>,
    #[schema(max_length = 128, required)]
    country: Option<String>,
    #[schema(max_length = 16, required)]
    zip_code: Option<String>,
}

/// Where a tenant is said to be.
#[derive(ToSchema)]
struct NewAddress {
    #[schema(min_length = 1, max_length = 256)]
    line_1: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    line_2: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    city: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    state: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    country: Option<String>,
    #[schema(min_length = 1, max_length = 16)]
    zip_code: Option<String>,
}

/// A tenant to be made.
#[derive(ToSchema)]
struct NewTenant {
    uuid: Option<Uuid>,
    /// Without one, it is made up.
    #[schema(min_length = 1, max_length = 10, pattern = "^[a-zA-Z0-9_]+$")]
    slug: Option<String>,
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 32)]
    phone: Option<String>,
    contact: Option<Uuid>,
    #[schema(nullable = false)]
    default_authentication_method: Option<TenantMethod>,
    /// No other tenant's.
    #[schema(nullable = false, max_items = 1024)]
    domain_names: Option<Vec<String>>,
    #[schema(nullable = false)]
    address: Option<NewAddress>,
}

/// What takes the place of a tenant's content: what is not said is not kept. Its slug stays.
#[derive(ToSchema)]
struct TenantChange {
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 32)]
    phone: Option<String>,
    contact: Option<Uuid>,
    #[schema(nullable = false)]
    default_authentication_method: Option<TenantMethod>,
    #[schema(nullable = false, max_items = 1024)]
    domain_names: Option<Vec<String>>,
    #[schema(nullable = false)]
    address: Option<NewAddress>,
}

/// The domains of a tenant.
#[derive(ToSchema)]
struct Domains {
    items: Vec<Domain>,
    total: u64,
}

/// A domain of a tenant.
#[derive(ToSchema)]
struct Domain {
    uuid: Uuid,
    name: String,
}

const TAKEN: &str = "The id, the slug or a domain is another tenant's.";

pub(in crate::dialect::wazo) fn list() -> Operation {
    let uuids = ArrayBuilder::new().items(uuid()).max_items(Some(25));
    Operation::of_tenant(TAG, "listTenants", "Lists tenants", "auth.tenants.read")
        .detail("The caller's and all below it, whatever `recurse` says.")
        .lists::<Tenant, _>(&ORDERS)
        .filters(&["uuid", "name", "slug", "domain_name"])
        .query("uuids", uuids, "Only these; with commas between them, too.")
}

pub(in crate::dialect::wazo) fn create() -> Operation {
    let summary = "Makes a tenant below the one that the request is about";
    Operation::of_tenant(TAG, "createTenant", summary, "auth.tenants.create")
        .takes::<NewTenant>()
        .gives::<Tenant>("The tenant.")
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    Operation::of_tenant(TAG, "getTenant", "Shows a tenant", "auth.tenants.{tenant}.read")
        .gives::<Tenant>("The tenant.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn update() -> Operation {
    Operation::of_tenant(TAG, "updateTenant", "Changes a tenant", "auth.tenants.{tenant}.update")
        .takes::<TenantChange>()
        .gives::<Tenant>("The tenant.")
        .may_miss()
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    let children = Answer::new(400, "There are tenants below it.");
    Operation::of_tenant(TAG, "deleteTenant", "Removes a tenant", "auth.tenants.{tenant}.delete")
        .detail("Its users, groups and policies go with it.")
        .gives_nothing("It is gone.")
        .answer(children.json(Shape::of::<super::ApiError>()))
        .may_miss()
        .may_be_forbidden("Nobody removes the own tenant.")
}

pub(in crate::dialect::wazo) fn list_domains() -> Operation {
    let access = "auth.tenants.{tenant}.domains.read";
    Operation::of_tenant(TAG, "listTenantDomains", "Lists the domains of a tenant", access)
        .gives::<Domains>("The domains.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn set_parent() -> Operation {
    let access = "auth.tenants.{tenant}.parent.{parent}.update";
    let refused = Answer::new(400, "It would be below itself.");
    Operation::of_tenant(TAG, "setTenantParent", "Puts a tenant below another", access)
        .gives_nothing("It is there.")
        .answer(refused.json(Shape::of::<super::ApiError>()))
        .may_miss()
}
