//! The host's own users.

use keyway_sdk::directory::{self, Found};
use keyway_sdk::{Context, Fault, Listing, Principal, Query, Refusal, Secret, Subject};

use super::{Candidate, Known};
use crate::config::Directory;

impl Directory {
    /// An email address goes before a login name, so that nobody takes over another's address by choosing it as a login.
    pub(super) fn find(&self, context: &Context, login: &str) -> Result<Option<Known>, Fault> {
        let tenant = self.tenant(context);
        let found = match directory::find_by_email(login, tenant)? {
            Found::Nobody => directory::find_by_login(login, tenant)?,
            found => found,
        };
        Ok(match found {
            Found::One(user) => {
                let mut candidate = Candidate::new(Principal::directory(&user));
                candidate.barred = (!user.enabled).then_some(Refusal::Disabled);
                Some(candidate.into())
            }
            Found::Nobody => None,
            Found::Several => Some(Known::Refused(Refusal::Ambiguous)),
        })
    }

    pub(super) fn list(
        &self,
        name: &str,
        context: &Context,
        query: &Query,
        fits: impl Fn(&Principal) -> bool,
    ) -> Result<Listing, Fault> {
        let pattern = query.pattern("login").or_else(|| query.pattern("email"));
        let users = directory::list_users(pattern.unwrap_or("*"), self.tenant(context), MOST)?;
        let is_all = users.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
        let mut listing = super::listing(name, users.iter().map(Principal::directory), query, fits);
        listing.complete &= is_all;
        Ok(listing)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        // Nobody has no login name.
        directory::find_by_login("", self.tenant.as_deref())?;
        Ok(())
    }

    fn tenant<'a>(&'a self, context: &'a Context) -> Option<&'a str> {
        self.tenant.as_deref().or(context.tenant.as_deref())
    }
}

/// The most users of a listing.
const MOST: u32 = 1000;

pub(super) fn is_password_of(candidate: &Candidate, password: &Secret) -> Result<bool, Fault> {
    let user = match &candidate.principal.subject {
        Subject::Directory(id) => Some(id.as_str()),
        Subject::Own(_) | Subject::Delegated { .. } => None,
    };
    Ok(directory::verify_password(user, password)?)
}

pub(super) fn waste(password: &Secret) -> Result<(), Fault> {
    directory::verify_password(None, password)?;
    Ok(())
}
