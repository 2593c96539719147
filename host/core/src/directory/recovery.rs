//! What users do by links that were mailed to them, and users who register themselves.

use super::{AddTenant, AddUser, DirectoryError, DirectoryService, TenantProfile, validate};
use crate::Secret;
use crate::access::AccessList;
use crate::model::{AuthenticationMethod, Email, EmailId, TenantScope, User, UserId};
use crate::port::{NewPassword, Uniqueness};

/// A password that is checked and hashed, and not yet set.
#[derive(Debug)]
pub struct PreparedPassword {
    user: User,
    password: Option<NewPassword>,
}

/// Who registers.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The login; `None` for a user who logs in by email address once it is confirmed.
    pub login: Option<String>,
    /// The password.
    pub password: Secret<Vec<u8>>,
    /// The address, which is not confirmed yet.
    pub email: String,
    /// The given name.
    pub firstname: Option<String>,
    /// The family name.
    pub lastname: Option<String>,
}

impl DirectoryService {
    /// Checks and hashes a password for a user of these tenants, or the wish for none. `by` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::ManagedExternally`]; [`DirectoryError::AccessDenied`] for a user who may do more at this server than the caller.
    pub async fn prepare_password(
        &self,
        id: UserId,
        password: Option<&Secret<Vec<u8>>>,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<PreparedPassword, DirectoryError> {
        password.map_or(Ok(()), validate::password)?;
        let user = self.get_changeable(id, scope, by).await?;
        if !self.has_own_password(user.id).await? {
            return Err(DirectoryError::ManagedExternally);
        }
        let password = match password {
            Some(password) => Some(self.hashed(user.tenant, &user.name(), password).await?),
            None => None,
        };
        Ok(PreparedPassword { user, password })
    }

    /// Sets a prepared password and ends the user's sessions.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`] if the user is gone, [`DirectoryError::Store`].
    pub async fn put_password(&self, prepared: PreparedPassword) -> Result<(), DirectoryError> {
        let PreparedPassword { user, password } = prepared;
        if let Some(password) = password {
            return self.put_new_password(&user, password).await;
        }
        let (id, now) = (user.id, self.clock.now());
        let removed = self.revoking("remove a password", move |store| async move {
            store.remove_verifier(id, now).await
        });
        let removed = removed.await?;
        removed
            .map(drop)
            .ok_or_else(|| DirectoryError::not_found("user", &id.to_string()))
    }

    /// Whether the user logs in with a password that is kept here.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn has_own_password(&self, id: UserId) -> Result<bool, DirectoryError> {
        Ok(self.store.find_authentication_method(id).await? == Some(AuthenticationMethod::Native))
    }

    /// The address with this id, if it is this user's, with the user.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_email(
        &self,
        user: UserId,
        id: EmailId,
        scope: TenantScope,
    ) -> Result<(User, Email), DirectoryError> {
        let user = self.get_user_in(user, scope).await?;
        let email = user.emails.iter().find(|email| email.id == id).cloned();
        email
            .map(|email| (user, email))
            .ok_or_else(|| DirectoryError::not_found("email", &id.to_string()))
    }

    /// Notes that an address of a user of these tenants is the user's own, and returns it. To confirm one twice is no error.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn confirm_email(&self, id: EmailId, scope: TenantScope) -> Result<Email, DirectoryError> {
        let not_found = || DirectoryError::not_found("email", &id.to_string());
        let owner = self.store.find_email_owner(id).await?.ok_or_else(not_found)?;
        // A user outside of the caller's tenants is no answer to a question about an address.
        let found = self.get_email(owner, id, scope).await.map_err(|error| match error {
            DirectoryError::NotFound { .. } => not_found(),
            error => error,
        });
        let (_, email) = found?;
        if !self.store.confirm_email(id).await? {
            return Err(not_found());
        }
        Ok(Email {
            confirmed: true,
            ..email
        })
    }

    /// Makes a user who registers, in a tenant of its own below the top one. The tenant has no name: nobody chooses one that looks like another's.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn register(&self, registration: Registration) -> Result<User, DirectoryError> {
        let mut user = AddUser {
            login: registration.login,
            password: Some(registration.password),
            email: Some(registration.email),
            firstname: registration.firstname,
            lastname: registration.lastname,
            unconfirmed: true,
            unique: Uniqueness::Everywhere,
            ..AddUser::default()
        };
        user.check()?;
        let tenant = AddTenant {
            id: None,
            parent: self.tenants.master().await?,
            slug: None,
            realm: None,
            profile: TenantProfile::default(),
        };
        let tenant = self.create_tenant(tenant).await?;
        user.tenant = Some(tenant.id.to_string());
        let added = self.add_user(user).await;
        if added.is_err() {
            let removed = self.remove_whole_tenant(tenant.id, tenant.parent).await;
            if let Err(error) = removed {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(tenant = %tenant.id, error, "the tenant of a user who could not register was not removed");
            }
        }
        added
    }
}
