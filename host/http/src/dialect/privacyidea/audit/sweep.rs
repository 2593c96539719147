//! Old entries go.

use std::time::Duration;

use keyway_core::port::StoreError;

use crate::AppState;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_mins(10);
/// How many entries go in one transaction.
const BATCH: u32 = 1000;

/// Removes entries of the audit that are older than `[dialect.privacyidea] audit_keep`, again and again. It never returns.
pub async fn sweep_audit(state: AppState) {
    loop {
        match sweep(&state).await {
            Ok(0) => {}
            Ok(gone) => tracing::debug!(gone, "removed old entries of the audit"),
            Err(error) => tracing::warn!(error = %error, "cannot remove old entries of the audit"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// One round; returns how many went.
pub(super) async fn sweep(state: &AppState) -> Result<u64, StoreError> {
    let keep = state.dialects.privacyidea.audit_keep;
    let mut gone = 0;
    loop {
        let batch = state.store.sweep_audit(state.clock.now().minus(keep), BATCH).await?;
        gone += batch;
        if batch < u64::from(BATCH) {
            return Ok(gone);
        }
    }
}
