//! Backends of tenants: one plugin, many configurations, and nobody logs in through what they are made of.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use keyway_core::Secret;
use keyway_core::model::{BackendName, Credential, Outcome, Principal, TenantId};
use keyway_core::port::{
    BackendFault, BackendSlot, Backends as _, PluginHost as _, RequestContext, Step, VerifyRequest,
};
use keyway_runtime::{BackendSpec, VariantSpec};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::host::{PASSWORD, TestHost, variant};

const NAME: &str = "tenants";

async fn host() -> TestHost {
    let host = TestHost::start().await;
    host.install_built("hello_backend", "hello_backend");
    let template = BackendSpec {
        is_template: true,
        ..BackendSpec::new(name(), "hello_backend")
    };
    assert!(host.runtime.set_desired(vec![template]).await.is_empty());
    host
}

fn name() -> BackendName {
    BackendName::parse(NAME).unwrap()
}

fn greets(greeting: &str) -> Value {
    let verifier = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
    json!({ "users": { "alice": verifier }, "greeting": greeting })
}

async fn slot(host: &TestHost, tenant: u128, config: Value) -> Option<BackendSlot> {
    let spec = VariantSpec {
        tenant: TenantId(Uuid::from_u128(tenant)),
        config,
        secrets: BTreeMap::new(),
        net: BTreeMap::new(),
    };
    host.runtime.find_variant(&name(), spec).await
}

async fn log_in(slot: &BackendSlot) -> Result<(Principal, String), BackendFault> {
    let request = VerifyRequest {
        context: RequestContext::default(),
        step: Step::Start {
            identifier: "alice".to_owned(),
            credential: Credential::Password(Secret::from(PASSWORD)),
        },
        deadline: Instant::now() + slot.deadline,
    };
    let answer = slot.backend.verify(request).await?;
    match answer.outcome {
        Outcome::Verified(principal) => Ok((principal, answer.plugin.digest.to_string())),
        other => Err(BackendFault::Broken(format!("{other:?}"))),
    }
}

#[tokio::test]
async fn each_tenant_has_its_own_configuration_and_all_one_plugin() {
    let host = host().await;
    let (one, two) = (
        slot(&host, 1, greets("one")).await.unwrap(),
        slot(&host, 2, greets("two")).await.unwrap(),
    );
    let ((first, digest), (second, _)) = (log_in(&one).await.unwrap(), log_in(&two).await.unwrap());
    assert_eq!(first.attributes, [("greeting".to_owned(), "one".to_owned())]);
    assert_eq!(second.attributes, [("greeting".to_owned(), "two".to_owned())]);
    // Another file reaches those that are in use.
    host.install("hello_backend", &variant("hello_backend", 1));
    let deadline = Instant::now() + Duration::from_secs(20);
    while log_in(&one).await.unwrap().1 == digest {
        assert!(Instant::now() < deadline, "the swap does not reach it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_template_is_no_backend_and_not_loaded_before_it_is_used() {
    let host = host().await;
    assert!(host.runtime.find(NAME).is_none() && host.runtime.names().is_empty());
    assert!(host.runtime.list().await.is_empty());
    slot(&host, 1, greets("one")).await.unwrap();
    let status = host.status_of(NAME).await;
    assert_eq!((status.generation, status.reason), (1, None));
    assert!(host.runtime.find(NAME).is_none());
}

#[tokio::test]
async fn a_tenants_configuration_that_is_no_good_is_a_fault_and_harms_nobody_else() {
    let host = host().await;
    let good = slot(&host, 1, greets("one")).await.unwrap();
    let bad = slot(&host, 2, json!({ "uesrs": {} })).await.unwrap();
    for _ in 0..2 {
        let fault = log_in(&bad).await.unwrap_err();
        assert!(
            matches!(&fault, BackendFault::Misconfigured(reason) if reason.contains("uesrs")),
            "{fault}"
        );
    }
    log_in(&good).await.unwrap();
    host.runtime.set_desired(Vec::new()).await;
    assert!(slot(&host, 1, greets("one")).await.is_none());
}
