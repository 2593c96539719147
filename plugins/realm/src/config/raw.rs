//! Resolvers as the operator writes them, and what may be wrong with each kind.

use std::collections::BTreeMap;

use keyway_sdk::{Deserialize, JsonSchema, Problem, schemars};
use serde_json::Value;

use super::escaped;
use crate::resolver::{Kind, http, sql};

/// Any resolver. Only its JSON Schema is used.
#[derive(JsonSchema)]
#[schemars(tag = "type", rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "the schema is made of it; what is read are the variants' own types"
)]
pub(super) enum Resolver {
    /// A file with a line for each user, as `passwd` has them.
    Passwd(Passwd),
    /// A query to a database.
    Sql(Sql),
    /// A service that is asked by HTTP.
    Http(Box<Http>),
    /// Another backend.
    Backend(Backend),
    /// The host's own users.
    Directory(Directory),
}

/// What becomes of a login while a resolver does not work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", rename_all = "lowercase")]
pub(crate) enum OnError {
    /// It is not judged: nobody is mistaken for a namesake of a later resolver.
    #[default]
    Fail,
    /// The next resolver is asked.
    Skip,
}

/// A file with a line for each user: `login:hash:uid:gid:given-name surname,room,phone,mobile,email:home:shell`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Passwd {
    /// The file's name in `grants.file`.
    pub(crate) file: String,
    /// What becomes of a login while the file cannot be read.
    #[serde(default)]
    on_error: OnError,
}

/// Another backend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Backend {
    /// The backend's name, one of `grants.delegate`.
    #[serde(rename = "backend")]
    pub(crate) name: String,
    /// Attributes to have under another name: ours, then the other backend's.
    #[serde(default)]
    pub(crate) map: BTreeMap<String, String>,
    /// What becomes of a login while the backend does not answer.
    #[serde(default)]
    on_error: OnError,
}

/// The host's own users.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Directory {
    /// The tenant (an id or a domain) whose users they are. Without one: the one that the login names, else all.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// What becomes of a login while the directory does not answer.
    #[serde(default)]
    on_error: OnError,
}

/// A query to a database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Sql {
    /// The database's name in `grants.sql`.
    pub(crate) database: String,
    /// Finds a user by login name, which is the parameter: `$1` for PostgreSQL and SQLite, `?` for `MySQL` and SQLite.
    pub(crate) query: String,
    /// Finds a user by `userid`, which is the parameter. Without it nobody is looked up by it, when tokens are renewed for example.
    #[serde(default)]
    pub(crate) find_query: Option<String>,
    /// Finds all users, or, with a parameter, those whose login name is `LIKE` it, with `\` before a `%` or `_` that means itself.
    #[serde(default)]
    pub(crate) list_query: Option<String>,
    /// The columns of the answer by what they hold: `userid` (required), `username`, `password` (a hash), `givenname`, `surname`, `phone`, `mobile`,
    /// `email`, and any other attribute.
    pub(crate) map: BTreeMap<String, String>,
    /// What becomes of a login while the database does not answer.
    #[serde(default)]
    on_error: OnError,
}

/// A service that is asked by HTTP. It needs the grant `credential.expose`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Http {
    /// The endpoint's name in `grants.net`.
    pub(crate) endpoint: String,
    /// What the requests call the host. Without it: the endpoint's name.
    #[serde(default)]
    pub(crate) host: Option<String>,
    /// Where a password is verified, with `{username}`, `{password}` and, where `find` is, `{userid}` in it.
    pub(crate) path: String,
    /// `GET`, `POST` or `PUT`.
    #[serde(default = "post")]
    pub(crate) method: String,
    /// What is sent as JSON; its texts have the same placeholders.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// Values that the answer must have besides a status of 200 to 299, by JSON pointer.
    #[serde(default)]
    pub(crate) expect: BTreeMap<String, Value>,
    /// Headers of every request.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Headers of every request whose values are secrets of the backend, by the secrets' names.
    #[serde(default)]
    pub(crate) secret_headers: BTreeMap<String, String>,
    /// Finds a user by login name, with `{username}` in it. Without it the answer to the password says who is known.
    #[serde(default)]
    pub(crate) find: Option<Request>,
    /// Finds a user by `{userid}`. Without it nobody is looked up by it, when tokens are renewed for example.
    #[serde(default)]
    pub(crate) find_by_userid: Option<Request>,
    /// Where in an answer things are, by JSON pointer: `userid`, `username`, `givenname`, `surname`, `phone`, `mobile`, `email`, and any other attribute.
    #[serde(default)]
    pub(crate) map: BTreeMap<String, String>,
    /// What becomes of a login while the service does not answer.
    #[serde(default)]
    on_error: OnError,
}

/// A question.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub(crate) struct Request {
    /// Where.
    pub(crate) path: String,
    /// `GET`, `POST` or `PUT`.
    #[serde(default = "get")]
    pub(crate) method: String,
    /// What is sent as JSON.
    #[serde(default)]
    pub(crate) body: Option<Value>,
}

fn post() -> String {
    "POST".to_owned()
}

fn get() -> String {
    "GET".to_owned()
}

/// A resolver that may be used, or everything that is wrong with it.
type Checked = Result<(Kind, OnError), Vec<Problem>>;

impl Passwd {
    pub(super) fn checked(self, pointer: &str) -> Checked {
        let mut problems = Vec::new();
        check_filled(&self.file, pointer, "file", &mut problems);
        let on_error = self.on_error;
        none(problems, || (Kind::Passwd(self), on_error))
    }
}

impl Backend {
    pub(super) fn checked(self, pointer: &str) -> Checked {
        let mut problems = Vec::new();
        check_filled(&self.name, pointer, "backend", &mut problems);
        check_attributes(&self.map, pointer, &mut problems);
        check_without_password(&self.map, pointer, &mut problems);
        let on_error = self.on_error;
        none(problems, || (Kind::Backend(self), on_error))
    }
}

impl Directory {
    pub(super) fn checked(self, pointer: &str) -> Checked {
        let mut problems = Vec::new();
        if let Some(tenant) = &self.tenant {
            check_filled(tenant, pointer, "tenant", &mut problems);
        }
        let on_error = self.on_error;
        none(problems, || (Kind::Directory(self), on_error))
    }
}

impl Sql {
    pub(super) fn checked(self, pointer: &str) -> Checked {
        let mut problems = Vec::new();
        check_filled(&self.database, pointer, "database", &mut problems);
        for (key, statement) in [("query", Some(&self.query)), ("find_query", self.find_query.as_ref())] {
            if statement.is_some_and(|statement| sql::parameters(statement) == 0) {
                let message = "has no `$1` and no `?`: it would find the same whoever is asked for";
                problems.push(Problem::at(format!("{pointer}/{key}"), message));
            }
        }
        check_attributes(&self.map, pointer, &mut problems);
        if !self.map.contains_key("userid") {
            problems.push(Problem::at(format!("{pointer}/map"), "missing field `userid`"));
        }
        let hash = self.map.get("password");
        for (key, column) in &self.map {
            if key != "password" && hash.is_some_and(|hash| hash.eq_ignore_ascii_case(column)) {
                let message = "is the column of the password, which nobody is told";
                problems.push(Problem::at(format!("{pointer}/map/{}", escaped(key)), message));
            }
        }
        let on_error = self.on_error;
        none(problems, || (Kind::Sql(self), on_error))
    }
}

impl Http {
    pub(super) fn checked(self, pointer: &str) -> Checked {
        let mut problems = Vec::new();
        check_filled(&self.endpoint, pointer, "endpoint", &mut problems);
        check_attributes(&self.map, pointer, &mut problems);
        check_without_password(&self.map, pointer, &mut problems);
        for (key, place) in self.map.iter().filter(|(_, place)| !place.starts_with('/')) {
            let message = format!("`{place}` is no JSON pointer: it does not begin with `/`");
            problems.push(Problem::at(format!("{pointer}/map/{}", escaped(key)), message));
        }
        for place in self.expect.keys().filter(|place| !place.starts_with('/')) {
            let message = "the key is no JSON pointer: it does not begin with `/`";
            problems.push(Problem::at(format!("{pointer}/expect/{}", escaped(place)), message));
        }
        let on_error = self.on_error;
        match http::Http::new(self, pointer) {
            Ok(http) => none(problems, || (Kind::Http(Box::new(http)), on_error)),
            Err(found) => {
                problems.extend(found);
                Err(problems)
            }
        }
    }
}

fn none<T>(problems: Vec<Problem>, make: impl FnOnce() -> T) -> Result<T, Vec<Problem>> {
    if problems.is_empty() { Ok(make()) } else { Err(problems) }
}

fn check_filled(value: &str, pointer: &str, key: &str, problems: &mut Vec<Problem>) {
    if value.is_empty() {
        problems.push(Problem::at(format!("{pointer}/{key}"), "is empty"));
    }
}

/// The most attributes of a user: with the longest that are taken on, an answer stays below what the host accepts.
const MAX_ATTRIBUTES: usize = 40;

fn check_attributes(map: &BTreeMap<String, String>, pointer: &str, problems: &mut Vec<Problem>) {
    if map.len() > MAX_ATTRIBUTES {
        let message = format!("has more than {MAX_ATTRIBUTES} keys");
        problems.push(Problem::at(format!("{pointer}/map"), message));
    }
    for (key, value) in map {
        let pointer = format!("{pointer}/map/{}", escaped(key));
        if key.is_empty() || key.len() > 64 || key.starts_with("realm.") {
            let message = "the key is empty, longer than 64 bytes, or begins with `realm.`, which is the plugin's own";
            problems.push(Problem::at(pointer.clone(), message));
        }
        if value.is_empty() {
            problems.push(Problem::at(pointer, "is empty"));
        }
    }
}

fn check_without_password(map: &BTreeMap<String, String>, pointer: &str, problems: &mut Vec<Problem>) {
    if map.contains_key("password") {
        let message = "is not read here: whoever is asked verifies the password";
        problems.push(Problem::at(format!("{pointer}/map/password"), message));
    }
}
