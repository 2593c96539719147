//! The kinds of resolvers: what this API and what the backend calls them, and what they are made of.

use keyway_core::port::BackendSettings;
use serde_json::Value;

use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::realm_config::Entry;

/// A kind of resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Passwd,
    Sql,
    Http,
    Backend,
    Directory,
}

/// How a value looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// An object, or a text that is JSON.
    Json,
    /// An object, whose secret values are kept apart.
    Headers,
}

/// A value of a resolver: what this API and what the backend calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) parameter: &'static str,
    pub(super) key: &'static str,
    pub(super) form: Form,
}

const fn field(parameter: &'static str, key: &'static str, form: Form) -> Field {
    Field { parameter, key, form }
}

const ON_ERROR: Field = field("on_error", "on_error", Form::Text);

const PASSWD: &[Field] = &[field("fileName", "file", Form::Text), ON_ERROR];
const SQL: &[Field] = &[
    field("Database", "database", Form::Text),
    field("Query", "query", Form::Text),
    field("FindQuery", "find_query", Form::Text),
    field("ListQuery", "list_query", Form::Text),
    field("Map", "map", Form::Json),
    ON_ERROR,
];
const HTTP: &[Field] = &[
    field("endpoint", "endpoint", Form::Text),
    field("host", "host", Form::Text),
    field("path", "path", Form::Text),
    field("method", "method", Form::Text),
    field("requestMapping", "body", Form::Json),
    field("responseMapping", "map", Form::Json),
    field("expect", "expect", Form::Json),
    field("headers", "headers", Form::Headers),
    field("config_get_user_by_name", "find", Form::Json),
    field("config_get_user_by_id", "find_by_userid", Form::Json),
    ON_ERROR,
];
const BACKEND: &[Field] = &[
    field("backend", "backend", Form::Text),
    field("map", "map", Form::Json),
    ON_ERROR,
];
const DIRECTORY: &[Field] = &[field("tenant", "tenant", Form::Text), ON_ERROR];

impl Kind {
    const ALL: [Self; 5] = [Self::Passwd, Self::Sql, Self::Http, Self::Backend, Self::Directory];

    /// As this API names it.
    pub(super) fn api_name(self) -> &'static str {
        match self {
            Self::Passwd => "passwdresolver",
            Self::Sql => "sqlresolver",
            Self::Http => "httpresolver",
            Self::Backend => "backend",
            Self::Directory => "directory",
        }
    }

    /// As the backend's configuration names it.
    pub(super) fn config_name(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Sql => "sql",
            Self::Http => "http",
            Self::Backend => "backend",
            Self::Directory => "directory",
        }
    }

    /// What it is made of.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::Passwd => PASSWD,
            Self::Sql => SQL,
            Self::Http => HTTP,
            Self::Backend => BACKEND,
            Self::Directory => DIRECTORY,
        }
    }

    /// The kind that a caller names.
    ///
    /// # Errors
    /// [`Failure::Parameter`] for one that there is not.
    pub(super) fn parse(name: &str) -> Result<Self, Failure> {
        if name == "ldapresolver" {
            return Err(Failure::Parameter(
                "LDAP is a backend of its own here: configure it as `[[backend]]`, grant it to this one with `grants.delegate`, and use the type `backend`"
                    .to_owned(),
            ));
        }
        let kind = Self::ALL.into_iter().find(|kind| kind.api_name() == name);
        kind.ok_or_else(|| {
            let names = Self::ALL.map(Self::api_name).join(", ");
            Failure::Parameter(format!("The parameter `type` is none of: {names}"))
        })
    }

    /// The kind of a resolver as the backend is configured with it.
    pub(super) fn of_config(config: &Value) -> Option<Self> {
        let name = config.get("type")?.as_str()?;
        Self::ALL.into_iter().find(|kind| kind.config_name() == name)
    }

    /// What it needs of the operator: the parameter and the key that name it, and the names that are granted.
    pub(super) fn stands_on(self, settings: &BackendSettings) -> Option<(&'static str, &'static str, &[String])> {
        match self {
            Self::Passwd => Some(("fileName", "file", &settings.files)),
            Self::Sql => Some(("Database", "database", &settings.databases)),
            Self::Http => Some(("endpoint", "endpoint", &settings.endpoints)),
            Self::Backend => Some(("backend", "backend", &settings.backends)),
            Self::Directory => None,
        }
    }
}

/// The type of a configured resolver, as this API names it.
pub(in crate::dialect::privacyidea) fn type_name<'a>(resolver: &Entry<'a>) -> &'a str {
    match Kind::of_config(resolver.value) {
        Some(kind) => kind.api_name(),
        None => resolver.value.get("type").and_then(Value::as_str).unwrap_or_default(),
    }
}
