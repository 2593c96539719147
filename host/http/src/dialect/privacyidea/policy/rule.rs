//! One policy.

use serde_json::{Map, Value, json};

use super::PolicyError;
use super::action::{Actions, Scope};
use super::condition::{Condition, Known};
use super::hours::Hours;
use super::names::Names;
use super::networks::Networks;
use super::set::Circumstances;

/// The longest name, as the original has it.
const MAX_NAME: usize = 64;

/// A policy: what it says, and when.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) scope: Scope,
    pub(crate) actions: Actions,
    /// The smallest number has the say.
    pub(crate) priority: u32,
    realm: Names,
    resolver: Names,
    user: Names,
    admin_realm: Names,
    admin_user: Names,
    client: Networks,
    time: Hours,
    user_agents: Names,
    conditions: Vec<Condition>,
    user_case_insensitive: bool,
    description: Value,
}

/// The fields that are written. The others that the original has are read, and must say nothing.
const FIELDS: [&str; 17] = [
    "active",
    "scope",
    "action",
    "priority",
    "realm",
    "resolver",
    "user",
    "adminrealm",
    "adminuser",
    "client",
    "time",
    "user_agents",
    "conditions",
    "user_case_insensitive",
    "description",
    "pinode",
    "check_all_resolvers",
];

impl Policy {
    /// Whether a policy may have this name.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn check_name(name: &str) -> Result<(), PolicyError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let lower = name.to_ascii_lowercase();
        let reserved = matches!(lower.as_str(), "check" | "defs") || lower.starts_with("pi-update-policy-");
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(legal) || reserved {
            return Err(PolicyError::Invalid(format!(
                "the name of a policy is 1 to {MAX_NAME} characters of `a-zA-Z0-9_.-`, and none of `check` and `defs`"
            )));
        }
        Ok(())
    }

    /// What a request writes: its fields over those of the policy that is there. Whether it is active and its priority are always written anew.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn write(name: &str, fields: &Map<String, Value>, present: Option<&Self>) -> Result<Self, PolicyError> {
        Self::check_name(name)?;
        let mut whole = match present.map(Self::to_json) {
            Some(Value::Object(present)) => present,
            Some(_) | None => Map::new(),
        };
        whole.remove("active");
        whole.remove("priority");
        whole.remove("description");
        for field in FIELDS {
            if let Some(value) = fields.get(field).filter(|value| !value.is_null()) {
                whole.insert(field.to_owned(), value.clone());
            }
        }
        if !fields.contains_key("scope") {
            return Err(missing("scope"));
        }
        let policy = Self::parse(name, &whole)?;
        // In the scope `user`, a policy without actions takes everything away; anywhere else it is a mistake.
        if (!fields.contains_key("action") || policy.actions.is_empty()) && policy.scope != Scope::User {
            return Err(missing("action"));
        }
        Ok(policy)
    }

    /// Reads a policy as it is stored.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn parse(name: &str, fields: &Map<String, Value>) -> Result<Self, PolicyError> {
        let get = |field: &str| fields.get(field).unwrap_or(&Value::Null);
        let scope = get("scope").as_str().ok_or_else(|| missing("scope"))?;
        let scope = Scope::parse(scope)?;
        let folds = flag("user_case_insensitive", get("user_case_insensitive"), false)?;
        let names = |field: &str, folds: bool| Names::parse(field, texts(field, get(field))?, folds);
        if !texts("pinode", get("pinode"))?.is_empty() {
            return Err(invalid("`pinode`: a policy holds on every node of this server"));
        }
        if flag("check_all_resolvers", get("check_all_resolvers"), false)? {
            return Err(invalid(
                "`check_all_resolvers`: the resolver that knows the user is the only one that counts",
            ));
        }
        let policy = Self {
            name: name.to_owned(),
            active: flag("active", get("active"), true)?,
            scope,
            actions: Actions::parse(scope, get("action"))?,
            priority: priority(get("priority"))?,
            realm: names("realm", true)?,
            resolver: names("resolver", false)?,
            user: names("user", folds)?,
            admin_realm: names("adminrealm", true)?,
            admin_user: names("adminuser", folds)?,
            client: Networks::parse(texts("client", get("client"))?)?,
            time: Hours::parse(get("time").as_str().unwrap_or_default())?,
            user_agents: Names::parse("user_agents", texts("user_agents", get("user_agents"))?, true)?,
            conditions: conditions(get("conditions"))?,
            user_case_insensitive: folds,
            description: get("description").as_str().map_or(Value::Null, Value::from),
        };
        policy.check()
    }

    /// What would be kept and never be looked at.
    fn check(self) -> Result<Self, PolicyError> {
        let of_admins = self.scope == Scope::Admin;
        if !(of_admins || self.admin_realm.is_empty() && self.admin_user.is_empty()) {
            return Err(invalid(
                "`adminrealm` and `adminuser` have a meaning in the scope `admin` alone",
            ));
        }
        if of_admins && self.conditions.iter().any(Condition::asks_for_user) {
            return Err(invalid(
                "`conditions`: in the scope `admin`, this server cannot evaluate `userinfo`",
            ));
        }
        Ok(self)
    }

    /// The same, active or not.
    pub(crate) fn switched(self, active: bool) -> Self {
        Self { active, ..self }
    }

    /// As the API shows it, and as it is stored.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "active": self.active,
            "scope": self.scope.name(),
            "action": self.actions.to_json(),
            "realm": self.realm.written(),
            "resolver": self.resolver.written(),
            "user": self.user.written(),
            "adminrealm": self.admin_realm.written(),
            "adminuser": self.admin_user.written(),
            "client": self.client.written(),
            "time": self.time.written(),
            "user_agents": self.user_agents.written(),
            "conditions": self.conditions.iter().map(Condition::to_json).collect::<Vec<_>>(),
            "priority": self.priority,
            "user_case_insensitive": self.user_case_insensitive,
            "description": self.description,
            "pinode": [],
            "check_all_resolvers": false,
        })
    }

    /// Whether it can only be judged once the user has been looked up: its canonical name, its resolver, what is known of it.
    pub(crate) fn asks_for_user(&self) -> bool {
        let by_name = !self.user.is_empty() || !self.resolver.is_empty();
        by_name || self.conditions.iter().any(Condition::asks_for_user)
    }

    /// Whether it is active and holds for who asks, about whom, from where, when: all but its conditions.
    pub(crate) fn fits(&self, circumstances: &Circumstances<'_>) -> bool {
        let fits_user = circumstances.user.as_ref().is_none_or(|user| {
            self.realm.fits(&user.realm)
                && self.user.fits(&user.login)
                && self.resolver.fits(user.resolver.as_deref().unwrap_or_default())
        });
        let fits_admin = self.scope != Scope::Admin
            || circumstances
                .admin
                .as_ref()
                .is_some_and(|admin| self.admin_realm.fits(&admin.realm) && self.admin_user.fits(&admin.login));
        self.active
            && fits_user
            && fits_admin
            && self.client.fits(circumstances.client)
            && self.time.fit(circumstances.moment)
            && self.user_agents.fits(circumstances.user_agent())
    }

    /// Whether its conditions hold.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`].
    pub(crate) fn holds(&self, circumstances: &Circumstances<'_>) -> Result<bool, PolicyError> {
        let known = Known {
            user: circumstances.user.as_ref().map(|user| user.attributes.as_slice()),
            headers: circumstances.headers,
        };
        for condition in &self.conditions {
            if !condition.holds(&self.name, known)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it names this realm.
    pub(crate) fn names_realm(&self, realm: &str) -> bool {
        self.realm.written().iter().any(|name| name.eq_ignore_ascii_case(realm))
    }

    /// Whether it is limited to some realms, resolvers or users.
    pub(crate) fn is_limited(&self) -> bool {
        !(self.realm.is_empty() && self.user.is_empty() && self.resolver.is_empty())
    }
}

fn invalid(text: &str) -> PolicyError {
    PolicyError::Invalid(text.to_owned())
}

fn missing(field: &str) -> PolicyError {
    PolicyError::Invalid(format!("Missing parameter: '{field}'"))
}

/// A list, or a text with commas.
fn texts(field: &str, value: &Value) -> Result<Vec<String>, PolicyError> {
    let wrong = || PolicyError::Invalid(format!("`{field}` is a list of texts, or a text with commas"));
    let items: Vec<&str> = match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.split(',').collect(),
        Value::Array(items) => {
            let items: Option<_> = items.iter().map(Value::as_str).collect();
            items.ok_or_else(wrong)?
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(wrong()),
    };
    let items = items.into_iter().map(str::trim).filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}

fn flag(field: &str, value: &Value, default: bool) -> Result<bool, PolicyError> {
    match value {
        Value::Null => Ok(default),
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if matches!(text.as_str(), "true" | "True" | "TRUE" | "1") => Ok(true),
        Value::String(text) if matches!(text.as_str(), "false" | "False" | "FALSE" | "0" | "") => Ok(false),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
        _ => Err(PolicyError::Invalid(format!("`{field}` is true or false"))),
    }
}

fn priority(value: &Value) -> Result<u32, PolicyError> {
    let number = match value {
        Value::Null => Some(1),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let number = number
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0);
    number.ok_or_else(|| invalid("`priority` is a number from 1 on"))
}

/// A list of conditions; in a form, the same as JSON text.
fn conditions(value: &Value) -> Result<Vec<Condition>, PolicyError> {
    let wrong = || invalid("`conditions` is a list");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
        Value::String(text) => match keyway_core::json::parse(text.as_bytes()) {
            Ok(Value::Array(items)) => items.iter().map(Condition::parse).collect(),
            Ok(_) | Err(_) => Err(wrong()),
        },
        Value::Array(items) => items.iter().map(Condition::parse).collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other}"),
        }
    }

    fn write(value: Value) -> Result<Policy, PolicyError> {
        Policy::write("p1", &fields(value), None)
    }

    #[test]
    fn a_policy_is_shown_as_it_is_stored() {
        let written = write(json!({
            "scope": "webui", "action": "jwt_validity=600, login_mode=userstore", "realm": "realm1, *", "client": "10.0.0.0/8,-10.0.0.1",
            "time": "Mon-Fri: 9-18", "user_agents": "privacyidea-cp", "priority": "3", "active": "0",
            "conditions": [["userinfo", "group", "contains", "staff", true]],
        }))
        .expect("a policy");
        let shown = written.to_json();
        insta::assert_snapshot!(shown, @r#"{"name":"p1","active":false,"scope":"webui","action":{"jwt_validity":"600","login_mode":"userstore"},"realm":["realm1","*"],"resolver":[],"user":[],"adminrealm":[],"adminuser":[],"client":["10.0.0.0/8","-10.0.0.1"],"time":"Mon-Fri: 9-18","user_agents":["privacyidea-cp"],"conditions":[["userinfo","group","contains","staff",true,"raise_error"]],"priority":3,"user_case_insensitive":false,"description":null,"pinode":[],"check_all_resolvers":false}"#);
        let read = Policy::parse("p1", &fields(shown.clone())).expect("the same policy");
        assert_eq!(read.to_json(), shown);
    }

    #[test]
    fn writing_keeps_what_is_not_said_besides_being_active_and_the_priority() {
        let first = write(json!({"scope": "user", "action": "enable", "realm": "r1", "priority": 5, "active": false}))
            .expect("a policy");
        let second =
            Policy::write("p1", &fields(json!({"scope": "user", "user": ["bob"]})), Some(&first)).expect("a policy");
        let shown = second.to_json();
        assert_eq!(
            (&shown["realm"], &shown["user"], &shown["action"]),
            (&json!(["r1"]), &json!(["bob"]), &json!({"enable": true}))
        );
        assert_eq!((&shown["priority"], &shown["active"]), (&json!(1), &json!(true)));
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let refused = |value: Value| write(value).expect_err("no policy").to_string();
        insta::assert_snapshot!(refused(json!({"action": "enable"})), @"Missing parameter: 'scope'");
        insta::assert_snapshot!(refused(json!({"scope": "admin"})), @"Missing parameter: 'action'");
        insta::assert_snapshot!(refused(json!({"scope": "admin", "action": " , "})), @"Missing parameter: 'action'");
        insta::assert_snapshot!(refused(json!({"scope": "user", "priority": 0})), @"`priority` is a number from 1 on");
        insta::assert_snapshot!(refused(json!({"scope": "user", "active": "maybe"})), @"`active` is true or false");
        insta::assert_snapshot!(refused(json!({"scope": "user", "pinode": "node1"})), @"`pinode`: a policy holds on every node of this server");
        insta::assert_snapshot!(refused(json!({"scope": "user", "check_all_resolvers": true})), @"`check_all_resolvers`: the resolver that knows the user is the only one that counts");
        insta::assert_snapshot!(refused(json!({"scope": "user", "adminuser": "root"})), @"`adminrealm` and `adminuser` have a meaning in the scope `admin` alone");
        insta::assert_snapshot!(refused(json!({"scope": "user", "conditions": "x"})), @"`conditions` is a list");
        insta::assert_snapshot!(refused(json!({"scope": "user", "realm": 7})), @"`realm` is a list of texts, or a text with commas");
        insta::assert_snapshot!(refused(json!({"scope": "admin", "action": "enable", "conditions": [["userinfo", "a", "equals", "b", true]]})), @"`conditions`: in the scope `admin`, this server cannot evaluate `userinfo`");
    }

    #[test]
    fn names_are_short_words() {
        for wrong in ["", "check", "Check", "a b", "ä", "pi-update-policy-1", &"x".repeat(65)] {
            assert!(Policy::check_name(wrong).is_err(), "{wrong}");
        }
        Policy::check_name("super_admin-2.0").expect("a name");
    }
}
