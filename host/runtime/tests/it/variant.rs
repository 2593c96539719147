//! Backends of tenants: one plugin, many configurations, and nobody logs in through what they are made of.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::Secret;
use keyway_core::model::{Answer, BackendName, Credential, Outcome, Principal, Refusal, Subject, TenantId};
use keyway_core::port::{
    BackendFault, BackendSlot, Backends as _, PluginHost as _, RequestContext, Step, VerifyRequest,
};
use keyway_runtime::{BackendSpec, Grants, VariantSpec};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::apart::{hang_beside, soon};
use crate::host::{ALICE, DIGEST, PASSWORD, TestHost, variant};

const NAME: &str = "tenants";
/// The tenant of the host's only user.
const HERS: u128 = 0;

async fn host() -> TestHost {
    host_of(template()).await
}

async fn host_of(template: BackendSpec) -> TestHost {
    let host = TestHost::start().await;
    host.install_built("hostile", "hostile");
    assert!(host.runtime.set_desired(vec![template]).await.is_empty());
    host
}

fn template() -> BackendSpec {
    BackendSpec {
        is_template: true,
        grants: Grants {
            directory_link: true,
            ..Grants::default()
        },
        ..BackendSpec::new(name(), "hostile")
    }
}

fn name() -> BackendName {
    BackendName::parse(NAME).unwrap()
}

/// A configuration with which each login does this.
fn does(misdeed: &str) -> Value {
    json!({ "verify": misdeed })
}

async fn find(host: &TestHost, tenant: u128, config: Value) -> Option<BackendSlot> {
    let spec = VariantSpec {
        tenant: TenantId(Uuid::from_u128(tenant)),
        config,
        secrets: BTreeMap::new(),
        net: BTreeMap::new(),
    };
    host.runtime.find_variant(&name(), spec).await
}

async fn log_in(slot: &BackendSlot) -> Result<Answer, BackendFault> {
    log_in_within(slot, slot.deadline).await
}

async fn log_in_within(slot: &BackendSlot, longest: Duration) -> Result<Answer, BackendFault> {
    present(slot, PASSWORD, longest).await
}

async fn present(slot: &BackendSlot, password: &str, longest: Duration) -> Result<Answer, BackendFault> {
    let request = VerifyRequest {
        context: RequestContext::default(),
        step: Step::Start {
            identifier: "alice".to_owned(),
            credential: Credential::Password(Secret::from(password)),
        },
        deadline: Instant::now() + longest,
    };
    slot.backend.verify(request).await
}

#[tokio::test]
async fn each_tenant_has_its_own_configuration_and_all_one_plugin() {
    let host = host().await;
    let one = find(&host, HERS, does("claims_directory_user")).await.unwrap();
    let two = find(&host, HERS, does("unavailable")).await.unwrap();
    let answer = log_in(&one).await.unwrap();
    assert!(
        matches!(&answer.outcome, Outcome::Verified(Principal { subject: Subject::Linked(user), .. }) if *user == ALICE),
        "{:?}",
        answer.outcome
    );
    assert!(matches!(log_in(&two).await, Err(BackendFault::Unavailable(_))));
    // Another file reaches those that are in use.
    host.install("hostile", &variant("hostile", 1));
    let deadline = Instant::now() + Duration::from_secs(20);
    while log_in(&one).await.unwrap().plugin.digest == answer.plugin.digest {
        assert!(Instant::now() < deadline, "the swap does not reach it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_tenants_backend_speaks_for_its_own_users_alone() {
    let host = host().await;
    let anothers = find(&host, 1, does("claims_directory_user")).await.unwrap();
    let fault = log_in(&anothers).await.unwrap_err();
    assert!(matches!(&fault, BackendFault::Broken(_)), "{fault}");
    for misdeed in [json!({}), json!({ "verify": "challenge_state", "amount": 1 })] {
        let Some(slot) = find(&host, HERS, misdeed.clone()).await else {
            panic!("{misdeed}");
        };
        let fault = log_in(&slot).await.unwrap_err();
        assert!(matches!(&fault, BackendFault::Misconfigured(_)), "{misdeed}: {fault}");
    }
}

#[tokio::test]
async fn a_digest_finds_a_tenants_backend_its_own_users_alone() {
    let host = host().await;
    let hers = find(&host, HERS, does("finds_by_digest")).await.unwrap();
    // Found, and matched by the host; but who has a password here does not log in through a tenant's own backend.
    let fault = present(&hers, DIGEST, hers.deadline).await.unwrap_err();
    assert!(matches!(&fault, BackendFault::Misconfigured(_)), "{fault}");
    let anothers = find(&host, 1, does("finds_by_digest")).await.unwrap();
    let answer = present(&anothers, DIGEST, anothers.deadline).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Refused(Refusal::WrongCredential));
}

#[tokio::test]
async fn a_template_is_no_backend_and_not_loaded_before_it_is_used() {
    let host = host().await;
    assert!(host.runtime.find(NAME).is_none() && host.runtime.names().is_empty());
    assert!(host.runtime.list().await.is_empty());
    find(&host, HERS, json!({})).await.unwrap();
    let status = host.status_of(NAME).await;
    assert_eq!((status.generation, status.reason), (1, None));
    assert!(host.runtime.find(NAME).is_none());
}

#[tokio::test]
async fn a_tenants_configuration_that_is_no_good_is_a_fault_and_harms_nobody_else() {
    let host = host().await;
    let good = find(&host, HERS, does("claims_directory_user")).await.unwrap();
    let bad = find(&host, HERS, json!({ "verfiy": {} })).await.unwrap();
    for _ in 0..2 {
        let fault = log_in(&bad).await.unwrap_err();
        assert!(
            matches!(&fault, BackendFault::Misconfigured(reason) if reason.contains("verfiy")),
            "{fault}"
        );
    }
    log_in(&good).await.unwrap();
    host.runtime.set_desired(Vec::new()).await;
    assert!(find(&host, HERS, json!({})).await.is_none());
}

#[tokio::test]
async fn who_asks_for_the_same_gets_the_same_and_one_gate_outlives_each_change() {
    let host = Arc::new(host().await);
    let asking = (0..8).map(|_| {
        let host = Arc::clone(&host);
        tokio::spawn(async move { find(&host, HERS, does("claims_directory_user")).await.unwrap() })
    });
    let slots: Vec<BackendSlot> = futures::future::join_all(asking)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    for slot in &slots {
        assert!(Arc::ptr_eq(&slot.backend, &slots[0].backend));
    }
    let changed = find(&host, HERS, does("unavailable")).await.unwrap();
    assert!(!Arc::ptr_eq(&changed.backend, &slots[0].backend));
    assert!(Arc::ptr_eq(&changed.gate, &slots[0].gate));
    host.runtime.forget_variant(&name(), TenantId(Uuid::from_u128(HERS)));
    let again = find(&host, HERS, does("unavailable")).await.unwrap();
    assert!(!Arc::ptr_eq(&again.backend, &changed.backend));
    assert!(Arc::ptr_eq(&again.gate, &changed.gate));
    let anothers = find(&host, 1, does("unavailable")).await.unwrap();
    assert!(!Arc::ptr_eq(&anothers.gate, &changed.gate));
}

#[tokio::test]
async fn a_template_that_becomes_a_backend_is_loaded() {
    let host = host().await;
    host.runtime
        .set_desired(vec![BackendSpec::new(name(), "hostile")])
        .await;
    let status = host.status_of(NAME).await;
    assert_eq!((status.generation, status.reason), (1, None));
    assert!(find(&host, HERS, json!({})).await.is_none());
    assert!(host.runtime.find(NAME).is_some());
}

#[tokio::test]
async fn the_first_variant_waits_for_its_template_and_for_nobody_else() {
    let host = TestHost::start().await;
    let mut template = template();
    template.limits.deadline = Duration::from_hours(1);
    let waiting = hang_beside(&host, vec![template]).await;
    let slot = soon(find(&host, HERS, does("claims_directory_user"))).await.unwrap();
    soon(log_in(&slot)).await.unwrap();
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_tenant_that_finds_all_places_taken_is_not_at_fault() {
    let mut template = template();
    template.limits.concurrency = 1;
    let host = host_of(template).await;
    let slow = find(&host, HERS, json!({ "verify": "slow", "amount": 60_000 }))
        .await
        .unwrap();
    let other = find(&host, 1, does("claims_directory_user")).await.unwrap();
    let (slow, other) = tokio::join!(
        log_in_within(&slow, Duration::from_millis(1500)),
        log_in_within(&other, Duration::from_millis(100))
    );
    assert!(matches!(slow, Err(BackendFault::DeadlineExceeded(_))), "{slow:?}");
    assert_eq!(other.unwrap_err(), BackendFault::Saturated);
}

#[tokio::test]
async fn one_tenants_defects_take_no_plugin_back_and_many_tenants_do() {
    let host = host().await;
    find(&host, HERS, json!({})).await.unwrap();
    host.install("hostile", &variant("hostile", 1));
    host.status_of_when(NAME, |status| status.generation == 2).await;
    for amount in 0..10 {
        // Another setting each time.
        let config = json!({ "verify": "panic", "amount": amount });
        log_in(&find(&host, 1, config).await.unwrap()).await.unwrap_err();
    }
    assert_eq!(host.runtime.reconcile().await[0].generation, 2);
    for tenant in 2..6 {
        log_in(&find(&host, tenant, does("panic")).await.unwrap())
            .await
            .unwrap_err();
    }
    host.status_of_when(NAME, |status| status.generation == 3).await;
}
