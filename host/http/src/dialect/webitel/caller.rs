//! Who asks: a token, whichever dialect made it, and where it is given, the key that belongs to it.

use std::sync::Arc;

use keyway_core::Secret;
use keyway_core::model::{LINK_DIALECT, Tenant, TenantId, Timestamp};
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenValue};
use uuid::Uuid;

use super::acl::{Acl, Permissions};
use super::ask::Ask;
use super::book::{DomainToken, Page};
use super::error::{Failure, Unknown};
use super::jwt::{Behind, Unreadable};
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
    pub(super) acl: Arc<Acl>,
    /// From when on its token is no longer good.
    pub(super) expires_at: Timestamp,
    /// The roles and the tokens of domains, as they were when it was let in.
    pub(super) page: Arc<Page>,
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
        let token = self.token()?.ok_or(Unknown::NoToken)?;
        let key = self.proof("x_key", "x-key")?;
        match self.webitel.behind(&token).await? {
            Behind::Session(token) => {
                let live = self.webitel.live(&token, key.as_deref()).await?;
                self.webitel.caller_of(&live).await
            }
            Behind::Record(id) => {
                check_key(id, key.as_deref())?;
                self.webitel.caller_of_record(id).await
            }
        }
    }

    /// The token that the request has.
    ///
    /// # Errors
    /// As [`Ask::body`].
    pub(super) fn token(&self) -> Result<Option<String>, Failure> {
        self.proof("access_token", "x-access-token")
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
    /// What stands behind a token.
    ///
    /// # Errors
    /// [`Failure::Unknown`], or that the key of another dialect cannot be read.
    pub(super) async fn behind(&self, token: &str) -> Result<Behind, Failure> {
        match self.keys().read(token, self.now()) {
            Ok(behind) => Ok(behind),
            Err(Unreadable::Expired) => Err(Unknown::Expired.into()),
            Err(Unreadable::Forged) => Err(Unknown::NoToken.into()),
            Err(Unreadable::Foreign) => match presented::token_of(&self.0, token).await {
                Ok(token) => Ok(Behind::Session(token)),
                Err(Unpresentable::None(_)) => Err(Unknown::NoToken.into()),
                Err(error @ Unpresentable::Key(_)) => Err(Failure::Key(error)),
            },
        }
    }

    /// The session of a token, if it is good and the key is its own.
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
        check_key(session.id.0, key)?;
        Ok(live)
    }

    /// Who the owner of a session is.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn caller_of(&self, live: &LiveToken) -> Result<Caller, Failure> {
        let identity = &live.record.session.identity;
        let domain = self.domain_of(identity.tenant).await?;
        let page = self.book().current().await?;
        let role = self.accounts().rights().of(&live.accesses).webitel.clone();
        Ok(Caller {
            id: match &domain {
                Some(domain) => format!("{}@{}", identity.login, domain.name),
                None => identity.login.clone(),
            },
            domain,
            acl: page.roles.acl(&role),
            role,
            expires_at: live.record.token.expires_at,
            page,
        })
    }

    async fn caller_of_record(&self, id: Uuid) -> Result<Caller, Failure> {
        let page = self.book().current().await?;
        let now = self.now();
        let is_good = |token: &&DomainToken| token.enabled && token.expires_at > now;
        let token = page.tokens.get(&id).filter(is_good).ok_or(Unknown::Record)?;
        let index = self.accounts().index().await?;
        let (tenant, account) = index.get(token.tenant).ok_or(Unknown::Record)?;
        if account.closed(now).is_some() {
            return Err(Unknown::Record.into());
        }
        let domain = Domain::of(tenant);
        Ok(Caller {
            id: format!("{id}@{}", domain.name),
            domain: Some(domain),
            acl: Arc::new(page.roles.acl(&token.role).within(&token.ceiling)),
            role: token.role.clone(),
            expires_at: token.expires_at,
            page: Arc::clone(&page),
        })
    }

    /// The domain that those of a tenant are confined to; none for the top one.
    async fn domain_of(&self, tenant: TenantId) -> Result<Option<Domain>, Failure> {
        let index = self.accounts().index().await?;
        if tenant == index.master() {
            return Ok(None);
        }
        let (tenant, _) = index.get(tenant).ok_or(Unknown::User)?;
        Ok(Some(Domain::of(tenant)))
    }
}

/// Makes sure that a key, where one is given, is this one. The comparison takes as long whatever is wrong.
fn check_key(own: Uuid, given: Option<&str>) -> Result<(), Failure> {
    let secret = |text: String| Secret::new(text.into_bytes());
    match given {
        Some(given) if secret(given.to_ascii_lowercase()) != secret(own.to_string()) => Err(Unknown::User.into()),
        _ => Ok(()),
    }
}

/// When a caller's token ends, in milliseconds.
pub(super) fn expires(caller: &Caller) -> i64 {
    jwt::millis(caller.expires_at)
}
