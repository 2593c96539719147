//! A login with the API key of an account: a program's, and nobody's of the account's users.

use std::time::Duration;

use super::issue::storable;
use super::open::{Draft, Standing};
use super::{IssuedToken, TokenError, TokenService};
use crate::account::key_subject;
use crate::model::{BackendName, Client, Identity, IdentityId, PluginDigest, Purpose, Refusal, TenantId};
use crate::port::{Refreshing, StoreError};

/// A login with an API key that was found in the [`AccountIndex`](crate::accounts::AccountIndex).
#[derive(Debug, Clone)]
pub struct KeyLogin {
    /// The account that the key was found to be of.
    pub tenant: TenantId,
    /// [`Account::api_key`](crate::model::Account::api_key) of the account that it was found in: a key that was made anew since is refused.
    pub api_key: u32,
    /// What the session may do: [`AccountService::key_accesses`](crate::account::AccountService::key_accesses).
    pub accesses: Vec<String>,
    /// The life that the caller asks for.
    pub ttl: Option<Duration>,
    /// From where.
    pub client: Client,
    /// Through which API.
    pub dialect: &'static str,
    /// The id under which this request is logged.
    pub request_id: String,
    /// What the dialect wants the session to keep.
    pub attributes: Vec<(String, String)>,
}

impl TokenService {
    /// Opens a session of the account itself. Programs log in for each thing that they do, so no limit of sessions concerns it.
    ///
    /// # Errors
    /// [`TokenError::Refused`] for a key that is good no more, [`TokenError::Closed`], [`TokenError::TtlOutOfRange`], [`TokenError::Store`].
    pub async fn login_by_key(&self, login: KeyLogin) -> Result<IssuedToken, TokenError> {
        let (request_id, dialect, tenant) = (login.request_id.clone(), login.dialect, login.tenant);
        let client = login.client.address.clone();
        let result = self.open_for_key(login).await;
        match &result {
            Ok(issued) => {
                let session = issued.live.record.session.id;
                tracing::info!(request_id, dialect, client, %tenant, %session, "login by API key issued");
            }
            Err(reason @ (TokenError::Refused(_) | TokenError::Closed(_) | TokenError::TtlOutOfRange { .. })) => {
                let reason = reason.to_string();
                tracing::info!(request_id, dialect, client, %tenant, reason, "login by API key refused");
            }
            // The dialect logs it with its causes: once, at the edge.
            Err(_) => {}
        }
        result
    }

    async fn open_for_key(&self, login: KeyLogin) -> Result<IssuedToken, TokenError> {
        let since = self.store.revocation_mark().await?;
        let ttl = self.settings.ttl(login.ttl)?;
        let refused = TokenError::Refused(Refusal::WrongCredential);
        // What the index knew may be out of date, and a key that is renewed after this look has a mark after `since`.
        let account = self.store.find_account(login.tenant).await?;
        let Some(account) = account.filter(|account| account.api_key == login.api_key && login.api_key > 0) else {
            return Err(refused);
        };
        let Some(tenant) = self.store.find_tenant(account.tenant).await? else {
            return Err(refused);
        };
        let (backend, subject) = (BackendName::host(), key_subject(tenant.id));
        let fresh = IdentityId(self.random.uuid());
        let identity = Identity {
            id: self
                .store
                .resolve_identity(&backend, &subject, fresh, self.clock.now())
                .await?,
            user: None,
            tenant: tenant.id,
            backend,
            login: tenant.name.unwrap_or_else(|| tenant.id.to_string()),
        };
        let draft = Draft {
            identity,
            standing: Standing {
                purpose: Purpose::ExternalApi,
                admin: None,
            },
            plugin: PluginDigest::NONE,
            dialect: login.dialect.to_owned(),
            client: login.client,
            attributes: storable(login.attributes),
            mobile: false,
            accesses: login.accesses.into(),
            ttl,
            not_after: None,
            since,
            is_login: false,
            refresh: Refreshing::No,
            actor: None,
        };
        self.open(draft).await.map_err(|error| match error {
            TokenError::Store(StoreError::Missing { .. }) => TokenError::Refused(Refusal::WrongCredential),
            error => error,
        })
    }
}
