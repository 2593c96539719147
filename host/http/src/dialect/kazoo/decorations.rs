//! What answers to logins say besides who somebody is: of the account, and of what clients may show.

use keyway_core::accounts::AccountIndex;
use keyway_core::model::{Account, Identity, TenantId, Timestamp, UserId};
use quick_cache::sync::Cache;
use serde::Serialize;
use uuid::Uuid;
use uuid::fmt::Simple;

use super::Kazoo;
use super::error::Failure;

/// The language of whoever has none, and whose account has none.
const LANGUAGE: &str = "en-US";

/// For how long a user's language is remembered, in microseconds.
const LANGUAGE_LIFE: i64 = 10_000_000;

/// The languages of users, so that a look at a token need not ask the store.
pub(super) struct Languages(Cache<UserId, (Option<String>, Timestamp)>);

impl Languages {
    pub(super) fn new() -> Self {
        Self(Cache::new(4096))
    }

    /// Forgets what was remembered of a user: it was changed.
    pub(super) fn forget(&self, user: UserId) {
        self.0.remove(&user);
    }
}

/// What answers say of an account, and of what clients may show.
#[derive(Serialize)]
pub(super) struct Decorations<'a> {
    account_name: String,
    language: String,
    apps: [(); 0],
    is_reseller: bool,
    reseller_id: Simple,
    is_master_account: bool,
    cluster_id: &'a str,
    capabilities: Capabilities,
    ui_config: NoFields,
}

/// An object without fields.
#[derive(Serialize)]
struct NoFields {}

/// What telephones could do besides: nothing that this server has a part in.
#[derive(Default, Serialize)]
struct Capabilities {
    voicemail: Voicemail,
}

#[derive(Default, Serialize)]
struct Voicemail {
    transcription: Capability,
}

#[derive(Default, Serialize)]
struct Capability {
    available: bool,
    default: bool,
}

impl Kazoo {
    /// What clients want to know of somebody besides the ids.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn decorations_of(&self, identity: &Identity) -> Result<Decorations<'_>, Failure> {
        let index = self.accounts().index().await?;
        let found = index.get(identity.tenant);
        let account = found.map(|(_, account)| account);
        let name = found.and_then(|(tenant, _)| tenant.name.clone());
        Ok(Decorations {
            account_name: name.unwrap_or_default(),
            language: self.language(identity, account).await?,
            apps: [],
            is_reseller: account.is_some_and(|account| account.reseller),
            reseller_id: reseller_of(&index, identity.tenant).0.simple(),
            is_master_account: identity.tenant == index.master(),
            cluster_id: self.node(),
            capabilities: Capabilities::default(),
            ui_config: NoFields {},
        })
    }

    /// The user's, else the account's, else the usual one.
    async fn language(&self, identity: &Identity, account: Option<&Account>) -> Result<String, Failure> {
        let own = match identity.user {
            Some(user) => self.language_of(user).await?,
            None => None,
        };
        let language = own.or_else(|| account?.language.clone());
        Ok(language.unwrap_or_else(|| LANGUAGE.to_owned()))
    }

    async fn language_of(&self, user: UserId) -> Result<Option<String>, Failure> {
        let now = self.now();
        let languages = &self.state().languages.0;
        if let Some((language, at)) = languages.get(&user)
            && now.0.saturating_sub(at.0) < LANGUAGE_LIFE
        {
            return Ok(language);
        }
        let profile = self.accounts().list_profiles(&[user]).await?.pop();
        let language = profile.and_then(|profile| profile.language);
        languages.insert(user, (language.clone(), now));
        Ok(language)
    }
}

/// The top account, which has no reseller, is its own.
fn reseller_of(index: &AccountIndex, account: TenantId) -> TenantId {
    index.reseller_of(account).unwrap_or(account)
}

/// Who it is; nobody for an account's own session, which no user opened.
pub(super) fn owner_of(identity: &Identity) -> Option<Uuid> {
    let is_account = identity.user.is_none() && identity.backend == keyway_core::model::BackendName::host();
    (!is_account).then_some(identity.id.0)
}
