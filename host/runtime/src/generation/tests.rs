//! Which instances wait to be used again. With the components that `make plugins guests` builds.

use std::path::Path;

use keyway_core::Secret;
use keyway_core::model::{BackendName, Credential};
use keyway_core::port::RequestContext;

use super::*;
use crate::BackendSpec;
use crate::check::no_services;
use crate::reload::bring_up::Workshop;
use crate::reload::file;

const LATE: Duration = Duration::from_mins(1);

/// A generation of a built plugin that keeps its instances.
async fn reusing(plugin: &str) -> Generation {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/wasm32-wasip2/plugin");
    let bytes = std::fs::read(folder.join(format!("{plugin}.wasm"))).expect("run `make plugins guests`");
    let mut spec = BackendSpec::new(BackendName::parse(plugin).unwrap(), plugin);
    spec.instances = Instances::Reuse;
    spec.grants.credential_expose = true;
    let engine = HostEngine::new(2).unwrap();
    let workshop = Workshop::new(engine, no_services(), None, Secret::new([0; 32]), LATE);
    workshop.bring_up(&spec, file::digest(&bytes), bytes).await.unwrap()
}

async fn login(generation: &Generation) -> Result<Outcome, BackendFault> {
    let request = VerifyRequest {
        context: RequestContext::default(),
        step: Step::Start {
            identifier: "alice".to_owned(),
            credential: Credential::Password(Secret::from("s3cre7")),
        },
        deadline: Instant::now() + LATE,
    };
    generation.verify(request).await
}

fn waiting(generation: &Generation) -> usize {
    generation.warm.as_ref().map_or(0, WarmPool::len)
}

#[tokio::test]
async fn an_instance_that_never_saw_the_password_waits_for_the_next_login() {
    let generation = reusing("hostile").await;
    for _ in 0..2 {
        assert!(login(&generation).await.is_ok());
        assert_eq!(waiting(&generation), 1);
    }
}

#[tokio::test]
async fn an_instance_that_has_seen_the_password_serves_no_other_login() {
    let generation = reusing("wants_expose").await;
    assert!(login(&generation).await.is_ok());
    assert_eq!(waiting(&generation), 0);
}

#[tokio::test]
async fn an_instance_that_holds_on_to_a_secret_serves_no_other_login() {
    let generation = reusing("hostile").await;
    let warm = generation.warm.as_ref().unwrap();
    for holds in [false, true] {
        let mut guest = generation.guest(named("test"), Instant::now() + LATE).unwrap();
        guest.wake().await.unwrap();
        if holds {
            guest.state_mut().hold(Secret::from("s3cre7")).unwrap();
        }
        warm.put(guest);
        assert_eq!(warm.len(), usize::from(!holds));
    }
}
