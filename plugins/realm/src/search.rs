//! Who there is, over realms and resolvers.

use std::collections::{BTreeMap, BTreeSet};

use keyway_sdk::{Context, Fault, Listing, Principal, Query, Subject};

use crate::config::Settings;
use crate::person;
use crate::resolver::{Known, Resolver};

impl Settings {
    /// Those whom the query fits, realm by realm. Of several with one login in a realm only whom a login would mean is told of; somebody of two realms
    /// appears in both.
    pub(crate) fn search(&self, context: &Context, query: &Query) -> Result<Listing, Fault> {
        // Nobody has one in their name, and databases refuse to be asked for it.
        if query.patterns.iter().any(|(_, pattern)| pattern.contains('\0')) {
            return Ok(Listing::of([], query.most));
        }
        let wanted = query
            .realm
            .as_deref()
            .filter(|realm| !realm.is_empty())
            .map(str::to_lowercase);
        let mut search = Search {
            context,
            query,
            listed: BTreeMap::new(),
            complete: true,
        };
        let mut principals = Vec::new();
        let mut is_in_a_realm = false;
        for (realm, members) in &self.realms {
            if wanted.as_ref().is_some_and(|wanted| wanted != realm) {
                continue;
            }
            let members = self.members(members);
            is_in_a_realm |= query.resolver.is_none() || members.iter().any(|member| is_wanted(query, member));
            let of_realm = search.of_realm(&members)?;
            principals.extend(
                of_realm
                    .into_iter()
                    .map(|principal| principal.attribute(person::REALM, realm)),
            );
        }
        // A resolver that is in no realm yet can be looked at, too.
        let loose = query.resolver.as_ref().and_then(|name| self.resolvers.get(name));
        if let Some(loose) = loose.filter(|_| !is_in_a_realm && wanted.is_none()) {
            principals.extend(search.of_resolver(loose)?);
        }
        let mut room = MOST_BYTES;
        let count = principals.len();
        principals.retain(|principal| {
            room = room.saturating_sub(size(principal));
            room > 0
        });
        let is_whole = search.complete && principals.len() == count;
        let listing = Listing::of(principals, query.most);
        Ok(Listing {
            complete: listing.complete && is_whole,
            ..listing
        })
    }
}

/// The longest list that the host takes, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// What somebody takes in a list.
fn size(principal: &Principal) -> usize {
    let attributes = principal.attributes.iter().flat_map(|(name, value)| [name, value]);
    let texts = attributes.chain(&principal.groups).chain(&principal.accesses);
    let texts = texts.chain(&principal.display_name).chain(&principal.email);
    let subject = match &principal.subject {
        Subject::Directory(name) | Subject::Own(name) => name.len(),
        Subject::Delegated { backend, subject } => backend.len() + subject.len(),
    };
    subject + principal.login.len() + texts.map(String::len).sum::<usize>()
}

/// A search under way. Each resolver is asked once, however many realms it is in.
struct Search<'a> {
    context: &'a Context,
    query: &'a Query,
    listed: BTreeMap<&'a str, Vec<Principal>>,
    complete: bool,
}

impl<'a> Search<'a> {
    fn of_realm(&mut self, members: &[&'a Resolver]) -> Result<Vec<Principal>, Fault> {
        let mut logins = BTreeSet::new();
        let mut principals = Vec::new();
        for (place, member) in members.iter().enumerate() {
            if !is_wanted(self.query, member) {
                continue;
            }
            let before = members.get(..place).unwrap_or_default();
            for principal in self.of_resolver(member)? {
                if logins.contains(&principal.login) || self.is_hidden(&principal, before) {
                    continue;
                }
                logins.insert(principal.login.clone());
                principals.push(principal);
            }
        }
        Ok(principals)
    }

    fn of_resolver(&mut self, resolver: &'a Resolver) -> Result<Vec<Principal>, Fault> {
        if let Some(listed) = self.listed.get(resolver.name.as_str()) {
            return Ok(listed.clone());
        }
        let listing = match resolver.list(self.context, self.query) {
            Ok(listing) => listing,
            Err(fault) => {
                resolver.excuse(fault)?;
                Listing::default()
            }
        };
        self.complete &= listing.complete;
        self.listed.insert(&resolver.name, listing.principals.clone());
        Ok(listing.principals)
    }

    /// Whether a resolver that is asked before has another with this login, whom the patterns do not fit. Where they are about the login alone, they would.
    /// Where that cannot be said, which a call may not ask for ever, they are told of, and the listing is not called complete.
    fn is_hidden(&mut self, principal: &Principal, before: &[&Resolver]) -> bool {
        let is_about_more = self.query.patterns.iter().any(|(name, _)| name != "login");
        is_about_more
            && self.query.resolver.is_none()
            && before.iter().any(|resolver| {
                let known = resolver.find(self.context, &principal.login);
                self.complete &= known.is_ok();
                matches!(known, Ok(Some(Known::Somebody(_) | Known::Refused(_))))
            })
    }
}

fn is_wanted(query: &Query, resolver: &Resolver) -> bool {
    query.resolver.as_ref().is_none_or(|name| *name == resolver.name)
}
