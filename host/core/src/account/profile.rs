//! What clients keep of users.

use super::{AccountService, validate};
use crate::directory::DirectoryError;
use crate::model::{Profile, UserId};
use crate::port::StoreError;

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

    /// Puts a profile in the place of what was said of its user, and returns it.
    ///
    /// # Errors
    /// [`DirectoryError::Invalid`], [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn put_profile(&self, profile: Profile) -> Result<Profile, DirectoryError> {
        validate::profile(&profile)?;
        match self.store.put_profile(&profile).await {
            Ok(()) => Ok(profile),
            Err(StoreError::Missing { .. }) => Err(DirectoryError::not_found("user", &profile.user.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}
