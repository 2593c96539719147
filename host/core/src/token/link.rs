//! Tokens for links that are sent by mail: to reset a password, to confirm an address. Whoever holds one has read the user's mail.

use std::time::Duration;

use super::{TokenError, TokenService, TokenValue};
use crate::model::{
    BackendName, Client, Identity, LINK_DIALECT, PluginDigest, Refusal, Session, SessionId, Token, UserId,
};
use crate::port::{Opening, OpeningOutcome, StoreError};

impl TokenService {
    /// Makes a token of these accesses and no others for a directory user, for the link of a mail. It lives for `ttl`, whatever logins may
    /// ask for, and ends with everything else of the user's: with a new password for example. It is no login: no list of sessions shows it
    /// and it counts toward no limit.
    ///
    /// # Errors
    /// [`TokenError::Refused`] for a user who is unknown or disabled, [`TokenError::Store`].
    pub async fn mint_link(
        &self,
        user: UserId,
        accesses: Vec<String>,
        ttl: Duration,
        attributes: Vec<(String, String)>,
    ) -> Result<TokenValue, TokenError> {
        let verified_since = self.store.revocation_mark().await?;
        let user = match self.store.find_user(user).await? {
            None => return Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Some(user) if !user.enabled => return Err(TokenError::Refused(Refusal::Disabled)),
            Some(user) => user,
        };
        let now = self.clock.now();
        let session = Session {
            id: SessionId(self.random.uuid()),
            identity: Identity {
                id: user.id.into(),
                user: Some(user.id),
                tenant: user.tenant,
                backend: BackendName::host(),
                login: user.name().into_owned(),
            },
            plugin: PluginDigest::NONE,
            dialect: LINK_DIALECT.to_owned(),
            client: Client::default(),
            attributes,
            opened_at: now,
            mobile: false,
            refresh: None,
        };
        let value = TokenValue::new(self.random.uuid());
        let token = Token {
            digest: self.keys.digest(&value),
            session: session.id,
            issued_at: now,
            expires_at: now.plus(ttl),
            accesses: accesses.into(),
        };
        let opening = Opening {
            session,
            token,
            verified_since,
        };
        match self.store.open_session(opening).await {
            Ok(OpeningOutcome::Opened) => Ok(value),
            Ok(OpeningOutcome::Disabled) => Err(TokenError::Refused(Refusal::Disabled)),
            Ok(OpeningOutcome::Overtaken) => Err(TokenError::Refused(Refusal::Overtaken)),
            Err(StoreError::Missing { what: "user" }) => Err(TokenError::Refused(Refusal::UnknownIdentifier)),
            Err(error) => Err(error.into()),
        }
    }
}
