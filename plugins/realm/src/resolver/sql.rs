//! A query to a database. The host binds the parameters, and lets only what reads pass.

use std::collections::BTreeMap;

use keyway_sdk::database::{self, DatabaseError, Row};
use keyway_sdk::{Fault, Listing, Principal, Query, Refusal, log};

use super::Known;
use crate::config::Sql;
use crate::person::Person;

/// One more than may fit.
const TWO: u32 = 2;

/// The most rows of a listing.
const MOST: u32 = 1000;

impl Sql {
    pub(super) fn find(&self, name: &str, login: &str) -> Result<Option<Known>, Fault> {
        let rows = self.ask(&self.query, login, TWO)?;
        self.the_one(name, &rows, Some(login))
    }

    pub(super) fn find_by_userid(&self, name: &str, userid: &str) -> Result<Option<Known>, Fault> {
        match &self.find_query {
            Some(statement) => self.the_one(name, &self.ask(statement, userid, TWO)?, None),
            None => Ok(Some(Known::Undecided)),
        }
    }

    /// Somebody's hash, which a stranger's password costs as much to compare with as anybody's.
    pub(super) fn stranger(&self) -> Option<String> {
        let statement = self.list_query.as_ref()?.trim();
        let statement = statement.strip_suffix(';').unwrap_or(statement).trim_end();
        // The database must not go through its table for every stranger, and has the answer read to its end. A comment ends with its line.
        let few = format!("SELECT * FROM ({statement}\n) AS strangers LIMIT {NEAR}");
        let rows = self.ask(&few, "%", NEAR + 1).ok()?;
        rows.iter().find_map(|row| self.verifier(row))
    }

    pub(super) fn list(&self, name: &str, query: &Query, fits: impl Fn(&Principal) -> bool) -> Result<Listing, Fault> {
        let Some(statement) = &self.list_query else {
            return Ok(Listing::default());
        };
        let pattern = like(query.pattern("login").unwrap_or("*"));
        let rows = match self.ask(statement, &pattern, MOST) {
            Ok(rows) => rows,
            // They are more than a call may fetch.
            Err(DatabaseError::LimitReached) => return Ok(Listing::default()),
            Err(error) => return Err(error.into()),
        };
        let is_all = rows.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
        let people: Result<Vec<Person>, Fault> = rows.iter().map(|row| self.person(row, None)).collect();
        let told = people?.into_iter().filter_map(|person| {
            let principal = person.principal(name);
            if principal.is_none() {
                super::unfit(name);
            }
            principal
        });
        let mut listing = super::listing(name, told, query, fits);
        listing.complete &= is_all;
        Ok(listing)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        database::query(&self.database, "SELECT 1", &[], 1)?;
        Ok(())
    }

    fn ask(&self, statement: &str, parameter: &str, most: u32) -> Result<Vec<Row>, DatabaseError> {
        let parameters = vec![parameter; parameters(statement)];
        database::query(&self.database, statement, &parameters, most)
    }

    fn the_one(&self, name: &str, rows: &[Row], login: Option<&str>) -> Result<Option<Known>, Fault> {
        let [row] = rows else {
            if rows.is_empty() {
                return Ok(None);
            }
            log::warn!("a query finds several users for one name", resolver = name);
            return Ok(Some(Known::Refused(Refusal::Ambiguous)));
        };
        Ok(Some(match Known::person(name, self.person(row, login)?) {
            Ok(mut candidate) => {
                candidate.verifier = self.verifier(row);
                candidate.into()
            }
            Err(known) => known,
        }))
    }

    fn verifier(&self, row: &Row) -> Option<String> {
        let hash = row.get(self.map.get("password")?)?;
        (!hash.is_empty()).then(|| hash.to_owned())
    }

    /// Somebody with what the columns hold, the hash apart.
    fn person(&self, row: &Row, login: Option<&str>) -> Result<Person, Fault> {
        if let Some(column) = ["userid", "password"]
            .iter()
            .filter_map(|key| self.map.get(*key))
            .find(|column| !row.has(column))
        {
            let problem = format!("the query's answer has no column `{column}`");
            return Err(Fault::misconfigured(problem));
        }
        let value = |key: &str| self.map.get(key).and_then(|column| row.get(column));
        let userid = value("userid").unwrap_or_default().to_owned();
        let spelt = value("username").filter(|login| !login.is_empty());
        let login = spelt.or(login).unwrap_or(&userid).to_owned();
        let hash = value("password");
        let told = |key: &&String| !["userid", "username", "password"].contains(&key.as_str());
        let attributes: BTreeMap<String, String> = self
            .map
            .keys()
            .filter(told)
            .filter_map(|key| Some((key, value(key)?)))
            // The statement may have the hash under two names.
            .filter(|(_, told)| Some(*told) != hash)
            .map(|(key, told)| (key.clone(), told.to_owned()))
            .collect();
        Ok(Person {
            userid,
            login,
            attributes,
        })
    }
}

/// How many rows are looked at for a hash that a stranger's password is compared with.
const NEAR: u32 = 8;

/// How many parameters a statement takes, all of which are given the same value: one if it numbers them (`$1`, `?1`), else as many as it has `?` outside
/// of quotes.
pub(crate) fn parameters(statement: &str) -> usize {
    let mut quote = None;
    let mut count = 0;
    let mut is_numbered = false;
    let mut rest = statement.chars().peekable();
    while let Some(next) = rest.next() {
        match (quote, next) {
            (Some(open), _) if open == next => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(next),
            (None, '$' | '?') => {
                let is_number = rest.peek().is_some_and(char::is_ascii_digit);
                is_numbered |= is_number;
                count += usize::from(next == '?' && !is_number);
            }
            _ => {}
        }
    }
    if is_numbered { 1 } else { count }
}

/// A pattern as SQL's `LIKE` has it, with `\` before what means itself.
fn like(pattern: &str) -> String {
    let mut like = String::with_capacity(pattern.len());
    for next in pattern.chars() {
        match next {
            '*' => like.push('%'),
            '%' | '_' | '\\' => like.extend(['\\', next]),
            next => like.push(next),
        }
    }
    like
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_outside_of_quotes() {
        for (statement, count) in [
            ("SELECT 1", 0),
            ("SELECT * FROM u WHERE login = $1", 1),
            ("SELECT * FROM u WHERE login = $1 OR email = $1", 1),
            ("SELECT * FROM u WHERE login = ?", 1),
            ("SELECT * FROM u WHERE login = ? OR email = ?", 2),
            ("SELECT * FROM u WHERE login = ?1 OR email = ?1", 1),
            ("SELECT '?', \"?\", `?`, 'it''s ?' FROM u", 0),
            ("SELECT data ? 'a' FROM u WHERE login = $1", 1),
            ("SELECT 'a$1' FROM u", 0),
        ] {
            assert_eq!(parameters(statement), count, "{statement}");
        }
    }

    #[test]
    fn a_pattern_becomes_one_of_sql() {
        for (pattern, expected) in [("*", "%"), ("a*", "a%"), ("50%_\\", "50\\%\\_\\\\")] {
            assert_eq!(like(pattern), expected);
        }
    }
}
