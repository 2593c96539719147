//! What a user is, and how it proves it.

use crate::access::AccessList;
use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{AuthenticationMethod, TenantScope, User, UserId};
use crate::port::{Uniqueness, UserChange};

impl DirectoryService {
    /// Replaces what a user of these tenants is. If it may no longer log in, its sessions end. `by` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::AccessDenied`] for a user who may do more at this server than the caller.
    pub async fn update_user(
        &self,
        id: UserId,
        change: UserChange,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<User, DirectoryError> {
        self.update_user_among(id, change, Uniqueness::Everywhere, scope, by)
            .await
    }

    /// As [`DirectoryService::update_user`], for a login that need only be free among these.
    ///
    /// # Errors
    /// As [`DirectoryService::update_user`].
    pub async fn update_user_among(
        &self,
        id: UserId,
        change: UserChange,
        unique: Uniqueness,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<User, DirectoryError> {
        change.login.as_deref().map_or(Ok(()), validate::login)?;
        validate::person_names(change.firstname.as_deref(), change.lastname.as_deref())?;
        self.get_changeable(id, scope, by).await?;
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
    /// nothing changes. `by` is what the caller may do itself.
    ///
    /// # Errors
    /// As [`DirectoryService::update_user`].
    pub async fn set_authentication_method(
        &self,
        users: &[UserId],
        method: AuthenticationMethod,
        instead_of: Option<AuthenticationMethod>,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<(), DirectoryError> {
        for user in users {
            self.get_changeable(*user, scope, by).await?;
        }
        Ok(self.store.set_authentication_method(users, method, instead_of).await?)
    }
}
