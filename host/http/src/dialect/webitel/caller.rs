//! Who asks: a token, whichever dialect made it, and for one of this dialect's the key that belongs to it.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::accounts::AccountIndex;
use keyway_core::model::{BackendName, LINK_DIALECT, Session, Tenant, TenantId, Timestamp};
use keyway_core::port::StoreError;
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenValue};
use uuid::Uuid;

use super::acl::{Permissions, Written};
use super::ask::Ask;
use super::book::{DomainToken, Maker, Page};
use super::error::{Failure, Unknown};
use super::jwt::{Behind, Genuine, Unreadable};
use super::{Webitel, jwt};
use crate::presented::{self, Unpresentable};

/// Who asks.
#[derive(Debug)]
pub(super) struct Caller {
    /// `user@domain`, or the user alone for those of the top tenant.
    pub(super) id: String,
    /// To what it is confined; `None` for nothing.
    pub(super) domain: Option<Domain>,
    /// The name of its role.
    pub(super) role: String,
    /// What it may do now.
    pub(super) acl: Arc<Written>,
    /// From when on its token is no longer good.
    pub(super) expires_at: Timestamp,
    /// The roles and the tokens of domains, as they were when it was let in.
    pub(super) page: Arc<Page>,
    /// Who answers for what it makes and what may outlive it; nobody for a domain's token, and for a session in which somebody else acts.
    pub(super) maker: Option<Maker>,
    /// Who acts in its place: a login and an id, for the log.
    pub(super) actor: Option<String>,
}

/// What callers are known by: read before anything else, for what is missing must not stop what is done already.
#[derive(Clone)]
pub(super) struct Known {
    index: Arc<AccountIndex>,
    page: Arc<Page>,
}

/// A domain: a tenant, and by what name it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) tenant: TenantId,
    pub(super) name: String,
}

impl Domain {
    /// A tenant as this API shows it.
    pub(super) fn of(tenant: &Tenant) -> Self {
        let names = tenant.domains.first().into_iter();
        let mut names = names.chain(&tenant.realm).chain(&tenant.name);
        Self {
            tenant: tenant.id,
            name: names.next().cloned().unwrap_or_else(|| tenant.id.to_string()),
        }
    }
}

impl Ask {
    /// Who asks.
    ///
    /// # Errors
    /// [`Failure::Unknown`], or that the store did not answer.
    pub(super) async fn caller(&self) -> Result<Caller, Failure> {
        let text = self.token()?.ok_or(Unknown::NoToken)?;
        let genuine = self.webitel.genuine(&text).await?;
        if genuine.has_expired(self.webitel.now()) {
            return Err(Unknown::Expired.into());
        }
        let key = self.key()?;
        let token = match genuine.behind {
            Behind::Pair { .. } if key.is_none() => return Err(Unknown::NoKey.into()),
            Behind::Pair { token, .. } | Behind::Foreign(token) => token,
            // Programs of a domain have no key; what stands in its place is not looked at.
            Behind::Record(id) => return self.webitel.caller_of_record(id).await,
        };
        let live = self.webitel.live(&token, key.as_deref()).await?;
        self.webitel.caller_of(&live, &self.webitel.known().await?)
    }

    /// The token that the request has.
    ///
    /// # Errors
    /// As [`Ask::body`].
    pub(super) fn token(&self) -> Result<Option<String>, Failure> {
        self.proof("access_token", "x-access-token")
    }

    /// The key that the request has.
    ///
    /// # Errors
    /// As [`Ask::body`].
    pub(super) fn key(&self) -> Result<Option<String>, Failure> {
        self.proof("x_key", "x-key")
    }
}

impl Caller {
    /// Makes sure that it may do one of these things to a resource.
    ///
    /// # Errors
    /// [`Failure::Denied`].
    pub(super) fn may(&self, resource: &str, any: &[Permissions]) -> Result<(), Failure> {
        let held = self.acl.on(resource);
        if any.iter().any(|wanted| held.include(*wanted)) {
            return Ok(());
        }
        Err(Failure::Denied)
    }
}

impl Webitel {
    /// What stands behind a token, whichever dialect made it. One of this dialect may have expired.
    ///
    /// # Errors
    /// [`Unknown::NoToken`], or that the key of another dialect cannot be read.
    pub(super) async fn genuine(&self, text: &str) -> Result<Genuine, Failure> {
        match self.keys().read(text) {
            Ok(genuine) => Ok(genuine),
            Err(Unreadable::Forged) => Err(Unknown::NoToken.into()),
            Err(Unreadable::Foreign) => match presented::token_of(&self.0, text).await {
                Ok(token) => Ok(Genuine::foreign(token)),
                Err(Unpresentable::None(_)) => Err(Unknown::NoToken.into()),
                Err(error @ Unpresentable::Key(_)) => Err(Failure::Key(error)),
            },
        }
    }

    /// The session of a token, if it is good, and the key, where one is given, is its own.
    ///
    /// # Errors
    /// [`Unknown::User`], or that the store did not answer.
    pub(super) async fn live(&self, token: &TokenValue, key: Option<&str>) -> Result<Arc<LiveToken>, Failure> {
        let live = self.tokens().check(token, CheckRequest::default()).await;
        let live = live.map_err(|error| match error {
            TokenError::NotFound => Unknown::User.into(),
            error => Failure::from(error),
        })?;
        let session = &live.record.session;
        // Whoever follows a mailed link proves an address, and is nobody here.
        if session.dialect == LINK_DIALECT {
            return Err(Unknown::User.into());
        }
        if let Some(key) = key {
            check_key(session.id.0, key)?;
        }
        Ok(live)
    }

    /// What callers are known by, as it is now.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn known(&self) -> Result<Known, StoreError> {
        Ok(Known {
            index: self.accounts().index().await?,
            page: self.book().current().await?,
        })
    }

    /// Who the owner of a session is.
    ///
    /// # Errors
    /// [`Unknown::User`] if its tenant is not there.
    pub(super) fn caller_of(&self, live: &LiveToken, known: &Known) -> Result<Caller, Failure> {
        let session = &live.record.session;
        let login = &session.identity.login;
        let domain = known.domain_of(session.identity.tenant)?;
        let role = self.accounts().rights().of(&live.accesses).webitel.clone();
        let actor = session.actor.as_ref();
        Ok(Caller {
            id: match &domain {
                Some(domain) => format!("{login}@{}", domain.name),
                None => login.clone(),
            },
            domain,
            acl: known.page.roles.acl(&role),
            role,
            expires_at: live.record.token.expires_at,
            page: Arc::clone(&known.page),
            maker: known.maker_of(session),
            actor: actor.map(|actor| format!("{} ({})", actor.login, actor.identity)),
        })
    }

    async fn caller_of_record(&self, id: Uuid) -> Result<Caller, Failure> {
        let Known { index, page } = self.known().await?;
        let now = self.now();
        let is_good = |token: &&DomainToken| token.enabled && token.expires_at > now;
        let token = page.tokens.get(&id).filter(is_good).ok_or(Unknown::Record)?;
        let (tenant, _) = index.get(token.tenant).ok_or(Unknown::Record)?;
        if index.closed(token.tenant, now).is_some() {
            return Err(Unknown::Record.into());
        }
        let domain = Domain::of(tenant);
        Ok(Caller {
            id: format!("{id}@{}", domain.name),
            domain: Some(domain),
            acl: self.acl_of(&page, id, token).await?.ok_or(Unknown::Record)?,
            role: token.role.clone(),
            expires_at: token.expires_at,
            page: Arc::clone(&page),
            maker: None,
            actor: None,
        })
    }
}

impl Known {
    /// The domain that those of a tenant are confined to; none for the top one.
    fn domain_of(&self, tenant: TenantId) -> Result<Option<Domain>, Failure> {
        if tenant == self.index.master() {
            return Ok(None);
        }
        let (tenant, _) = self.index.get(tenant).ok_or(Unknown::User)?;
        Ok(Some(Domain::of(tenant)))
    }

    fn maker_of(&self, session: &Session) -> Option<Maker> {
        if session.actor.is_some() {
            return None;
        }
        let identity = &session.identity;
        Some(match identity.user {
            Some(user) => Maker::User(user),
            None if identity.backend == BackendName::host() => Maker::Key {
                tenant: identity.tenant,
                number: self.index.get(identity.tenant)?.1.api_key,
            },
            None => Maker::Subject(identity.id),
        })
    }
}

/// Makes sure that a key is this one. The comparison takes as long whatever is wrong.
///
/// # Errors
/// [`Unknown::User`].
pub(super) fn check_key(own: Uuid, given: &str) -> Result<(), Failure> {
    let secret = |text: String| Secret::new(text.into_bytes());
    if secret(given.to_ascii_lowercase()) == secret(own.to_string()) {
        return Ok(());
    }
    Err(Unknown::User.into())
}

/// When a caller's token ends, in milliseconds.
pub(super) fn expires(caller: &Caller) -> i64 {
    jwt::millis(caller.expires_at)
}
