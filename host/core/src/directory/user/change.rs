//! What a user is, and how it proves it.

use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{AuthenticationMethod, TenantScope, User, UserId};
use crate::port::{Uniqueness, UserChange};

impl DirectoryService {
    /// Replaces what a user of these tenants is. If it may no longer log in, its sessions end.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn update_user(
        &self,
        id: UserId,
        change: UserChange,
        scope: TenantScope,
    ) -> Result<User, DirectoryError> {
        self.update_user_among(id, change, Uniqueness::Everywhere, scope).await
    }

    /// As [`DirectoryService::update_user`], for a login that need only be free among these.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn update_user_among(
        &self,
        id: UserId,
        change: UserChange,
        unique: Uniqueness,
        scope: TenantScope,
    ) -> Result<User, DirectoryError> {
        change.login.as_deref().map_or(Ok(()), validate::login)?;
        validate::person_names(change.firstname.as_deref(), change.lastname.as_deref())?;
        self.get_user_in(id, scope).await?;
        let now = self.clock.now();
        let changed = self
            .revoking_with("change a user", move |store| async move {
                store.update_user(id, &change, unique, now).await
            })
            .await?;
        let (user, _) = changed.ok_or_else(|| DirectoryError::not_found("user", &id.to_string()))?;
        Ok(user)
    }

    /// Lets users of these tenants prove who they are by this method: all of them, or those whose method is `instead_of`. Unless all are found,
    /// nothing changes.
    ///
    /// # Errors
    /// As [`DirectoryService::get_user_in`].
    pub async fn set_authentication_method(
        &self,
        users: &[UserId],
        method: AuthenticationMethod,
        instead_of: Option<AuthenticationMethod>,
        scope: TenantScope,
    ) -> Result<(), DirectoryError> {
        for user in users {
            self.get_user_in(*user, scope).await?;
        }
        Ok(self.store.set_authentication_method(users, method, instead_of).await?)
    }
}
