//! A file with a line for each user, as `passwd` has them. The host reads it and keeps an index.

use std::collections::BTreeMap;

use keyway_sdk::file::{self, FileError};
use keyway_sdk::{Fault, Listing, Principal, Query, Refusal, log};

use super::Known;
use crate::config::Passwd;
use crate::person::Person;

/// The fields by which somebody is found.
pub(crate) const LOGIN: u8 = 0;
pub(crate) const UID: u8 = 2;

const SEPARATOR: char = ':';

/// How many lines are looked at for a hash that a stranger's password is compared with.
const NEAR: u32 = 8;
const FAR: u32 = 512;

/// A page of a listing, in lines.
const PAGE: u32 = 4096;

/// A line of the file.
#[derive(PartialEq, Eq)]
struct Line<'a> {
    login: &'a str,
    password: Password<'a>,
    uid: &'a str,
    gecos: &'a str,
}

/// What stands in the second field.
#[derive(PartialEq, Eq)]
enum Password<'a> {
    /// Nothing that a password could match: empty, `x`, or what begins with `*`.
    None,
    /// Locked by a `!` before the hash.
    Locked,
    Hash(&'a str),
}

impl Passwd {
    /// Whom the file knows by this login or user id. Two who share either are nobody's to tell apart.
    pub(super) fn find(&self, name: &str, field: u8, key: &str) -> Result<Option<Known>, Fault> {
        let lines = file::find_lines(&self.file, SEPARATOR, field, key)?;
        let found: Vec<Line> = lines.iter().filter_map(|line| self.read(name, line)).collect();
        let [line] = found.as_slice() else {
            return Ok((!found.is_empty()).then(|| ambiguous(name, &self.file)));
        };
        let (other, key) = if field == LOGIN {
            (UID, line.uid)
        } else {
            (LOGIN, line.login)
        };
        let namesakes = file::find_lines(&self.file, SEPARATOR, other, key)?;
        if namesakes.iter().filter_map(|line| Line::parse(line)).count() > 1 {
            return Ok(Some(ambiguous(name, &self.file)));
        }
        let mut candidate = match Known::person(name, line.person()) {
            Ok(candidate) => candidate,
            Err(known) => return Ok(Some(known)),
        };
        match line.password {
            Password::None => {}
            Password::Locked => candidate.barred = Some(Refusal::Disabled),
            Password::Hash(hash) => candidate.verifier = Some(hash.to_owned()),
        }
        Ok(Some(candidate.into()))
    }

    /// A hash of this file, which a stranger's password costs as much to compare with as anybody's.
    pub(super) fn stranger(&self) -> Option<String> {
        [NEAR, FAR].into_iter().find_map(|most| {
            let page = file::list_lines(&self.file, 0, most).ok()?;
            let hash = |line: &String| match Line::parse(line)?.password {
                Password::Hash(hash) => Some(hash.to_owned()),
                Password::None | Password::Locked => None,
            };
            page.lines.iter().find_map(hash)
        })
    }

    /// Those who fit, in the file's order. A login name without a `*` is one that the index knows, and then its case counts.
    pub(super) fn list(&self, name: &str, query: &Query, fits: impl Fn(&Principal) -> bool) -> Result<Listing, Fault> {
        if let Some(login) = query.pattern("login").filter(|login| !login.contains('*')) {
            let lines = file::find_lines(&self.file, SEPARATOR, LOGIN, login)?;
            if !lines.is_empty() {
                return Ok(super::listing(name, self.principals(name, &lines), query, fits));
            }
        }
        let most = usize::try_from(query.most).unwrap_or(usize::MAX);
        let mut listing = Listing::default();
        let mut start = Some(0);
        while let Some(place) = start {
            let page = match file::list_lines(&self.file, place, PAGE) {
                Ok(page) => page,
                // The file is longer than a call may read.
                Err(FileError::LimitReached) if place > 0 => return Ok(listing),
                Err(error) => return Err(error.into()),
            };
            let found = super::listing(name, self.principals(name, &page.lines), query, &fits);
            listing.principals.extend(found.principals);
            if listing.principals.len() > most || !found.complete {
                listing.principals.truncate(most);
                return Ok(listing);
            }
            start = page.next;
        }
        listing.complete = true;
        Ok(listing)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        file::list_lines(&self.file, 0, 1)?;
        Ok(())
    }

    fn principals(&self, name: &str, lines: &[String]) -> Vec<Principal> {
        let people = lines.iter().filter_map(|line| self.read(name, line));
        people.filter_map(|line| line.person().principal(name)).collect()
    }

    fn read<'a>(&self, name: &str, line: &'a str) -> Option<Line<'a>> {
        let parsed = Line::parse(line);
        if parsed.is_none() {
            log::warn!("a line of the file is of no use", resolver = name, file = self.file);
        }
        parsed
    }
}

fn ambiguous(name: &str, file: &str) -> Known {
    log::warn!(
        "two lines of the file have the same login or user id",
        resolver = name,
        file = file
    );
    Known::Refused(Refusal::Ambiguous)
}

impl<'a> Line<'a> {
    /// At least seven fields, of which login and user id are not empty.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(SEPARATOR);
        let (login, hash, uid) = (fields.next()?, fields.next()?, fields.next()?);
        let (_gid, gecos) = (fields.next()?, fields.next()?);
        let (_home, _shell) = (fields.next()?, fields.next()?);
        let password = match hash {
            "" | "x" => Password::None,
            hash if hash.starts_with('*') => Password::None,
            hash if hash.starts_with('!') => Password::Locked,
            hash => Password::Hash(hash),
        };
        (!login.is_empty() && !uid.is_empty()).then_some(Self {
            login,
            password,
            uid,
            gecos,
        })
    }

    fn person(&self) -> Person {
        Person {
            userid: self.uid.to_owned(),
            login: self.login.to_owned(),
            attributes: gecos(self.gecos),
        }
    }
}

/// `Given Sur,room,phone,mobile,email`.
fn gecos(text: &str) -> BTreeMap<String, String> {
    let mut parts = text.split(',').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let (given, surname) = name.split_once(' ').unwrap_or((name, ""));
    let names = ["givenname", "surname"].into_iter().zip([given, surname.trim()]);
    let rest = ["room", "phone", "mobile", "email"].into_iter().zip(parts);
    let told = names.chain(rest).filter(|(_, value)| !value.is_empty());
    told.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_has_seven_fields_with_a_login_and_a_user_id() {
        for (line, is_good) in [
            ("carol:x:1000:100:Carol:/home/carol:/bin/sh", true),
            ("carol::1000::::", true),
            ("carol:x:1000:100:Carol:/home/carol:/bin/sh:more", true),
            ("carol:x:1000:100:Carol:/home/carol", false),
            (":x:1000:100:Carol:/home/carol:/bin/sh", false),
            ("carol:x::100:Carol:/home/carol:/bin/sh", false),
            ("+::::::", false),
            ("carol", false),
            ("", false),
        ] {
            assert_eq!(Line::parse(line).is_some(), is_good, "{line}");
        }
    }

    #[test]
    fn what_is_no_hash_is_not_compared() {
        let password = |hash: &str| {
            let line = format!("carol:{hash}:1:1::/:");
            let kind = Line::parse(&line).map(|line| match line.password {
                Password::None => "none",
                Password::Locked => "locked",
                Password::Hash(_) => "hash",
            });
            kind.unwrap_or("no line")
        };
        for (hash, kind) in [
            ("", "none"),
            ("x", "none"),
            ("*", "none"),
            ("*LK*", "none"),
            ("!", "locked"),
            ("!!", "locked"),
            ("!$6$a$b", "locked"),
            ("$6$a$b", "hash"),
            ("xy", "hash"),
        ] {
            assert_eq!(password(hash), kind, "{hash}");
        }
    }

    #[test]
    fn gecos_tells_name_room_phones_and_address() {
        let read = |text: &str| -> Vec<String> {
            gecos(text)
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect()
        };
        assert_eq!(
            read("Carol Danvers,R 1,+49 1,+49 2,carol@example.org"),
            [
                "email=carol@example.org",
                "givenname=Carol",
                "mobile=+49 2",
                "phone=+49 1",
                "room=R 1",
                "surname=Danvers"
            ]
        );
        assert_eq!(
            read("Anna Maria  Schmidt, ,,"),
            ["givenname=Anna", "surname=Maria  Schmidt"]
        );
        assert_eq!(read("root"), ["givenname=root"]);
        assert!(read("").is_empty());
    }

    proptest! {
        #[test]
        fn no_part_of_a_hash_is_told(line in "[a-z:,$!*x ]{0,40}|.{0,60}", hash in "[$]6[$][A-Z0-9]{8}[$][A-Z0-9]{20}") {
            let _ = Line::parse(&line);
            let made = format!("carol:{hash}:1000:100:{}:/:/bin/sh", line.replace(':', ""));
            let told = format!("{:?}", Line::parse(&made).map(|line| line.person()));
            prop_assert!(!told.contains(&hash), "{}", told);
        }

        #[test]
        fn a_line_that_is_made_of_fields_has_them(login in "[^:]{1,20}", uid in "[^:]{1,20}", gecos in "[^:]{0,40}") {
            let made = format!("{login}:x:{uid}:g:{gecos}:home:shell");
            let parsed = Line::parse(&made).map(|line| (line.login, line.uid, line.gecos));
            prop_assert_eq!(parsed, Some((login.as_str(), uid.as_str(), gecos.as_str())));
        }
    }
}
