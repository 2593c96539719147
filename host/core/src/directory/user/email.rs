//! Users' email addresses.

use std::collections::HashSet;

use crate::access::AccessList;
use crate::directory::{DirectoryError, DirectoryService, validate};
use crate::model::{Email, EmailId, TenantScope, UserId, login_key};
use crate::port::{EmailChange, Uniqueness};

/// The most addresses that a user may have.
const MAX_EMAILS: usize = 100;

/// An address that a user is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetEmail {
    /// The address.
    pub address: String,
    /// Whether it is the one to write to.
    pub main: bool,
    /// Whether its owner confirmed it; `None` leaves it as it is, and an address that is new is not confirmed.
    pub confirmed: Option<bool>,
}

impl DirectoryService {
    /// Puts these addresses in the place of all that a user of these tenants has. Exactly one of them is the main address, if there are any.
    /// `by` is what the caller may do itself.
    ///
    /// # Errors
    /// [`DirectoryError`]; [`DirectoryError::Invalid`] for `email` or `emails`; [`DirectoryError::AccessDenied`] for a user who may do more at this server
    /// than the caller.
    pub async fn set_emails(
        &self,
        id: UserId,
        emails: Vec<SetEmail>,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<Vec<Email>, DirectoryError> {
        self.set_emails_among(id, emails, Uniqueness::Everywhere, scope, by)
            .await
    }

    /// As [`DirectoryService::set_emails`], for addresses that need only be free among these.
    ///
    /// # Errors
    /// As [`DirectoryService::set_emails`].
    pub async fn set_emails_among(
        &self,
        id: UserId,
        emails: Vec<SetEmail>,
        unique: Uniqueness,
        scope: TenantScope,
        by: &AccessList,
    ) -> Result<Vec<Email>, DirectoryError> {
        check(&emails)?;
        self.get_changeable(id, scope, by).await?;
        let changes: Vec<_> = emails
            .into_iter()
            .map(|email| EmailChange {
                fresh: EmailId(self.random.uuid()),
                address: email.address,
                main: email.main,
                confirmed: email.confirmed,
            })
            .collect();
        let changed = self.store.set_emails(id, &changes, unique).await?;
        let user = changed.ok_or_else(|| DirectoryError::not_found("user", &id.to_string()))?;
        Ok(user.emails)
    }
}

fn check(emails: &[SetEmail]) -> Result<(), DirectoryError> {
    let invalid = |rule| Err(DirectoryError::Invalid { field: "emails", rule });
    if emails.len() > MAX_EMAILS {
        return invalid("at most 100 addresses");
    }
    for email in emails {
        validate::email(&email.address)?;
    }
    let mut keys = HashSet::new();
    if !emails.iter().all(|email| keys.insert(login_key(&email.address))) {
        return invalid("the same address only once");
    }
    if !emails.is_empty() && emails.iter().filter(|email| email.main).count() != 1 {
        return invalid("exactly one main address");
    }
    Ok(())
}
