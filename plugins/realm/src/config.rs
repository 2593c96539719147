//! What the operator writes, and what of it the plugin works with.

use std::collections::BTreeMap;

use keyway_sdk::{Deserialize, JsonSchema, Problem, config, schemars};
use serde_json::Value;

use crate::resolver::{Kind, Resolver};

mod raw;

pub(crate) use raw::{Backend, Directory, Http, OnError, Passwd, Request, Sql};

/// The priority of a resolver that is given none.
const LAST: i64 = 1000;

/// The longest name of a realm or a resolver: with a user's name in it, a subject has at most 255 bytes.
const MAX_NAME: usize = 64;

/// Realms, and the resolvers that they are made of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub struct Config {
    /// The realm of those who name none. Without one they are refused.
    #[serde(default)]
    default_realm: Option<String>,
    /// Whether `login@realm` and `realm\login` are taken apart.
    #[serde(default = "yes")]
    split_at_sign: bool,
    /// Realms by their names: letters, digits, `_`, `.` and `-`; case does not count.
    #[serde(default)]
    realms: BTreeMap<String, Realm>,
    /// Resolvers by their names, of the same characters; case counts.
    // Read one by one, by what their `type` is: so each problem is found, and points at the very value.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, raw::Resolver>")]
    resolvers: BTreeMap<String, Value>,
}

/// One realm.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Realm {
    /// Who is asked, the one with the lowest priority first; those of the same priority by name.
    resolvers: Vec<Member>,
}

/// A resolver in a realm.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Member {
    /// Its name.
    name: String,
    /// The lowest goes first. Without one: 1000.
    #[serde(default)]
    priority: Option<i64>,
}

fn yes() -> bool {
    true
}

/// A configuration in which nothing is wrong.
#[derive(Debug)]
pub(crate) struct Settings {
    /// In lower case, and defined.
    pub(crate) default_realm: Option<String>,
    pub(crate) split_at_sign: bool,
    /// The names of their resolvers in order, by the realms' names in lower case.
    pub(crate) realms: BTreeMap<String, Vec<String>>,
    pub(crate) resolvers: BTreeMap<String, Resolver>,
}

impl Settings {
    /// Checks all of it, and says everything that is wrong.
    pub(crate) fn check(config: Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let names: Vec<&String> = config.resolvers.keys().collect();
        let mut realms = BTreeMap::new();
        for (name, realm) in &config.realms {
            let pointer = format!("/realms/{}", escaped(name));
            check_name(name, &pointer, &mut problems);
            let members = order(realm, &names, &pointer, &mut problems);
            if realms.insert(name.to_lowercase(), members).is_some() {
                problems.push(Problem::at(
                    pointer,
                    "is defined twice: case does not count in a realm's name",
                ));
            }
        }
        let default_realm = config.default_realm.map(|name| name.to_lowercase());
        if default_realm.as_ref().is_some_and(|name| !realms.contains_key(name)) {
            problems.push(Problem::at("/default_realm", "is none of `realms`"));
        }
        let mut resolvers = BTreeMap::new();
        for (name, value) in &config.resolvers {
            let pointer = format!("/resolvers/{}", escaped(name));
            check_name(name, &pointer, &mut problems);
            match read(value, &pointer) {
                Ok((kind, on_error)) => {
                    let resolver = Resolver {
                        name: name.clone(),
                        on_error,
                        kind,
                    };
                    resolvers.insert(name.clone(), resolver);
                }
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            default_realm,
            split_at_sign: config.split_at_sign,
            realms,
            resolvers,
        })
    }
}

/// The realm's resolvers, those who are asked first at the front.
fn order(realm: &Realm, known: &[&String], pointer: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut members: Vec<(i64, &String)> = Vec::new();
    for (place, member) in realm.resolvers.iter().enumerate() {
        let pointer = format!("{pointer}/resolvers/{place}/name");
        if !known.contains(&&member.name) {
            problems.push(Problem::at(pointer, "is none of `resolvers`"));
        } else if members.iter().any(|(_, name)| **name == member.name) {
            problems.push(Problem::at(pointer, "is in this realm twice"));
        } else {
            members.push((member.priority.unwrap_or(LAST), &member.name));
        }
    }
    members.sort_unstable();
    members.into_iter().map(|(_, name)| name.clone()).collect()
}

/// One resolver, read as what its `type` says that it is.
fn read(value: &Value, pointer: &str) -> Result<(Kind, OnError), Vec<Problem>> {
    let Value::Object(table) = value else {
        return Err(vec![Problem::at(pointer, "is no table")]);
    };
    let mut rest = table.clone();
    let kind = rest.shift_remove("type");
    let rest = Value::Object(rest);
    let one = |problem| vec![problem];
    match kind.as_ref().map(Value::as_str) {
        None => Err(one(Problem::at(pointer, "missing field `type`"))),
        Some(Some("passwd")) => Passwd::checked(config::read(&rest, pointer).map_err(one)?, pointer),
        Some(Some("sql")) => Sql::checked(config::read(&rest, pointer).map_err(one)?, pointer),
        Some(Some("backend")) => Backend::checked(config::read(&rest, pointer).map_err(one)?, pointer),
        Some(Some("directory")) => Directory::checked(config::read(&rest, pointer).map_err(one)?, pointer),
        Some(Some("http")) => Http::checked(config::read(&rest, pointer).map_err(one)?, pointer),
        Some(_) => Err(one(Problem::at(
            format!("{pointer}/type"),
            "is none of `passwd`, `sql`, `http`, `backend` and `directory`",
        ))),
    }
}

fn check_name(name: &str, pointer: &str, problems: &mut Vec<Problem>) {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_good) {
        let message = format!("the name is not 1 to {MAX_NAME} letters, digits, `_`, `.` or `-`");
        problems.push(Problem::at(pointer, message));
    }
}

/// A key as a JSON pointer writes it (RFC 6901).
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
