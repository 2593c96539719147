//! The answer to a login of any kind: a token of this dialect's own, and whose it is.

use keyway_core::model::IdentityId;
use keyway_core::token::{IssuedToken, LiveToken, TokenValue};
use serde::Serialize;

use super::Kazoo;
use super::decorations::{Decorations, owner_of};
use super::envelope::Answer;
use super::error::Failure;
use super::jwt::{BoundClaims, Claims, Owner};
use super::security::{BY_KEY, BY_USER};

/// What the answer to a login says.
#[derive(Serialize)]
pub(super) struct Welcome<'a> {
    #[serde(flatten)]
    owner: Owner,
    #[serde(flatten)]
    decorations: Decorations<'a>,
}

/// What a look at a token says.
#[derive(Serialize)]
pub(super) struct Described<'a> {
    /// The token itself, where it was asked for by its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(flatten)]
    claims: BoundClaims,
    #[serde(flatten)]
    decorations: Decorations<'a>,
}

impl<'a> Described<'a> {
    /// The same of a token that was asked for by its text.
    pub(super) fn with_id(self, text: &'a str) -> Self {
        Self { id: Some(text), ..self }
    }
}

impl Kazoo {
    /// Answers 201 with the token of a login, and whose it is.
    ///
    /// # Errors
    /// That the key for tokens or the store did not answer.
    pub(super) async fn welcome(&self, issued: &IssuedToken) -> Result<Answer<Welcome<'_>>, Failure> {
        let claims = claims_of(&issued.value, &issued.live);
        let text = self.sign(&claims).await?;
        let welcome = Welcome {
            owner: claims.owner(),
            decorations: self.decorations_of(&issued.live.record.session.identity).await?,
        };
        Ok(Answer::of(welcome).into_created().token(text))
    }

    /// What a token says, and whose it is.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn describe(&self, token: &TokenValue, live: &LiveToken) -> Result<Described<'_>, Failure> {
        Ok(Described {
            id: None,
            claims: claims_of(token, live).bound_by(&self.state().keys.identity),
            decorations: self.decorations_of(&live.record.session.identity).await?,
        })
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
