//! New accounts: a tenant, and what is said of it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::change::to_the_end;
use super::{AccountService, validate};
use crate::directory::DirectoryError;
use crate::model::{Account, Tenant, TenantId, Timestamp};

/// An account to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAccount {
    /// 1 to 128 characters, none of them a control character; no other account right below the same one has it.
    pub name: String,
    /// The SIP realm that stands for it; unique everywhere.
    pub realm: Option<String>,
    /// The domain names that stand for it; unique everywhere.
    pub domains: Vec<String>,
    /// Whether its users may log in.
    pub enabled: bool,
    /// From when on its users may no longer log in.
    pub trial_expires_at: Option<Timestamp>,
    /// The language of its users, `en-us` for example.
    pub language: Option<String>,
    /// Their time zone, by its name in the IANA database.
    pub timezone: Option<String>,
    /// The numbers that stand for it.
    pub phone_numbers: Vec<String>,
    /// What else clients keep with it.
    pub document: Map<String, Value>,
}

impl NewAccount {
    /// An enabled account with a name and nothing else.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            realm: None,
            domains: Vec::new(),
            enabled: true,
            trial_expires_at: None,
            language: None,
            timezone: None,
            phone_numbers: Vec::new(),
            document: Map::new(),
        }
    }

    fn account(&self, tenant: TenantId) -> Account {
        Account {
            enabled: self.enabled,
            trial_expires_at: self.trial_expires_at,
            language: self.language.clone(),
            timezone: self.timezone.clone(),
            phone_numbers: self.phone_numbers.clone(),
            document: self.document.clone(),
            ..Account::of(tenant)
        }
    }
}

impl AccountService {
    /// Makes an account right below another one: both the tenant and what is said of it, or neither.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`StoreError::Conflict`](crate::port::StoreError::Conflict) on `tenant name`, `tenant realm`, `tenant domain` or `phone number`.
    pub async fn create_account(&self, parent: TenantId, new: NewAccount) -> Result<(Tenant, Account), DirectoryError> {
        // All that can be refused without the store comes before the tenant is there.
        validate::account(&new.account(parent))?;
        let (directory, changes) = (Arc::clone(&self.directory), self.changes.clone());
        to_the_end("make an account", async move {
            let above = parent.to_string();
            let tenant = directory
                .add_tenant(&new.name, Some(&above), new.realm.as_deref(), &new.domains)
                .await?;
            let account = new.account(tenant.id);
            match changes.change(tenant.id, move |_| Ok(account.clone())).await {
                Ok(account) => Ok((tenant, account)),
                Err(error) => {
                    if let Err(left) = directory.remove_whole_tenant(tenant.id, tenant.parent).await {
                        let error = &left as &dyn std::error::Error;
                        tracing::warn!(tenant = %tenant.id, error, "the tenant of an account that could not be made was not removed");
                    }
                    Err(error)
                }
            }
        })
        .await
    }
}
