//! What somebody is to Kazoo's clients and to Webitel's, and how clients change it.

use std::sync::Arc;

use super::AccountService;
use super::change::to_the_end;
use crate::access::AccessList;
use crate::directory::DirectoryError;
use crate::model::{Query, SessionId, TenantScope, UserId, login_key};
use crate::port::{PolicyFilter, PolicyOrder};
use crate::rights::{PrivLevel, Right, Rights};

impl AccountService {
    /// The table of rights.
    pub fn rights(&self) -> Arc<Rights> {
        self.rights.load_full()
    }

    /// Puts another table in its place: the configuration was read again.
    pub fn use_rights(&self, rights: Rights) {
        self.directory
            .rank_by(&rights, self.settings.default_user_policy.as_deref());
        self.rights.store(Arc::new(rights));
    }

    /// What a user would be who logged in now. What the bearer of a token is, [`Rights::of`] says of its accesses.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], [`DirectoryError::Store`].
    pub async fn rights_of(&self, user: UserId) -> Result<Right, DirectoryError> {
        if self.store.find_user(user).await?.is_none() {
            return Err(DirectoryError::not_found("user", &user.to_string()));
        }
        let default = self.settings.default_user_policy.as_deref();
        let accesses = self.store.accesses_for(user.into(), Some(user), default).await?;
        let nobody = SessionId(uuid::Uuid::nil());
        Ok(self
            .rights
            .load()
            .of(&AccessList::new(&accesses, user.into(), nobody))
            .clone())
    }

    /// The same of many users, one for each, in their order. Whether there are such users is not looked at.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn list_rights(&self, users: &[UserId]) -> Result<Vec<Right>, DirectoryError> {
        let default = self.settings.default_user_policy.as_deref();
        let accesses = self.store.accesses_of_users(users, default).await?;
        let (rights, nobody) = (self.rights.load(), SessionId(uuid::Uuid::nil()));
        let right = |(user, accesses): (&UserId, &Vec<String>)| {
            let accesses = AccessList::new(accesses, (*user).into(), nobody);
            rights.of(&accesses).clone()
        };
        Ok(users.iter().zip(&accesses).map(right).collect())
    }

    /// Makes a user what this level is: attaches the policy of the first row of the table that gives it, and detaches those of the rows of other levels. Returns
    /// what the user is then, which is something else where it has more by a group, or by a policy that is in no row. A user who lost something has no
    /// session left that says otherwise; whoever got something has it from the next login on. `by` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError::NotFound`], also for the policy; [`DirectoryError::Invalid`] for a level above a user's that no row gives;
    /// [`DirectoryError::AccessDenied`] for an access that the caller lacks and would pass on, or a denial that it would lift.
    pub async fn set_priv_level(
        &self,
        user: UserId,
        level: PrivLevel,
        by: &AccessList,
    ) -> Result<Right, DirectoryError> {
        let rights = self.rights.load_full();
        let given = rights.given_by_level(level);
        if given.is_none() && level != PrivLevel::User {
            return Err(DirectoryError::Invalid {
                field: "priv_level",
                rule: "a level that the server's table of rights gives",
            });
        }
        let now = self.rights_of(user).await?;
        if now.kazoo == level {
            return Ok(now);
        }
        let others = rights.rows().iter().filter(|row| row.kazoo != level);
        self.give(user, given, others, by).await
    }

    /// Attaches the policy of one row, and takes those of others: each together with the sessions, so that what fails between two of them leaves the user what
    /// its tokens say.
    async fn give<'a>(
        &self,
        user: UserId,
        given: Option<&Right>,
        others: impl Iterator<Item = &'a Right>,
        by: &AccessList,
    ) -> Result<Right, DirectoryError> {
        let given = given.and_then(|right| right.policy.clone());
        let held = self.policies_of(user).await?;
        let taken: Vec<_> = others
            .filter_map(|right| right.policy.clone())
            .filter(|slug| !given.as_deref().is_some_and(|given| is_same(given, slug)))
            .filter(|slug| held.iter().any(|known| is_same(known, slug)))
            .collect();
        let lost = !taken.is_empty();
        let (directory, by) = (Arc::clone(&self.directory), by.clone());
        to_the_end("change what a user is", async move {
            // Policies of the table are the top tenant's, whatever else has the slug of one.
            let scope = TenantScope::All;
            if let Some(slug) = given {
                directory.attach_user_policy(user, &slug, scope, &by).await?;
            }
            for slug in taken {
                directory.take_user_policy(user, &slug, scope, &by).await?;
            }
            Ok(())
        })
        .await?;
        let right = self.rights_of(user).await?;
        tracing::info!(%user, kazoo = right.kazoo.as_str(), webitel = right.webitel, lost, "what a user is was changed");
        Ok(right)
    }

    /// The slugs of the top tenant's policies that are attached to a user.
    async fn policies_of(&self, user: UserId) -> Result<Vec<String>, DirectoryError> {
        let master = self.index().await?.master();
        let query = Query::<PolicyFilter, PolicyOrder> {
            filter: PolicyFilter {
                holder: Some(user.into()),
                ..PolicyFilter::default()
            },
            ..Query::all(TenantScope::Only(master))
        };
        let held = self.directory.list_policies(&query).await?.items;
        Ok(held.into_iter().map(|policy| policy.slug).collect())
    }
}

/// Slugs are found without regard to case.
fn is_same(slug: &str, other: &str) -> bool {
    login_key(slug) == login_key(other)
}
