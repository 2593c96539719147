//! Users.

use uuid::Uuid;

use super::{AddUser, DirectoryError, DirectoryService, validate};
use crate::Secret;
use crate::model::{
    AuthenticationMethod, BackendName, Email, EmailId, IdentityId, Paged, Purpose, Query, TenantId, TenantScope, User,
    UserId, login_key,
};
use crate::password::{PasswordError, Share};
use crate::port::{NewUser, StoreError, StoredVerifier, UserFilter, UserOrder};

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

    /// Whether this is the user's password, asked by a backend. `None`, nobody's id and a user without a password, or with a verifier that cannot
    /// be used, cost the same and answer `false`. Renews an outdated verifier.
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
        let verifier = self.store.find_verifier(id).await?;
        let share = Share::Backend(backend.clone());
        let compared = self.passwords.verify_stored(&share, password, verifier.as_ref()).await;
        let comparison = match compared {
            Ok(comparison) => comparison,
            // One user's broken row must not look like a fault of the backend, nor tell a caller that the user exists.
            Err(error @ (PasswordError::Unsupported(_) | PasswordError::TooCostly)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(user = %id, error, "a stored password verifier cannot be used; set a new password");
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        if comparison.matches
            && comparison.outdated
            && let Some(current) = &verifier
        {
            self.renew(&share, id, current, password).await;
        }
        Ok(comparison.matches)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn add_user(&self, user: AddUser) -> Result<User, DirectoryError> {
        check(&user)?;
        let tenant = self.tenant_or_master(user.tenant.as_deref()).await?;
        self.check_names_are_free(&user, tenant).await?;
        let verifier = match &user.password {
            Some(password) => Some(self.passwords.hash(&Share::Directory, password).await?),
            None => None,
        };
        let made = User {
            id: UserId(self.random.uuid()),
            tenant,
            login: user.login,
            firstname: user.firstname,
            lastname: user.lastname,
            purpose: Purpose::default(),
            authentication_method: AuthenticationMethod::default(),
            emails: user
                .email
                .into_iter()
                .map(|address| self.main_address(address))
                .collect(),
            enabled: true,
            created_at: self.clock.now(),
        };
        let new = NewUser {
            user: made.clone(),
            verifier,
        };
        if user.admin {
            self.add_administrator(&new).await?;
        } else {
            self.store.add_user(&new).await?;
        }
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
        let id = user.id;
        let removed = self
            .revoking("remove a user", move |store| async move { store.remove_user(id).await })
            .await?;
        removed
            .map(|_| user)
            .ok_or_else(|| DirectoryError::not_found("user", selector))
    }

    /// Sets a password and ends the user's sessions.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn set_password(&self, selector: &str, password: &Secret<Vec<u8>>) -> Result<User, DirectoryError> {
        validate::password(password)?;
        let user = self.get_user(selector).await?;
        let verifier = self.passwords.hash(&Share::Directory, password).await?;
        let (id, now) = (user.id, self.clock.now());
        let set = self
            .revoking("set a password", move |store| async move {
                store.set_verifier(id, &verifier, now).await
            })
            .await?;
        set.map(|_| user)
            .ok_or_else(|| DirectoryError::not_found("user", selector))
    }

    /// The store's filter for a tenant as a caller names it; the outer `None` for one that does not exist.
    async fn narrow(&self, tenant: Option<&str>) -> Result<Option<Option<TenantId>>, DirectoryError> {
        match tenant {
            None => Ok(Some(None)),
            Some(text) => Ok(self.tenants.tree().await?.find(text).map(Some)),
        }
    }

    /// A login that is another's address, or the reverse, would let one user stand in front of another. Two such users who are added in the same
    /// moment slip through; only operators add users.
    async fn check_names_are_free(&self, user: &AddUser, tenant: TenantId) -> Result<(), DirectoryError> {
        if let Some(login) = &user.login
            && !self
                .store
                .find_users_by_email(&login_key(login), Some(tenant))
                .await?
                .is_empty()
        {
            return Err(StoreError::Conflict { what: "login" }.into());
        }
        if let Some(email) = &user.email
            && !self
                .store
                .find_users_by_login(&login_key(email), Some(tenant))
                .await?
                .is_empty()
        {
            return Err(StoreError::Conflict { what: "email" }.into());
        }
        Ok(())
    }

    fn main_address(&self, address: String) -> Email {
        Email {
            id: EmailId(self.random.uuid()),
            address,
            main: true,
            confirmed: true,
        }
    }

    /// The policy is attached first: should the server stop in between, it hangs on an id that nobody has.
    async fn add_administrator(&self, new: &NewUser) -> Result<(), DirectoryError> {
        let policy = self.ensure_admin_policy().await?;
        let identity = IdentityId::from(new.user.id);
        self.store.attach_policy(policy.id, identity).await?;
        if let Err(error) = self.store.add_user(new).await {
            if let Err(error) = self.store.detach_policy(policy.id, identity).await {
                tracing::warn!(%identity, error = &error as &dyn std::error::Error, "a policy stays attached to nobody");
            }
            return Err(error.into());
        }
        Ok(())
    }

    /// The login has succeeded already, so a failure here is only logged.
    async fn renew(&self, share: &Share, user: UserId, current: &StoredVerifier, password: &Secret<Vec<u8>>) {
        let renewed = match self.passwords.hash(share, password).await {
            Ok(renewed) => renewed,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%user, error, "an outdated password verifier was not renewed");
                return;
            }
        };
        match self.store.renew_verifier(user, current, &renewed).await {
            Ok(_) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%user, error, "an outdated password verifier was not renewed");
            }
        }
    }
}

fn check(user: &AddUser) -> Result<(), DirectoryError> {
    user.login.as_deref().map_or(Ok(()), validate::login)?;
    user.password.as_ref().map_or(Ok(()), validate::password)?;
    user.email.as_deref().map_or(Ok(()), validate::email)?;
    user.firstname
        .as_deref()
        .map_or(Ok(()), |name| validate::person_name("firstname", name))?;
    user.lastname
        .as_deref()
        .map_or(Ok(()), |name| validate::person_name("lastname", name))?;
    if user.login.is_none() && user.email.is_none() {
        return Err(DirectoryError::Invalid {
            field: "login",
            rule: "a user needs a login or an email address",
        });
    }
    Ok(())
}

fn one(users: Vec<User>, asked: &str) -> Result<Option<User>, DirectoryError> {
    let mut users = users.into_iter();
    match (users.next(), users.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(DirectoryError::Ambiguous(asked.to_owned())),
    }
}
