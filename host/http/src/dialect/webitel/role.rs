//! Roles: `/api/v2/acl/roles`. They are the whole installation's.

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::acl::{Acl, Permissions};
use super::ask::Ask;
use super::caller::Caller;
use super::document::role as tell;
use super::error::Failure;
use super::roles::{Role, RoleError, parse_parents};
use crate::document::{Routes, get};

const RESOURCE: &str = "acl/roles";
const UNKNOWN: Failure = Failure::NotFound("Role not found.");

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/api/v2/acl/roles",
            get(tell::list_all, list).post(tell::create, create),
        )
        .route(
            "/api/v2/acl/roles/{name}",
            get(tell::show, show)
                .put(tell::update, update)
                .delete(tell::remove, remove),
        )
}

async fn list(ask: Ask) -> Response {
    let result = async {
        let caller = ask.caller().await?;
        caller.may(RESOURCE, &[Permissions::READ])?;
        let roles: Vec<_> = caller.page.roles.iter().map(|(name, role)| role.show(name)).collect();
        Ok(done(roles))
    };
    ask.answer(result.await)
}

async fn show(ask: Ask) -> Response {
    let result = async {
        let caller = ask.caller().await?;
        caller.may(RESOURCE, &[Permissions::READ])?;
        let name = ask.path("name");
        let role = caller.page.roles.get(name).ok_or(UNKNOWN)?;
        Ok(done(role.show(name)))
    };
    ask.answer(result.await)
}

async fn create(ask: Ask) -> Response {
    let result = async {
        let caller = ask.caller().await?;
        may_write(&caller, Permissions::CREATE)?;
        let name = ask.field("roles")?.as_str().ok_or(RoleError::Name)?;
        if caller.page.roles.get(name).is_some() {
            return Err(Failure::Taken("There is a role of this name."));
        }
        let role = Role::parse(given(ask.field("allows")?), ask.field("parents")?)?;
        put(&ask, &caller, name, &role).await
    };
    ask.answer(result.await)
}

async fn update(ask: Ask) -> Response {
    let result = async {
        let caller = ask.caller().await?;
        may_write(&caller, Permissions::UPDATE)?;
        let name = ask.path("name");
        let present = caller.page.roles.get(name).ok_or(UNKNOWN)?;
        let mut role = present.clone();
        role.is_made = true;
        let (allows, parents) = (ask.field("allows")?, ask.field("parents")?);
        if !allows.is_null() {
            role.allows = Acl::parse(allows).map_err(RoleError::Allows)?;
        }
        if ask.body()?.contains_key("parents") {
            role.parents = parse_parents(parents)?;
        }
        put(&ask, &caller, name, &role).await
    };
    ask.answer(result.await)
}

async fn remove(ask: Ask) -> Response {
    let result = async {
        let caller = ask.caller().await?;
        may_write(&caller, Permissions::DELETE)?;
        let name = ask.path("name");
        let roles = &caller.page.roles;
        roles.get(name).ok_or(UNKNOWN)?;
        roles.check_removal(name)?;
        check_cover(&caller, &roles.acl(name))?;
        check_cover(&caller, &roles.acl_without(name))?;
        if !ask.webitel.book().remove_role(&caller.page, name).await? {
            return Err(UNKNOWN);
        }
        tracing::info!(
            role = name,
            by = caller.id,
            actor = caller.actor,
            "a role of Webitel's API was removed"
        );
        Ok(done("Role removed."))
    };
    ask.answer(result.await)
}

/// Writes a role, if the caller may do all that it allows, before and after.
async fn put(ask: &Ask, caller: &Caller, name: &str, role: &Role) -> Result<Response, Failure> {
    let roles = &caller.page.roles;
    let acl = roles.acl_with(name, role)?;
    check_cover(caller, &roles.acl(name))?;
    check_cover(caller, &acl)?;
    ask.webitel.book().put_role(&caller.page, name, role).await?;
    tracing::info!(
        role = name,
        by = caller.id,
        actor = caller.actor,
        "a role of Webitel's API was written"
    );
    Ok(done(role.show(name)))
}

/// Roles are everybody's, so whoever is confined to a domain writes none, whatever its own allows.
fn may_write(caller: &Caller, permissions: Permissions) -> Result<(), Failure> {
    caller.may(RESOURCE, &[permissions])?;
    if caller.domain.is_some() {
        return Err(Failure::Denied);
    }
    Ok(())
}

/// Nobody passes on what it may not do itself, nor takes it from others.
fn check_cover(caller: &Caller, acl: &Acl) -> Result<(), Failure> {
    if caller.acl.covers(acl) {
        return Ok(());
    }
    Err(Failure::Denied)
}

/// What is given, or an object with nothing in it.
fn given(allows: &Value) -> &Value {
    static NOTHING: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| json!({}));
    if allows.is_null() { &NOTHING } else { allows }
}

/// An answer that is no error.
pub(super) fn done(info: impl Into<Value>) -> Response {
    axum::Json(json!({ "status": "OK", "info": info.into() })).into_response()
}
