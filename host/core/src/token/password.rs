//! A new password for somebody who proves the present one, where the backend keeps it.
//!
//! When the new one is in effect, everything that was issued to its owner ends, as after a change in the host's own directory.

use std::sync::Arc;

use super::ask::{MAX_IDENTIFIER, ask};
use super::login::MAX_LOGGED_NAME;
use super::revoke::revoke;
use super::slot::Whose;
use super::{TokenCache, TokenError, TokenService};
use crate::Secret;
use crate::model::{
    AuthenticationMethod, Changed, Client, Credential, IdentityId, Principal, Refusal, Rejection, Subject, Timestamp,
};
use crate::port::{BackendFault, BackendSlot, ChangeRequest, RequestContext, RevokeTarget, Store, StoreError};

/// Another password, as a caller asks for it.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// The backend's name or alias.
    pub backend: String,
    /// The login name.
    pub identifier: String,
    /// The present password.
    pub present: Secret<Vec<u8>>,
    /// The one to be.
    pub new: Secret<Vec<u8>>,
    /// The tenant that the caller named.
    pub tenant: Option<String>,
    /// From where.
    pub client: Client,
    /// Through which API.
    pub dialect: &'static str,
    /// The id under which this request is logged.
    pub request_id: String,
}

/// Why a password was not changed, or why it is not known whether it was.
#[derive(Debug, thiserror::Error)]
pub enum PasswordChangeError {
    /// The present password was not accepted. The reason is for the log only.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// No backend has this name. Callers get the wording of a refusal.
    #[error("refused: no backend `{0}`")]
    UnknownBackend(String),
    /// The backend cannot change passwords.
    #[error("backend `{0}` does not change passwords")]
    NotOffered(String),
    /// The new password was not accepted; the present one stays.
    #[error("rejected: {0:?}")]
    Rejected(Rejection),
    /// The present password was not judged, or the backend does not know what became of the new one.
    #[error("backend `{backend}` failed")]
    Backend {
        /// Which.
        backend: String,
        /// Why.
        #[source]
        fault: BackendFault,
    },
    /// The store did not answer. The new password may be in effect.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The pool for password hashing is saturated.
    #[error("the password pool is saturated")]
    Saturated,
    /// Which backend is meant could not be found out.
    #[error("the backend was not found")]
    Slot(#[source] TokenError),
}

impl TokenService {
    /// Has the backend change a password, and ends everything that was issued to its owner. When this returns, no login that began before it
    /// leaves a session behind, and no refresh token from before it is good. It goes on to its end even if the caller hangs up.
    ///
    /// An unknown backend and an identifier that cannot be one cost what a wrong password costs.
    ///
    /// # Errors
    /// [`PasswordChangeError`].
    pub async fn change_password(&self, change: PasswordChange) -> Result<(), PasswordChangeError> {
        let (request_id, dialect) = (change.request_id.clone(), change.dialect);
        let backend: String = change.backend.chars().take(MAX_LOGGED_NAME).collect();
        let client = change.client.address.clone();
        let client = client.as_deref();
        let result = self.put_through(change).await;
        match &result {
            Ok(login) => tracing::info!(request_id, backend, dialect, client, login, "password changed"),
            Err(
                reason @ (PasswordChangeError::Refused(_)
                | PasswordChangeError::NotOffered(_)
                | PasswordChangeError::Rejected(_)),
            ) => {
                let reason = reason.to_string();
                tracing::info!(request_id, backend, dialect, client, reason, "password not changed");
            }
            Err(PasswordChangeError::UnknownBackend(_)) => {
                let reason = "refused: no backend has this name";
                tracing::info!(request_id, backend, dialect, client, reason, "password not changed");
            }
            // The edge logs it with its causes.
            Err(
                PasswordChangeError::Backend { .. }
                | PasswordChangeError::Store(_)
                | PasswordChangeError::Saturated
                | PasswordChangeError::Slot(_),
            ) => {}
        }
        result.map(drop)
    }

    /// Returns the login name in its canonical spelling.
    async fn put_through(&self, change: PasswordChange) -> Result<String, PasswordChangeError> {
        let whose = Whose::Named(change.tenant.as_deref());
        let slot = self.find_slot(&change.backend, whose).await;
        let Some(slot) = slot.map_err(PasswordChangeError::Slot)? else {
            self.refuse_at_cost(change.identifier, change.present).await?;
            return Err(PasswordChangeError::UnknownBackend(change.backend));
        };
        if !slot.backend.abilities().change_password {
            return Err(PasswordChangeError::NotOffered(slot.name.as_str().to_owned()));
        }
        // An empty password must never reach a backend, where it could mean that nobody asks.
        let length = change.identifier.len();
        if length == 0 || length > MAX_IDENTIFIER || change.present.expose().is_empty() {
            self.refuse_at_cost(change.identifier, change.present).await?;
            return Err(PasswordChangeError::Refused(Refusal::UnknownIdentifier));
        }
        if change.new.expose().is_empty() {
            return Err(PasswordChangeError::Rejected(Rejection::TooShort));
        }
        // A store that is away now would keep sessions alive afterwards.
        self.store.revocation_mark().await?;
        let work = Work {
            store: Arc::clone(&self.store),
            cache: Arc::clone(&self.cache),
            fresh: IdentityId(self.random.uuid()),
            now: self.clock.now(),
            slot,
        };
        // Between the backend and the store, a password would be new in the one and sessions of the old one good in the other.
        let ended = tokio::spawn(work.change(change)).await;
        ended.unwrap_or_else(|panicked| {
            Err(StoreError::Unavailable {
                action: "end what was issued for an old password",
                source: Box::new(panicked),
            }
            .into())
        })
    }

    async fn refuse_at_cost(&self, identifier: String, present: Secret<Vec<u8>>) -> Result<(), PasswordChangeError> {
        let presented = (identifier, Credential::Password(present));
        let burnt = self.burn(Some(&presented)).await;
        burnt.map_err(|_| PasswordChangeError::Saturated)
    }
}

/// What a change needs that goes on without its caller.
struct Work {
    store: Arc<dyn Store>,
    cache: Arc<TokenCache>,
    slot: BackendSlot,
    /// The id of somebody who has never logged in.
    fresh: IdentityId,
    now: Timestamp,
}

impl Work {
    async fn change(self, change: PasswordChange) -> Result<String, PasswordChangeError> {
        let Self { store, slot, .. } = &self;
        let question = |deadline| {
            slot.backend.change_password(ChangeRequest {
                context: RequestContext {
                    request_id: change.request_id,
                    dialect: change.dialect,
                    client_address: change.client.address,
                    tenant: change.tenant,
                    attributes: Vec::new(),
                },
                identifier: change.identifier,
                present: change.present,
                new: change.new,
                deadline,
            })
        };
        let backend = || slot.name.as_str().to_owned();
        match ask(slot, question).await {
            Ok(Some(Changed::Changed(principal))) => {
                if let Some(identity) = self.identity(&principal).await? {
                    revoke(&**store, &self.cache, &RevokeTarget::Identity(identity), self.now).await?;
                }
                Ok(principal.login)
            }
            Ok(Some(Changed::Refused(reason))) => Err(PasswordChangeError::Refused(reason)),
            Ok(Some(Changed::Rejected(reason))) => Err(PasswordChangeError::Rejected(reason)),
            // It was replaced by a generation that cannot.
            Ok(None) => Err(PasswordChangeError::NotOffered(backend())),
            Err(fault) => Err(PasswordChangeError::Backend {
                backend: backend(),
                fault,
            }),
        }
    }

    /// Whose tokens are to end; `None` for a user of the host's whom that password never let in. A user's end whether or not it may log in now.
    async fn identity(&self, principal: &Principal) -> Result<Option<IdentityId>, StoreError> {
        match &principal.subject {
            Subject::Directory(user) => Ok(Some((*user).into())),
            // Who may write an address in a directory could otherwise end the sessions of whoever has that address here.
            Subject::Linked(user) => {
                let method = self.store.find_authentication_method(*user).await?;
                Ok((method == Some(AuthenticationMethod::Ldap)).then_some((*user).into()))
            }
            Subject::Own(subject) => {
                let name = &self.slot.name;
                let known = self.store.resolve_identity(name, subject, self.fresh, self.now).await?;
                Ok(Some(known))
            }
            Subject::Delegated { backend, subject } => {
                let known = self
                    .store
                    .resolve_identity(backend, subject, self.fresh, self.now)
                    .await?;
                Ok(Some(known))
            }
            Subject::Found(_) => Ok(None),
        }
    }
}
