//! What a request says of an account.

use keyway_core::account::NewAccount;
use keyway_core::model::{Account, Timestamp};
use serde_json::{Map, Value, json};

use super::gregorian::of_gregorian;
use crate::dialect::kazoo::error::Failure;
use crate::dialect::kazoo::schema::{Field, Kind, Problems, Schema};

pub(super) const RESELLER: &str = "is_reseller";
pub(super) const RESELLER_ID: &str = "reseller_id";
pub(super) const SUPERDUPER: &str = "superduper_admin";
pub(super) const DESCENDANTS: &str = "descendants_count";
pub(super) const TRIAL_LEFT: &str = "trial_time_left";

/// What clients read and never write.
const TOLD: [&str; 6] = ["id", RESELLER, RESELLER_ID, SUPERDUPER, DESCENDANTS, TRIAL_LEFT];

/// What stays as it is where a whole account is sent without it.
const GOVERNED: [&str; 4] = ["realm", "enabled", "phone_numbers", "trial_expires"];

/// What has a place of its own, outside of the document.
const PLACED: [&str; 7] = [
    "name",
    "realm",
    "language",
    "timezone",
    "enabled",
    "phone_numbers",
    "trial_expires",
];

const SCHEMA: Schema = Schema {
    fields: &[
        Field::text("name", 1, 128),
        realm("realm", 4),
        Field::text("language", 1, 35),
        Field::text("timezone", 1, 64),
        Field::of("enabled", Kind::Flag),
        Field::of("phone_numbers", Kind::List),
        Field::of("trial_expires", Kind::Whole),
    ],
    closed: false,
};

/// A field that holds a realm, of so many letters at least.
pub(in crate::dialect::kazoo) const fn realm(name: &'static str, min: usize) -> Field {
    let kind = Kind::Pattern {
        min,
        max: 253,
        pattern: r"^[.\w_-]+$",
        fits: is_realm,
    };
    Field::of(name, kind)
}

fn is_realm(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.bytes().all(fits)
}

/// Whether a field of a document is the server's own: clients neither read nor write it.
pub(in crate::dialect::kazoo) fn closed_to_clients(name: &str) -> bool {
    name.starts_with("pvt_") || name.starts_with('_')
}

/// Puts fields into a document: objects into objects, and what is null takes away what is there.
pub(in crate::dialect::kazoo) fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (_, Value::Null) => drop(into.remove(name)),
            (Some(Value::Object(inner)), Value::Object(value)) => merge(inner, value),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
}

/// Takes over what a whole account does not say.
pub(super) fn keep_governed(data: &mut Map<String, Value>, current: &Map<String, Value>) {
    for name in GOVERNED {
        if let (false, Some(value)) = (data.contains_key(name), current.get(name)) {
            data.insert(name.to_owned(), value.clone());
        }
    }
}

/// What those above an account say of it, as far as a request says it.
#[derive(Debug, Default)]
pub(super) struct Governed {
    enabled: Option<bool>,
    phone_numbers: Option<Vec<String>>,
    trial: Trial,
}

/// What a request says of the end of a trial.
#[derive(Debug, Default)]
enum Trial {
    #[default]
    Nothing,
    /// When it ends; `None` for never.
    Ends(Option<Timestamp>),
}

/// An account as a request has it.
pub(super) struct Content {
    pub(super) name: Option<String>,
    pub(super) realm: Option<String>,
    language: Option<String>,
    timezone: Option<String>,
    enabled: bool,
    phone_numbers: Vec<String>,
    trial_expires_at: Option<Timestamp>,
    document: Map<String, Value>,
}

impl Content {
    /// An account to be made, or one that has a name.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(super) fn named(data: &Map<String, Value>) -> Result<Self, Failure> {
        if data.get("name").is_none_or(Value::is_null) {
            let mut problems = Problems::default();
            problems.required("name", data);
            problems.into_result()?;
        }
        Self::parse(data)
    }

    /// An account that may go without a name, since it was made elsewhere without.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(super) fn parse(data: &Map<String, Value>) -> Result<Self, Failure> {
        let data = SCHEMA.check(data)?;
        let text = |name: &str| data.get(name).and_then(Value::as_str).map(str::to_owned);
        let numbers = data.get("phone_numbers").and_then(Value::as_array);
        let numbers = numbers.into_iter().flatten().map(number);
        let phone_numbers = numbers.collect::<Result<_, _>>()?;
        Ok(Self {
            name: text("name"),
            realm: text("realm"),
            language: text("language"),
            timezone: text("timezone"),
            enabled: data.get("enabled").and_then(Value::as_bool).unwrap_or(true),
            phone_numbers,
            trial_expires_at: data.get("trial_expires").and_then(Value::as_i64).map(of_gregorian),
            document: rest(data, &PLACED, &TOLD),
        })
    }

    /// Whether what those above an account say of it stays as it is.
    pub(super) fn leaves_governed(&self, current: &Account) -> bool {
        // This API counts in whole seconds.
        let trial = current.trial_expires_at.map(Timestamp::whole_seconds);
        self.enabled == current.enabled && self.trial_expires_at == trial && self.phone_numbers == current.phone_numbers
    }

    /// What those above an account say of it, as far as it was sent.
    pub(super) fn governed(&self, sent: &Map<String, Value>) -> Governed {
        Governed {
            enabled: sent.contains_key("enabled").then_some(self.enabled),
            phone_numbers: sent.contains_key("phone_numbers").then(|| self.phone_numbers.clone()),
            trial: if sent.contains_key("trial_expires") {
                Trial::Ends(self.trial_expires_at)
            } else {
                Trial::Nothing
            },
        }
    }

    /// As an account to be made.
    pub(super) fn into_new(self) -> NewAccount {
        NewAccount {
            realm: self.realm,
            enabled: self.enabled,
            trial_expires_at: self.trial_expires_at,
            language: self.language,
            timezone: self.timezone,
            phone_numbers: self.phone_numbers,
            document: self.document,
            ..NewAccount::named(self.name.as_deref().unwrap_or_default())
        }
    }

    /// In the place of what is said of an account. What the server keeps there for itself stays, and so does what nobody said anything of who has a say in
    /// it.
    pub(super) fn put_over(&self, current: Account, said: &Governed) -> Account {
        let mut document = self.document.clone();
        let kept = current.document.iter().filter(|(name, _)| closed_to_clients(name));
        document.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        let trial_expires_at = match said.trial {
            // The part of a second that this API does not tell is kept.
            Trial::Ends(said) if said != current.trial_expires_at.map(Timestamp::whole_seconds) => said,
            _ => current.trial_expires_at,
        };
        Account {
            enabled: said.enabled.unwrap_or(current.enabled),
            trial_expires_at,
            language: self.language.clone(),
            timezone: self.timezone.clone(),
            phone_numbers: said.phone_numbers.clone().unwrap_or(current.phone_numbers),
            document,
            ..current
        }
    }
}

/// What is left of the data for the document.
pub(in crate::dialect::kazoo) fn rest(
    mut data: Map<String, Value>,
    placed: &[&str],
    told: &[&str],
) -> Map<String, Value> {
    data.retain(|name, value| {
        let has_place = placed.contains(&name.as_str()) || told.contains(&name.as_str());
        !has_place && !closed_to_clients(name) && !value.is_null()
    });
    data
}

fn number(value: &Value) -> Result<String, Failure> {
    let wrong = || {
        let message = "Value did not match type(s): string";
        let detail = json!({ "message": message, "target": "string", "value": value });
        Failure::from(("phone_numbers", "type", detail))
    };
    value.as_str().map(str::to_owned).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else {
            panic!("{value} is no object")
        };
        object
    }

    #[test]
    fn what_is_null_goes_and_objects_grow_together() {
        let mut document = object(json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": [1] }));
        merge(
            &mut document,
            &object(json!({ "a": null, "b": { "c": null, "f": 4 }, "e": [2] })),
        );
        assert_eq!(Value::Object(document), json!({ "b": { "d": 3, "f": 4 }, "e": [2] }));
    }

    #[test]
    fn nobody_brings_back_what_those_above_changed_after_it_was_read() {
        let nobody = keyway_core::model::TenantId(uuid::Uuid::nil());
        let read = Account::of(nobody);
        let now = Account {
            enabled: false,
            trial_expires_at: Some(Timestamp(1_700_000_000_123_456)),
            reseller: true,
            phone_numbers: vec!["1".to_owned()],
            document: object(json!({ "pvt_security": { "a": 1 }, "x": 1 })),
            ..read.clone()
        };
        let sent = object(json!({ "x": 2, "enabled": true, "phone_numbers": [] }));
        let content = Content::parse(&sent).expect("an account");
        let changed = Account {
            document: object(json!({ "pvt_security": { "a": 1 }, "x": 2 })),
            ..now.clone()
        };
        assert!(content.leaves_governed(&read));
        assert_eq!(
            content.put_over(now.clone(), &Governed::default()),
            changed,
            "its own administrator's"
        );
        assert_eq!(
            content.put_over(now.clone(), &content.governed(&object(json!({ "x": 2 })))),
            changed,
            "not sent"
        );
        let governed = content.put_over(now.clone(), &content.governed(&sent));
        let expected = Account {
            enabled: true,
            phone_numbers: Vec::new(),
            ..changed.clone()
        };
        assert_eq!(governed, expected, "of those above who said so");
        let sent = object(json!({ "trial_expires": null }));
        let ended = content.put_over(now, &content.governed(&sent));
        assert_eq!((ended.trial_expires_at, ended.enabled), (None, false));
    }

    #[test]
    fn the_document_holds_what_has_no_place_of_its_own() {
        let sent = json!({
            "name": "acme", "id": "x", "pvt_tree": [], "_id": "x", "is_reseller": true, "ui_flags": { "a": 1 }, "gone": null,
        });
        let content = Content::named(&object(sent)).expect("an account");
        assert_eq!(Value::Object(content.document), json!({ "ui_flags": { "a": 1 } }));
    }
}
