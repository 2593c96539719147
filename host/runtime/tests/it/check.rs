//! Looking at a plugin file without a server.

use keyway_core::Secret;
use keyway_core::model::{Credential, Outcome};
use keyway_runtime::{CheckError, Grants, Limits, Trial, check_file, try_file};
use serde_json::json;

use crate::host::{PASSWORD, built, services, spec};

#[tokio::test]
async fn a_report_says_what_a_plugin_is_and_what_is_wrong_with_its_configuration() {
    let report = check_file(&built("hello_backend"), Some(&json!({}))).await.unwrap();
    assert_eq!(report.name, "hello_backend");
    assert!(
        report
            .exports
            .contains(&"keyway:backend/authenticator@0.1.0".to_owned())
    );
    assert!(report.size > 1000 && !report.problems.is_empty());
    let clean = check_file(&built("hello_backend"), None).await.unwrap();
    assert!(clean.problems.is_empty());
}

#[tokio::test]
async fn a_file_that_would_not_be_loaded_is_refused_with_the_reason() {
    let refused = check_file(&built("forbidden_import"), None).await;
    assert!(matches!(refused, Err(CheckError::Refused(reason)) if reason.contains("wasi:sockets")));
    let absent = check_file("/nonexistent.wasm".as_ref(), None).await;
    assert!(matches!(absent, Err(CheckError::Read { .. })));
}

#[tokio::test]
async fn a_trial_runs_one_login() {
    let trial = Trial {
        config: spec("hello_backend").config,
        secrets: std::collections::BTreeMap::new(),
        grants: Grants::default(),
        limits: Limits::default(),
        identifier: "alice".to_owned(),
        credential: Credential::Password(Secret::from(PASSWORD)),
    };
    let answer = try_file(&built("hello_backend"), trial, services()).await.unwrap();
    assert!(matches!(answer.answer, Ok(Outcome::Verified(_))), "{answer:?}");
}
