//! Who of the host's own users is an administrator of an API, before anybody has proved to be that user.

use super::{DirectoryError, DirectoryService};
use crate::access::AccessList;
use crate::model::{SessionId, login_key};

impl DirectoryService {
    /// Whether the top tenant has an enabled user of exactly this login, without regard to case, who has this access. `default` is the slug of the policy
    /// that every user has. It says nothing about who asks.
    ///
    /// # Errors
    /// [`DirectoryError::Store`].
    pub async fn has_administrator(
        &self,
        login: &str,
        access: &str,
        default: Option<&str>,
    ) -> Result<bool, DirectoryError> {
        let master = self.tenants.master().await?;
        let key = login_key(login);
        for user in self.store.find_users_by_login(&key, Some(master)).await? {
            if !user.enabled {
                continue;
            }
            let accesses = self.store.accesses_for(user.id.into(), Some(user.id), default).await?;
            let nobody = SessionId(uuid::Uuid::nil());
            if AccessList::new(&accesses, user.id.into(), nobody).grants(access) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
