//! Plugins and the configuration of a running server.

use axum::Json;
use axum::extract::{Path, State};
use keyway_core::model::{HistoryEntry, PluginStatus};
use keyway_core::port::PluginHost;

use super::error::AdminError;
use crate::edge::Call;
use crate::{AppState, ReloadReport};

fn host(state: &AppState) -> Result<&dyn PluginHost, AdminError> {
    state.plugins.as_deref().ok_or(AdminError::NoServer)
}

pub(super) async fn list(State(state): State<AppState>, _call: Call) -> Result<Json<Vec<PluginStatus>>, AdminError> {
    Ok(Json(host(&state)?.list().await))
}

pub(super) async fn history(
    State(state): State<AppState>,
    _call: Call,
    Path(backend): Path<String>,
) -> Result<Json<Vec<HistoryEntry>>, AdminError> {
    Ok(Json(host(&state)?.history(&backend).await?))
}

pub(super) async fn rollback(
    State(state): State<AppState>,
    _call: Call,
    Path(backend): Path<String>,
) -> Result<Json<PluginStatus>, AdminError> {
    Ok(Json(host(&state)?.rollback(&backend).await?))
}

pub(super) async fn promote(
    State(state): State<AppState>,
    _call: Call,
    Path(backend): Path<String>,
) -> Result<Json<PluginStatus>, AdminError> {
    Ok(Json(host(&state)?.promote(&backend).await?))
}

pub(super) async fn reload(State(state): State<AppState>, _call: Call) -> Result<Json<ReloadReport>, AdminError> {
    let reload = state.reload.as_deref().ok_or(AdminError::NoServer)?;
    Ok(Json(reload.reload().await.map_err(AdminError::Configuration)?))
}
