//! A session in somebody else's place: an administrator becomes a user of an account below its own.

use std::time::Duration;

use super::issue::storable;
use super::open::Draft;
use super::{IssuedToken, LiveToken, TokenError, TokenService};
use crate::access::AccessList;
use crate::model::{Actor, BackendName, Client, Closed, Identity, PluginDigest, Refusal, User, UserId};
use crate::port::Refreshing;
use crate::rank;

/// Who is to become whom.
#[derive(Debug, Clone)]
pub struct ImpersonateRequest<'a> {
    /// The administrator's own token.
    pub actor: &'a LiveToken,
    /// The user to become.
    pub target: UserId,
    /// The access that the administrator must have.
    pub needs: &'a str,
    /// Whether the administrator must be of the top tenant.
    pub master_only: bool,
    /// The life that the caller asks for. It ends with the administrator's token at the latest.
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

/// Why nobody became anybody.
#[derive(Debug, thiserror::Error)]
pub enum ImpersonateError {
    /// The administrator lacks the access, or the user's tenant is not below the administrator's, or the user may do what the administrator may not and what not
    /// every user of that tenant may.
    #[error("refused: the caller may not act in this user's place")]
    Forbidden,
    /// The administrator acts in somebody's place already.
    #[error("refused: the caller acts in somebody's place already")]
    Nested,
    /// There is no such user.
    #[error("no such user: `{0}`")]
    UnknownUser(UserId),
    /// Nobody of the user's account may log in.
    #[error("refused: nobody of the account may log in")]
    Closed(Closed),
    /// Anything else, [`Refusal::Disabled`] for a user who may not log in for one.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl TokenService {
    /// Opens a session of a user in which somebody else acts. It has the user's own accesses and keeps both identities; it ends when the actor's session does,
    /// and never later than the actor's token. No factor is asked for: the actor has answered for itself. It does not count toward the user's limit of
    /// sessions, since it is none of the user's doing.
    ///
    /// Nobody becomes somebody who may do more: the actor has each access of the user, but for those that every user of the user's tenant has.
    ///
    /// # Errors
    /// [`ImpersonateError`].
    pub async fn impersonate(&self, request: ImpersonateRequest<'_>) -> Result<IssuedToken, ImpersonateError> {
        let (request_id, dialect) = (request.request_id.clone(), request.dialect);
        let (client, target) = (request.client.address.clone(), request.target);
        let own = &request.actor.record.session;
        let (actor, actor_session) = (own.identity.id, own.id);
        let result = self.act_as(request).await;
        match &result {
            Ok(issued) => {
                let session = &issued.live.record.session;
                let (login, id) = (&session.identity.login, session.id);
                tracing::info!(request_id, dialect, client, %target, login, session = %id, %actor, %actor_session, "impersonation issued");
            }
            // What is no refusal, the dialect logs with its causes: once, at the edge.
            Err(ImpersonateError::Token(error)) if !matches!(error, TokenError::Refused(_)) => {}
            Err(reason) => {
                let reason = reason.to_string();
                tracing::info!(request_id, dialect, client, %target, %actor, %actor_session, reason, "impersonation refused");
            }
        }
        result
    }

    async fn act_as(&self, request: ImpersonateRequest<'_>) -> Result<IssuedToken, ImpersonateError> {
        let since = self.store.revocation_mark().await.map_err(TokenError::from)?;
        let ttl = self.settings.ttl(request.ttl)?;
        let own = &request.actor.record.session;
        if request.actor.record.token.expires_at <= self.clock.now() {
            return Err(TokenError::NotFound.into());
        }
        if own.actor.is_some() {
            return Err(ImpersonateError::Nested);
        }
        if !request.actor.accesses.grants(request.needs) {
            return Err(ImpersonateError::Forbidden);
        }
        let user = self.impersonable(&request).await?;
        let identity = Identity::of_user(&user, BackendName::host());
        let accesses = self.accesses_of_user(&identity).await?;
        let draft = Draft {
            standing: self.standing(Some(&user)).await?,
            plugin: PluginDigest::NONE,
            dialect: request.dialect.to_owned(),
            client: request.client,
            attributes: storable(request.attributes),
            mobile: false,
            accesses,
            ttl,
            not_after: Some(request.actor.record.token.expires_at),
            since,
            is_login: false,
            refresh: Refreshing::No,
            actor: Some(Actor {
                session: own.id,
                identity: own.identity.id,
                tenant: own.identity.tenant,
                login: own.identity.login.clone(),
            }),
            identity,
        };
        self.is_no_greater(&request.actor.accesses, &user, &draft.accesses)
            .await?;
        self.open(draft).await.map_err(|error| match error {
            TokenError::Closed(closed) => ImpersonateError::Closed(closed),
            TokenError::Refused(Refusal::UnknownIdentifier) => ImpersonateError::UnknownUser(request.target),
            error => error.into(),
        })
    }

    /// Refuses a user whose accesses go beyond the actor's.
    async fn is_no_greater(
        &self,
        actor: &AccessList,
        user: &User,
        accesses: &[String],
    ) -> Result<(), ImpersonateError> {
        let master = self.tenants.master().await.map_err(TokenError::from)?;
        let default = self.settings.default_user_policy.as_deref();
        let own = rank::without_everybodys(&*self.store, master, user, accesses.to_vec(), default).await;
        match actor.overstep(&[], &own.map_err(TokenError::from)?) {
            Some(_) => Err(ImpersonateError::Forbidden),
            None => Ok(()),
        }
    }

    /// The user, if the actor may act in its place as far as the tenants go. Who may not act in anybody's place learns nothing of who there is.
    async fn impersonable(&self, request: &ImpersonateRequest<'_>) -> Result<User, ImpersonateError> {
        let own = request.actor.record.session.identity.tenant;
        let tree = self.tenants.tree().await.map_err(TokenError::from)?;
        if request.master_only && tree.master() != Some(own) {
            return Err(ImpersonateError::Forbidden);
        }
        let user = self.store.find_user(request.target).await.map_err(TokenError::from)?;
        let user = user.ok_or(ImpersonateError::UnknownUser(request.target))?;
        if user.tenant == own || !tree.is_within(user.tenant, own) {
            return Err(ImpersonateError::Forbidden);
        }
        if !user.enabled {
            return Err(TokenError::Refused(Refusal::Disabled).into());
        }
        Ok(user)
    }
}
