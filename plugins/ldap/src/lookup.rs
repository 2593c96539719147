//! Who somebody is, without a password.

use keyway_sdk::{Key, Refusal};
use ldap3_proto::proto::LdapSearchScope;

use crate::account;
use crate::connection::Network;
use crate::directory::{Account, Directory, Person, check_name};
use crate::entry::{Entry, GUID, UIDS, guid_bytes};
use crate::filter::Values;
use crate::health::NOTHING;
use crate::matching::{self, Match};
use crate::session::{Filter, Search, Session};
use crate::verdict::Stop;
use crate::{attribute, dn, filter, group};

impl<N: Network> Directory<'_, N> {
    /// Whoever has this login name or this stable name, if the directory does not say that they may not log in; `None` without an account that could
    /// look.
    pub(crate) fn look_up(&self, key: &Key) -> Result<Option<Person>, Stop> {
        let Some(account) = self.account()? else {
            return Ok(None);
        };
        let (mut service, found, typed) = match key {
            Key::Identifier(name) => {
                check_name(name)?;
                let (service, found) = self.search_as(&account, name)?;
                (service, found, Some(name.clone()))
            }
            Key::Subject(subject) => {
                check_name(subject)?;
                let (service, found) = self.find_subject(&account, subject)?;
                (service, found, None)
            }
        };
        let person = self.person(&mut service, found, typed);
        self.keep(service, &account);
        person.map(Some)
    }

    fn person(&self, service: &mut Session<N::Stream>, found: Match, typed: Option<String>) -> Result<Person, Stop> {
        let entry = found?;
        if let Some(refusal) = account::refusal(&entry, account::now()) {
            return Err(refusal.into());
        }
        let name = entry.login(&self.settings.login_attribute, typed.as_deref().unwrap_or_default());
        let groups = group::find(service, self.settings, &entry, name)?;
        Ok(Person { entry, groups, typed })
    }

    /// The one entry that an earlier login named so. A name that could be of several kinds is looked for as each in turn.
    fn find_subject(&self, account: &Account<'_>, subject: &str) -> Result<(Session<N::Stream>, Match), Stop> {
        let guid = guid_bytes(subject);
        let searches = self.searches_for(subject, guid.as_ref());
        let Some((first, others)) = searches.split_first() else {
            return Err(Refusal::UnknownIdentifier.into());
        };
        let (mut session, mut found) = self.find(account, first)?;
        for other in others {
            if !matches!(found, Err(Refusal::UnknownIdentifier)) {
                break;
            }
            found = matching::search(&mut session, other)?;
        }
        let found = match found {
            Ok(entry) => self.still_fits(&mut session, entry)?,
            refused => refused,
        };
        Ok((session, found))
    }

    /// Whoever was found by a stable name must be somebody whom the operator's filter lets in today, by the name or the address that the entry has.
    fn still_fits(&self, session: &mut Session<N::Stream>, entry: Entry) -> Result<Match, Stop> {
        let nothing = [NOTHING.to_owned()];
        for attribute in [&self.settings.login_attribute, &self.settings.email_attribute] {
            let Some(username) = entry.text(attribute) else {
                continue;
            };
            let values = Values {
                username,
                ..Values::default()
            };
            let filter = Filter::Text(self.settings.user_filter.fill(values));
            let search = Search {
                attributes: &nothing,
                ..self.search(&entry.dn, LdapSearchScope::Base, filter)
            };
            match matching::search(session, &search)? {
                Err(Refusal::UnknownIdentifier) => {}
                Err(refusal) => return Ok(Err(refusal)),
                Ok(_) => return Ok(Ok(entry)),
            }
        }
        Ok(Err(Refusal::UnknownIdentifier))
    }

    fn searches_for<'a>(&'a self, subject: &'a str, guid: Option<&'a [u8; 16]>) -> Vec<Search<'a>> {
        let below_base = |filter| self.search(&self.settings.user_base_dn, LdapSearchScope::Subtree, filter);
        let by = |kind: &'a str| match guid {
            Some(bytes) if attribute::is_same(kind, GUID) => Some(below_base(Filter::Bytes(kind, bytes))),
            None if attribute::is_same(kind, GUID) => None,
            _ => Some(below_base(Filter::Text(filter::equal(kind, subject)))),
        };
        match &self.settings.uid_attribute {
            Some(attribute) => by(attribute).into_iter().collect(),
            // An id has no `=` in it. What has one and is no user's entry is nobody's name.
            None if subject.contains('=') => {
                let is_user = dn::is_valid(subject) && dn::is_below(subject, &self.settings.user_base_dn);
                let search = self.search(subject, LdapSearchScope::Base, Filter::Text(filter::anything()));
                is_user.then_some(search).into_iter().collect()
            }
            None => UIDS.into_iter().filter_map(by).collect(),
        }
    }

    fn search<'a>(&'a self, base: &'a str, scope: LdapSearchScope, filter: Filter<'a>) -> Search<'a> {
        Search {
            base,
            scope,
            filter,
            attributes: &self.settings.wanted,
            limit: 2,
        }
    }
}
