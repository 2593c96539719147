//! What mailed links do.

use async_trait::async_trait;

use super::MemoryStore;
use crate::model::{EmailId, Timestamp, UserId};
use crate::port::{LinkStore, RevokeTarget, Revoked, StoreError};

#[async_trait]
impl LinkStore for MemoryStore {
    async fn find_email_owner(&self, id: EmailId) -> Result<Option<UserId>, StoreError> {
        let tables = self.open("find an address")?;
        let mut users = tables.users.values().map(|(user, _)| user);
        let owner = users.find(|user| user.emails.iter().any(|email| email.id == id));
        Ok(owner.map(|user| user.id))
    }

    async fn confirm_email(&self, id: EmailId) -> Result<bool, StoreError> {
        let mut tables = self.open("confirm an address")?;
        let mut emails = tables.users.values_mut().flat_map(|(user, _)| &mut user.emails);
        let email = emails.find(|email| email.id == id);
        Ok(email.map(|email| email.confirmed = true).is_some())
    }

    async fn remove_verifier(&self, id: UserId, at: Timestamp) -> Result<Option<Revoked>, StoreError> {
        let mut tables = self.open("remove a verifier")?;
        let Some((_, verifier)) = tables.users.get_mut(&id) else {
            return Ok(None);
        };
        *verifier = None;
        tables.digests.remove(&id);
        Ok(Some(tables.revoke(&RevokeTarget::Identity(id.into()), at)))
    }
}
