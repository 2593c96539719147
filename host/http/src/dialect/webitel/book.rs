//! The roles and the tokens of domains, as requests go by them: read from the store once, and again after each change, so that a change counts from the next
//! request on.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use keyway_core::model::{TenantId, Timestamp};
use keyway_core::port::{Change, DocumentKind, NewDocument, Store, StoreError, StoredDocument};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast::{self, error::TryRecvError};
use uuid::Uuid;

use super::acl::Acl;
use super::roles::{Role, Roles};

/// A token of a domain, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DomainToken {
    /// The domain.
    pub(super) tenant: TenantId,
    /// The name of its role.
    pub(super) role: String,
    /// What its maker could do: it never does more, whatever becomes of the role.
    pub(super) ceiling: Acl,
    /// From when on it is no longer good.
    pub(super) expires_at: Timestamp,
    /// Who made it.
    pub(super) created_by: String,
    /// When.
    pub(super) created_at: Timestamp,
    /// Whether it is good.
    pub(super) enabled: bool,
    /// Which version of it the store has.
    pub(super) revision: i64,
}

/// All of them at one time.
#[derive(Debug)]
pub(super) struct Page {
    /// The roles.
    pub(super) roles: Roles,
    /// The tokens of domains, by their ids.
    pub(super) tokens: HashMap<Uuid, DomainToken>,
    /// Which version of a role the store has, by its name.
    revisions: HashMap<String, i64>,
}

/// The roles and the tokens of domains.
pub(super) struct Book {
    store: Arc<dyn Store>,
    page: ArcSwapOption<Page>,
    state: Mutex<State>,
}

struct State {
    /// Counts the changes, so that what was read before one is not kept after it.
    epoch: u64,
    /// Whether this node hears of changes made elsewhere.
    trusted: bool,
    feed: broadcast::Receiver<Change>,
}

#[derive(Serialize, Deserialize)]
struct RawToken {
    tenant: Uuid,
    role: String,
    /// `None` for everything.
    ceiling: Option<Value>,
    expires_at: Timestamp,
    created_by: String,
    created_at: Timestamp,
    enabled: bool,
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
        }
    }

    /// All of them, as they are now.
    ///
    /// # Errors
    /// [`StoreError`], also for a document that cannot be read: nobody is let in past it.
    pub(super) async fn current(&self) -> Result<Arc<Page>, StoreError> {
        let epoch = self.hear();
        if let Some(page) = self.page.load_full() {
            return Ok(page);
        }
        let roles = self.store.list_documents(DocumentKind::WebitelRole).await?;
        let tokens = self.store.list_documents(DocumentKind::WebitelToken).await?;
        let page = Arc::new(Page::read(&roles, &tokens)?);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.epoch == epoch && state.trusted {
            self.page.store(Some(Arc::clone(&page)));
        }
        Ok(page)
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

    /// Removes a role; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub(super) async fn remove_role(self: &Arc<Self>, name: &str) -> Result<bool, StoreError> {
        self.remove(DocumentKind::WebitelRole, name.to_owned()).await
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
        self.remove(DocumentKind::WebitelToken, id.to_string()).await
    }

    async fn put(self: &Arc<Self>, kind: DocumentKind, document: NewDocument) -> Result<(), StoreError> {
        self.change(move |store| async move { store.put_document(kind, &document).await.map(|_| ()) })
            .await
    }

    async fn remove(self: &Arc<Self>, kind: DocumentKind, name: String) -> Result<bool, StoreError> {
        self.change(move |store| async move { Ok(store.remove_document(kind, &name).await?.is_some()) })
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
        let tokens = tokens.iter().map(read_token).collect::<Result<_, StoreError>>()?;
        Ok(Self {
            roles: Roles::new(made),
            tokens,
            revisions: roles
                .iter()
                .map(|stored| (stored.name.clone(), stored.revision))
                .collect(),
        })
    }
}

impl DomainToken {
    fn to_json(&self) -> Value {
        let raw = RawToken {
            tenant: self.tenant.0,
            role: self.role.clone(),
            ceiling: (!self.ceiling.is_everything()).then(|| self.ceiling.to_json()),
            expires_at: self.expires_at,
            created_by: self.created_by.clone(),
            created_at: self.created_at,
            enabled: self.enabled,
        };
        serde_json::json!(raw)
    }
}

fn read_role(stored: &StoredDocument) -> Result<Role, StoreError> {
    let bad = |why: &dyn std::fmt::Display| inconsistent("role", &stored.name, why);
    let document: Value = serde_json::from_str(&stored.document).map_err(|error| bad(&error))?;
    let part = |name: &str| document.get(name).unwrap_or(&Value::Null);
    Role::parse(part("allows"), part("parents")).map_err(|error| bad(&error))
}

fn read_token(stored: &StoredDocument) -> Result<(Uuid, DomainToken), StoreError> {
    let bad = |why: &dyn std::fmt::Display| inconsistent("token", &stored.name, why);
    let id = Uuid::try_parse(&stored.name).map_err(|error| bad(&error))?;
    let raw: RawToken = serde_json::from_str(&stored.document).map_err(|error| bad(&error))?;
    let ceiling = match &raw.ceiling {
        None => Acl::everything([]),
        Some(value) => Acl::parse_stored(value).map_err(|error| bad(&error))?,
    };
    let token = DomainToken {
        tenant: TenantId(raw.tenant),
        role: raw.role,
        ceiling,
        expires_at: raw.expires_at,
        created_by: raw.created_by,
        created_at: raw.created_at,
        enabled: raw.enabled,
        revision: stored.revision,
    };
    Ok((id, token))
}

fn inconsistent(what: &str, name: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Inconsistent {
        what: format!("the {what} `{name}` of Webitel's API: {why}"),
    }
}
