//! Refresh tokens: made and given out again by a login with a password, and good for logins without one.
//!
//! A password that is set, a user who is disabled or removed, and a revocation of a whole identity or plugin remove them: whoever stole one
//! has nothing left then.
//!
//! A plugin names a user of the directory only for its password, or links it to somebody whose password is kept elsewhere. What such a login
//! made is good while that would be, and not once the user proves who it is in another way. What was brought in from another system was made in
//! whatever way that one knew.

use super::login::Line;
use super::open::Draft;
use super::slot::Whose;
use super::{IssuedToken, LoginOutcome, RefreshRequest, TokenError, TokenService, TokenValue};
use crate::model::{
    AuthenticationMethod, IdentityId, Paged, PluginDigest, Query, RefreshToken, RefreshTokenId, Refusal,
};
use crate::port::{RefreshFilter, RefreshOrder, Refreshing, RevocationMark, StoreError};

/// The longest name of a client, in characters.
const MAX_CLIENT_ID: usize = 1024;

impl TokenService {
    /// Logs in with a refresh token. The policies and the user are read anew. A backend that can look somebody up says who its owner is now: then
    /// groups, attributes and what its ceiling lets through of its accesses are fresh, and whoever may not log in any more is refused. The
    /// refresh token stays, and is good again once its owner is. A backend that cannot is not asked: what its ceiling let through is
    /// not in the new token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn refresh(&self, request: RefreshRequest) -> Result<IssuedToken, TokenError> {
        let line = Line::of_refresh(&request);
        let result = self.exchange(request).await.map(LoginOutcome::Issued);
        line.write(result.as_ref());
        match result? {
            LoginOutcome::Issued(issued) => Ok(issued),
            LoginOutcome::Challenged(_) => Err(TokenError::NotFound),
        }
    }

    async fn exchange(&self, request: RefreshRequest) -> Result<IssuedToken, TokenError> {
        let ttl = self.settings.ttl(request.ttl)?;
        let refused = TokenError::Refused(Refusal::WrongCredential);
        let Some((stored, since)) = self.find_refresh(request.token.as_ref()).await? else {
            return Err(refused);
        };
        let has_expired = stored.expires_at.is_some_and(|at| at <= self.clock.now());
        if stored.client_id != request.client_id || has_expired {
            return Err(refused);
        }
        // A backend that the operator took away lets nobody in any more.
        let backend = &stored.identity.backend;
        let whose = Whose::Tenant(stored.identity.tenant);
        let Some(slot) = self.find_slot(backend.as_str(), whose).await? else {
            return Err(TokenError::UnknownBackend(backend.as_str().to_owned()));
        };
        if let Some(user) = stored.identity.user
            && stored.plugin != PluginDigest::NONE
            && self.store.find_authentication_method(user).await? != Some(method(&stored))
        {
            return Err(refused);
        }
        let owner = self.owner(&slot, &request, &stored).await?;
        let draft = Draft {
            identity: owner.identity,
            standing: owner.standing,
            plugin: stored.plugin,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: owner.attributes,
            mobile: request.mobile || stored.mobile,
            accesses: owner.accesses,
            ttl,
            not_after: None,
            since,
            is_login: true,
            refresh: Refreshing::With(stored.id),
            actor: None,
        };
        self.open(draft).await
    }

    async fn find_refresh(
        &self,
        token: Option<&TokenValue>,
    ) -> Result<Option<(RefreshToken, RevocationMark)>, TokenError> {
        let Some(token) = token else {
            return Ok(None);
        };
        for digest in self.keys.digests(token) {
            if let Some(found) = self.store.find_refresh_token(&digest).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What a login does that wants a refresh token for this client.
    pub(super) async fn refreshing(
        &self,
        draft: &Draft,
        client_id: String,
        linked_as: Option<String>,
    ) -> Result<Refreshing, TokenError> {
        let length = client_id.chars().count();
        if length == 0 || length > MAX_CLIENT_ID || client_id.contains('\0') {
            return Err(TokenError::NoCredential);
        }
        let known = self.store.find_refresh_token_of(draft.identity.id, &client_id).await?;
        // One that was brought in from another system cannot be shown, so another one takes its place.
        let replaces = known.filter(|known| self.keys.refresh_value(known).is_none());
        let id = RefreshTokenId(self.random.uuid());
        let (_, digest) = self.keys.refresh_token(id);
        let now = self.clock.now();
        let token = RefreshToken {
            id,
            digest,
            identity: draft.identity.clone(),
            plugin: draft.plugin,
            linked_as,
            client_id,
            mobile: draft.mobile,
            client: draft.client.clone(),
            attributes: draft.attributes.clone(),
            created_at: now,
            expires_at: self.settings.refresh_ttl.map(|ttl| now.plus(ttl)),
        };
        Ok(Refreshing::Make {
            token: Box::new(token),
            replaces: replaces.map(|known| known.id),
        })
    }

    /// Refresh tokens; never the tokens themselves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_refresh_tokens(
        &self,
        query: &Query<RefreshFilter, RefreshOrder>,
    ) -> Result<Paged<RefreshToken>, StoreError> {
        self.store.list_refresh_tokens(query).await
    }

    /// Removes the refresh token that a client has of an identity; returns whether there was one. Tokens that were issued with it live on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_refresh_token(&self, identity: IdentityId, client_id: &str) -> Result<bool, StoreError> {
        let removed = self.store.remove_refresh_token(identity, client_id).await?;
        tracing::info!(%identity, removed, "refresh token removed");
        Ok(removed)
    }
}

/// By which method the owner must log in for the token to be good: the one that made it.
fn method(stored: &RefreshToken) -> AuthenticationMethod {
    match stored.linked_as {
        Some(_) => AuthenticationMethod::Ldap,
        None => AuthenticationMethod::Native,
    }
}
