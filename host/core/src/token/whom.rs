//! Who is there, without a password: for administrators, and where one-time passwords alone decide.

use super::open::Standing;
use super::slot::Whose;
use super::{LoginRequest, TokenError, TokenService, Whom};
use crate::model::{Found, Identity, Principal, Refusal, Subject};
use crate::port::{BackendFault, BackendSlot, BrowseRequest, Listing, LookupKey, RequestContext};

impl TokenService {
    /// Looks somebody up by the login name, through a backend that can; `None` for nobody, and for nobody who may log in.
    ///
    /// # Errors
    /// [`TokenError::UnknownBackend`], [`TokenError::Backend`] (also for a backend that cannot), [`TokenError::Store`].
    pub async fn find_whom(
        &self,
        backend: &str,
        identifier: &str,
        context: RequestContext,
    ) -> Result<Option<Whom>, TokenError> {
        let slot = self.find_slot(backend, Whose::Named(context.tenant.as_deref())).await?;
        let slot = slot.ok_or_else(|| TokenError::UnknownBackend(backend.to_owned()))?;
        self.whom(&slot, context, identifier).await
    }

    /// Lists the users of a backend that can; `None` for one that cannot. `request`'s deadline is set here.
    ///
    /// # Errors
    /// [`TokenError::UnknownBackend`], [`TokenError::Backend`], [`TokenError::Store`].
    pub async fn browse(&self, backend: &str, request: BrowseRequest) -> Result<Option<Listing>, TokenError> {
        let whose = Whose::Named(request.context.tenant.as_deref());
        let slot = self.find_slot(backend, whose).await?;
        let slot = slot.ok_or_else(|| TokenError::UnknownBackend(backend.to_owned()))?;
        let question = |deadline| slot.backend.browse(BrowseRequest { deadline, ..request });
        let listing = super::ask::ask(&slot, question).await;
        listing.map_err(|fault| TokenError::of_backend(&slot, fault))
    }

    pub(super) async fn whom(
        &self,
        slot: &BackendSlot,
        context: RequestContext,
        identifier: &str,
    ) -> Result<Option<Whom>, TokenError> {
        let key = LookupKey::Identifier(identifier.to_owned());
        let principal = match self.find_principal(slot, context, key).await? {
            Some(Found::Principal(principal)) => principal,
            Some(Found::Refused(_)) => return Ok(None),
            None => {
                let fault = BackendFault::Misconfigured("it cannot look anybody up without a password".to_owned());
                return Err(TokenError::of_backend(slot, fault));
            }
        };
        match self.resolve_named(slot, &principal).await {
            Ok((identity, _)) => Ok(Some(Whom { identity, principal })),
            Err(TokenError::Refused(Refusal::UnknownIdentifier | Refusal::Disabled)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// As [`TokenService::resolve`], and a user of the directory who was found is who was found.
    pub(super) async fn resolve_named(
        &self,
        slot: &BackendSlot,
        principal: &Principal,
    ) -> Result<(Identity, Standing), TokenError> {
        match principal.subject {
            Subject::Found(user) => self.resolve_user(slot, user).await,
            Subject::Directory(_) | Subject::Linked(_) | Subject::Own(_) | Subject::Delegated { .. } => {
                self.resolve(slot, principal).await
            }
        }
    }

    /// What somebody is to the host now.
    pub(super) async fn standing_of(&self, identity: &Identity) -> Result<Standing, TokenError> {
        let user = match identity.user {
            Some(id) => self.store.find_user(id).await?,
            None => None,
        };
        self.standing(user.as_ref()).await
    }

    pub(super) async fn get_slot(&self, request: &LoginRequest) -> Result<BackendSlot, TokenError> {
        let slot = self
            .find_slot(&request.backend, Whose::Named(request.tenant.as_deref()))
            .await?;
        slot.ok_or_else(|| TokenError::UnknownBackend(request.backend.clone()))
    }
}
