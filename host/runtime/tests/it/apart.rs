//! A backend that takes long to load delays no other backend, and nobody who does not ask for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::model::{PluginState, PluginStatus};
use keyway_core::port::PluginHost as _;
use keyway_runtime::{BackendSpec, Limits};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::host::{PASSWORD, TestHost, spec, variant};

/// A backend whose plugin hangs while its configuration is checked, for longer than any test waits.
fn stuck() -> BackendSpec {
    let mut stuck = spec("hostile");
    stuck.config = json!({ "configure": "slow", "amount": 3_600_000 });
    stuck.limits = Limits {
        deadline: Duration::from_hours(1),
        ..Limits::default()
    };
    stuck
}

/// Desires `others` beside a backend that hangs while it is loaded. Whoever desired it waits for it.
pub(crate) async fn hang_beside(host: &TestHost, others: Vec<BackendSpec>) -> JoinHandle<Vec<PluginStatus>> {
    host.install_built("hostile", "hostile");
    let runtime = Arc::clone(&host.runtime);
    let specs = [vec![stuck()], others].concat();
    let waiting = tokio::spawn(async move { runtime.set_desired(specs).await });
    host.status_of_when("hostile", is_being_loaded).await;
    waiting
}

/// What must not wait for the backend that hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.unwrap()
}

fn is_being_loaded(status: &PluginStatus) -> bool {
    status.reason.as_deref() == Some("it is being loaded")
}

#[tokio::test]
async fn a_file_goes_live_and_back_while_another_backend_hangs() {
    let host = TestHost::start().await;
    let first = host.serve("wazo_user").await;
    let waiting = hang_beside(&host, vec![spec("wazo_user")]).await;

    host.install("wazo_user", &variant("wazo_user", 1));
    let second = host
        .status_of_when("wazo_user", |status| status.digest != first.digest)
        .await;
    assert_eq!(second.state, PluginState::Serving);
    let rolled_back = soon(host.runtime.rollback("wazo_user")).await.unwrap();
    assert_eq!(rolled_back.digest, first.digest);
    assert_eq!(soon(host.runtime.history("wazo_user")).await.unwrap().len(), 3);
    let promoted = soon(host.runtime.promote("wazo_user")).await.unwrap();
    assert_eq!(promoted.digest, second.digest);

    assert!(is_being_loaded(&host.status_of("hostile").await));
    assert!(!waiting.is_finished());
    soon(host.runtime.shutdown()).await;
    assert!(soon(waiting).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_probation_is_taken_back_while_another_backend_hangs() {
    let host = TestHost::start().await;
    host.install_built("first", "hostile");
    let mut first = spec("first");
    let good = host.desire(first.clone()).await;
    first.config = json!({ "verify": "panic" });
    let _waiting = hang_beside(&host, vec![first]).await;
    host.status_of_when("first", |status| status.generation == good.generation + 1)
        .await;
    for _ in 0..5 {
        assert!(host.login("first", "alice", PASSWORD).await.is_err());
    }
    host.status_of_when("first", |status| status.state == PluginState::Quarantined)
        .await;
    assert!(host.login("first", "alice", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_change_of_what_is_desired_ends_a_load_that_hangs() {
    let host = TestHost::start().await;
    let waiting = hang_beside(&host, Vec::new()).await;
    let status = soon(host.desire(spec("hostile"))).await;
    assert_eq!((status.state, status.generation), (PluginState::Serving, 1));
    // Who desired the other configuration is told what came of it.
    assert_eq!(soon(waiting).await.unwrap(), [status]);
}

#[tokio::test]
async fn a_backend_that_hangs_while_it_is_loaded_can_be_taken_away() {
    let host = TestHost::start().await;
    let waiting = hang_beside(&host, Vec::new()).await;
    assert!(soon(host.runtime.set_desired(Vec::new())).await.is_empty());
    assert!(soon(waiting).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rollback_is_not_undone_by_a_load_that_began_before_it() {
    let host = TestHost::start().await;
    let first = host.serve("hostile").await;
    host.install("hostile", &variant("hostile", 1));
    host.status_when(|status| status.generation == 2).await;

    // The generation is good, once its health check has ended.
    let mut slow = spec("hostile");
    slow.config = json!({ "health": "slow", "amount": 1_000 });
    let (desired, rolled_back) = tokio::join!(host.runtime.set_desired(vec![slow]), host.runtime.rollback("hostile"));
    assert_eq!(rolled_back.unwrap().digest, first.digest);
    assert_eq!(desired[0].digest, first.digest);
    assert_eq!(desired[0].state, PluginState::Quarantined);
    assert_eq!(host.status().await.digest, first.digest);
}

#[tokio::test]
async fn two_rollbacks_at_once_go_back_once() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    host.install("wazo_user", &variant("wazo_user", 1));
    let second = host.status_when(|status| status.generation == 2).await;
    host.install("wazo_user", &variant("wazo_user", 2));
    host.status_when(|status| status.generation == 3).await;

    let (one, other) = tokio::join!(host.runtime.rollback("wazo_user"), host.runtime.rollback("wazo_user"));
    assert_eq!(one.unwrap().digest, second.digest);
    assert_eq!(other.unwrap().digest, second.digest);
}

#[tokio::test]
async fn a_swap_removes_no_copy_that_another_backend_is_about_to_need() {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    host.install_built("wazo_user", "wazo_user");
    let mut slow = spec("hostile");
    slow.config = json!({ "health": "slow", "amount": 500 });
    host.runtime.set_desired(vec![slow, spec("wazo_user")]).await;

    host.install("hostile", &variant("hostile", 1));
    // Its copy is kept, and its health check goes on.
    let copies = host.folder.path().join("var/plugins/sha256");
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::fs::read_dir(&copies).unwrap().count() < 3 {
        assert!(Instant::now() < deadline, "the new file is not copied");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    host.install("wazo_user", &variant("wazo_user", 1));
    let is_second = |status: &PluginStatus| status.generation == 2;
    host.status_of_when("wazo_user", is_second).await;
    let second = host.status_of_when("hostile", is_second).await;

    host.install("hostile", &variant("hostile", 2));
    host.status_of_when("hostile", |status| status.generation == 3).await;
    let rolled_back = host.runtime.rollback("hostile").await.unwrap();
    assert_eq!(rolled_back.digest, second.digest);
}
