//! Digests of login and password, which some clients send in the place of both.

use std::sync::Arc;

use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::Secret;
use crate::directory::{DirectoryError, DirectoryService};
use crate::model::{BackendName, DigestAlgorithm, TenantId, User, UserId, login_key};
use crate::password::{DigestCost, DigestKey, PasswordPool, Share};
use crate::port::{NewPassword, Store, StoredVerifier};

/// How many users' digests are made at once, besides those of passwords that are being set.
const RENEWALS: usize = 2;

/// What digests are made with.
pub(in crate::directory) struct Digests {
    key: DigestKey,
    renewals: Arc<Semaphore>,
}

#[cfg(test)]
impl Digests {
    /// One permit for each user whose digests may be made at once.
    pub(in crate::directory) fn renewals(&self) -> &Semaphore {
        &self.renewals
    }
}

impl DirectoryService {
    /// Lets users log in with digests: of each password that is set from now on, and of each older one when its user logs in with it, digests are kept.
    #[must_use]
    pub fn with_digests(mut self, key: DigestKey) -> Self {
        self.digests = Some(Digests {
            key,
            renewals: Arc::new(Semaphore::new(RENEWALS)),
        });
        self
    }

    /// The user of this tenant whose digest this is, asked by a backend; of several the one who was made first. No tenant (an id, a domain, a realm or a name),
    /// an unknown one and a digest that is nobody's cost the same and find nobody, and so does everything where [`DirectoryService::with_digests`] was not
    /// called. Whether the user is enabled is not looked at. Nobody is found who proves who it is by another method than
    /// [`AuthenticationMethod::Native`](crate::model::AuthenticationMethod::Native).
    ///
    /// # Errors
    /// [`DirectoryError::Password`] if the backend's share of the pool is saturated, [`DirectoryError::Store`].
    pub async fn find_by_digest(
        &self,
        backend: &BackendName,
        algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
        tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        let share = Share::Backend(backend.clone());
        let Some(Digests { key, .. }) = &self.digests else {
            self.passwords.burn(&share, digest).await?;
            return Ok(None);
        };
        let tenant = match tenant {
            Some(text) => self.tenants.tree().await?.find(text),
            None => None,
        };
        // Nobody's tenant is looked into as well, so that the store takes its time for everyone.
        let tenant = tenant.unwrap_or(TenantId(Uuid::nil()));
        let costs = self.store.list_digest_costs(tenant, algorithm).await?;
        for cost in DigestCost::to_try(&self.passwords, &costs) {
            let place = (tenant, algorithm);
            let wanted = key.hash_at(cost, &self.passwords, &share, place, digest).await?;
            let found = self.store.find_users_by_digest(tenant, &wanted).await?;
            if let Some(user) = found.into_iter().next() {
                // The store compares as it likes; this takes the same time for every hash.
                let stored = self.store.find_digests(user.id).await?;
                return Ok(stored.contains(&wanted).then_some(user));
            }
        }
        Ok(None)
    }

    /// A password to be set, hashed; with digests where they are wanted.
    pub(in crate::directory) async fn hashed(
        &self,
        tenant: TenantId,
        name: &str,
        password: &Secret<Vec<u8>>,
    ) -> Result<NewPassword, DirectoryError> {
        let share = &Share::Directory;
        let verifier = self.passwords.hash(share, password).await?;
        let digests = match &self.digests {
            Some(Digests { key, .. }) => key.of_password(&self.passwords, share, tenant, name, password).await?,
            None => Vec::new(),
        };
        Ok(NewPassword { verifier, digests })
    }

    /// Removes the digests of a password that was just set if the user was given another name while they were made. The next login makes them anew.
    pub(in crate::directory) async fn drop_digests_of_another_name(&self, before: &User, verifier: &StoredVerifier) {
        if self.digests.is_none() {
            return;
        }
        if let Err(error) = self.drop_unless_called(before, verifier).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(user = %before.id, error, "the digests of a new password may be of an older name");
        }
    }

    async fn drop_unless_called(&self, before: &User, verifier: &StoredVerifier) -> Result<(), DirectoryError> {
        if let Some(now) = self.store.find_user(before.id).await?
            && login_key(&now.name()) != login_key(&before.name())
        {
            self.store.put_digests(now.id, verifier, &now.name(), &[]).await?;
        }
        Ok(())
    }

    /// Makes the digests of a password that was found right, in the background, if the user has none of today's cost. While enough of them are being made it
    /// is left to a later login.
    pub(super) fn renew_digests(&self, share: &Share, id: UserId, current: StoredVerifier, password: &Secret<Vec<u8>>) {
        let Some(Digests { key, renewals }) = &self.digests else {
            return;
        };
        let Ok(permit) = Arc::clone(renewals).try_acquire_owned() else {
            return;
        };
        let renewal = Renewal {
            store: Arc::clone(&self.store),
            passwords: Arc::clone(&self.passwords),
            key: key.clone(),
            share: share.clone(),
            user: id,
            current,
            password: password.clone(),
        };
        tokio::spawn(async move {
            renewal.run().await;
            drop(permit);
        });
    }
}

/// Digests of a user's password, to be made.
struct Renewal {
    store: Arc<dyn Store>,
    passwords: Arc<PasswordPool>,
    key: DigestKey,
    share: Share,
    user: UserId,
    current: StoredVerifier,
    password: Secret<Vec<u8>>,
}

impl Renewal {
    /// The login has succeeded already, so a failure here is only logged.
    async fn run(self) {
        if let Err(error) = self.renew().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(user = %self.user, error, "the digests of a password were not made");
        }
    }

    async fn renew(&self) -> Result<(), DirectoryError> {
        let stored = self.store.find_digests(self.user).await?;
        let cost = DigestCost::current(&self.passwords).text();
        let is_there = |algorithm| {
            let mut stored = stored.iter();
            stored.any(|digest| digest.algorithm == algorithm && digest.cost == cost)
        };
        if DigestAlgorithm::ALL.into_iter().all(is_there) {
            return Ok(());
        }
        let Some(user) = self.store.find_user(self.user).await? else {
            return Ok(());
        };
        let name = user.name();
        let passwords = &self.passwords;
        let made = self
            .key
            .of_password(passwords, &self.share, user.tenant, &name, &self.password);
        self.store
            .put_digests(user.id, &self.current, &name, &made.await?)
            .await?;
        Ok(())
    }
}
