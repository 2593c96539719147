//! Tenants.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use keyway_core::directory::DirectoryService;
use keyway_core::model::Tenant;
use serde::Deserialize;

use super::body::Body;
use super::error::AdminError;
use crate::edge::Call;

pub(super) async fn list(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
) -> Result<Json<Vec<Tenant>>, AdminError> {
    Ok(Json(directory.list_tenants().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenant {
    name: String,
    parent: Option<String>,
    realm: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
}

pub(super) async fn add(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Body(new): Body<NewTenant>,
) -> Result<(StatusCode, Json<Tenant>), AdminError> {
    let added = directory
        .add_tenant(&new.name, new.parent.as_deref(), new.realm.as_deref(), &new.domains)
        .await?;
    Ok((StatusCode::CREATED, Json(added)))
}

pub(super) async fn remove(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path(tenant): Path<String>,
) -> Result<Json<Tenant>, AdminError> {
    Ok(Json(directory.remove_tenant(&tenant).await?))
}
