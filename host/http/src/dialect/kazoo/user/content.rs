//! What a request says of a user.

use keyway_core::Secret;
use keyway_core::model::login_key;
use keyway_core::rights::PrivLevel;
use serde_json::{Map, Value, json};

use super::By;
use super::store::Standing;
use crate::dialect::kazoo::account::rest;
use crate::dialect::kazoo::error::Failure;
use crate::dialect::kazoo::schema::{Field, Kind, Problems, Schema};

/// The longest password, in bytes.
const MAX_PASSWORD: usize = 1024;

/// What stays as it is where a whole user is sent without it.
const GOVERNED: [&str; 6] = [
    "username",
    "enabled",
    "priv_level",
    "verified",
    "email",
    "require_password_update",
];

/// What has a place of its own, outside of the document.
const PLACED: [&str; 10] = [
    "username",
    "first_name",
    "last_name",
    "email",
    "language",
    "timezone",
    "enabled",
    "verified",
    "require_password_update",
    "priv_level",
];

/// What is not kept: what the server tells, and what stands for a password.
const TOLD: [&str; 4] = ["id", "password", "credentials", "features"];

/// What a user must have, but one that was made elsewhere without.
const FIRST_NAME: &str = "first_name";
const LAST_NAME: &str = "last_name";

const LEVELS: &[&str] = &["user", "admin"];

const SCHEMA: Schema = Schema {
    fields: &[
        Field::text(FIRST_NAME, 1, 128),
        Field::text(LAST_NAME, 1, 128),
        Field::of(
            "username",
            Kind::Pattern {
                min: 1,
                max: 256,
                pattern: r"^([+@.\w_-]+)$",
                fits: is_username,
            },
        ),
        Field::text("email", 3, 254),
        Field::text("language", 1, 35),
        Field::text("timezone", 1, 64),
        Field::of("enabled", Kind::Flag),
        Field::of("verified", Kind::Flag),
        Field::of("require_password_update", Kind::Flag),
        Field::of("priv_level", Kind::Word(LEVELS)),
    ],
    closed: false,
};

fn is_username(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+' | b'@');
    text.bytes().all(fits)
}

/// Takes over what a whole user does not say.
pub(super) fn keep_governed(data: &mut Map<String, Value>, current: &Map<String, Value>) {
    for name in GOVERNED {
        if let (false, Some(value)) = (data.contains_key(name), current.get(name)) {
            data.insert(name.to_owned(), value.clone());
        }
    }
}

/// A user as a request has it.
pub(super) struct Content {
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret<Vec<u8>>>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) language: Option<String>,
    pub(super) timezone: Option<String>,
    /// `None` leaves it as it is, as in the two below.
    pub(super) enabled: Option<bool>,
    pub(super) verified: Option<bool>,
    pub(super) require_password_update: Option<bool>,
    pub(super) level: PrivLevel,
    pub(super) document: Map<String, Value>,
}

impl Content {
    /// A user to be made.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(super) fn new_user(data: &Map<String, Value>) -> Result<Self, Failure> {
        let content = Self::parse(data, &[FIRST_NAME, LAST_NAME])?;
        match (&content.username, &content.password) {
            (Some(_), None) => Err(missing("password", "The password must be provided with a user name")),
            (None, Some(_)) => Err(missing("username", "The user name must be provided with a password")),
            _ => Ok(content),
        }
    }

    /// A user that is to be another one than it is.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(super) fn changed(data: &Map<String, Value>, current: &Standing) -> Result<Self, Failure> {
        let has_one = |name: &Option<String>| name.as_deref().is_some_and(|name| !name.is_empty());
        let names = [
            (FIRST_NAME, &current.user.firstname),
            (LAST_NAME, &current.user.lastname),
        ];
        let needed = names.iter().filter(|(_, name)| has_one(name));
        let needed: Vec<_> = needed.map(|(field, _)| *field).collect();
        let content = Self::parse(data, &needed)?;
        let before = current.user.login.as_deref().map(login_key);
        let after = content.username.as_deref().map(login_key);
        // Digests that clients send hold the name: a password is good for the name that it was set with.
        match (&after, &content.password) {
            (Some(_), None) if after != before => Err(missing(
                "password",
                "The password must be provided with another user name",
            )),
            (None, Some(_)) => Err(missing("username", "The user name must be provided with a password")),
            _ => Ok(content),
        }
    }

    fn parse(data: &Map<String, Value>, needed: &[&str]) -> Result<Self, Failure> {
        let mut data = data.clone();
        // What is told of a field that is wrong holds what was sent.
        let password = data.remove("password").filter(|password| !password.is_null());
        data.remove("credentials");
        let mut problems = Problems::default();
        for name in needed {
            if data.get(*name).is_none_or(Value::is_null) {
                problems.required(name, &data);
            }
        }
        problems.into_result()?;
        let data = SCHEMA.check(&data)?;
        let password = password.map(secret).transpose()?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str, usual: bool| data.get(name).and_then(Value::as_bool).unwrap_or(usual);
        Ok(Self {
            username: text("username").map(|name| name.to_lowercase()),
            password,
            first_name: text("first_name"),
            last_name: text("last_name"),
            email: text("email"),
            language: text("language"),
            timezone: text("timezone"),
            enabled: Some(flag("enabled", true)),
            verified: Some(flag("verified", false)),
            require_password_update: Some(flag("require_password_update", false)),
            level: text("priv_level")
                .as_deref()
                .and_then(PrivLevel::parse)
                .unwrap_or(PrivLevel::User),
            document: rest(data, &PLACED, &TOLD),
        })
    }

    /// Whether what administrators say of a user stays as it is.
    pub(super) fn leaves_governed(&self, current: &Standing) -> bool {
        self.enabled == Some(current.user.enabled)
            && self.verified == Some(current.profile.verified)
            && self.level == current.level
    }

    /// Leaves as it is what nobody said anything of who has a say in it: what was read before may have changed since.
    pub(super) fn say_only(&mut self, by: By, sent: &Map<String, Value>) {
        let says = |name: &str, by_user: bool| sent.contains_key(name) && (by_user || by == By::Administrator);
        self.enabled = self.enabled.filter(|_| says("enabled", false));
        self.verified = self.verified.filter(|_| says("verified", false));
        self.require_password_update = self
            .require_password_update
            .filter(|_| says("require_password_update", true));
    }
}

fn secret(value: Value) -> Result<Secret<Vec<u8>>, Failure> {
    let wrong = |rule: &str, message: &str| Err(Failure::from(("password", rule, json!({ "message": message }))));
    match value {
        Value::String(text) if text.is_empty() => wrong("minLength", "String must be at least 1 characters"),
        Value::String(text) if text.len() > MAX_PASSWORD => {
            wrong("maxLength", "String must not be more than 1024 characters")
        }
        Value::String(text) => Ok(Secret::new(text.into_bytes())),
        Value::Number(number) => Ok(Secret::new(number.to_string().into_bytes())),
        _ => wrong("type", "Value did not match type(s): string"),
    }
}

fn missing(field: &str, message: &str) -> Failure {
    let mut problems = Problems::default();
    problems.add(field, "required", json!({ "message": message }));
    Failure::Invalid(problems)
}
