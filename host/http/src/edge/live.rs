//! Liveness and readiness.

use std::time::Duration;

use keyway_core::port::Store;

/// How long the store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the store answers now.
pub async fn answers(store: &dyn Store) -> bool {
    matches!(tokio::time::timeout(PATIENCE, store.ping()).await, Ok(Ok(())))
}
