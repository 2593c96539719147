//! The backend's configuration: what the operator wrote in its `[[backend]]` table.
//!
//! Most backends never call anything here: their `config` table arrives in [`Backend::configure`](crate::Backend::configure), read and
//! checked. Configured secrets are the exception. They are never part of that table, and are asked for by name.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::{JsonSchema, Secret, host};

/// One thing that is wrong with a configuration.
///
/// ```
/// use keyway_sdk::Problem;
///
/// let problem = Problem::at("/users/0/verifier", "is no PHC string; it begins `$argon2id$`, for example");
/// assert_eq!(problem.pointer, "/users/0/verifier");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer (RFC 6901) to the value; empty for the whole configuration.
    pub pointer: String,
    /// What is wrong and what would be right. No secret values.
    pub message: String,
}

impl Problem {
    /// Something wrong with the value at this JSON pointer.
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }

    /// Something wrong with the configuration as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self::at("", message)
    }
}

/// The `config` table as the operator wrote it, as a JSON object; `{}` where there is none.
pub fn json() -> String {
    host::config_json()
}

/// The secret that the operator configured under this name (`secrets.<name>`), or `None`.
///
/// ```
/// # use keyway_sdk::{*, testing::MockHost};
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde")]
/// # struct Partner {}
/// # impl Backend for Partner {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!() }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// fn verify(&self, _context: &Context, _login: &Login) -> Result<Outcome, Fault> {
///     let key = config::find_secret("partner").ok_or_else(|| Fault::misconfigured("there is no `secrets.partner`"))?;
///     // ...
/// #   drop(key);
/// #   Ok(Refusal::WrongCredential.into())
/// }
/// # }
/// # let host = MockHost::new();
/// # assert!(host.login::<Partner>("alice", "s3cre7").is_err());
/// # assert!(host.secret("partner", "k").login::<Partner>("alice", "s3cre7").is_ok());
/// ```
pub fn find_secret(name: &str) -> Option<Secret> {
    host::get_secret(name).map(Secret::new)
}

/// Reads a part of a configuration whose shape depends on another part. `pointer` is where `value` stands in the whole, and goes before that of the problem.
///
/// ```
/// use keyway_sdk::{Deserialize, config, json};
///
/// #[derive(Debug, Deserialize)]
/// #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
/// struct Server {
///     port: u16,
/// }
///
/// let problem = config::read::<Server>(&json!({ "port": "a" }), "/servers/first").unwrap_err();
/// assert_eq!(problem.pointer, "/servers/first/port");
/// ```
///
/// # Errors
/// The first thing that cannot be read. Its message holds no string of the configuration.
pub fn read<C: DeserializeOwned>(value: &serde_json::Value, pointer: &str) -> Result<C, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = without_value(&error.inner().to_string());
        Problem::at(format!("{pointer}{}", self::pointer(error.path())), message)
    })
}

/// Reads a configuration. Serde stops at the first thing it cannot read, so there is one problem at most.
pub(crate) fn parse<C: DeserializeOwned>(json: &str) -> Result<C, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let config = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| Problem::at(pointer(error.path()), without_value(&error.inner().to_string())))?;
    deserializer.end().map_err(|error| Problem::new(error.to_string()))?;
    Ok(config)
}

/// The JSON Schema (2020-12) of a configuration.
pub(crate) fn schema<C: JsonSchema>() -> String {
    schemars::schema_for!(C).as_value().to_string()
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            // An enum's variant is a key of the document only in one of serde's representations, and serde does not say which one
            // it read; the pointer to the value that holds it is right in all of them.
            Segment::Enum { .. } | Segment::Unknown => break,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

/// Serde's message without the position, which is meaningless in JSON that the host wrote, and without a string value that it quotes:
/// a configuration may hold verifiers, and the message goes to the log.
fn without_value(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(head, _)| head);
    for kind in ["invalid type: string", "invalid value: string"] {
        if message.starts_with(kind)
            && let Some((_, expected)) = message.rsplit_once(", expected ")
        {
            return format!("{kind}, expected {expected}");
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[serde(default)]
        servers: Vec<Server>,
        #[serde(default)]
        limits: BTreeMap<String, u32>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Server {
        port: u16,
    }

    #[track_caller]
    fn check(json: &str, pointer: &str, message: &str) {
        let problem = parse::<Example>(json).unwrap_err();
        assert_eq!((problem.pointer.as_str(), problem.message.as_str()), (pointer, message));
    }

    #[test]
    fn a_problem_points_at_the_value() {
        check(
            r#"{"servers":[{"port":1},{"port":true}]}"#,
            "/servers/1/port",
            "invalid type: boolean `true`, expected u16",
        );
        check(
            r#"{"limits":{"a/b~c":-1}}"#,
            "/limits/a~1b~0c",
            "invalid value: integer `-1`, expected u32",
        );
        check(r#"{"servers":[{}]}"#, "/servers/0", "missing field `port`");
    }

    #[test]
    fn an_unknown_key_is_named_and_pointed_at() {
        check(
            r#"{"severs":[]}"#,
            "/severs",
            "unknown field `severs`, expected `servers` or `limits`",
        );
        check(
            r#"{"servers":[{"prt":1}]}"#,
            "/servers/0/prt",
            "unknown field `prt`, expected `port`",
        );
    }

    #[test]
    fn a_problem_holds_no_string_of_the_configuration() {
        check(
            r#"{"limits":{"a":"$argon2id$, expected x"}}"#,
            "/limits/a",
            "invalid type: string, expected u32",
        );
    }

    #[test]
    fn what_is_no_object_is_a_problem_of_the_whole() {
        check("7", "", "invalid type: integer `7`, expected struct Example");
        check("", "", "EOF while parsing a value");
        check("{} {}", "", "trailing characters at line 1 column 4");
    }

    #[test]
    fn the_schema_is_of_2020_12_and_closed() {
        let schema: serde_json::Value = serde_json::from_str(&schema::<Example>()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["servers"]["type"], "array");
    }
}
