//! What somebody is to Kazoo's clients and to Webitel's, and how clients change it.

use std::sync::Arc;

use super::AccountService;
use crate::access::AccessList;
use crate::directory::DirectoryError;
use crate::model::{Query, SessionId, TenantScope, UserId};
use crate::port::{PolicyFilter, PolicyOrder, RevokeTarget};
use crate::rights::{PrivLevel, Right, Rights};

impl AccountService {
    /// The table of rights.
    pub fn rights(&self) -> Arc<Rights> {
        self.rights.load_full()
    }

    /// Puts another table in its place: the configuration was read again.
    pub fn use_rights(&self, rights: Rights) {
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

    /// As [`AccountService::set_priv_level`], for one of Webitel's roles. The role of the last row of the table is everybody's.
    ///
    /// # Errors
    /// As [`AccountService::set_priv_level`].
    pub async fn set_role(&self, user: UserId, role: &str, by: &AccessList) -> Result<Right, DirectoryError> {
        let rights = self.rights.load_full();
        let given = rights.given_by_role(role);
        let is_last = rights.rows().last().is_some_and(|last| last.webitel == role);
        if given.is_none() && !is_last {
            return Err(DirectoryError::Invalid {
                field: "role",
                rule: "a role that the server's table of rights gives",
            });
        }
        let now = self.rights_of(user).await?;
        if now.webitel == role {
            return Ok(now);
        }
        let others = rights.rows().iter().filter(|row| row.webitel != role);
        self.give(user, given, others, by).await
    }

    /// Attaches the policy of one row, and detaches those of others.
    async fn give<'a>(
        &self,
        user: UserId,
        given: Option<&Right>,
        others: impl Iterator<Item = &'a Right>,
        by: &AccessList,
    ) -> Result<Right, DirectoryError> {
        let given = given.and_then(|right| right.policy.as_deref());
        // Policies of the table are the top tenant's, whatever else has the slug of one.
        let scope = TenantScope::All;
        if let Some(slug) = given {
            self.directory.attach_user_policy(user, slug, scope, by).await?;
        }
        let held = self.policies_of(user).await?;
        let mut lost = false;
        for slug in others.filter_map(|right| right.policy.as_deref()) {
            if given != Some(slug) && held.iter().any(|known| known == slug) {
                self.directory.detach_user_policy(user, slug, scope, by).await?;
                lost = true;
            }
        }
        if lost {
            self.changes.end(RevokeTarget::Identity(user.into())).await?;
        }
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
