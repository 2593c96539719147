//! Resolvers of privacyIDEA's, as resolvers of a realm backend, and what the operator must grant before.

use serde_json::{Map, Value, json};

use super::report::{Wanted, WantedLdap};
use super::{RealmBackend, sql};
use crate::port::{PrivacyideaResolver, PrivacyideaValue};

/// The longest name of a realm or a resolver that a realm backend takes.
const MAX_NAME: usize = 64;

/// What becomes of a resolver.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Becomes {
    /// It can be used as it is.
    Ready(Value),
    /// The configuration lacks something.
    Wants(Wanted, &'static str),
    /// It has no counterpart.
    Impossible(String),
}

/// What becomes of a resolver that is not here yet.
pub(super) fn translate(resolver: &PrivacyideaResolver, backend: &RealmBackend) -> Becomes {
    if let Err(reason) = check_name(&resolver.name) {
        return Becomes::Impossible(reason);
    }
    let (name, grant) = (resolver.name.clone(), grant_name(&resolver.name));
    match resolver.kind.to_lowercase().as_str() {
        "passwdresolver" if backend.files.contains(&grant) => Becomes::Ready(json!({"type": "passwd", "file": grant})),
        "passwdresolver" => {
            let path = resolver.text("fileName").unwrap_or_default().to_owned();
            let wanted = Wanted::File {
                resolver: name,
                grant,
                path,
            };
            Becomes::Wants(wanted, "its file is not granted yet")
        }
        "sqlresolver" => match sql::translate(resolver) {
            Err(reason) => Becomes::Impossible(reason),
            Ok(translated) if backend.databases.contains(&grant) => Becomes::Ready(translated.resolver),
            Ok(translated) => {
                let wanted = Wanted::Database {
                    resolver: name,
                    grant,
                    url: translated.url,
                    has_password: translated.has_password,
                };
                Becomes::Wants(wanted, "its database is not granted yet")
            }
        },
        "ldapresolver" => Becomes::Wants(
            Wanted::Ldap(Box::new(ldap(resolver))),
            "it needs a backend of its own, which is not configured yet",
        ),
        "httpresolver" | "entraidresolver" | "keycloakresolver" | "scimresolver" => {
            let url = ["base_url", "Authserver", "Resourceserver"];
            let url = url.into_iter().find_map(|key| resolver.text(key)).unwrap_or_default();
            let wanted = Wanted::Http {
                resolver: name,
                grant,
                url: url.to_owned(),
            };
            Becomes::Wants(wanted, "its requests have to be described in the configuration")
        }
        other => Becomes::Impossible(format!("resolvers of the type `{other}` are not brought in")),
    }
}

/// Whether a realm backend takes a name.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_good) {
        Ok(())
    } else {
        Err(format!(
            "its name is not 1 to {MAX_NAME} letters, digits, `_`, `.` or `-`"
        ))
    }
}

/// The name of what is granted for a resolver, and of a backend for it: those take fewer characters than resolvers do.
pub(super) fn grant_name(resolver: &str) -> String {
    let legal = |character: char| match character.to_ascii_lowercase() {
        character if character.is_ascii_alphanumeric() || character == '-' => character,
        _ => '_',
    };
    resolver.chars().map(legal).collect()
}

/// Another resolver that would be granted the same.
pub(super) fn namesake<'a>(resolver: &PrivacyideaResolver, all: &'a [PrivacyideaResolver]) -> Option<&'a str> {
    let grant = grant_name(&resolver.name);
    let mut others = all.iter().map(|other| other.name.as_str());
    others.find(|other| *other != resolver.name && grant_name(other) == grant)
}

fn ldap(resolver: &PrivacyideaResolver) -> WantedLdap {
    let list = |key| {
        let parts = resolver.text(key).unwrap_or_default().split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let text = |key| resolver.text(key).unwrap_or_default().trim().to_owned();
    let map = resolver
        .text("USERINFO")
        .and_then(|map| crate::json::parse(map.as_bytes()).ok());
    let map = match map {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let attributes = map.into_iter().filter_map(|(name, attribute)| match attribute {
        Value::String(attribute) if name != "username" => Some((name, attribute)),
        _ => None,
    });
    WantedLdap {
        resolver: resolver.name.clone(),
        backend: grant_name(&resolver.name),
        servers: list("LDAPURI"),
        start_tls: matches!(text("START_TLS").to_lowercase().as_str(), "1" | "true" | "on"),
        has_password: resolver.has_secret("BINDPW"),
        base_dn: text("LDAPBASE"),
        bind_dn: text("BINDDN"),
        login_attributes: list("LOGINNAMEATTRIBUTE"),
        filter: text("LDAPSEARCHFILTER"),
        uid_attribute: text("UIDTYPE"),
        attributes: attributes.collect(),
    }
}

impl PrivacyideaResolver {
    /// A setting that is no secret.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        found.and_then(|(_, value)| match value {
            PrivacyideaValue::Text(text) => Some(text.as_str()),
            PrivacyideaValue::Encrypted(_) => None,
        })
    }

    /// Whether there is a secret under this key.
    pub(super) fn has_secret(&self, key: &str) -> bool {
        let mut settings = self
            .settings
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(key));
        settings.any(|(_, value)| matches!(value, PrivacyideaValue::Encrypted(text) if !text.expose().is_empty()))
    }
}
