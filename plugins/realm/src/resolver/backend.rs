//! Another backend, which the host asks for us.

use keyway_sdk::{Fault, Found, Key, Listing, Outcome, Principal, Query, Refusal, Secret, delegate};

use super::{Candidate, Known};
use crate::config::Backend;

impl Backend {
    pub(super) fn find(&self, login: &str) -> Result<Option<Known>, Fault> {
        let found = delegate::find(&self.name, &Key::Identifier(login.to_owned()))?;
        Ok(match found {
            Found::Principal(principal) => Some(Candidate::new(self.mapped(principal)).into()),
            Found::Refused(Refusal::UnknownIdentifier) => None,
            Found::Refused(refusal) => Some(Known::Refused(refusal)),
            Found::CannotTell => Some(Known::Undecided),
        })
    }

    /// The other backend's word, whatever it said before: it alone knows whom it lets in.
    pub(super) fn verify(&self, login: &str, password: &Secret) -> Result<Outcome, Fault> {
        let outcome = delegate::verify_password(&self.name, login, password)?;
        Ok(self.mapped_outcome(outcome))
    }

    pub(super) fn answer(&self, state: &[u8], response: &Secret) -> Result<Outcome, Fault> {
        let outcome = delegate::answer_challenge(&self.name, state, response)?;
        Ok(self.mapped_outcome(outcome))
    }

    pub(super) fn list(&self, name: &str, query: &Query, fits: impl Fn(&Principal) -> bool) -> Result<Listing, Fault> {
        let login = query.pattern("login").unwrap_or("*");
        let Some(listed) = delegate::list_users(&self.name, login, MOST)? else {
            return Ok(Listing::default());
        };
        let is_all = listed.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
        let principals = listed.into_iter().map(|principal| self.mapped(principal));
        let mut listing = super::listing(name, principals, query, fits);
        listing.complete &= is_all;
        Ok(listing)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        // Nobody's login name is empty; a backend that cannot list says so at once.
        delegate::list_users(&self.name, "", 1)?;
        Ok(())
    }

    fn mapped_outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Verified(principal) => self.mapped(principal).into(),
            outcome => outcome,
        }
    }

    /// With the attributes that the operator wants under another name.
    fn mapped(&self, mut principal: Principal) -> Principal {
        for (ours, theirs) in &self.map {
            if let Some(value) = principal.attributes.get(theirs).cloned() {
                principal.attributes.insert(ours.clone(), value);
            }
        }
        principal
    }
}

/// The most users of a listing.
const MOST: u32 = 1000;
