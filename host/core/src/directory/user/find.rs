//! Who has this login or this address.
//!
//! Users of different tenants may have the same name. Where no tenant is named, it is theirs who was made first: so nobody who may make users in one
//! tenant shuts out, or stands in for, a user of another.

use uuid::Uuid;

use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{TenantId, User, UserId, login_key};

impl DirectoryService {
    /// The user with this login. `tenant` is an id, a domain, a realm or a name; an unknown one finds nobody. Without one, the first who was made.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn find_by_login(&self, login: &str, tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        // What could never be a login is nobody's, and needs no look into the store.
        if validate::login(login).is_err() {
            return Ok(None);
        }
        let Some(tenant) = self.narrow(tenant).await? else {
            return Ok(None);
        };
        let users = self.store.find_users_by_login(&login_key(login), tenant).await?;
        Ok(users.into_iter().next())
    }

    /// The user with this confirmed email address. Without a tenant, the first who was made; nobody if somebody else had it as a login before.
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
        let key = login_key(email);
        let users = self.store.find_users_by_email(&key, tenant).await?;
        let Some(user) = users.into_iter().next() else {
            return Ok(None);
        };
        if tenant.is_none() {
            let named = self.store.find_users_by_login(&key, None).await?;
            if named.first().is_some_and(|named| named.created_at < user.created_at) {
                return Ok(None);
            }
        }
        Ok(Some(user))
    }

    /// The user of this uuid or login, in any tenant. An operator who acts on a user is to say which one.
    ///
    /// # Errors
    /// [`DirectoryError::Ambiguous`], [`DirectoryError::Store`].
    pub(in crate::directory) async fn find_selected(&self, selector: &str) -> Result<Option<User>, DirectoryError> {
        if let Ok(id) = Uuid::try_parse(selector)
            && let Some(user) = self.store.find_user(UserId(id)).await?
        {
            return Ok(Some(user));
        }
        if validate::login(selector).is_err() {
            return Ok(None);
        }
        let mut users = self
            .store
            .find_users_by_login(&login_key(selector), None)
            .await?
            .into_iter();
        match (users.next(), users.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(DirectoryError::Ambiguous(selector.to_owned())),
        }
    }

    /// The store's filter for a tenant as a caller names it; the outer `None` for one that does not exist.
    async fn narrow(&self, tenant: Option<&str>) -> Result<Option<Option<TenantId>>, DirectoryError> {
        match tenant {
            None => Ok(Some(None)),
            Some(text) => Ok(self.tenants.tree().await?.find(text).map(Some)),
        }
    }
}
