//! Policies.

mod content;

use axum::response::Response;
use keyway_core::model::{Policy, PolicyId, Query, TenantId, TenantTree};
use keyway_core::port::{PolicyFilter, PolicyOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, Caller, word};
use super::document::policy as tell;
use super::error::Failure;
use super::ids::Names;
use super::list_query::{boolean, list_query, problems_or};
use super::validation::Problems;
use super::wire;
use crate::document::{Routes, get, put};
use crate::edge::{Payload, PayloadError};
use content::{refused, refused_access};

pub(super) const ORDERS: [(&str, PolicyOrder); 4] = [
    ("name", PolicyOrder::Name),
    ("slug", PolicyOrder::Slug),
    ("description", PolicyOrder::Description),
    ("uuid", PolicyOrder::Id),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/policies", get(tell::list, list).post(tell::create, create))
        .route(
            "/policies/{policy}",
            get(tell::show, show)
                .put(tell::update, update)
                .delete(tell::remove, remove),
        )
        .route(
            "/policies/{policy}/acl/{access}",
            put(tell::add_access, add_access).delete(tell::remove_access, remove_access),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.policies.read").await?;
        let query = query(&ask, &caller, &PolicyFilter::default())?;
        let directory = ask.wazo.directory();
        let (paged, tree) = (directory.list_policies(&query).await?, directory.tenant_tree().await?);
        let items: Vec<_> = paged
            .items
            .iter()
            .map(|policy| body(policy, caller.tenant, &tree))
            .collect();
        // This list alone does not tell how many fit the filters.
        Ok(wire::ok(&json!({"items": items, "total": paged.total})))
    };
    ask.answer(listed.await)
}

async fn create(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let created = async {
        let caller = ask.authorize("auth.policies.create").await?;
        let new = content::new_policy(payload)?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        let name = new.name.clone();
        let added = directory.create_policy(caller.tenant, new, held).await;
        let policy = added.map_err(|error| refused(error, &name))?;
        answer(&ask, &caller, &policy).await
    };
    ask.answer(created.await)
}

async fn show(ask: Ask, Names([selector]): Names<1>) -> Response {
    let shown = async {
        let access = format!("auth.policies.{}.read", word(&selector));
        let caller = ask.authorize(&access).await?;
        let policy = ask.wazo.directory().get_policy_in(&selector, caller.scope()).await?;
        answer(&ask, &caller, &policy).await
    };
    ask.answer(shown.await)
}

async fn update(ask: Ask, Names([selector]): Names<1>, payload: Result<Payload, PayloadError>) -> Response {
    let updated = async {
        let access = format!("auth.policies.{}.update", word(&selector));
        let caller = ask.authorize(&access).await?;
        let change = content::change(payload)?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        let changed = directory.update_policy(&selector, &change, caller.scope(), held).await;
        let policy = changed.map_err(|error| refused(error, &change.name))?;
        answer(&ask, &caller, &policy).await
    };
    ask.answer(updated.await)
}

async fn remove(ask: Ask, Names([selector]): Names<1>) -> Response {
    let removed = async {
        let access = format!("auth.policies.{}.delete", word(&selector));
        let caller = ask.authorize(&access).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        directory.delete_policy(&selector, caller.scope(), held).await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

async fn add_access(ask: Ask, Names([selector, access]): Names<2>) -> Response {
    let added = async {
        let required = format!("auth.policies.{}.update", word(&selector));
        let caller = ask.authorize(&required).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        let changed = directory.add_policy_access(&selector, &access, caller.scope(), held);
        changed.await.map_err(|error| refused_access(error, &access))?;
        Ok(wire::no_content())
    };
    ask.answer(added.await)
}

async fn remove_access(ask: Ask, Names([selector, access]): Names<2>) -> Response {
    let removed = async {
        let required = format!("auth.policies.{}.update", word(&selector));
        let caller = ask.authorize(&required).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        let changed = directory.remove_policy_access(&selector, &access, caller.scope(), held);
        changed.await.map_err(|error| refused_access(error, &access))?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

async fn answer(ask: &Ask, caller: &Caller, policy: &Policy) -> Result<Response, Failure> {
    let tree = ask.wazo.directory().tenant_tree().await?;
    Ok(wire::ok(&body(policy, caller.tenant, &tree)))
}

/// What part of a list of policies the request wants.
pub(super) fn query(
    ask: &Ask,
    caller: &Caller,
    filter: &PolicyFilter,
) -> Result<Query<PolicyFilter, PolicyOrder>, Failure> {
    let mut problems = Problems::default();
    let read_only = boolean(ask, "read_only", &mut problems);
    problems_or(&problems)?;
    let text = |key: &str| ask.query(key).map(str::to_owned);
    let filter = PolicyFilter {
        // What is no id, no policy has.
        id: ask
            .query("uuid")
            .map(|text| PolicyId(Uuid::try_parse(text).unwrap_or(Uuid::nil()))),
        name: text("name"),
        slug: text("slug"),
        description: text("description"),
        read_only,
        ..*filter
    };
    list_query(ask, caller, &ORDERS, PolicyOrder::Name, filter)
}

/// A policy as this dialect writes it for who looks from this tenant: what is shared from above looks like the tenant's own that nobody may
/// change.
pub(super) fn body(policy: &Policy, viewer: TenantId, tree: &TenantTree) -> Value {
    let own = tree.is_within(policy.tenant, viewer);
    json!({
        "uuid": policy.id,
        "tenant_uuid": if own { policy.tenant } else { viewer },
        "name": policy.name,
        "slug": policy.slug,
        "description": policy.description,
        "acl": policy.accesses,
        "read_only": policy.managed || !own,
        "shared": policy.shared && own,
    })
}
