//! What a token of a domain may do: what its role, what its maker could when it was made, and what its maker can now all allow.

use std::sync::Arc;

use keyway_core::access::AccessList;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{IdentityId, SessionId};
use uuid::Uuid;

use super::Webitel;
use super::acl::Written;
use super::book::{DomainToken, Found, Maker, Page};
use super::error::Failure;

impl Webitel {
    /// What a token of this page may do now; `None` where nobody answers for it any more.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn acl_of(
        &self,
        page: &Page,
        id: Uuid,
        token: &DomainToken,
    ) -> Result<Option<Arc<Written>>, Failure> {
        let now = self.now();
        if let Some(found) = page.found(id, now) {
            return Ok(found.acl);
        }
        let role = self.role_of(token.maker).await?;
        let acl = role.map(|role| {
            let ceiling = token.ceiling.within(&page.roles.acl(&role));
            Arc::new(page.roles.acl(&token.role).within(&ceiling).into())
        });
        let found = Found {
            acl: acl.clone(),
            at: now,
        };
        page.keep(id, found);
        Ok(acl)
    }

    /// The role that somebody who makes tokens has by the host's own word; `None` for who is not there, or may not log in. What a backend adds at each login is
    /// not known later, so it does not count.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(super) async fn role_of(&self, maker: Maker) -> Result<Option<String>, Failure> {
        let found = match maker {
            Maker::User(user) => {
                let found = self.store().find_user(user).await?;
                if !found.is_some_and(|user| user.enabled) {
                    return Ok(None);
                }
                let right = self.accounts().rights_of(user).await;
                right.map(|right| right.webitel)
            }
            Maker::Subject(identity) => {
                let accesses = self.store().accesses_for(identity, None, None).await?;
                Ok(self.role_by(&accesses, identity))
            }
            Maker::Key { tenant, number } => {
                let index = self.accounts().index().await?;
                let account = index.get(tenant).filter(|(_, account)| account.api_key == number);
                if account.is_none() || index.closed(tenant, self.now()).is_some() {
                    return Ok(None);
                }
                let accesses = self.accounts().key_accesses().await;
                accesses.map(|accesses| self.role_by(&accesses, IdentityId(Uuid::nil())))
            }
        };
        match found {
            Ok(role) => Ok(Some(role)),
            Err(DirectoryError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn role_by(&self, accesses: &[String], identity: IdentityId) -> String {
        let accesses = AccessList::new(accesses, identity, SessionId(Uuid::nil()));
        self.accounts().rights().of(&accesses).webitel.clone()
    }
}
