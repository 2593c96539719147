//! One backend's configuration is tried, and changed, while the others stay as they are.

use keyway_core::model::{BackendName, PluginState};
use keyway_core::port::PluginHost as _;
use keyway_runtime::{BackendSpec, ReportedProblem, TrialError};
use serde_json::{Value, json};

use crate::host::{PASSWORD, TestHost, spec};

fn hostile(config: Value) -> BackendSpec {
    BackendSpec {
        config,
        ..spec("hostile")
    }
}

fn is_unhealthy(tried: Result<(), TrialError>, expected: bool) -> bool {
    matches!(tried, Err(TrialError::Unhealthy { was_before, reason }) if was_before == expected && reason.contains("health check failed"))
}

#[tokio::test]
async fn a_change_takes_effect_before_it_is_answered_and_concerns_one_backend() {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    let other = BackendSpec::new(BackendName::parse("other").unwrap(), "hostile");
    host.runtime.set_desired(vec![spec("hostile"), other]).await;
    let changed = host.runtime.change(hostile(json!({ "verify": "panic" }))).await;
    assert_eq!(changed, Ok(()));
    assert!(
        host.login("hostile", "alice", PASSWORD).await.is_err(),
        "it goes by the new configuration"
    );
    assert!(host.login("other", "alice", PASSWORD).await.is_ok());
    assert_eq!(host.status_of("hostile").await.generation, 2);
    assert_eq!(host.status_of("other").await.generation, 1);
    assert_eq!(
        host.runtime.change(hostile(json!({ "verify": "panic" }))).await,
        Ok(()),
        "nothing is new"
    );
    assert_eq!(host.status_of("hostile").await.generation, 2);
}

#[tokio::test]
async fn a_change_that_the_plugin_refuses_leaves_the_one_before_in_place() {
    let host = TestHost::start().await;
    host.serve("hostile").await;
    let changed = host.runtime.change(hostile(json!({ "problem": "too blue" }))).await;
    assert!(changed.unwrap_err().contains("too blue"));
    assert!(host.login("hostile", "alice", PASSWORD).await.is_ok());
    assert_eq!(
        host.runtime.change(hostile(json!({}))).await,
        Ok(()),
        "back to what serves"
    );
    assert_eq!(host.status().await.state, PluginState::Serving);
}

#[tokio::test]
async fn a_backend_that_is_not_there_is_not_changed() {
    let host = TestHost::start().await;
    host.serve("hostile").await;
    let absent = BackendSpec::new(BackendName::parse("absent").unwrap(), "hostile");
    assert!(host.runtime.change(absent.clone()).await.is_err());
    assert_eq!(host.runtime.try_out(absent).await, Err(TrialError::Unknown));
    assert_eq!(host.runtime.list().await.len(), 1);
}

#[tokio::test]
async fn a_trial_says_what_is_wrong_and_changes_nothing() {
    let host = TestHost::start().await;
    host.serve("hostile").await;
    assert_eq!(host.runtime.try_out(hostile(json!({ "amount": 3 }))).await, Ok(()));
    let problem = ReportedProblem {
        pointer: "/problem".to_owned(),
        message: "too blue".to_owned(),
    };
    assert_eq!(
        host.runtime.try_out(hostile(json!({ "problem": "too blue" }))).await,
        Err(TrialError::Refused(vec![problem]))
    );
    let unknown = host.runtime.try_out(hostile(json!({ "color": "blue" }))).await;
    assert!(matches!(unknown, Err(TrialError::Refused(_))), "{unknown:?}");
    let trapped = host.runtime.try_out(hostile(json!({ "configure": "panic" }))).await;
    assert!(matches!(trapped, Err(TrialError::NotLoadable(_))), "{trapped:?}");
    let unhealthy = host.runtime.try_out(hostile(json!({ "health": "unavailable" }))).await;
    assert!(is_unhealthy(unhealthy, false));
    let status = host.status().await;
    assert_eq!((status.state, status.generation), (PluginState::Serving, 1));
}

/// What both depend on may be away for a while; the operator's last word holds.
#[tokio::test]
async fn an_unhealthy_configuration_takes_the_place_of_one_that_is_unhealthy_too() {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    host.desire(hostile(json!({ "health": "unavailable" }))).await;
    let next = || hostile(json!({ "health": "unavailable", "amount": 3 }));
    assert!(is_unhealthy(host.runtime.try_out(next()).await, true));
    assert_eq!(host.runtime.change(next()).await, Ok(()));
    let status = host.status().await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 2));
    assert_eq!(host.runtime.change(hostile(json!({}))).await, Ok(()));
    assert_eq!(host.status().await.state, PluginState::Serving);
    let worse = host.runtime.change(next()).await;
    assert!(
        worse.unwrap_err().contains("health check failed"),
        "what is in order stays"
    );
}
