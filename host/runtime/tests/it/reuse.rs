//! `instances = "reuse"`: an instance serves again only after a clean call.

use std::time::Duration;

use keyway_core::Secret;
use keyway_core::model::Outcome;
use keyway_core::port::BackendFault;
use keyway_runtime::{Instances, Limits};

use crate::host::{PASSWORD, TestHost, spec};

#[tokio::test]
async fn a_reused_instance_carries_nothing_over() {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    let mut reused = spec("hostile");
    reused.instances = Instances::Reuse;
    reused.secrets.insert("key".to_owned(), Secret::from("a key"));
    reused.limits = Limits {
        deadline: Duration::from_millis(300),
        ..Limits::default()
    };
    assert_eq!(host.desire(reused).await.reason, None);

    // More calls than a call has comparisons and look-ups: the counters begin anew.
    for _ in 0..40 {
        let outcome = host.login("hostile", "alice", PASSWORD).await;
        assert!(matches!(outcome, Ok(Outcome::Verified(_))), "{outcome:?}");
    }
    for misdeed in [
        "panic",
        "endless_loop",
        "handle_flood=1000",
        "handle_flood=100",
        "stderr_flood=10",
    ] {
        let _ = host.login("hostile", misdeed, PASSWORD).await;
        let outcome = host.login("hostile", "alice", PASSWORD).await;
        assert!(
            matches!(outcome, Ok(Outcome::Verified(_))),
            "after {misdeed}: {outcome:?}"
        );
    }
    let claim = host.login("hostile", "claims_directory_user", PASSWORD).await;
    assert!(matches!(claim, Err(BackendFault::Broken(_))), "{claim:?}");
}
