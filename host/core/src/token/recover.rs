//! A login by a link that was mailed to somebody who has forgotten a password, and the id that such a link carries.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::challenge::{Pending, PendingSubject};
use super::factor::usable;
use super::issue::storable;
use super::link::leads_to;
use super::login::Line;
use super::open::Draft;
use super::{
    Asked, CheckRequest, FactorRule, LiveToken, LoginOutcome, SecondSteps, TokenError, TokenService, TokenValue,
};
use crate::Secret;
use crate::account::change_profile;
use crate::factor::FactorVerdict;
use crate::model::{
    AuthenticationMethod, BackendName, ChallengeKind, Client, Identity, LINK_DIALECT, PluginDigest, Principal, Profile,
    Refusal, Subject, TenantId, User, UserId,
};
use crate::port::{Refreshing, RevocationMark, RevokeTarget};

/// What a link for a recovery carries: the account and the token, 64 hexadecimal digits in all. Who holds it holds the token.
#[derive(Debug, Clone)]
pub struct ResetId {
    /// The account of the user.
    pub tenant: TenantId,
    /// The token.
    pub token: TokenValue,
}

impl ResetId {
    /// Parses one, in either case; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (tenant, token) = is_id.then(|| text.split_at_checked(32)).flatten()?;
        Some(Self {
            tenant: TenantId(Uuid::try_parse(tenant).ok()?),
            token: TokenValue::new(Uuid::try_parse(token).ok()?),
        })
    }

    /// The lower-case form, for the one mail that shows it.
    pub fn reveal(&self) -> Secret<String> {
        let tenant = self.tenant.0.simple();
        Secret::new(format!("{tenant}{}", hex::encode(self.token.bytes())))
    }
}

/// A login by a link.
#[derive(Debug, Clone)]
pub struct LinkLogin {
    /// A one-time password, of whoever has an active factor.
    pub otp: Option<Secret<Vec<u8>>>,
    /// The transaction id of the challenge that the one-time password answers.
    pub transaction: Option<String>,
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
    /// Whether the limit of sessions concerns it.
    pub limited: bool,
}

impl TokenService {
    /// Logs a user in by a link that was made with this access, and says who it is. Factors are asked for as after a password. A link is good for one login,
    /// however many use it at once, and a login that is refused or challenged does not use it up. Clients are to ask the user for a new password then.
    ///
    /// # Errors
    /// [`TokenError::NotFound`] for a token that is no such link, or not any more, or of a user of another account than the one that the link names; otherwise
    /// as [`TokenService::login`].
    pub async fn login_by_link(
        &self,
        link: &ResetId,
        access: &str,
        login: LinkLogin,
    ) -> Result<(UserId, LoginOutcome), TokenError> {
        let line = Line::of_link(&login);
        let result = self.follow_link(link, access, login).await;
        line.write(result.as_ref().map(|(_, outcome)| outcome));
        result
    }

    async fn follow_link(
        &self,
        link: &ResetId,
        access: &str,
        login: LinkLogin,
    ) -> Result<(UserId, LoginOutcome), TokenError> {
        let since = self.store.revocation_mark().await?;
        let ttl = self.settings.ttl(login.ttl)?;
        let user = self.owner_of_link(link, access).await?;
        if let Some(asked) = self.judge_link(&user, &login, since).await? {
            return Ok((user.id, LoginOutcome::Challenged(asked)));
        }
        let identity = Identity::of_user(&user, BackendName::host());
        let draft = Draft {
            accesses: self.accesses_of_user(&identity).await?,
            identity,
            standing: self.standing(Some(&user)).await?,
            plugin: PluginDigest::NONE,
            dialect: login.dialect.to_owned(),
            client: login.client,
            attributes: storable(login.attributes),
            mobile: false,
            ttl,
            not_after: None,
            since,
            is_login: login.limited,
            refresh: Refreshing::No,
            actor: None,
        };
        let issued = self.open(draft).await?;
        // Nobody has seen the new token yet. So the link goes last: whatever fails before leaves it good, and of several who follow it at once, one ends it.
        match self.use_up(&link.token, user.id).await {
            Ok(true) => Ok((user.id, LoginOutcome::Issued(issued))),
            outcome => {
                let session = RevokeTarget::Session(issued.live.record.session.id);
                self.revoke_all(&session).await?;
                outcome.and(Err(TokenError::NotFound))
            }
        }
    }

    /// Whose link it is, if that one may log in by it.
    async fn owner_of_link(&self, link: &ResetId, access: &str) -> Result<User, TokenError> {
        let asked = CheckRequest {
            scope: Some(access),
            tenant: None,
        };
        let live: Arc<LiveToken> = match self.check(&link.token, asked).await {
            Err(TokenError::AccessDenied(_)) => return Err(TokenError::NotFound),
            checked => checked?,
        };
        let session = &live.record.session;
        let Some(id) = session.identity.user.filter(|_| session.dialect == LINK_DIALECT) else {
            return Err(TokenError::NotFound);
        };
        let user = self.store.find_user(id).await?.ok_or(TokenError::NotFound)?;
        // What is counted and allowed for each account goes by the one that the link names.
        if user.tenant != link.tenant {
            return Err(TokenError::NotFound);
        }
        if !user.enabled {
            return Err(TokenError::Refused(Refusal::Disabled));
        }
        // It stands for a password that is kept here, and is as good as one.
        let method = self.store.find_authentication_method(id).await?;
        if !leads_to(session, &user) || method != Some(AuthenticationMethod::Native) {
            return Err(TokenError::NotFound);
        }
        Ok(user)
    }

    /// Asks for a one-time password of whoever has a factor; `None` where nothing more is to be asked.
    async fn judge_link(
        &self,
        user: &User,
        login: &LinkLogin,
        since: RevocationMark,
    ) -> Result<Option<Asked>, TokenError> {
        let Some(steps) = &self.factors else {
            return Ok(None);
        };
        if let Some(transaction) = &login.transaction {
            return self
                .judge_link_answer(steps, user, login, transaction)
                .await
                .map(|()| None);
        }
        let id = user.id.into();
        if let Some(otp) = &login.otp {
            match steps.service.check(id, otp).await? {
                FactorVerdict::Accepted(_) => return Ok(None),
                FactorVerdict::Refused(reason) => return Err(TokenError::Factor(reason)),
                FactorVerdict::PinOnly(_) | FactorVerdict::NoFactor => {}
            }
        }
        let active = steps.service.active_of(id).await?;
        if active.is_empty() {
            return Ok(None);
        }
        let factors = usable(active)?;
        let pending = Pending {
            backend: BackendName::host(),
            tenant: None,
            identifier: user.id.to_string(),
            realm: None,
            rule: FactorRule::WhereActive,
            since: since.0,
            subject: PendingSubject::Factors {
                identity: id,
                // It names somebody, and lets nobody in: without the link the answer is good for nothing.
                principal: Box::new(Principal {
                    subject: Subject::Found(user.id),
                    login: user.name().into_owned(),
                    display_name: user.display_name(),
                    email: None,
                    groups: Vec::new(),
                    accesses: Vec::new(),
                    attributes: Vec::new(),
                }),
                plugin: PluginDigest::NONE,
                serials: factors.iter().map(|factor| factor.serial.clone()).collect(),
            },
        };
        Ok(Some(Asked {
            transaction: steps.challenges.begin(&pending).await?,
            kind: ChallengeKind::Otp,
            prompt: "please enter otp:".to_owned(),
            factors,
            attributes: Vec::new(),
            login: Some(user.name().into_owned()),
        }))
    }

    async fn judge_link_answer(
        &self,
        steps: &SecondSteps,
        user: &User,
        login: &LinkLogin,
        transaction: &str,
    ) -> Result<(), TokenError> {
        let otp = login.otp.as_ref().ok_or(TokenError::NoCredential)?;
        let expired = TokenError::Refused(Refusal::Expired);
        let Some(pending) = steps.challenges.find(transaction).await? else {
            return Err(expired);
        };
        // Only one that a link of this user's began: others were begun by a password, which need not be this user's.
        match &pending.subject {
            PendingSubject::Factors { identity, serials, .. }
                if *identity == user.id.into() && pending.backend == BackendName::host() =>
            {
                steps.answer(*identity, serials, otp, transaction).await.map(drop)
            }
            PendingSubject::Factors { .. } | PendingSubject::Backend { .. } => Err(expired),
        }
    }

    /// Notes that the user needs a new password, and ends the link; returns whether it was there.
    async fn use_up(&self, link: &TokenValue, user: UserId) -> Result<bool, TokenError> {
        let needs_one = |profile| {
            Ok::<_, TokenError>(Profile {
                require_password_update: true,
                ..profile
            })
        };
        change_profile(&*self.store, user, needs_one).await?;
        self.revoke(link).await
    }
}
