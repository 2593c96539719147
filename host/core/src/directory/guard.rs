//! Who may act on whom.
//!
//! Nobody changes how somebody proves who it is, or removes somebody, who may do more. There are two measures of that. Whoever edits users holds accesses
//! that say so, as wazo's clients have them, and need not hold what those users do elsewhere: only what makes them more at this server counts. Whoever takes
//! somebody's place, or is an administrator by a row of the table of rights, must hold all of it. Whoever removes a tenant removes those in it, whatever they may
//! do: it is an access of its own.

use super::{DirectoryError, DirectoryService};
use crate::access::AccessList;
use crate::model::{TenantScope, User, UserId};
use crate::rank::{self, Ranks};
use crate::rights::Rights;

impl DirectoryService {
    /// Says by which accesses somebody is more than others, and what every user has.
    pub(crate) fn rank_by(&self, rights: &Rights, default_user_policy: Option<&str>) {
        self.ranks
            .store(std::sync::Arc::new(Ranks::new(rights, default_user_policy)));
    }

    /// Whether whoever holds these accesses may do all that the user may, but for what every user of its tenant may. A user is no more than itself.
    ///
    /// # Errors
    /// [`DirectoryError::AccessDenied`] for an access of the user that the caller lacks or is denied; [`DirectoryError::Store`].
    pub async fn may_stand_in(&self, user: &User, by: &AccessList) -> Result<(), DirectoryError> {
        self.measure(user, by, |_| true).await
    }

    /// The user of these tenants, if whoever holds these accesses may change it: it is the user itself, or has each access by which the user is more than
    /// others at this server.
    pub(super) async fn get_changeable(
        &self,
        id: UserId,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<User, DirectoryError> {
        let user = self.get_user_in(id, scope).await?;
        let ranks = self.ranks.load_full();
        self.measure(&user, by, |access| ranks.is_administrative(access))
            .await?;
        Ok(user)
    }

    async fn measure(
        &self,
        user: &User,
        by: &AccessList,
        counts: impl Fn(&str) -> bool + Send,
    ) -> Result<(), DirectoryError> {
        if by.is_of(user.id.into()) {
            return Ok(());
        }
        let ranks = self.ranks.load_full();
        let default = ranks.default_user_policy();
        let accesses = self.store.accesses_for(user.id.into(), Some(user.id), default).await?;
        let master = self.tenants.master().await?;
        let mut own = rank::without_everybodys(&*self.store, master, user, accesses, default).await?;
        own.retain(|access| access.starts_with('!') || counts(access));
        match by.overstep(&[], &own) {
            Some(access) => Err(DirectoryError::AccessDenied(access.to_owned())),
            None => Ok(()),
        }
    }
}
