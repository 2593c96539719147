//! Backends made of closures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::lock;
use crate::gate::{Gate, GateLimits};
use crate::model::{
    Answer, BackendName, Changed, Found, InvalidBackendName, Outcome, PluginDigest, PluginStamp, Principal, Subject,
};
use crate::port::{
    Abilities, Backend, BackendFault, BackendSlot, Backends, ChangeRequest, LookupRequest, VerifyRequest,
};

const STAMP: PluginStamp = PluginStamp {
    digest: PluginDigest([7; 32]),
    generation: 1,
};

type Decide = dyn Fn(&VerifyRequest) -> Result<Outcome, BackendFault> + Send + Sync;
type Find = dyn Fn(&LookupRequest) -> Result<Found, BackendFault> + Send + Sync;
type Change = dyn Fn(&ChangeRequest) -> Result<Changed, BackendFault> + Send + Sync;

/// A backend that a closure decides for.
pub struct FakeBackend {
    decide: Box<Decide>,
    find: Option<Box<Find>>,
    change: Option<Box<Change>>,
    delay: Duration,
    calls: Mutex<Vec<VerifyRequest>>,
    lookups: Mutex<Vec<LookupRequest>>,
    changes: Mutex<Vec<ChangeRequest>>,
}

impl FakeBackend {
    /// Answers what the closure says.
    pub fn new(decide: impl Fn(&VerifyRequest) -> Result<Outcome, BackendFault> + Send + Sync + 'static) -> Self {
        Self {
            decide: Box::new(decide),
            find: None,
            change: None,
            delay: Duration::ZERO,
            calls: Mutex::default(),
            lookups: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    /// Can look people up, too.
    #[must_use]
    pub fn finds(
        mut self,
        find: impl Fn(&LookupRequest) -> Result<Found, BackendFault> + Send + Sync + 'static,
    ) -> Self {
        self.find = Some(Box::new(find));
        self
    }

    /// Can change passwords, too.
    #[must_use]
    pub fn changes_passwords(
        mut self,
        change: impl Fn(&ChangeRequest) -> Result<Changed, BackendFault> + Send + Sync + 'static,
    ) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Takes this long for each answer.
    #[must_use]
    pub fn slow(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// What it was asked, in order.
    pub fn calls(&self) -> Vec<VerifyRequest> {
        lock(&self.calls).clone()
    }

    /// Whom it was to look up, in order.
    pub fn lookups(&self) -> Vec<LookupRequest> {
        lock(&self.lookups).clone()
    }

    /// Which passwords it was to change, in order.
    pub fn changes(&self) -> Vec<ChangeRequest> {
        lock(&self.changes).clone()
    }

    async fn take_time(&self) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
    }
}

#[async_trait]
impl Backend for FakeBackend {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        lock(&self.calls).push(request.clone());
        self.take_time().await;
        let outcome = (self.decide)(&request)?;
        Ok(Answer { outcome, plugin: STAMP })
    }

    fn stamp(&self) -> Option<PluginStamp> {
        Some(STAMP)
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            browse: false,
            lookup: self.find.is_some(),
            change_password: self.change.is_some(),
        }
    }

    async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        lock(&self.lookups).push(request.clone());
        self.take_time().await;
        self.find.as_ref().map(|find| find(&request)).transpose()
    }

    async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        lock(&self.changes).push(request.clone());
        self.take_time().await;
        self.change.as_ref().map(|change| change(&request)).transpose()
    }
}

/// Backends by name and alias.
#[derive(Default)]
pub struct FakeBackends {
    slots: Mutex<BTreeMap<String, BackendSlot>>,
}

impl FakeBackends {
    /// Adds a backend with default limits and a deadline of 5 s.
    ///
    /// # Errors
    /// [`InvalidBackendName`].
    pub fn add(&self, name: &str, backend: Arc<dyn Backend>) -> Result<(), InvalidBackendName> {
        let slot = BackendSlot {
            name: BackendName::parse(name)?,
            backend,
            gate: Arc::new(Gate::new(GateLimits::default())),
            deadline: Duration::from_secs(5),
            acl_ceiling: None,
            group_policies: Arc::default(),
        };
        lock(&self.slots).insert(name.to_owned(), slot);
        Ok(())
    }

    /// Changes a backend that was added.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut BackendSlot)) {
        if let Some(slot) = lock(&self.slots).get_mut(name) {
            change(slot);
        }
    }

    /// Takes a backend away.
    pub fn remove(&self, name: &str) {
        lock(&self.slots).remove(name);
    }

    /// Lets `alias` lead to `name`.
    pub fn alias(&self, alias: &str, name: &str) {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(name).cloned() {
            slots.insert(alias.to_owned(), slot);
        }
    }
}

impl Backends for FakeBackends {
    fn find(&self, name: &str) -> Option<BackendSlot> {
        lock(&self.slots).get(name).cloned()
    }

    fn names(&self) -> Vec<BackendName> {
        let mut names: Vec<_> = lock(&self.slots).values().map(|slot| slot.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// A principal with this subject and login, and nothing else.
pub fn principal(subject: Subject, login: &str) -> Principal {
    Principal {
        subject,
        login: login.to_owned(),
        display_name: None,
        email: None,
        groups: Vec::new(),
        accesses: Vec::new(),
        attributes: Vec::new(),
    }
}
