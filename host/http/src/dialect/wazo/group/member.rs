//! The users of a group.

use axum::response::Response;
use keyway_core::model::{GroupId, Query, TenantScope, UserId};
use keyway_core::port::UserFilter;

use crate::dialect::wazo::ask::Ask;
use crate::dialect::wazo::ids::Ids;
use crate::dialect::wazo::{user, wire};

pub(super) async fn list(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.groups.{id}.users.read")).await?;
        let directory = ask.wazo.directory();
        let group = directory.get_group(GroupId(id), caller.scope()).await?;
        let filter = UserFilter {
            group: Some(group.id),
            ..UserFilter::default()
        };
        // A group's users are of its tenant, whichever tenant the request names.
        let query = Query {
            scope: TenantScope::Only(group.tenant),
            ..user::query(&ask, &caller, &filter)?
        };
        Ok(wire::page(directory.list_users(&query).await?, |user| {
            user::body(&user)
        }))
    };
    ask.answer(listed.await)
}

pub(super) async fn add(ask: Ask, Ids([group, user]): Ids<2>) -> Response {
    let added = async {
        let access = format!("auth.groups.{group}.users.{user}.create");
        let caller = ask.authorize(&access).await?;
        let directory = ask.wazo.directory();
        directory
            .add_group_member(GroupId(group), UserId(user), caller.scope(), &caller.live.accesses)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(added.await)
}

pub(super) async fn remove(ask: Ask, Ids([group, user]): Ids<2>) -> Response {
    let removed = async {
        let access = format!("auth.groups.{group}.users.{user}.delete");
        let caller = ask.authorize(&access).await?;
        let directory = ask.wazo.directory();
        directory
            .remove_group_member(GroupId(group), UserId(user), caller.scope(), &caller.live.accesses)
            .await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}
