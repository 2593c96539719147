//! The groups that somebody is in.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use keyway_sdk::log;
use ldap3_proto::proto::{LdapFilter, LdapResultCode as Code, LdapSearchScope};

use crate::config::{Groups, Settings};
use crate::dn;
use crate::entry::Entry;
use crate::filter::{self, Template, Values};
use crate::session::{Filter, Hits, Search, Session};
use crate::verdict::{Stop, refused_operation};

/// How many groups one user may be in.
const MAX_GROUPS: u16 = 256;
/// Bytes of their names. The host refuses a session with more than 12 KiB of groups and attributes.
const MAX_NAMES: usize = 8 * 1024;
/// Bytes of one name. The host takes no longer text.
const MAX_NAME: usize = 4 * 1024;
/// How far groups in groups are followed.
const MAX_DEPTH: usize = 8;
/// How many groups one search asks about.
const AT_ONCE: usize = 16;

/// Whether it takes more than the user's own entry to know the groups.
pub(crate) fn needs_session(settings: &Settings) -> bool {
    settings.is_nested || matches!(settings.groups, Groups::Search { .. })
}

/// The names of the groups that the owner of this entry is in. More than fit are left out, with a warning: a group too few grants less.
pub(crate) fn find<S: Read + Write>(
    session: &mut Session<S>,
    settings: &Settings,
    entry: &Entry,
    username: &str,
) -> Result<Vec<String>, Stop> {
    let mut found = Found::default();
    match &settings.groups {
        Groups::MemberOf { attribute, base, name } => {
            let named = Named {
                attribute,
                base: base.as_deref(),
                name,
            };
            named.run(session, settings.is_nested, entry, &mut found)?;
        }
        Groups::Search { base, filter, name } => {
            let query = Query {
                base,
                filter,
                name,
                username,
            };
            query.run(session, settings.is_nested, entry, &mut found)?;
        }
    }
    let (count, is_cut) = (found.names.len(), found.is_cut);
    log::debug!("{count} groups", step = "groups");
    if is_cut {
        log::warn!(
            "a user is in more groups than are read, so some are left out",
            read = count
        );
    }
    Ok(found.names.into_iter().collect())
}

/// The groups so far.
#[derive(Default)]
struct Found {
    names: BTreeSet<String>,
    /// The entries that were seen, in lower case, so that no circle of groups is walked twice.
    seen: BTreeSet<String>,
    bytes: usize,
    is_cut: bool,
}

impl Found {
    /// Notes a group; says whether it is new and its own groups should be looked for.
    fn add(&mut self, dn: &str, name: Option<String>) -> bool {
        let key = dn.to_lowercase();
        if self.seen.contains(&key) {
            return false;
        }
        let name = name.filter(|name| !name.contains('\0') && name.len() <= MAX_NAME);
        let size = name.as_ref().map_or(0, String::len);
        if self.seen.len() == usize::from(MAX_GROUPS) || self.bytes + size > MAX_NAMES {
            self.is_cut = true;
            return false;
        }
        self.bytes += size;
        self.names.extend(name);
        self.seen.insert(key)
    }
}

/// Groups by an attribute of the user, and, where groups in groups count, by the same attribute of each group.
struct Named<'a> {
    attribute: &'a str,
    base: Option<&'a str>,
    name: &'a str,
}

impl Named<'_> {
    fn run<S: Read + Write>(
        &self,
        session: &mut Session<S>,
        is_nested: bool,
        entry: &Entry,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let mut level = self.new_of(entry, found);
        if !is_nested {
            return Ok(());
        }
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for dn in &level {
                for group in self.read(session, dn)? {
                    next.extend(self.new_of(&group, found));
                }
            }
            if next.is_empty() {
                return Ok(());
            }
            level = next;
        }
        found.is_cut = true;
        Ok(())
    }

    /// The names of the entries of those groups that were not found before.
    fn new_of(&self, entry: &Entry, found: &mut Found) -> Vec<String> {
        let counts = |dn: &&str| dn::is_valid(dn) && self.base.is_none_or(|base| dn::is_below(dn, base));
        let groups = entry.texts(self.attribute).filter(counts);
        let new = groups.filter(|dn| found.add(dn, dn::first_value(dn, self.name)));
        new.map(str::to_owned).collect()
    }

    /// A group's own entry, where it can be read: one that the account may not see, or that is elsewhere, is still one that the user is in.
    fn read<S: Read + Write>(&self, session: &mut Session<S>, dn: &str) -> Result<Vec<Entry>, Stop> {
        let hits = session.search(&Search {
            base: dn,
            scope: LdapSearchScope::Base,
            filter: Filter::Text(filter::anything()),
            attributes: &[self.attribute.to_owned()],
            limit: 1,
        })?;
        match hits.answer.code {
            Code::Success | Code::NoSuchObject | Code::InsufficentAccessRights | Code::Referral => Ok(hits.entries),
            _ => Err(refused_operation("a look at a group of a user", &hits.answer).into()),
        }
    }
}

/// A search for groups.
struct Query<'a> {
    base: &'a str,
    filter: &'a Template,
    name: &'a str,
    username: &'a str,
}

impl Query<'_> {
    fn run<S: Read + Write>(
        &self,
        session: &mut Session<S>,
        is_nested: bool,
        entry: &Entry,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let mut level = vec![entry.dn.clone()];
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for members in level.chunks(AT_ONCE) {
                for group in self.groups_of(session, members, found)? {
                    let name = group.text(self.name).map(str::to_owned);
                    if found.add(&group.dn, name) {
                        next.push(group.dn);
                    }
                }
            }
            if next.is_empty() || !is_nested {
                return Ok(());
            }
            level = next;
        }
        found.is_cut = true;
        Ok(())
    }

    fn groups_of<S: Read + Write>(
        &self,
        session: &mut Session<S>,
        members: &[String],
        found: &mut Found,
    ) -> Result<Vec<Entry>, Stop> {
        let fill = |user_dn: &String| {
            self.filter.fill(Values {
                username: self.username,
                user_dn,
            })
        };
        let filter = match members {
            [member] => fill(member),
            members => LdapFilter::Or(members.iter().map(fill).collect()),
        };
        let Hits {
            mut entries,
            unreadable,
            references,
            answer,
        } = session.search(&Search {
            base: self.base,
            scope: LdapSearchScope::Subtree,
            filter: Filter::Text(filter),
            attributes: &[self.name.to_owned()],
            limit: MAX_GROUPS,
        })?;
        if unreadable > 0 {
            log::warn!("{unreadable} groups cannot be read and are left out", step = "groups");
        }
        if references > 0 {
            log::debug!(
                "{references} references to other servers, not followed",
                step = "groups"
            );
        }
        match answer.code {
            Code::Success => {}
            Code::SizeLimitExceeded => found.is_cut = true,
            _ => return Err(refused_operation("the search for groups below `group_base_dn`", &answer).into()),
        }
        entries.retain(|entry| !entry.dn.is_empty());
        Ok(entries)
    }
}
