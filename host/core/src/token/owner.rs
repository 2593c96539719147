//! Who the owner of a refresh token is now.

use std::sync::Arc;

use super::ask::ask;
use super::issue::{GROUP_ATTRIBUTE, attributes, groups_of, storable};
use super::open::Standing;
use super::{RefreshRequest, TokenError, TokenService};
use crate::model::{Found, Identity, Principal, RefreshToken, Refusal, Subject};
use crate::port::{BackendSlot, LookupKey, LookupRequest, RequestContext};

/// The owner of a refresh token, as it is now.
pub(super) struct Owner {
    pub(super) identity: Identity,
    pub(super) standing: Standing,
    pub(super) accesses: Arc<[String]>,
    pub(super) attributes: Vec<(String, String)>,
}

impl TokenService {
    /// Who the owner is now, in the backend's words where it can say, and otherwise as was known.
    pub(super) async fn owner(
        &self,
        slot: &BackendSlot,
        request: &RefreshRequest,
        stored: &RefreshToken,
    ) -> Result<Owner, TokenError> {
        let fresh = storable(request.attributes.clone());
        let asking = RequestContext {
            request_id: request.request_id.clone(),
            dialect: request.dialect,
            client_address: request.client.address.clone(),
            tenant: None,
            attributes: request.attributes.clone(),
        };
        let linked_as = stored.linked_as.as_deref();
        if let Some(principal) = self.look_up(slot, asking, &stored.identity, linked_as).await? {
            let (identity, standing) = self.resolve(slot, &principal).await?;
            let accesses = self
                .accesses_of(&identity, slot, groups_of(&principal), &principal.accesses)
                .await?;
            let own = format!("{}.", request.dialect);
            let kept = stored.attributes.iter().filter(|(name, _)| name.starts_with(&own));
            return Ok(Owner {
                identity,
                standing,
                accesses,
                attributes: attributes(merged(fresh, kept.cloned()), principal),
            });
        }
        let (identity, standing) = match stored.identity.user {
            None => (stored.identity.clone(), self.standing(None).await?),
            Some(id) => self.resolve_user(slot, id).await?,
        };
        let is_backends = identity.user.is_none() || stored.linked_as.is_some();
        let groups = stored
            .attributes
            .iter()
            .filter(|(name, _)| is_backends && name == GROUP_ATTRIBUTE);
        let groups: Vec<_> = groups.map(|(_, group)| group.clone()).collect();
        let accesses = self.accesses_of(&identity, slot, &groups, &[]).await?;
        Ok(Owner {
            identity,
            standing,
            accesses,
            attributes: merged(fresh, stored.attributes.iter().cloned()),
        })
    }

    /// Asks the backend who the owner of a token is now, who logged in under the name `linked_as` if the backend is linked to the directory; `None` where it
    /// cannot say, or where the host itself knows.
    pub(super) async fn look_up(
        &self,
        slot: &BackendSlot,
        asking: RequestContext,
        identity: &Identity,
        linked_as: Option<&str>,
    ) -> Result<Option<Principal>, TokenError> {
        let (key, expected) = match (identity.user, linked_as) {
            (Some(user), Some(login)) => (LookupKey::Identifier(login.to_owned()), Subject::Linked(user)),
            // The host matched the user's password, and is asked about the user as ever.
            (Some(_), None) => return Ok(None),
            (None, _) => match self.store.find_subject(identity.id).await? {
                Some(subject) => (LookupKey::Subject(subject.clone()), Subject::Own(subject)),
                None => return Ok(None),
            },
        };
        let context = RequestContext {
            tenant: identity.user.map(|_| identity.tenant.to_string()),
            ..asking
        };
        match self.find_principal(slot, context, key).await? {
            None => Ok(None),
            Some(Found::Principal(principal)) if principal.subject == expected => Ok(Some(principal)),
            // The name is somebody else's now.
            Some(Found::Principal(_)) => Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Some(Found::Refused(reason)) => Err(TokenError::Refused(reason)),
        }
    }

    /// Asks a backend who somebody is, without a password; `None` if it cannot say.
    ///
    /// # Errors
    /// [`TokenError::Backend`].
    pub(super) async fn find_principal(
        &self,
        slot: &BackendSlot,
        context: RequestContext,
        key: LookupKey,
    ) -> Result<Option<Found>, TokenError> {
        if !slot.backend.abilities().lookup {
            return Ok(None);
        }
        let question = |deadline| slot.backend.lookup(LookupRequest { context, key, deadline });
        let found = ask(slot, question).await;
        found.map_err(|fault| TokenError::of_backend(slot, fault))
    }
}

/// What is fresh, then what was kept under other names.
fn merged(fresh: Vec<(String, String)>, kept: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let kept: Vec<_> = kept
        .filter(|(name, _)| fresh.iter().all(|(known, _)| known != name))
        .collect();
    fresh.into_iter().chain(kept).collect()
}
