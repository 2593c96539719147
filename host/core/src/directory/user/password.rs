//! Users' passwords.

use uuid::Uuid;

use crate::Secret;
use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{AuthenticationMethod, BackendName, TenantScope, User, UserId};
use crate::password::{Comparison, PasswordError, Share};
use crate::port::{NewPassword, StoredVerifier};

/// How often the old password is looked at while it is hashed anew.
const ATTEMPTS: u32 = 3;

impl DirectoryService {
    /// Whether this is the user's password, asked by a backend. `None`, nobody's id and a user without a password, with a verifier that cannot
    /// be used, or who proves who it is by another method than [`AuthenticationMethod::Native`], cost the same and answer `false`. Renews an
    /// outdated verifier.
    ///
    /// No backend can name a user of the directory without this answer, so that none gets around the user's method.
    ///
    /// # Errors
    /// [`DirectoryError::Password`] if the backend's share of the pool is saturated, [`DirectoryError::Store`].
    pub async fn verify_password(
        &self,
        backend: &BackendName,
        user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        // Nobody's verifier is looked for as well, so that the store takes its time for everyone.
        let id = user.unwrap_or(UserId(Uuid::nil()));
        self.compare(&Share::Backend(backend.clone()), id, password).await
    }

    async fn compare(&self, share: &Share, id: UserId, password: &Secret<Vec<u8>>) -> Result<bool, DirectoryError> {
        let verifier = self.store.find_verifier(id).await?;
        let comparison = self.compare_with(share, id, verifier.as_ref(), password).await?;
        if comparison.matches
            && let Some(current) = verifier
        {
            let current = if comparison.outdated {
                self.renew(share, id, current, password).await
            } else {
                current
            };
            self.renew_digests(share, id, current, password);
        }
        Ok(comparison.matches)
    }

    async fn compare_with(
        &self,
        share: &Share,
        id: UserId,
        verifier: Option<&StoredVerifier>,
        password: &Secret<Vec<u8>>,
    ) -> Result<Comparison, DirectoryError> {
        match self.passwords.verify_stored(share, password, verifier).await {
            Ok(comparison) => Ok(comparison),
            // One user's broken row must not look like a fault of the backend, nor tell a caller that the user exists.
            Err(error @ (PasswordError::Unsupported(_) | PasswordError::TooCostly)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(user = %id, error, "a stored password verifier cannot be used; set a new password");
                Ok(Comparison {
                    matches: false,
                    outdated: false,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sets a password and ends the user's sessions.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_password(&self, selector: &str, password: &Secret<Vec<u8>>) -> Result<User, DirectoryError> {
        validate::password(password)?;
        let user = self.get_user(selector).await?;
        let password = self.hashed(user.tenant, &user.name(), password).await?;
        self.put_new_password(&user, password).await?;
        Ok(user)
    }

    /// Replaces the password of a user of these tenants, who knows the old one, and ends the user's sessions.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::ManagedExternally`]; [`DirectoryError::WrongPassword`], also where the user could not log in with
    /// any.
    pub async fn change_password(
        &self,
        id: UserId,
        old: &Secret<Vec<u8>>,
        new: &Secret<Vec<u8>>,
        scope: TenantScope,
    ) -> Result<(), DirectoryError> {
        validate::password(new)?;
        let user = self.get_user_in(id, scope).await?;
        if self.store.find_authentication_method(id).await? != Some(AuthenticationMethod::Native) {
            return Err(DirectoryError::ManagedExternally);
        }
        for _ in 0..ATTEMPTS {
            let current = self.store.find_verifier(id).await?;
            let comparison = self.compare_with(&Share::Directory, id, current.as_ref(), old).await?;
            let Some(current) = current.filter(|_| comparison.matches && may_log_in(&user)) else {
                break;
            };
            let password = self.hashed(user.tenant, &user.name(), new).await?;
            let (verifier, now) = (password.verifier.clone(), self.clock.now());
            let changed = self.revoking("change a password", move |store| async move {
                store.change_verifier(id, &current, &password, now).await
            });
            // A password that was set in the meantime stays: the old one is none any more. One that a login hashed anew is looked at again.
            if changed.await?.is_some() {
                self.drop_digests_of_another_name(&user, &verifier).await;
                return Ok(());
            }
        }
        Err(DirectoryError::WrongPassword)
    }

    /// Sets a password that is hashed, and ends the user's sessions.
    pub(in crate::directory) async fn put_new_password(
        &self,
        user: &User,
        password: NewPassword,
    ) -> Result<(), DirectoryError> {
        let (id, verifier, now) = (user.id, password.verifier.clone(), self.clock.now());
        let set = self.revoking("set a password", move |store| async move {
            store.set_verifier(id, &password, now).await
        });
        if set.await?.is_none() {
            return Err(DirectoryError::not_found("user", &id.to_string()));
        }
        self.drop_digests_of_another_name(user, &verifier).await;
        Ok(())
    }

    /// Hashes a password anew, and returns the verifier that is stored then. The login has succeeded already, so a failure here is only logged.
    async fn renew(
        &self,
        share: &Share,
        user: UserId,
        current: StoredVerifier,
        password: &Secret<Vec<u8>>,
    ) -> StoredVerifier {
        let renewed = match self.passwords.hash(share, password).await {
            Ok(renewed) => renewed,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%user, error, "an outdated password verifier was not renewed");
                return current;
            }
        };
        match self.store.renew_verifier(user, &current, &renewed).await {
            Ok(true) => renewed,
            Ok(false) => current,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%user, error, "an outdated password verifier was not renewed");
                current
            }
        }
    }
}

/// Whether it is enabled and has a name to log in by.
fn may_log_in(user: &User) -> bool {
    user.enabled && (user.login.is_some() || user.emails.iter().any(|email| email.confirmed))
}
