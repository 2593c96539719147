//! The policies of a group.

use axum::response::Response;
use keyway_core::model::{GroupId, Query};
use keyway_core::port::PolicyFilter;
use uuid::Uuid;

use crate::dialect::wazo::ask::{Ask, word};
use crate::dialect::wazo::ids::{Ids, NamedBelow};
use crate::dialect::wazo::{policy, wire};

pub(super) async fn list(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.groups.{id}.policies.read")).await?;
        let directory = ask.wazo.directory();
        let group = directory.get_group(GroupId(id), caller.scope()).await?;
        let filter = PolicyFilter {
            group: Some(group.id),
            ..PolicyFilter::default()
        };
        // They may be of any tenant that the caller sees.
        let query = Query {
            scope: caller.scope(),
            ..policy::query(&ask, &caller, &filter)?
        };
        let (paged, tree) = (directory.list_policies(&query).await?, directory.tenant_tree().await?);
        Ok(wire::page(paged, |row| policy::body(&row, caller.tenant, &tree)))
    };
    ask.answer(listed.await)
}

pub(super) async fn add(ask: Ask, NamedBelow(group, name): NamedBelow) -> Response {
    let added = async {
        let caller = ask.authorize(&access(group, &name, "create")).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        directory
            .attach_group_policy(GroupId(group), &name, caller.scope(), held)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(added.await)
}

pub(super) async fn remove(ask: Ask, NamedBelow(group, name): NamedBelow) -> Response {
    let removed = async {
        let caller = ask.authorize(&access(group, &name, "delete")).await?;
        let (directory, held) = (ask.wazo.directory(), &caller.live.accesses);
        directory
            .detach_group_policy(GroupId(group), &name, caller.scope(), held)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

fn access(group: Uuid, policy: &str, verb: &str) -> String {
    format!("auth.groups.{group}.policies.{}.{verb}", word(policy))
}
