//! What clients keep of users.

use super::change::{MAX_ATTEMPTS, overtaken};
use super::{AccountService, validate};
use crate::directory::DirectoryError;
use crate::model::{Profile, UserId};
use crate::port::{Store, StoreError};

impl AccountService {
    /// What was said of a user.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn get_profile(&self, user: UserId) -> Result<Profile, DirectoryError> {
        if let Some(profile) = self.store.find_profile(user).await? {
            return Ok(profile);
        }
        match self.store.find_user(user).await? {
            Some(_) => Ok(Profile::of(user)),
            None => Err(DirectoryError::not_found("user", &user.to_string())),
        }
    }

    /// What was said of these users, one profile for each, in their order. Whether there are such users is not looked at.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_profiles(&self, users: &[UserId]) -> Result<Vec<Profile>, DirectoryError> {
        let said = self.store.list_profiles(users).await?;
        let mut said: std::collections::HashMap<_, _> =
            said.into_iter().map(|profile| (profile.user, profile)).collect();
        let profile = |user: &UserId| said.remove(user).unwrap_or_else(|| Profile::of(*user));
        Ok(users.iter().map(profile).collect())
    }

    /// Makes of what was said of a user what `edit` makes of it as it is when it is written, and returns it. `edit` may be asked several times.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`], [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn change_profile(
        &self,
        user: UserId,
        edit: impl Fn(Profile) -> Profile + Send + Sync,
    ) -> Result<Profile, DirectoryError> {
        let edit = move |current| {
            let profile = Profile { user, ..edit(current) };
            validate::profile(&profile).map(|()| profile)
        };
        let changed = change_profile(&*self.store, user, edit).await;
        changed.map_err(|error| match error {
            DirectoryError::Store(StoreError::Missing { .. }) => DirectoryError::not_found("user", &user.to_string()),
            error => error,
        })
    }
}

/// Makes of what was said of a user what `edit` makes of it as it is when it is written.
pub(crate) async fn change_profile<E: From<StoreError>>(
    store: &dyn Store,
    user: UserId,
    edit: impl Fn(Profile) -> Result<Profile, E> + Send + Sync,
) -> Result<Profile, E> {
    for _ in 0..MAX_ATTEMPTS {
        let before = store.find_profile(user).await?;
        let before = before.unwrap_or_else(|| Profile::of(user));
        let profile = edit(before.clone())?;
        if store.put_profile(&before, &profile).await? {
            return Ok(profile);
        }
    }
    Err(overtaken("change a profile").into())
}
