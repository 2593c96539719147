//! Groups.

mod member;
mod policy;

use axum::response::Response;
use http::StatusCode;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{Group, GroupId, PolicyId, Query};
use keyway_core::port::{GroupFilter, GroupOrder, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{Ask, Caller};
use super::document::group as tell;
use super::error::Failure;
use super::fields::Fields;
use super::ids::Ids;
use super::list_query::{boolean, list_query, problems_or};
use super::validation::Problems;
use super::wire::{self, ApiError};
use crate::document::{Routes, get, put};
use crate::edge::{Payload, PayloadError};

pub(super) const ORDERS: [(&str, GroupOrder); 3] = [
    ("name", GroupOrder::Name),
    ("slug", GroupOrder::Slug),
    ("uuid", GroupOrder::Id),
];

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/groups", get(tell::list, list).post(tell::create, create))
        .route(
            "/groups/{group}",
            get(tell::show, show)
                .put(tell::update, update)
                .delete(tell::remove, remove),
        )
        .route("/groups/{group}/policies", get(tell::list_policies, policy::list))
        .route(
            "/groups/{group}/policies/{policy}",
            put(tell::add_policy, policy::add).delete(tell::remove_policy, policy::remove),
        )
        .route("/groups/{group}/users", get(tell::list_members, member::list))
        .route(
            "/groups/{group}/users/{user}",
            put(tell::add_member, member::add).delete(tell::remove_member, member::remove),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.authorize("auth.groups.read").await?;
        let query = query(&ask, &caller, &GroupFilter::default())?;
        Ok(wire::page(ask.wazo.directory().list_groups(&query).await?, |group| {
            body(&group)
        }))
    };
    ask.answer(listed.await)
}

async fn create(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let created = async {
        let caller = ask.authorize("auth.groups.create").await?;
        let mut fields = Fields::parse(payload)?;
        let name = fields.required_text("name", 1..=128);
        let slug = fields.nullable_text("slug", 1..=80);
        fields.finish("groups")?;
        let added = ask.wazo.directory().add_group(caller.tenant, &name, slug.as_deref());
        let group = added.await.map_err(|error| taken(error, &name))?;
        Ok(wire::ok(&body(&group)))
    };
    ask.answer(created.await)
}

async fn show(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let shown = async {
        let caller = ask.authorize(&format!("auth.groups.{id}.read")).await?;
        let group = ask.wazo.directory().get_group(GroupId(id), caller.scope()).await?;
        Ok(wire::ok(&body(&group)))
    };
    ask.answer(shown.await)
}

async fn update(ask: Ask, Ids([id]): Ids<1>, payload: Result<Payload, PayloadError>) -> Response {
    let updated = async {
        let caller = ask.authorize(&format!("auth.groups.{id}.update")).await?;
        let directory = ask.wazo.directory();
        // Who may not see the group hears nothing of the body.
        directory.get_group(GroupId(id), caller.scope()).await?;
        let mut fields = Fields::parse(payload)?;
        let name = fields.required_text("name", 1..=128);
        fields.finish("groups")?;
        let renamed = directory.rename_group(GroupId(id), &name, caller.scope());
        let group = renamed.await.map_err(|error| taken(error, &name))?;
        Ok(wire::ok(&body(&group)))
    };
    ask.answer(updated.await)
}

async fn remove(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let removed = async {
        let caller = ask.authorize(&format!("auth.groups.{id}.delete")).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        directory.remove_group(GroupId(id), caller.scope(), held).await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

/// What part of a list of groups the request wants.
pub(super) fn query(
    ask: &Ask,
    caller: &Caller,
    filter: &GroupFilter,
) -> Result<Query<GroupFilter, GroupOrder>, Failure> {
    let mut problems = Problems::default();
    let read_only = boolean(ask, "read_only", &mut problems);
    let system = boolean(ask, "system_managed", &mut problems);
    problems_or(&problems)?;
    let text = |key: &str| ask.query(key).map(str::to_owned);
    // What is no id, nothing has.
    let id = |key: &str| ask.query(key).map(|text| Uuid::try_parse(text).unwrap_or(Uuid::nil()));
    let filter = GroupFilter {
        name: text("name"),
        slug: text("slug"),
        id: id("uuid").map(GroupId),
        system: read_only.or(system),
        policy: id("policy_uuid").map(PolicyId),
        policy_slug: text("policy_slug"),
        ..*filter
    };
    list_query(ask, caller, &ORDERS, GroupOrder::Name, filter)
}

/// A group as this dialect writes it.
pub(super) fn body(group: &Group) -> Value {
    json!({
        "uuid": group.id,
        "tenant_uuid": group.tenant,
        "name": group.name,
        "slug": group.slug,
        "read_only": group.system,
        "system_managed": group.system,
    })
}

fn taken(error: DirectoryError, name: &str) -> Failure {
    match error {
        DirectoryError::Store(StoreError::Conflict { .. }) => {
            Failure::Service(StatusCode::CONFLICT, format!("Group \"{name}\" already exists"))
        }
        DirectoryError::Invalid { field, rule } => {
            let field = if field == "group name" { "name" } else { field };
            ApiError::refused("groups", field, rule).into()
        }
        error => error.into(),
    }
}
