//! Liveness and readiness.

use std::time::Duration;

use keyway_core::port::Store;
use utoipa::openapi::HttpMethod;

use crate::document::{Answer, Methods, Mount, Operation, Routes, nowhere};

pub(super) const LIVE: &str = "/livez";
pub(super) const READY: &str = "/readyz";
const TAG: &str = "probes";

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the store answers now.
pub async fn answers(store: &dyn Store) -> bool {
    matches!(tokio::time::timeout(PATIENCE, store.ping()).await, Ok(Ok(())))
}

/// What the edge answers by itself, for the document.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "",
        also: nowhere,
        tags: &[(TAG, "For whoever starts and stops servers. Each listener answers them.")],
        parameter: |_| None,
        routes: Routes::new()
            .route(LIVE, Methods::elsewhere(HttpMethod::Get, tell_live))
            .route(READY, Methods::elsewhere(HttpMethod::Get, tell_ready)),
    }
}

fn tell_live() -> Operation {
    Operation::open(TAG, "checkLive", "Tells whether the server runs")
        .answer(Answer::new(200, "It does.").text("text/plain"))
}

fn tell_ready() -> Operation {
    Operation::open(TAG, "checkReady", "Tells whether the server takes requests")
        .answer(Answer::new(200, "It does.").text("text/plain"))
        .answer(Answer::new(503, "It stops, or its store does not answer.").text("text/plain"))
}
