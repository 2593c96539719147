//! Policies in the store, and the set of them that requests go by: read once, and again after each change, so that a change counts from the next request
//! on.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use keyway_core::import::privacyidea::PolicyReader;
use keyway_core::port::{Change, DocumentKind, NewDocument, Store, StoreError, StoredDocument};
use serde_json::{Map, Value};
use tokio::sync::broadcast::{self, error::TryRecvError};

use super::PolicyError;
use super::rule::Policy;
use super::set::PolicySet;
use crate::dialect::privacyidea::audit::Turns;

const KIND: DocumentKind = DocumentKind::PrivacyideaPolicy;
/// How often a change is tried again that another one came between.
const ATTEMPTS: usize = 5;

/// The policies of privacyIDEA's API, shared by all listeners of a server.
pub struct PrivacyideaPolicies {
    store: Arc<dyn Store>,
    set: ArcSwapOption<PolicySet>,
    state: Mutex<State>,
    turns: Turns,
}

/// Reads policies of another system as this API would take them.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrivacyideaPolicyReader;

impl PolicyReader for PrivacyideaPolicyReader {
    fn read(&self, name: &str, fields: &Map<String, Value>) -> Result<Value, String> {
        let read = Policy::check_name(name).and_then(|()| Policy::write(name, fields, None));
        read.map(|policy| policy.to_json()).map_err(|error| error.to_string())
    }
}

struct State {
    /// Counts the changes, so that a set that was read before one is not kept after it.
    epoch: u64,
    /// Whether this node hears of changes made elsewhere.
    trusted: bool,
    feed: broadcast::Receiver<Change>,
}

impl fmt::Debug for PrivacyideaPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivacyideaPolicies")
    }
}

impl PrivacyideaPolicies {
    /// Over this store, which is read when a policy is first asked for.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let feed = store.changes();
        Self {
            store,
            set: ArcSwapOption::empty(),
            state: Mutex::new(State {
                epoch: 0,
                trusted: true,
                feed,
            }),
            turns: Turns::default(),
        }
    }

    /// Who waits to be counted.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// All policies, as they are now.
    ///
    /// # Errors
    /// [`PolicyError::Store`], also for a policy in the store that cannot be read: nobody is let in past it.
    pub(crate) async fn current(&self) -> Result<Arc<PolicySet>, PolicyError> {
        let epoch = self.hear();
        if let Some(set) = self.set.load_full() {
            return Ok(set);
        }
        let mut policies = Vec::new();
        for stored in self.store.list_documents(KIND).await? {
            policies.push(read(&stored)?);
        }
        let set = Arc::new(PolicySet::new(policies));
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.epoch == epoch && state.trusted {
            self.set.store(Some(Arc::clone(&set)));
        }
        Ok(set)
    }

    /// Writes a policy, over the one of this name if there is one; returns its id.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) async fn write(&self, name: &str, fields: &Map<String, Value>) -> Result<i64, PolicyError> {
        Policy::check_name(name)?;
        self.change(name, |present| Policy::write(name, fields, present.as_ref()))
            .await
    }

    /// Switches a policy on or off; returns its id.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub(crate) async fn switch(&self, name: &str, active: bool) -> Result<i64, PolicyError> {
        self.change(name, |present| match present {
            Some(policy) => Ok(policy.switched(active)),
            None => Err(PolicyError::Unknown(name.to_owned())),
        })
        .await
    }

    /// Removes a policy; returns its id.
    ///
    /// # Errors
    /// [`PolicyError::Unknown`], [`PolicyError::Store`].
    pub(crate) async fn remove(&self, name: &str) -> Result<i64, PolicyError> {
        let removed = self.store.remove_document(KIND, name).await;
        self.forget();
        removed?.ok_or_else(|| PolicyError::Unknown(name.to_owned()))
    }

    async fn change(
        &self,
        name: &str,
        change: impl Fn(Option<Policy>) -> Result<Policy, PolicyError>,
    ) -> Result<i64, PolicyError> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let stored = self.store.find_document(KIND, name).await?;
            let present = stored.as_ref().map(read).transpose()?;
            let document = NewDocument {
                name: name.to_owned(),
                document: change(present)?.to_json().to_string(),
                sealed: None,
                replaces: Some(stored.map_or(0, |stored| stored.revision)),
            };
            let put = self.store.put_document(KIND, &document).await;
            self.forget();
            match put {
                Err(StoreError::Conflict { .. }) if attempts > 0 => {}
                put => return Ok(put?.id),
            }
        }
    }

    /// Forgets the set: something was changed here.
    fn forget(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget_in(&mut state);
    }

    fn forget_in(&self, state: &mut State) {
        state.epoch += 1;
        self.set.store(None);
    }

    /// Hears what other nodes have changed since; returns the count of changes.
    fn hear(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match state.feed.try_recv() {
                Ok(Change::DocumentsChanged) => self.forget_in(&mut state),
                Ok(Change::TokensRevoked(_) | Change::AnyTokenRevoked | Change::TenantsChanged) => {}
                Ok(Change::FeedLost) => {
                    state.trusted = false;
                    self.forget_in(&mut state);
                }
                Ok(Change::FeedRestored) | Err(TryRecvError::Lagged(_)) => {
                    state.trusted = true;
                    self.forget_in(&mut state);
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return state.epoch,
            }
        }
    }
}

fn read(stored: &StoredDocument) -> Result<Policy, PolicyError> {
    let name = &stored.name;
    let inconsistent = |why: String| StoreError::Inconsistent {
        what: format!("the policy `{name}` of privacyIDEA's API: {why}"),
    };
    let fields: Map<String, Value> =
        serde_json::from_str(&stored.document).map_err(|error| inconsistent(error.to_string()))?;
    Policy::parse(name, &fields).map_err(|error| inconsistent(error.to_string()).into())
}
