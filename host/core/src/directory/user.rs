//! Users: who is added, read, changed and removed. Their names, addresses and passwords are in `user/`.

mod change;
mod digest;
mod email;
mod find;
mod password;

use super::{AddUser, DirectoryError, DirectoryService, validate};
use crate::access::AccessList;
use crate::model::{AuthenticationMethod, Email, EmailId, Paged, Purpose, Query, TenantScope, User, UserId};
use crate::port::{NewUser, UserFilter, UserOrder};

pub(super) use digest::Digests;
pub use email::SetEmail;

impl DirectoryService {
    /// Adds a user.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_user(&self, user: AddUser) -> Result<User, DirectoryError> {
        user.check()?;
        let tenant = self.tenant_or_master(user.tenant.as_deref()).await?;
        let policies = if user.admin {
            vec![self.ensure_admin_policy().await?.id]
        } else {
            Vec::new()
        };
        let email = user.email.map(|address| Email {
            id: EmailId(self.random.uuid()),
            address,
            main: true,
            confirmed: !user.unconfirmed,
        });
        let chosen_id = user.id.is_some();
        let made = User {
            id: user.id.unwrap_or_else(|| UserId(self.random.uuid())),
            tenant,
            login: user.login,
            firstname: user.firstname,
            lastname: user.lastname,
            purpose: user.purpose,
            authentication_method: user.authentication_method.unwrap_or_else(|| method_for(user.purpose)),
            emails: email.into_iter().collect(),
            enabled: !user.disabled,
            created_at: self.clock.now(),
        };
        let password = match &user.password {
            Some(password) => Some(self.hashed(tenant, &made.name(), password).await?),
            None => None,
        };
        let new = NewUser {
            unique: user.unique,
            policies,
            chosen_id,
            ..NewUser::of(made.clone(), password)
        };
        self.store.add_user(&new).await?;
        Ok(made)
    }

    /// The user of this uuid or login.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Ambiguous`], [`DirectoryError::Store`].
    pub async fn get_user(&self, selector: &str) -> Result<User, DirectoryError> {
        let user = self.find_selected(selector).await?;
        user.ok_or_else(|| DirectoryError::not_found("user", selector))
    }

    /// The user with this id, if it belongs to one of these tenants.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_user_in(&self, id: UserId, scope: TenantScope) -> Result<User, DirectoryError> {
        if let Some(user) = self.store.find_user(id).await?
            && self.is_in_scope(user.tenant, scope).await?
        {
            return Ok(user);
        }
        Err(DirectoryError::not_found("user", &id.to_string()))
    }

    /// Users.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_users(&self, query: &Query<UserFilter, UserOrder>) -> Result<Paged<User>, DirectoryError> {
        Ok(self.store.list_users(query).await?)
    }

    /// Removes a user and ends its sessions.
    ///
    /// # Errors
    /// As [`DirectoryService::get_user`].
    pub async fn remove_user(&self, selector: &str) -> Result<User, DirectoryError> {
        let user = self.get_user(selector).await?;
        self.remove(user).await
    }

    /// Removes a user of these tenants and ends its sessions. `by` is what the caller may do itself.
    ///
    /// # Errors
    /// As [`DirectoryService::get_user_in`]; [`DirectoryError::AccessDenied`] for a user who may do more at this server than the caller.
    pub async fn remove_user_in(
        &self,
        id: UserId,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<User, DirectoryError> {
        let user = self.get_changeable(id, scope, by).await?;
        self.remove(user).await
    }

    async fn remove(&self, user: User) -> Result<User, DirectoryError> {
        let id = user.id;
        let removed = self
            .revoking("remove a user", move |store| async move { store.remove_user(id).await })
            .await?;
        removed
            .map(|_| user)
            .ok_or_else(|| DirectoryError::not_found("user", &id.to_string()))
    }
}

/// How a user of this purpose proves who it is unless it is said: no directory elsewhere knows programs.
pub fn method_for(purpose: Purpose) -> AuthenticationMethod {
    match purpose {
        Purpose::User => AuthenticationMethod::Default,
        Purpose::Internal | Purpose::ExternalApi => AuthenticationMethod::Native,
    }
}

impl AddUser {
    pub(super) fn check(&self) -> Result<(), DirectoryError> {
        self.login.as_deref().map_or(Ok(()), validate::login)?;
        self.password.as_ref().map_or(Ok(()), validate::password)?;
        self.email.as_deref().map_or(Ok(()), validate::email)?;
        validate::person_names(self.firstname.as_deref(), self.lastname.as_deref())
    }
}
