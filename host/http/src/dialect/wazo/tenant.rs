//! Tenants.

mod content;

use axum::response::Response;
use http::StatusCode;
use keyway_core::directory::{AddTenant, DirectoryError};
use keyway_core::model::{Query, Tenant, TenantId};
use keyway_core::port::{StoreError, TenantFilter, TenantOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, Caller};
use super::document::tenant as tell;
use super::error::Failure;
use super::ids::Ids;
use super::list_query::{list_query, problems_or};
use super::validation::Problems;
use super::wire::{self, ApiError};
use crate::document::{Routes, get, put};
use crate::edge::{Payload, PayloadError};

pub(super) const ORDERS: [(&str, TenantOrder); 2] = [("name", TenantOrder::Name), ("slug", TenantOrder::Slug)];

/// How many ids a list may be asked for.
const MOST_IDS: usize = 25;

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/tenants", get(tell::list, list).post(tell::create, create))
        .route(
            "/tenants/{tenant}",
            get(tell::show, show)
                .put(tell::update, update)
                .delete(tell::remove, remove),
        )
        .route("/tenants/{tenant}/domains", get(tell::list_domains, list_domains))
        .route("/tenants/{tenant}/parent/{parent}", put(tell::set_parent, set_parent))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.tenants.read").await?;
        let query = query(&ask, &caller)?;
        let paged = ask.wazo.directory().list_tenants_in(&query).await?;
        Ok(wire::page(paged, |tenant| body(&tenant)))
    };
    ask.answer(listed.await)
}

async fn create(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let created = async {
        let caller = ask.authorize("auth.tenants.create").await?;
        let (id, slug, profile) = content::new_tenant(payload)?;
        if id == Some(caller.tenant) {
            return Err(ApiError::conflict("tenants", "uuid", &caller.tenant.to_string()).into());
        }
        let new = AddTenant {
            id,
            parent: caller.tenant,
            slug,
            realm: None,
            profile,
        };
        let added = ask.wazo.directory().create_tenant(new.clone()).await;
        let tenant = added.map_err(|error| {
            let slug = new.slug.as_deref().unwrap_or_default();
            let id = new.id.map(|id| id.to_string()).unwrap_or_default();
            refused(error, &id, slug, &new.profile.domains)
        })?;
        Ok(wire::ok(&body(&tenant)))
    };
    ask.answer(created.await)
}

async fn show(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let shown = async {
        let caller = ask.authorize(&format!("auth.tenants.{id}.read")).await?;
        let tenant = ask.wazo.directory().get_tenant(TenantId(id), caller.scope()).await?;
        Ok(wire::ok(&body(&tenant)))
    };
    ask.answer(shown.await)
}

async fn update(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let updated = async {
        let caller = ask.authorize(&format!("auth.tenants.{id}.update")).await?;
        let profile = content::profile(payload)?;
        let domains = profile.domains.clone();
        let changed = ask
            .wazo
            .directory()
            .update_tenant(TenantId(id), profile, caller.scope());
        let tenant = changed.await.map_err(|error| refused(error, "", "", &domains))?;
        Ok(wire::ok(&body(&tenant)))
    };
    ask.answer(updated.await)
}

async fn remove(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let removed = async {
        let caller = ask.authorize(&format!("auth.tenants.{id}.delete")).await?;
        let removed = ask.wazo.directory().remove_whole_tenant(TenantId(id), caller.tenant);
        removed.await.map_err(|error| kept(error, id))?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

async fn list_domains(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.tenants.{id}.domains.read")).await?;
        let tenant = ask.wazo.directory().get_tenant(TenantId(id), caller.scope()).await?;
        let domains = tenant.domains.iter();
        let items: Vec<_> = domains
            .map(|domain| json!({"name": domain, "uuid": tenant.domain_id(domain)}))
            .collect();
        Ok(wire::ok(&json!({"total": items.len(), "items": items})))
    };
    ask.answer(listed.await)
}

async fn set_parent(ask: Ask, Ids([id, parent]): Ids<2>) -> Response {
    let moved = async {
        let access = format!("auth.tenants.{id}.parent.{parent}.update");
        let caller = ask.authorize(&access).await?;
        let directory = ask.wazo.directory();
        let moved = directory.move_tenant(TenantId(id), TenantId(parent), caller.scope());
        moved.await.map_err(|error| refused(error, "", "", &[]))?;
        Ok(wire::no_content())
    };
    ask.answer(moved.await)
}

/// What part of the tenants the request wants: its own and all below are there to choose from, whatever it says of `recurse`.
fn query(ask: &Ask, caller: &Caller) -> Result<Query<TenantFilter, TenantOrder>, Failure> {
    let text = |key: &str| ask.query(key).map(str::to_owned);
    // What is no id, no tenant has.
    let id = |text: &str| TenantId(Uuid::try_parse(text).unwrap_or(Uuid::nil()));
    let mut ids: Option<Vec<_>> = ask.query("uuid").map(|text| vec![id(text)]);
    let mut listed = ask.queries("uuids").flat_map(|list| list.split(',')).peekable();
    if listed.peek().is_some() {
        let wanted: Vec<_> = listed.take(MOST_IDS + 1).map(id).collect();
        let mut problems = Problems::default();
        if wanted.len() > MOST_IDS {
            problems.length("uuids", 0, MOST_IDS);
        }
        problems_or(&problems)?;
        ids = Some(match ids {
            Some(ids) => ids.into_iter().filter(|id| wanted.contains(id)).collect(),
            None => wanted,
        });
    }
    let filter = TenantFilter {
        ids,
        name: text("name"),
        slug: text("slug"),
        domain: text("domain_name"),
    };
    Ok(Query {
        scope: caller.scope(),
        ..list_query(ask, caller, &ORDERS, TenantOrder::Name, filter)?
    })
}

/// A tenant as this dialect writes it.
fn body(tenant: &Tenant) -> Value {
    let address = &tenant.address;
    json!({
        "uuid": tenant.id,
        "parent_uuid": tenant.parent,
        "name": tenant.name,
        "slug": tenant.slug,
        "contact": tenant.contact,
        "phone": tenant.phone,
        "default_authentication_method": tenant.authentication_method.as_str(),
        "domain_names": tenant.domains,
        "address": {
            "line_1": address.line_1,
            "line_2": address.line_2,
            "city": address.city,
            "state": address.state,
            "country": address.country,
            "zip_code": address.zip_code,
        },
    })
}

/// Why a tenant was not written.
fn refused(error: DirectoryError, id: &str, slug: &str, domains: &[String]) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { what: "tenant id" }) => {
            ApiError::conflict("tenants", "uuid", id).into()
        }
        DirectoryError::Store(StoreError::Conflict { what: "tenant slug" }) => {
            ApiError::conflict("tenants", "slug", slug).into()
        }
        DirectoryError::Store(StoreError::Conflict { what: "tenant domain" }) => {
            ApiError::conflict("tenants", "domain_names", &domains.join(", ")).into()
        }
        DirectoryError::Invalid { field, rule } => ApiError::refused("tenants", field, rule).into(),
        error => error.into(),
    }
}

/// Why a tenant was not removed.
fn kept(error: DirectoryError, id: Uuid) -> Failure {
    match error {
        DirectoryError::Protected { .. } => {
            let message = format!("Deleting its own tenant is forbidden: \"{id}\"");
            let details = json!({ "tenant_uuid": id });
            ApiError::new(StatusCode::FORBIDDEN, "deleting-own-tenant-forbidden", message, details)
                .resource("tenants")
                .into()
        }
        DirectoryError::Store(StoreError::InUse { .. }) => {
            let message = format!("The tenant \"{id}\" still has tenants below it");
            let details = json!({ "uuid": id });
            ApiError::new(StatusCode::BAD_REQUEST, "tenant-with-children", message, details)
                .resource("tenants")
                .into()
        }
        error => error.into(),
    }
}
