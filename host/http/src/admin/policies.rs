//! Policies, and to whom they are attached.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use keyway_core::directory::DirectoryService;
use keyway_core::model::{Policy, Query, TenantScope};
use serde::Deserialize;

use super::body::Body;
use super::error::AdminError;
use crate::edge::Call;

pub(super) async fn list(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
) -> Result<Json<Vec<Policy>>, AdminError> {
    let all = Query::all(TenantScope::All);
    Ok(Json(directory.list_policies(&all).await?.items))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPolicy {
    name: String,
    accesses: Vec<String>,
}

pub(super) async fn add(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Body(new): Body<NewPolicy>,
) -> Result<(StatusCode, Json<Policy>), AdminError> {
    let added = directory.add_policy(&new.name, new.accesses).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

pub(super) async fn remove(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path(policy): Path<String>,
) -> Result<Json<Policy>, AdminError> {
    Ok(Json(directory.remove_policy(&policy).await?))
}

pub(super) async fn attach(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path((policy, user)): Path<(String, String)>,
) -> Result<Json<Policy>, AdminError> {
    Ok(Json(directory.attach_policy(&policy, &user).await?))
}

pub(super) async fn detach(
    State(directory): State<Arc<DirectoryService>>,
    _call: Call,
    Path((policy, user)): Path<(String, String)>,
) -> Result<Json<Policy>, AdminError> {
    Ok(Json(directory.detach_policy(&policy, &user).await?))
}
