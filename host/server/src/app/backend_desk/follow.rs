//! What other nodes change.

use std::collections::BTreeMap;
use std::time::Duration;

use keyway_core::port::Change;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Addition, Desk, Shared};
use crate::app::chain;

/// How long to wait before the store is asked again that did not answer.
const RETRY: Duration = Duration::from_secs(2);

/// What is to be done about a change.
enum Heard {
    /// Look what is different.
    Look,
    /// Nothing is heard any more, until it is.
    Deaf,
    /// It does not matter here.
    Nothing,
    /// The store is closed.
    End,
}

impl Desk {
    /// Has run what other nodes add, until the store is closed.
    pub(crate) async fn follow(self) {
        let mut feed = self.0.store.changes();
        // For what happened before anybody listened.
        let mut is_due = true;
        self.0.known_mut().hears = true;
        loop {
            if is_due {
                is_due = !self.0.refresh().await;
            }
            let heard = if is_due {
                match tokio::time::timeout(RETRY, hear(&mut feed)).await {
                    Ok(heard) => heard,
                    Err(_) => continue,
                }
            } else {
                hear(&mut feed).await
            };
            match heard {
                Heard::Look => {
                    self.0.known_mut().hears = true;
                    is_due = true;
                }
                Heard::Deaf => self.0.known_mut().hears = false,
                Heard::Nothing => {}
                Heard::End => return,
            }
        }
    }
}

async fn hear(feed: &mut Receiver<Change>) -> Heard {
    match feed.recv().await {
        Ok(Change::DocumentsChanged | Change::FeedRestored) | Err(RecvError::Lagged(_)) => Heard::Look,
        Ok(Change::FeedLost) => Heard::Deaf,
        Ok(Change::TokensRevoked(_) | Change::AnyTokenRevoked | Change::TenantsChanged) => Heard::Nothing,
        Err(RecvError::Closed) => Heard::End,
    }
}

impl Shared {
    /// Has run what is different in the store; returns whether the store answered.
    async fn refresh(&self) -> bool {
        let _turn = self.turn.lock().await;
        let added = match self.read_all().await {
            Ok(added) => added,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot read what was added to backends; trying again");
                return false;
            }
        };
        let different: Vec<_> = {
            let mut known = self.known_mut();
            let stored =
                |of: &BTreeMap<String, Addition>, name: &str| of.get(name).map_or(0, |addition| addition.stored);
            let names: Vec<_> = known
                .file
                .iter()
                .map(|spec| spec.name.clone())
                .filter(|name| stored(&added, name.as_str()) != stored(&known.added, name.as_str()))
                .collect();
            known.added = added;
            known.is_read = true;
            let specs = known.desired().into_iter();
            specs
                .filter(|spec| !spec.is_template && names.contains(&spec.name))
                .collect()
        };
        for spec in different {
            let backend = spec.name.clone();
            tracing::info!(%backend, "what was added to the backend has changed");
            if let Err(reason) = self.stage.change(spec).await {
                tracing::error!(%backend, reason, "the backend cannot be loaded with what was added to it; what was before stays");
            }
        }
        true
    }
}
