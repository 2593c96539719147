//! The groups of a user.

use axum::response::Response;
use keyway_core::model::{Query, TenantScope, UserId};
use keyway_core::port::GroupFilter;

use crate::dialect::wazo::ask::Ask;
use crate::dialect::wazo::ids::Ids;
use crate::dialect::wazo::{group, wire};

pub(super) async fn list(ask: Ask, Ids([id]): Ids<1>) -> Response {
    let listed = async {
        let caller = ask.authorize(&format!("auth.users.{id}.groups.read")).await?;
        let directory = ask.wazo.directory();
        let user = directory.get_user_in(UserId(id), caller.scope()).await?;
        let filter = GroupFilter {
            member: Some(user.id),
            ..GroupFilter::default()
        };
        // A user's groups are of its tenant, whichever tenant the request names.
        let query = Query {
            scope: TenantScope::Only(user.tenant),
            ..group::query(&ask, &caller, &filter)?
        };
        Ok(wire::page(directory.list_groups(&query).await?, |row| {
            group::body(&row)
        }))
    };
    ask.answer(listed.await)
}
