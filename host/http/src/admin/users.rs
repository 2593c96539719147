//! Users.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use keyway_core::directory::{AddUser, DirectoryError, DirectoryService};
use keyway_core::model::{self, Page, TenantId, TenantTree, User};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Body, Password};
use super::error::AdminError;
use crate::edge::Call;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    tenant: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    filter: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, AdminError> {
    let Query(filter) = filter
        .map_err(|_| AdminError::Invalid("the query takes `tenant`, `offset` and `limit`, the last two as numbers"))?;
    let tenant = match &filter.tenant {
        Some(name) => Some(get_tenant(&directory, name).await?),
        None => None,
    };
    let whole = Page::default();
    let page = Page {
        offset: filter.offset.unwrap_or(whole.offset),
        limit: filter.limit.unwrap_or(whole.limit),
    };
    let query = model::Query {
        page,
        ..model::Query::all(tenant.map_or(model::TenantScope::All, model::TenantScope::Only))
    };
    let users = directory.list_users(&query).await?;
    Ok(Json(json!({ "items": users.items, "total": users.total })))
}

async fn get_tenant(directory: &DirectoryService, name: &str) -> Result<TenantId, DirectoryError> {
    let tree = TenantTree::new(&directory.list_tenants().await?);
    tree.find(name).ok_or_else(|| DirectoryError::NotFound {
        what: "tenant",
        name: name.to_owned(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    login: String,
    password: Option<Password>,
    email: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    tenant: Option<String>,
    #[serde(default)]
    admin: bool,
}

pub(super) async fn add(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Body(user): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), AdminError> {
    let added = directory
        .add_user(AddUser {
            login: Some(user.login),
            password: user.password.map(|password| password.0),
            email: user.email,
            firstname: user.firstname,
            lastname: user.lastname,
            tenant: user.tenant,
            admin: user.admin,
            ..AddUser::default()
        })
        .await?;
    Ok((StatusCode::CREATED, Json(added)))
}

pub(super) async fn show(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path(user): Path<String>,
) -> Result<Json<User>, AdminError> {
    Ok(Json(directory.get_user(&user).await?))
}

pub(super) async fn remove(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path(user): Path<String>,
) -> Result<Json<User>, AdminError> {
    Ok(Json(directory.remove_user(&user).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    password: Password,
}

pub(super) async fn set_password(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path(user): Path<String>,
    Body(new): Body<NewPassword>,
) -> Result<Json<User>, AdminError> {
    Ok(Json(directory.set_password(&user, &new.password.0).await?))
}
