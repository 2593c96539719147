//! Going back: rollback, quarantine, promote, probation.

use keyway_core::model::PluginState;
use keyway_core::port::{PluginHost as _, PluginHostError};
use serde_json::json;

use crate::host::{PASSWORD, TestHost, spec, variant};

#[tokio::test]
async fn a_rollback_holds_over_a_restart_until_the_file_changes_or_is_promoted() {
    let host = TestHost::start().await;
    let first = host.serve("wazo_user").await;
    host.install("wazo_user", &variant("wazo_user", 1));
    let second = host.status_when(|status| status.generation == 2).await;

    let rolled_back = host.runtime.rollback("wazo_user").await.unwrap();
    assert_eq!(rolled_back.digest, first.digest);
    assert_eq!(rolled_back.state, PluginState::Quarantined);
    // The file in the folder is still the one that was rolled back.
    assert_eq!(host.runtime.reconcile().await[0].digest, first.digest);
    let history = host.runtime.history("wazo_user").await.unwrap();
    let live: Vec<bool> = history.iter().map(|entry| entry.live).collect();
    assert_eq!(live, [true, false, false]);
    assert_eq!(history[0].remark, "rolled back by an operator");
    assert_eq!(history[1].remark, "quarantined: rolled back by an operator");

    let host = host.restart().await;
    let restarted = host.desire(spec("wazo_user")).await;
    assert_eq!(
        (restarted.digest, restarted.state),
        (first.digest, PluginState::Quarantined)
    );
    assert!(host.login("wazo_user", "alice", PASSWORD).await.is_ok());

    let promoted = host.runtime.promote("wazo_user").await.unwrap();
    assert_eq!((promoted.digest, promoted.state), (second.digest, PluginState::Serving));

    host.runtime.rollback("wazo_user").await.unwrap();
    host.install("wazo_user", &variant("wazo_user", 2));
    let third = host.status_when(|status| status.state == PluginState::Serving).await;
    assert_ne!(third.digest, first.digest);
}

#[tokio::test]
async fn there_is_nothing_to_go_back_to_at_first() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let rollback = host.runtime.rollback("wazo_user").await;
    assert!(matches!(rollback, Err(PluginHostError::NoEarlierGeneration(_))));
    let promote = host.runtime.promote("wazo_user").await;
    assert!(matches!(promote, Err(PluginHostError::NothingToPromote(_))));
    let unknown = host.runtime.history("nobody").await;
    assert!(matches!(unknown, Err(PluginHostError::UnknownBackend(_))));
}

#[tokio::test]
async fn a_restart_with_nothing_changed_makes_no_new_generation() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let host = host.restart().await;
    assert_eq!(host.desire(spec("wazo_user")).await.generation, 1);
    assert_eq!(host.runtime.history("wazo_user").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_plugin_that_fails_its_probation_is_taken_back_and_quarantined() {
    let host = TestHost::start().await;
    // A plugin and its successor that does harm; neither needs a configuration.
    host.install_built("hostile", "wazo_user");
    let good = host.desire(spec("hostile")).await;
    assert_eq!(good.state, PluginState::Serving);

    host.install_built("hostile", "hostile");
    host.status_when(|status| status.generation == 2).await;
    for _ in 0..5 {
        assert!(host.login("hostile", "panic", PASSWORD).await.is_err());
    }
    let status = host
        .status_when(|status| status.state == PluginState::Quarantined)
        .await;
    assert_eq!(status.digest, good.digest);
    assert!(host.login("hostile", "alice", PASSWORD).await.is_ok());
    assert!(host.runtime.reconcile().await[0].state == PluginState::Quarantined);
}

#[tokio::test]
async fn a_configuration_that_fails_its_probation_is_taken_back_and_the_plugin_is_not() {
    let host = TestHost::start().await;
    let good = host.serve("hostile").await;
    let mut bad = spec("hostile");
    bad.config = json!({ "verify": "panic" });
    assert_eq!(host.desire(bad).await.generation, 2);
    for _ in 0..5 {
        assert!(host.login("hostile", "alice", PASSWORD).await.is_err());
    }
    let status = host
        .status_when(|status| status.state == PluginState::Quarantined)
        .await;
    assert_eq!(status.digest, good.digest);
    assert!(host.login("hostile", "alice", PASSWORD).await.is_ok());

    let mut other = spec("hostile");
    other.config = json!({ "amount": 1 });
    assert_eq!(host.desire(other).await.state, PluginState::Serving);
}

#[tokio::test]
async fn a_promoted_generation_is_no_longer_on_probation() {
    let host = TestHost::start().await;
    host.serve("hostile").await;
    let mut bad = spec("hostile");
    bad.config = json!({ "verify": "panic" });
    host.desire(bad).await;
    assert_eq!(host.runtime.promote("hostile").await.unwrap().generation, 2);
    for _ in 0..6 {
        assert!(host.login("hostile", "alice", PASSWORD).await.is_err());
    }
    assert_eq!(host.runtime.reconcile().await[0].generation, 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stops_the_start_and_is_kept() {
    let host = TestHost::start().await;
    let record = host.folder.path().join("var/plugins/state.json");
    std::fs::write(&record, "{").unwrap();
    host.runtime.shutdown().await;
    let settings = keyway_runtime::RuntimeSettings::new(
        host.folder.path().join("plugins"),
        host.folder.path().join("var"),
        keyway_core::Secret::new([7; 32]),
    );
    let clock = std::sync::Arc::new(keyway_core::port::SystemClock);
    let started = keyway_runtime::Runtime::start(settings, crate::host::services(), clock).await;
    assert!(matches!(started, Err(keyway_runtime::RuntimeError::Record { .. })));
    assert_eq!(std::fs::read_to_string(record).unwrap(), "{");
}
