//! What a policy says: names of actions, some with a value. Only what this server acts upon, or what grants nothing here, can be said: a policy that
//! would be kept and not followed is worse than none.

mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::PolicyError;

pub(crate) use table::{Action, find, list};

/// What a policy is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    /// What administrators may do.
    Admin,
    /// What users may do.
    User,
    /// How somebody proves who it is.
    Authentication,
    /// What follows from the proof.
    Authorization,
    /// How factors are made.
    Enrollment,
    /// Sessions, and what interfaces show.
    Webui,
}

impl Scope {
    /// Every scope.
    pub(crate) const ALL: [Self; 6] = [
        Self::Admin,
        Self::User,
        Self::Authentication,
        Self::Authorization,
        Self::Enrollment,
        Self::Webui,
    ];

    /// The scopes that the original knows and nothing here goes by.
    const WITHOUT_EFFECT: [&str; 6] = [
        "audit",
        "conditional_access",
        "container",
        "hardening",
        "register",
        "token",
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Enrollment => "enrollment",
            Self::Webui => "webui",
        }
    }

    /// The scope of this name.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`].
    pub(crate) fn parse(name: &str) -> Result<Self, PolicyError> {
        if let Some(scope) = Self::ALL.into_iter().find(|scope| scope.name() == name) {
            return Ok(scope);
        }
        Err(PolicyError::Invalid(if Self::WITHOUT_EFFECT.contains(&name) {
            format!("the scope `{name}` has no effect on this server")
        } else {
            format!("unknown scope `{name}`")
        }))
    }
}

/// What an action may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Flag,
    /// Any text.
    Text,
    /// A whole number, from the first to the second.
    Number(u32, u32),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Nothing, or one of these.
    FlagOr(&'static [&'static str]),
    /// So many in so much time: `5/10m`.
    Limit,
    /// Types of tokens, divided by spaces: all of these, and any others.
    TypesWith(&'static [&'static str]),
}

/// So many in so much time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limit {
    /// How many.
    pub(crate) count: u64,
    /// In how much time.
    pub(crate) within: Duration,
    /// As it was written.
    pub(crate) written: String,
}

impl Limit {
    /// `5/10m`, with `s`, `m` or `h`.
    pub(crate) fn parse(written: &str) -> Option<Self> {
        let bare: String = written.split_whitespace().collect();
        let (count, span) = bare.split_once('/')?;
        let unit = span.chars().next_back()?;
        let seconds = match unit.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u32>().ok()).flatten()
        };
        let span = number(span.strip_suffix(unit)?).filter(|span| *span > 0)?;
        Some(Self {
            count: number(count)?.into(),
            within: Duration::from_secs(u64::from(span) * seconds),
            written: bare,
        })
    }
}

/// What a policy says, by the action's name; `None` where there is no value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Actions(BTreeMap<&'static str, Option<String>>);

impl Actions {
    /// Reads `a, b=v`, a list of such, or an object in which `true` stands for no value.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`] for what this server does not act upon.
    pub(crate) fn parse(scope: Scope, value: &Value) -> Result<Self, PolicyError> {
        let mut actions = BTreeMap::new();
        for (name, value) in written(value)? {
            let action = find(scope, &name).ok_or_else(|| unknown(scope, &name))?;
            let value = action.check(value.as_deref())?;
            actions.insert(action.name, value);
        }
        Ok(Self(actions))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it says this.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value, the empty text where there is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_deref().unwrap_or_default())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (*name, value.as_deref()))
    }

    pub(crate) fn to_json(&self) -> Value {
        let fields = self.iter().map(|(name, value)| {
            let value = value.map_or(Value::Bool(true), Value::from);
            (name.to_owned(), value)
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

fn unknown(scope: Scope, name: &str) -> PolicyError {
    let scope = scope.name();
    PolicyError::Invalid(format!(
        "the action `{name}` has no effect in the scope `{scope}` of this server"
    ))
}

/// Names and values as they were written.
fn written(value: &Value) -> Result<Vec<(String, Option<String>)>, PolicyError> {
    let wrong = || PolicyError::Invalid("`action` is a text, a list of texts, or an object".to_owned());
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(divided(text)),
        Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(divided(item.as_str().ok_or_else(wrong)?));
            }
            Ok(all)
        }
        Value::Object(fields) => {
            let mut all = Vec::new();
            for (name, value) in fields {
                match value {
                    Value::Bool(false) | Value::Null => {}
                    Value::Bool(true) => all.push((name.clone(), None)),
                    Value::String(text) => all.push((name.clone(), Some(text.clone()))),
                    Value::Number(number) => all.push((name.clone(), Some(number.to_string()))),
                    Value::Array(_) | Value::Object(_) => return Err(wrong()),
                }
            }
            Ok(all)
        }
        Value::Bool(_) | Value::Number(_) => Err(wrong()),
    }
}

/// `a, b=v`, where a comma of a value stands behind a backslash.
fn divided(text: &str) -> Vec<(String, Option<String>)> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = character == '\\' && characters.peek() == Some(&',');
        if character == ',' {
            parts.push(String::new());
            continue;
        }
        let kept = if escaped {
            characters.next().unwrap_or(character)
        } else {
            character
        };
        if let Some(part) = parts.last_mut() {
            part.push(kept);
        }
    }
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim().to_owned(), Some(value.trim().to_owned())),
            None => (part.to_owned(), None),
        })
        .collect()
}

impl Action {
    /// The value in the form in which it is kept.
    fn check(&self, value: Option<&str>) -> Result<Option<String>, PolicyError> {
        let name = self.name;
        let wrong = |what: &str| Err(PolicyError::Invalid(format!("the action `{name}` takes {what}")));
        // A text in quotes is that text.
        let unquoted = value.map(|value| {
            let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            inner.unwrap_or(value)
        });
        match (self.kind, unquoted) {
            (Kind::Flag | Kind::FlagOr(_), None | Some("" | "true" | "True" | "1")) => Ok(None),
            (Kind::Flag, Some(_)) => wrong("no value"),
            (Kind::FlagOr(choices) | Kind::OneOf(choices), Some(value)) => {
                match choices.iter().find(|choice| choice.eq_ignore_ascii_case(value)) {
                    Some(choice) => Ok(Some((*choice).to_owned())),
                    None => wrong(&format!("one of {}", quoted(choices))),
                }
            }
            (Kind::Text, Some(value)) if !value.is_empty() => Ok(Some(value.to_owned())),
            (Kind::Number(least, most), Some(value)) => match value.parse::<u32>() {
                Ok(number) if (least..=most).contains(&number) => Ok(Some(number.to_string())),
                _ => wrong(&format!("a number from {least} to {most}")),
            },
            (Kind::Limit, Some(value)) => match Limit::parse(value) {
                Some(limit) => Ok(Some(limit.written)),
                None => wrong("a limit like `5/10m`"),
            },
            (Kind::TypesWith(all), Some(value)) => {
                let given: Vec<_> = value.split_whitespace().map(str::to_ascii_lowercase).collect();
                if all.iter().all(|kind| given.iter().any(|given| given == kind)) {
                    Ok(Some(given.join(" ")))
                } else {
                    wrong(&format!(
                        "types of tokens, {} among them: here it holds for all or for none",
                        quoted(all)
                    ))
                }
            }
            (Kind::OneOf(_) | Kind::Text | Kind::Number(..) | Kind::Limit | Kind::TypesWith(_), _) => wrong("a value"),
        }
    }

    /// As `/policy/defs` tells it.
    pub(crate) fn to_json(&self) -> Value {
        let mut told = Map::new();
        let (kind, choices) = match self.kind {
            Kind::Flag => ("bool", None),
            Kind::Number(..) => ("int", None),
            Kind::Text | Kind::Limit => ("str", None),
            Kind::OneOf(choices) | Kind::FlagOr(choices) | Kind::TypesWith(choices) => ("str", Some(choices)),
        };
        told.insert("type".to_owned(), kind.into());
        told.insert("desc".to_owned(), self.description.into());
        told.insert("group".to_owned(), self.group.into());
        if let Some(choices) = choices {
            told.insert("value".to_owned(), choices.into());
        }
        Value::Object(told)
    }
}

fn quoted(choices: &[&str]) -> String {
    let choices: Vec<_> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    choices.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(scope: Scope, value: impl Into<Value>) -> Value {
        Actions::parse(scope, &value.into()).expect("actions").to_json()
    }

    #[test]
    fn actions_are_a_text_a_list_or_an_object() {
        let told = json!({"enable": true, "otp_pin_minlength": "4"});
        for written in [
            json!("enable, otp_pin_minlength=4"),
            json!(["otp_pin_minlength = 4", "enable"]),
            json!({"enable": true, "otp_pin_minlength": 4, "disable": false}),
        ] {
            assert_eq!(parse(Scope::Admin, written), told);
        }
        assert_eq!(parse(Scope::User, json!("")), json!({}));
        assert_eq!(parse(Scope::User, Value::Null), json!({}));
    }

    #[test]
    fn a_comma_of_a_value_stands_behind_a_backslash() {
        insta::assert_snapshot!(parse(Scope::Enrollment, json!(r"tokenissuer=ACME\, Inc., tokenlabel='<u>@<r>'")), @r#"{"tokenissuer":"ACME, Inc.","tokenlabel":"<u>@<r>"}"#);
    }

    #[test]
    fn what_the_server_does_not_act_upon_is_refused() {
        let refused = |scope, value: &str| {
            let refused = Actions::parse(scope, &json!(value));
            refused.expect_err("no action").to_string()
        };
        insta::assert_snapshot!(refused(Scope::Authentication, "auth_cache=4h"), @"the action `auth_cache` has no effect in the scope `authentication` of this server");
        insta::assert_snapshot!(refused(Scope::Authentication, "otppin"), @"the action `otppin` takes a value");
        insta::assert_snapshot!(refused(Scope::Authentication, "otppin=maybe"), @"the action `otppin` takes one of `tokenpin`, `userstore`, `none`");
        insta::assert_snapshot!(refused(Scope::Authentication, "passthru=radius1"), @"the action `passthru` takes one of `userstore`");
        insta::assert_snapshot!(refused(Scope::Authentication, "challenge_response=hotp"), @"the action `challenge_response` takes types of tokens, `hotp`, `totp` among them: here it holds for all or for none");
        insta::assert_snapshot!(refused(Scope::Authorization, "auth_max_fail=5"), @"the action `auth_max_fail` takes a limit like `5/10m`");
        insta::assert_snapshot!(refused(Scope::Admin, "enable=perhaps"), @"the action `enable` takes no value");
        insta::assert_snapshot!(refused(Scope::Webui, "jwt_validity=0"), @"the action `jwt_validity` takes a number from 1 to 31536000");
        insta::assert_snapshot!(Scope::parse("container").expect_err("no scope"), @"the scope `container` has no effect on this server");
        insta::assert_snapshot!(Scope::parse("x").expect_err("no scope"), @"unknown scope `x`");
    }

    #[test]
    fn values_are_kept_in_one_form() {
        insta::assert_snapshot!(parse(Scope::Authentication, json!("otppin=TOKENPIN, challenge_response=HOTP totp sms, passthru=userstore")), @r#"{"challenge_response":"hotp totp sms","otppin":"tokenpin","passthru":"userstore"}"#);
        insta::assert_snapshot!(parse(Scope::Authorization, json!("auth_max_fail= 5 / 10 M")), @r#"{"auth_max_fail":"5/10M"}"#);
    }

    #[test]
    fn a_limit_is_so_many_in_so_much_time() {
        let limit = |text| Limit::parse(text).map(|limit| (limit.count, limit.within.as_secs()));
        assert_eq!(limit("5/10m"), Some((5, 600)));
        assert_eq!(limit("0/1h"), Some((0, 3600)));
        assert_eq!(limit("1/30s"), Some((1, 30)));
        for wrong in [
            "",
            "5",
            "5/",
            "5/m",
            "5/0m",
            "5/10d",
            "-5/10m",
            "5/10ä",
            "99999999999/1m",
        ] {
            assert_eq!(limit(wrong), None, "{wrong}");
        }
    }
}
