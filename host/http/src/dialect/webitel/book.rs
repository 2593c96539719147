//! The roles and the tokens of domains, as requests go by them: read from the store once, and again after each change, so that a change counts from the next
//! request on.

#[cfg(test)]
mod tests;
mod token;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use keyway_core::model::Timestamp;
use keyway_core::port::{Change, DocumentKind, NewDocument, Store, StoreError, StoredDocument};
use serde_json::Value;
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::sync::{Mutex as Turns, MutexGuard as Turn};
use uuid::Uuid;

use super::acl::Written;
use super::roles::{Role, Roles};

pub(super) use token::{DomainToken, Maker};

/// How long what a token's maker may do is taken for what it was.
const MAKER_KEPT: Duration = Duration::from_secs(5);

/// All of them at one time.
#[derive(Debug)]
pub(super) struct Page {
    /// The roles.
    pub(super) roles: Roles,
    /// The tokens of domains, by their ids.
    pub(super) tokens: HashMap<Uuid, DomainToken>,
    /// Which version of a role the store has, by its name.
    revisions: HashMap<String, i64>,
    /// What tokens may, as it was found when they were used.
    found: Mutex<HashMap<Uuid, Found>>,
}

/// What a token was found to allow.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Nothing where nobody answers for it any more.
    pub(super) acl: Option<Arc<Written>>,
    /// When.
    pub(super) at: Timestamp,
}

/// The roles and the tokens of domains.
pub(super) struct Book {
    store: Arc<dyn Store>,
    page: ArcSwapOption<Page>,
    state: Mutex<State>,
    /// How many readings have begun.
    begun: AtomicU64,
    /// The last one. Whoever reads holds it.
    reading: Turns<Reading>,
    /// Whoever makes a token holds it.
    making: Turns<()>,
}

/// What came of reading the store.
struct Reading {
    number: u64,
    /// Nothing while it is under way, and where its reader went away.
    outcome: Option<Result<Arc<Page>, Failed>>,
}

/// The store did not answer somebody else, whose error says why.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("another request could not read them either")]
struct Failed;

struct State {
    /// Counts the changes, so that what was read before one is not kept after it.
    epoch: u64,
    /// Whether this node hears of changes made elsewhere.
    trusted: bool,
    feed: broadcast::Receiver<Change>,
}

impl Book {
    /// Over this store, which is read when something is first asked for.
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let feed = store.changes();
        Self {
            store,
            page: ArcSwapOption::empty(),
            state: Mutex::new(State {
                epoch: 0,
                trusted: true,
                feed,
            }),
            begun: AtomicU64::new(0),
            reading: Turns::new(Reading {
                number: 0,
                outcome: None,
            }),
            making: Turns::default(),
        }
    }

    /// All of them, as they are now.
    ///
    /// # Errors
    /// [`StoreError`], also for a document that cannot be read: nobody is let in past it.
    pub(super) async fn current(&self) -> Result<Arc<Page>, StoreError> {
        self.hear();
        if let Some(page) = self.page.load_full() {
            return Ok(page);
        }
        // A reading that begins from now on is as good as an own one. So of many who ask at once, one reads, and the others wait.
        let begun = self.begun.load(Ordering::SeqCst);
        let mut last = self.reading.lock().await;
        let epoch = self.hear();
        if let Some(page) = self.page.load_full() {
            return Ok(page);
        }
        if last.number > begun
            && let Some(outcome) = &last.outcome
        {
            return outcome.clone().map_err(|failed| StoreError::Unavailable {
                action: "list documents",
                source: Box::new(failed),
            });
        }
        *last = Reading {
            number: self.begun.fetch_add(1, Ordering::SeqCst) + 1,
            outcome: None,
        };
        let page = self.read().await;
        last.outcome = Some(page.as_ref().map(Arc::clone).map_err(|_| Failed));
        let page = page?;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.epoch == epoch && state.trusted {
            self.page.store(Some(Arc::clone(&page)));
        }
        Ok(page)
    }

    async fn read(&self) -> Result<Arc<Page>, StoreError> {
        let roles = self.store.list_documents(DocumentKind::WebitelRole).await?;
        let tokens = self.store.list_documents(DocumentKind::WebitelToken).await?;
        Ok(Arc::new(Page::read(&roles, &tokens)?))
    }

    /// A turn to make a token: what is counted meanwhile, nobody else here adds to.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.making.lock().await
    }

    /// Writes a role in the place of the one on this page.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if somebody else wrote it meanwhile; [`StoreError::Unavailable`].
    pub(super) async fn put_role(self: &Arc<Self>, page: &Page, name: &str, role: &Role) -> Result<(), StoreError> {
        let document = NewDocument {
            name: name.to_owned(),
            document: role.to_json().to_string(),
            sealed: None,
            replaces: Some(page.revisions.get(name).copied().unwrap_or(0)),
        };
        self.put(DocumentKind::WebitelRole, document).await
    }

    /// Removes a role as it is on this page; returns whether there was one.
    ///
    /// # Errors
    /// As [`Book::put_role`].
    pub(super) async fn remove_role(self: &Arc<Self>, page: &Page, name: &str) -> Result<bool, StoreError> {
        let Some(revision) = page.revisions.get(name).copied() else {
            return Ok(false);
        };
        let (kind, name) = (DocumentKind::WebitelRole, name.to_owned());
        self.change(move |store| async move {
            let removed = store.remove_document_as_read(kind, &name, revision).await?;
            Ok(removed.is_some())
        })
        .await
    }

    /// Writes a token of a domain in the place of the version that it says.
    ///
    /// # Errors
    /// As [`Book::put_role`].
    pub(super) async fn put_token(self: &Arc<Self>, id: Uuid, token: &DomainToken) -> Result<(), StoreError> {
        let document = NewDocument {
            name: id.to_string(),
            document: token.to_json().to_string(),
            sealed: None,
            replaces: Some(token.revision),
        };
        self.put(DocumentKind::WebitelToken, document).await
    }

    /// Removes a token of a domain; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn remove_token(self: &Arc<Self>, id: Uuid) -> Result<bool, StoreError> {
        let (kind, name) = (DocumentKind::WebitelToken, id.to_string());
        self.change(move |store| async move { Ok(store.remove_document(kind, &name).await?.is_some()) })
            .await
    }

    async fn put(self: &Arc<Self>, kind: DocumentKind, document: NewDocument) -> Result<(), StoreError> {
        self.change(move |store| async move { store.put_document(kind, &document).await.map(|_| ()) })
            .await
    }

    /// Runs a change, and forgets what was read before it, to the end even if the caller hangs up: what is remembered would outlive what it was read from.
    async fn change<T: Send + 'static, F>(
        self: &Arc<Self>,
        change: impl FnOnce(Arc<dyn Store>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let book = Arc::clone(self);
        let changing = tokio::spawn(async move {
            let result = change(Arc::clone(&book.store)).await;
            // Also where the store failed: whether it has written is not known.
            book.forget();
            result
        });
        changing.await.unwrap_or_else(|panicked| {
            Err(StoreError::Unavailable {
                action: "change a document",
                source: Box::new(panicked),
            })
        })
    }

    fn forget(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget_in(&mut state);
    }

    fn forget_in(&self, state: &mut State) {
        state.epoch += 1;
        self.page.store(None);
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

impl Page {
    fn read(roles: &[StoredDocument], tokens: &[StoredDocument]) -> Result<Self, StoreError> {
        let made = roles.iter().map(|stored| Ok((stored.name.clone(), read_role(stored)?)));
        let made: Vec<_> = made.collect::<Result<_, StoreError>>()?;
        let tokens = tokens
            .iter()
            .map(DomainToken::read)
            .collect::<Result<_, StoreError>>()?;
        Ok(Self {
            roles: Roles::new(made),
            tokens,
            revisions: roles
                .iter()
                .map(|stored| (stored.name.clone(), stored.revision))
                .collect(),
            found: Mutex::default(),
        })
    }

    /// What a token was found to allow shortly before now.
    pub(super) fn found(&self, id: Uuid, now: Timestamp) -> Option<Found> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes nothing last longer.
        let is_fresh = |known: &&Found| known.at <= now && now < known.at.plus(MAKER_KEPT);
        found.get(&id).filter(is_fresh).cloned()
    }

    /// Keeps what a token was found to allow.
    pub(super) fn keep(&self, id: Uuid, found: Found) {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id, found);
    }
}

fn read_role(stored: &StoredDocument) -> Result<Role, StoreError> {
    let bad = |why: &dyn std::fmt::Display| inconsistent("role", &stored.name, why);
    let document: Value = serde_json::from_str(&stored.document).map_err(|error| bad(&error))?;
    let part = |name: &str| document.get(name).unwrap_or(&Value::Null);
    Role::parse(part("allows"), part("parents")).map_err(|error| bad(&error))
}

fn inconsistent(what: &str, name: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Inconsistent {
        what: format!("the {what} `{name}` of Webitel's API: {why}"),
    }
}
