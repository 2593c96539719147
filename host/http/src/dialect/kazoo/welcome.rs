//! The answer to a login of any kind: a token of this dialect's own, and whose it is.

use keyway_core::model::IdentityId;
use keyway_core::token::{IssuedToken, LiveToken, TokenValue};
use serde_json::{Map, Value};

use super::Kazoo;
use super::decorations::owner_of;
use super::envelope::Answer;
use super::error::Failure;
use super::jwt::Claims;
use super::security::{BY_KEY, BY_USER};

impl Kazoo {
    /// Answers 201 with the token of a login, and whose it is.
    ///
    /// # Errors
    /// That the key for tokens or the store did not answer.
    pub(super) async fn welcome(&self, issued: &IssuedToken) -> Result<Answer, Failure> {
        let claims = claims_of(&issued.value, &issued.live);
        let text = self.sign(&claims).await?;
        let mut data = Map::new();
        self.decorate(&mut data, &issued.live.record.session.identity).await?;
        Ok(Answer::created(data).token(text))
    }

    /// What a token says, and whose it is.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn describe(&self, token: &TokenValue, live: &LiveToken) -> Result<Map<String, Value>, Failure> {
        let mut data = claims_of(token, live).document(&self.state().keys.identity);
        self.decorate(&mut data, &live.record.session.identity).await?;
        Ok(data)
    }

    async fn sign(&self, claims: &Claims) -> Result<String, Failure> {
        let keys = &self.state().keys;
        Ok(keys.sign(claims, self.store(), self.random()).await?)
    }
}

/// What a token of this dialect says, whichever dialect made it.
fn claims_of(token: &TokenValue, live: &LiveToken) -> Claims {
    let session = &live.record.session;
    let owner = owner_of(&session.identity).map(IdentityId);
    Claims {
        account: session.identity.tenant,
        method: if owner.is_some() { BY_USER } else { BY_KEY },
        owner,
        expires_at: live.record.token.expires_at,
        original: session.actor.as_ref().map(|actor| (actor.tenant, actor.identity)),
        token: token.clone(),
    }
}
