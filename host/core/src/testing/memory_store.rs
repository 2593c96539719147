//! A store in memory, which keeps what the ports promise.

mod account;
mod attempt;
mod audit;
mod challenge;
mod directory;
mod document;
mod event;
mod factor;
mod group;
mod link;
mod list;
mod pattern;
mod policy;
mod provision;
mod refresh;
mod tenant;
mod token;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{RwLock, RwLockWriteGuard, broadcast};
use uuid::Uuid;

use super::lock;
use crate::model::{
    Account, BackendName, Group, GroupId, IdentityId, Policy, PolicyId, Profile, RefreshToken, RefreshTokenId, Session,
    SessionId, Tenant, TenantId, Timestamp, Token, TokenDigest, User, UserId,
};
use crate::port::{
    Change, KeyPurpose, KeyStore, RevokeTarget, SealedKey, SettingKind, Store, StoreError, StoredChallenge,
    StoredDigest, StoredSetting, StoredVerifier,
};

/// A store in memory.
pub struct MemoryStore {
    tables: Mutex<Tables>,
    down: AtomicBool,
    changes: broadcast::Sender<Change>,
    finds: RwLock<()>,
    revocations: RwLock<()>,
    new_keys: RwLock<()>,
}

#[derive(Default)]
struct Tables {
    tenants: HashMap<TenantId, Tenant>,
    /// In which order tenants took their names.
    named: HashMap<TenantId, usize>,
    users: HashMap<UserId, (User, Option<StoredVerifier>)>,
    digests: HashMap<UserId, Vec<StoredDigest>>,
    profiles: HashMap<UserId, Profile>,
    accounts: HashMap<TenantId, Account>,
    identities: HashMap<(BackendName, String), IdentityId>,
    policies: HashMap<PolicyId, Policy>,
    attachments: Vec<(PolicyId, IdentityId)>,
    groups: HashMap<GroupId, Group>,
    members: HashSet<(GroupId, UserId)>,
    group_policies: HashSet<(GroupId, PolicyId)>,
    /// The groups that the configuration provides.
    provided: HashSet<GroupId>,
    sessions: HashMap<SessionId, Session>,
    refresh_tokens: HashMap<RefreshTokenId, RefreshToken>,
    tokens: HashMap<TokenDigest, Token>,
    keys: Vec<SealedKey>,
    settings: HashMap<(TenantId, SettingKind), StoredSetting>,
    revocations: Revocations,
    events: event::Events,
    factors: factor::Factors,
    challenges: HashMap<[u8; 32], StoredChallenge>,
    audit: audit::Audit,
    attempts: attempt::Attempts,
    documents: document::Documents,
}

/// The notes of revocations.
#[derive(Default)]
struct Revocations {
    mark: i64,
    /// The mark and the time of the latest, by target.
    latest: HashMap<RevokeTarget, (i64, Timestamp)>,
    /// The latest mark of which the note was removed.
    swept: i64,
}

/// Holds calls back until it is dropped.
pub struct Pause<'a>(#[expect(dead_code, reason = "it is held, not read")] RwLockWriteGuard<'a, ()>);

impl MemoryStore {
    /// The top tenant of each of these stores.
    pub const MASTER: TenantId = TenantId(Uuid::from_u128(0x6d61_7374_6572));

    /// A store with the top tenant and nothing else.
    pub fn new() -> Arc<Self> {
        let id = Self::MASTER;
        let master = Tenant {
            slug: "master".to_owned(),
            ..Tenant::new(id, id, "master")
        };
        let mut tables = Tables {
            tenants: HashMap::from([(id, master)]),
            ..Tables::default()
        };
        tables.add_all_users(GroupId(Uuid::from_u128(1)), id);
        Arc::new(Self {
            tables: Mutex::new(tables),
            down: AtomicBool::new(false),
            changes: broadcast::Sender::new(64),
            finds: RwLock::new(()),
            revocations: RwLock::new(()),
            new_keys: RwLock::new(()),
        })
    }

    /// Lets every call fail, or work again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Tells listeners of a change as if another node had made it.
    pub fn announce(&self, change: Change) {
        drop(self.changes.send(change));
    }

    /// Holds back `find_token` after it has read.
    pub async fn pause_finds(&self) -> Pause<'_> {
        Pause(self.finds.write().await)
    }

    /// Holds back `revoke` after it has written.
    pub async fn pause_revocations(&self) -> Pause<'_> {
        Pause(self.revocations.write().await)
    }

    /// Holds back `add_key` before it writes.
    pub async fn pause_new_keys(&self) -> Pause<'_> {
        Pause(self.new_keys.write().await)
    }

    /// How many tokens there are, expired ones included.
    pub fn token_count(&self) -> usize {
        lock(&self.tables).tokens.len()
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        lock(&self.tables).sessions.len()
    }

    /// How many refresh tokens there are, expired ones included.
    pub fn refresh_token_count(&self) -> usize {
        lock(&self.tables).refresh_tokens.len()
    }

    /// Puts a refresh token in place of the one with its id, or adds it.
    pub fn put_refresh_token(&self, token: RefreshToken) {
        lock(&self.tables).refresh_tokens.insert(token.id, token);
    }

    /// Puts a user in place of the one with its id.
    pub fn replace_user(&self, user: User) {
        if let Some((current, _)) = lock(&self.tables).users.get_mut(&user.id) {
            *current = user;
        }
    }

    /// A user's verifier, as it is stored.
    pub fn verifier_of(&self, user: UserId) -> Option<StoredVerifier> {
        lock(&self.tables)
            .users
            .get(&user)
            .and_then(|(_, verifier)| verifier.clone())
    }

    /// What stands for the digests of a user's password.
    pub fn digests_of(&self, user: UserId) -> Vec<StoredDigest> {
        let tables = lock(&self.tables);
        tables.digests.get(&user).cloned().unwrap_or_default()
    }

    fn open(&self, action: &'static str) -> Result<MutexGuard<'_, Tables>, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable {
                action,
                source: "the test's store is down".into(),
            });
        }
        Ok(lock(&self.tables))
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn list_keys(&self, purpose: KeyPurpose) -> Result<Vec<SealedKey>, StoreError> {
        let tables = self.open("list keys")?;
        Ok(tables
            .keys
            .iter()
            .filter(|key| key.purpose == purpose)
            .cloned()
            .collect())
    }

    async fn add_key(&self, key: &SealedKey) -> Result<bool, StoreError> {
        drop(self.new_keys.read().await);
        let mut tables = self.open("add a key")?;
        let free = tables.keys.iter().all(|known| known.id != key.id);
        if free {
            tables.keys.push(key.clone());
        }
        Ok(free)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.open("answer").map(|_| ())
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        self.set_down(true);
    }
}
