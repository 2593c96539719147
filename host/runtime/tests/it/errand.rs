//! The guest's errands: how a test has the plugin ask the host for one thing, and what it was told.

use std::collections::BTreeMap;

use keyway_core::model::{BackendName, Outcome, Principal};
use keyway_core::port::BackendFault;
use keyway_runtime::BackendSpec;

use crate::host::{PASSWORD, TestHost};

/// A backend of the plugin that runs errands.
pub(crate) fn hostile(name: &str) -> BackendSpec {
    BackendSpec::new(BackendName::parse(name).unwrap(), "hostile")
}

/// A host that serves these backends.
pub(crate) async fn host_of(specs: impl IntoIterator<Item = BackendSpec>) -> TestHost {
    serve(TestHost::start().await, specs).await
}

/// The same over a host that was started.
pub(crate) async fn serve(host: TestHost, specs: impl IntoIterator<Item = BackendSpec>) -> TestHost {
    host.install_built("hostile", "hostile");
    for status in host.runtime.set_desired(specs.into_iter().collect()).await {
        assert_eq!(status.reason, None, "{}", status.backend);
    }
    host
}

/// What the guest was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// What it asked for.
    Answer(String),
    /// Why it did not get it.
    Error(String),
}

pub(crate) fn answer(text: &str) -> Told {
    Told::Answer(text.to_owned())
}

pub(crate) fn error(text: &str) -> Told {
    Told::Error(text.to_owned())
}

/// What the guest was told, out of what it made of that.
pub(crate) fn told(outcome: Result<Outcome, BackendFault>) -> Told {
    match outcome {
        Ok(Outcome::Verified(errand)) => told_of(&errand.attributes.into_iter().collect()),
        other => panic!("it came to no end: {other:?}"),
    }
}

fn told_of(attributes: &BTreeMap<String, String>) -> Told {
    match (attributes.get("answer"), attributes.get("error")) {
        (Some(text), None) => answer(text),
        (None, Some(text)) => error(text),
        _ => panic!("it was told nothing: {attributes:?}"),
    }
}

impl TestHost {
    /// Has the backend `hostile` run an errand, as a login.
    pub(crate) async fn run(&self, errand: &str) -> Told {
        told(self.login("hostile", errand, PASSWORD).await)
    }

    /// The same, where the outcome is somebody.
    pub(crate) async fn somebody(&self, errand: &str) -> Principal {
        match self.login("hostile", errand, PASSWORD).await {
            Ok(Outcome::Verified(principal)) => principal,
            other => panic!("{errand}: {other:?}"),
        }
    }
}
