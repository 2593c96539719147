//! Who has this login or this address.

use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{TenantId, User, login_key};

impl DirectoryService {
    /// The user with this login. `tenant` is an id, a domain, a realm or a name; an unknown one finds nobody.
    ///
    /// # Errors
    /// [`DirectoryError::Ambiguous`], [`DirectoryError::Store`].
    pub async fn find_by_login(&self, login: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        // What could never be a login is nobody's, and needs no look into the store.
        if validate::login(login).is_err() {
            return Ok(None);
        }
        let Some(tenant) = self.narrow(tenant).await? else {
            return Ok(None);
        };
        one(self.store.find_users_by_login(&login_key(login), tenant).await?, login)
    }

    /// The user with this confirmed email address.
    ///
    /// # Errors
    /// As [`DirectoryService::find_by_login`].
    pub async fn find_by_email(&self, email: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        if validate::email(email).is_err() {
            return Ok(None);
        }
        let Some(tenant) = self.narrow(tenant).await? else {
            return Ok(None);
        };
        one(self.store.find_users_by_email(&login_key(email), tenant).await?, email)
    }

    /// The store's filter for a tenant as a caller names it; the outer `None` for one that does not exist.
    async fn narrow(&self, tenant: Option<&str>) -> Result<Option<Option<TenantId>>, DirectoryError> {
        match tenant {
            None => Ok(Some(None)),
            Some(text) => Ok(self.tenants.tree().await?.find(text).map(Some)),
        }
    }
}

fn one(users: Vec<User>, asked: &str) -> Result<Option<User>, DirectoryError> {
    let mut users = users.into_iter();
    match (users.next(), users.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(DirectoryError::Ambiguous(asked.to_owned())),
    }
}
