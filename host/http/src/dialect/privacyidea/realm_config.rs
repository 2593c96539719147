//! Realms and resolvers as they are configured now, and to which realm a name belongs.

use std::collections::BTreeMap;

use keyway_core::port::{BackendSettings, BackendSettingsError};
use serde_json::{Map, Value};

use super::Privacyidea;
use super::error::{AuthFailure, Failure};

/// The parts of a backend's configuration.
const DEFAULT_REALM: &str = "default_realm";
const REALMS: &str = "realms";
const RESOLVERS: &str = "resolvers";
const SPLIT_AT_SIGN: &str = "split_at_sign";

/// Realms and resolvers.
pub(super) struct RealmConfig {
    pub(super) settings: BackendSettings,
}

/// One thing of the configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) value: &'a Value,
    /// Whether the configuration file says so. Then no API changes it.
    pub(super) is_fixed: bool,
}

/// A member of a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) resolver: &'a str,
    pub(super) priority: Option<i64>,
}

/// Somebody as a caller names the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The login name, without what stands for a realm in it.
    pub(super) login: String,
    /// The realm, in lower case, be there such a realm or not; `None` where the caller names none and none is the default.
    pub(super) realm: Option<String>,
    /// What the caller names as the realm, apart from the name: it goes before the realm in the name.
    pub(super) explicit: Option<String>,
}

impl Privacyidea {
    /// The realms and resolvers. There are none where no backend is configured for them.
    ///
    /// # Errors
    /// [`Failure::Desk`].
    pub(super) async fn realm_config(&self) -> Result<RealmConfig, Failure> {
        let settings = match self.desk() {
            None => BackendSettings::default(),
            Some(desk) => match desk.settings(&self.settings().backend).await {
                Err(BackendSettingsError::Unknown(_)) => BackendSettings::default(),
                settings => settings?,
            },
        };
        Ok(RealmConfig { settings })
    }
}

impl RealmConfig {
    /// The default realm.
    pub(super) fn default_realm(&self) -> Option<Entry<'_>> {
        self.entry(|config| config.get(DEFAULT_REALM).filter(|value| value.is_string()))
    }

    /// The default realm's name, in lower case.
    pub(super) fn default_name(&self) -> Option<String> {
        Some(self.default_realm()?.value.as_str()?.to_lowercase())
    }

    /// The realms by name, in lower case.
    pub(super) fn realms(&self) -> BTreeMap<String, Entry<'_>> {
        let mut realms = BTreeMap::new();
        for (name, entry) in self.entries(REALMS) {
            let held = realms.entry(name.to_lowercase()).or_insert(entry);
            if entry.is_fixed {
                *held = entry;
            }
        }
        realms
    }

    /// The resolvers by name.
    pub(super) fn resolvers(&self) -> BTreeMap<&str, Entry<'_>> {
        self.entries(RESOLVERS)
    }

    /// Whether there is a realm of this name, in lower case.
    pub(super) fn has_realm(&self, name: &str) -> bool {
        self.realms().contains_key(name)
    }

    /// Who says whether names are split into a login and a realm, if anybody does.
    pub(super) fn splitting(&self) -> Option<Entry<'_>> {
        self.entry(|config| config.get(SPLIT_AT_SIGN).filter(|value| value.is_boolean()))
    }

    /// Whether names are split into a login and a realm.
    pub(super) fn splits(&self) -> bool {
        self.splitting().and_then(|entry| entry.value.as_bool()).unwrap_or(true)
    }

    /// Whom a caller names by these two. Where no realms are configured, everything belongs to the name.
    pub(super) fn named(&self, username: &str, realm: Option<&str>) -> Named {
        let username = username.trim();
        let explicit = realm
            .map(|realm| realm.trim().to_lowercase())
            .filter(|realm| !realm.is_empty());
        let (login, split) = self.split(username);
        Named {
            login: login.to_owned(),
            realm: explicit.clone().or(split).or_else(|| self.default_name()),
            explicit,
        }
    }

    /// Refuses a realm that there is not.
    ///
    /// # Errors
    /// [`AuthFailure::UnknownRealm`].
    pub(super) fn check(&self, named: &Named) -> Result<(), AuthFailure> {
        match &named.realm {
            Some(realm) if !self.has_realm(realm) => Err(AuthFailure::UnknownRealm(realm.chars().take(64).collect())),
            _ => Ok(()),
        }
    }

    fn split<'a>(&self, username: &'a str) -> (&'a str, Option<String>) {
        if !self.splits() {
            return (username, None);
        }
        if let Some((login, realm)) = username.rsplit_once('@') {
            let realm = realm.to_lowercase();
            return if self.has_realm(&realm) {
                (login, Some(realm))
            } else {
                (username, None)
            };
        }
        match username.rsplit_once('\\') {
            Some(("", login)) => (login, None),
            Some((realm, login)) if !self.realms().is_empty() => (login, Some(realm.to_lowercase())),
            _ => (username, None),
        }
    }

    fn entry<'a>(&'a self, find: impl Fn(&'a Value) -> Option<&'a Value>) -> Option<Entry<'a>> {
        let fixed = find(&self.settings.fixed).map(|value| Entry { value, is_fixed: true });
        fixed.or_else(|| find(&self.settings.added).map(|value| Entry { value, is_fixed: false }))
    }

    fn entries(&self, part: &str) -> BTreeMap<&str, Entry<'_>> {
        let of = |config| Value::get(config, part).and_then(Value::as_object);
        let entries = |config, is_fixed| {
            let entries = of(config).into_iter().flatten();
            entries.map(move |(name, value)| (name.as_str(), Entry { value, is_fixed }))
        };
        let mut all: BTreeMap<_, _> = entries(&self.settings.added, false).collect();
        // Where both say something, the file's word holds.
        all.extend(entries(&self.settings.fixed, true));
        all
    }
}

impl RealmConfig {
    /// What APIs added, to be changed.
    pub(super) fn added(&self) -> Map<String, Value> {
        self.settings.added.as_object().cloned().unwrap_or_default()
    }

    /// The part of it that holds the realms.
    pub(super) fn added_realms(added: &mut Map<String, Value>) -> &mut Map<String, Value> {
        part(added, REALMS)
    }

    /// The part of it that holds the resolvers.
    pub(super) fn added_resolvers(added: &mut Map<String, Value>) -> &mut Map<String, Value> {
        part(added, RESOLVERS)
    }

    /// Says whether names are split; `None` for what the backend does by itself.
    pub(super) fn set_splitting(added: &mut Map<String, Value>, splits: Option<bool>) {
        match splits {
            Some(splits) => drop(added.insert(SPLIT_AT_SIGN.to_owned(), Value::from(splits))),
            None => drop(added.shift_remove(SPLIT_AT_SIGN)),
        }
    }

    /// Makes this realm the default one of what APIs added; `None` for none.
    pub(super) fn set_default(added: &mut Map<String, Value>, realm: Option<&str>) {
        match realm {
            Some(realm) => drop(added.insert(DEFAULT_REALM.to_owned(), Value::from(realm))),
            None => drop(added.shift_remove(DEFAULT_REALM)),
        }
    }
}

/// An object within an object; one is made where there is none.
fn part<'a>(of: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let slot = of.entry(name.to_owned()).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(fields) => fields,
        _ => unreachable!("it was made an object"),
    }
}

impl Entry<'_> {
    /// The members of a realm, in the order in which they are asked: by priority, then by name. One without a priority has 1000.
    pub(super) fn members(&self) -> Vec<Member<'_>> {
        let members = self
            .value
            .get(RESOLVERS)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut members: Vec<_> = members
            .filter_map(|member| {
                Some(Member {
                    resolver: member.as_str().or_else(|| member.get("name")?.as_str())?,
                    priority: member.get("priority").and_then(Value::as_i64),
                })
            })
            .collect();
        members.sort_by_key(|member| (member.priority.unwrap_or(1000), member.resolver.to_owned()));
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config() -> RealmConfig {
        RealmConfig {
            settings: BackendSettings {
                fixed: json!({"default_realm": "realm1", "realms": {"realm1": {"resolvers": [{"name": "b"}, {"name": "a"}, {"name": "c", "priority": 1}]}}}),
                added: json!({"default_realm": "realm2", "realms": {"realm1": {"resolvers": []}, "realm2": {}}}),
                ..BackendSettings::default()
            },
        }
    }

    #[test]
    fn name_is_split_as_privacyidea_does() {
        let config = config();
        for (username, realm, login, expected) in [
            ("alice", None, "alice", Some("realm1")),
            (" alice ", Some(""), "alice", Some("realm1")),
            ("alice@realm2", None, "alice", Some("realm2")),
            ("alice@REALM2", None, "alice", Some("realm2")),
            ("a@b@realm2", None, "a@b", Some("realm2")),
            ("alice@nosuch", None, "alice@nosuch", Some("realm1")),
            ("realm2\\alice", None, "alice", Some("realm2")),
            ("nosuch\\alice", None, "alice", Some("nosuch")),
            ("\\alice", None, "alice", Some("realm1")),
            ("realm2\\a@nosuch", None, "realm2\\a@nosuch", Some("realm1")),
            ("alice@realm2", Some("Realm1"), "alice", Some("realm1")),
            ("alice", Some("nosuch"), "alice", Some("nosuch")),
        ] {
            let named = config.named(username, realm);
            assert_eq!(
                (named.login.as_str(), named.realm.as_deref()),
                (login, expected),
                "{username} {realm:?}"
            );
            let failure = (expected == Some("nosuch")).then(|| AuthFailure::UnknownRealm("nosuch".to_owned()));
            assert_eq!(config.check(&named).err(), failure, "{username}");
        }
    }

    #[test]
    fn what_the_file_says_goes_before_what_apis_added() {
        let config = config();
        assert!(config.default_realm().expect("one").is_fixed);
        let realms = config.realms();
        let shown: Vec<_> = realms
            .iter()
            .map(|(name, realm)| (name.as_str(), realm.is_fixed, realm.members().len()))
            .collect();
        assert_eq!(shown, [("realm1", true, 3), ("realm2", false, 0)]);
        let order: Vec<_> = realms["realm1"]
            .members()
            .iter()
            .map(|member| member.resolver.to_owned())
            .collect();
        assert_eq!(order, ["c", "a", "b"]);
    }

    #[test]
    fn file_goes_before_apis_however_a_realm_is_written() {
        for (fixed, added) in [("Realm1", "realm1"), ("realm1", "Realm1")] {
            let config = RealmConfig {
                settings: BackendSettings {
                    fixed: json!({"realms": {fixed: {"resolvers": ["a"]}}}),
                    added: json!({"realms": {added: {"resolvers": ["a", "b"]}}}),
                    ..BackendSettings::default()
                },
            };
            let realms = config.realms();
            assert!(realms["realm1"].is_fixed, "{fixed}");
            assert_eq!(realms["realm1"].members().len(), 1, "{fixed}");
        }
    }
}
