//! Conditions of policies on what is known of the user and of the request.

use http::HeaderMap;
use regex::Regex;
use serde_json::{Value, json};

use super::PolicyError;
use super::names::whole;

/// Where a value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// What the resolver knows of the user.
    UserInfo,
    /// The request's headers.
    Header,
}

impl Section {
    pub(crate) const ALL: [Self; 2] = [Self::UserInfo, Self::Header];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UserInfo => "userinfo",
            Self::Header => "HTTP Request header",
        }
    }
}

/// What counts if the value is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Error,
    Holds,
    Fails,
}

impl Missing {
    const ALL: [(&'static str, Self); 3] = [
        ("raise_error", Self::Error),
        ("condition_is_true", Self::Holds),
        ("condition_is_false", Self::Fails),
    ];

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Error => ("An error", "The request fails."),
            Self::Holds => ("True", "The condition holds."),
            Self::Fails => ("False", "The condition does not hold."),
        }
    }

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, missing)| *missing == self)
            .map_or("raise_error", |(name, _)| name)
    }
}

/// How a value is compared, besides being negated.
#[derive(Debug, Clone)]
enum Comparison {
    Equals,
    /// One of several values is it.
    Contains,
    /// Part of the value, without regard to case.
    StringContains,
    Matches(Regex),
    In(Vec<String>),
    Below(i64),
    Above(i64),
}

/// The names of comparisons, and what each means.
pub(crate) const COMPARATORS: [(&str, &str); 12] = [
    ("equals", "The value is this one."),
    ("!equals", "The value is not this one."),
    ("contains", "This is one of the values."),
    ("!contains", "This is none of the values."),
    ("string_contains", "The value has this text in it; case does not count."),
    (
        "!string_contains",
        "The value does not have this text in it; case does not count.",
    ),
    ("matches", "The whole value fits this pattern."),
    ("!matches", "The value does not fit this pattern."),
    ("in", "The value is one of these, which commas divide."),
    ("!in", "The value is none of these, which commas divide."),
    ("<", "The value is a smaller number."),
    (">", "The value is a greater number."),
];

/// What conditions may be made of, as `/policy/defs/conditions` tells it.
pub(crate) fn definitions() -> Value {
    let told = |text: &str| json!({ "description": text });
    let sections = [
        (Section::UserInfo, "What the resolver knows of the user."),
        (Section::Header, "The request's headers."),
    ];
    let sections = sections.map(|(section, text)| (section.name().to_owned(), told(text)));
    let comparators = COMPARATORS.map(|(name, text)| (name.to_owned(), told(text)));
    let missing = Missing::ALL.map(|(name, missing)| {
        let (shown, text) = missing.told();
        (name.to_owned(), json!({"display_value": shown, "description": text}))
    });
    json!({
        "sections": Value::Object(sections.into_iter().collect()),
        "comparators": Value::Object(comparators.into_iter().collect()),
        "handle_missing_data": Value::Object(missing.into_iter().collect()),
    })
}

/// What must be so for a policy to hold.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    section: Section,
    key: String,
    comparator: &'static str,
    comparison: Comparison,
    value: String,
    active: bool,
    missing: Missing,
}

/// What conditions can look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// What the resolver knows of the user; `None` where there is no user.
    pub(crate) user: Option<&'a [(String, String)]>,
    pub(crate) headers: &'a HeaderMap,
}

impl Condition {
    /// Reads `[section, key, comparator, value, active]`, with what counts if the value is missing as a sixth.
    ///
    /// # Errors
    /// [`PolicyError::Invalid`], also for what cannot be evaluated here.
    pub(crate) fn parse(value: &Value) -> Result<Self, PolicyError> {
        let wrong = |what: String| PolicyError::Invalid(format!("`conditions`: {what}"));
        let shape = || {
            wrong("each is a list of section, key, comparator, value, whether it is active, and `raise_error`, `condition_is_true` or `condition_is_false`".to_owned())
        };
        let (section, key, comparator, value, active, missing) = match value.as_array().map(Vec::as_slice) {
            Some([section, key, comparator, value, active]) => (section, key, comparator, value, active, None),
            Some([section, key, comparator, value, active, missing]) => (
                section,
                key,
                comparator,
                value,
                active,
                missing.as_str().or(Some("")).filter(|_| !missing.is_null()),
            ),
            _ => return Err(shape()),
        };
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(shape)
        };
        let (section, key, comparator, value) = (text(section)?, text(key)?, text(comparator)?, text(value)?);
        let section = Section::ALL.into_iter().find(|known| known.name() == section);
        let section = section.ok_or_else(|| {
            wrong("this server can evaluate the sections `userinfo` and `HTTP Request header` alone".to_owned())
        })?;
        let known = COMPARATORS.iter().find(|(name, _)| *name == comparator);
        let (comparator, _) =
            known.ok_or_else(|| wrong(format!("this server does not know the comparator `{comparator}`")))?;
        let comparison = compare(comparator, &value)
            .ok_or_else(|| wrong(format!("`{value}` is nothing for the comparator `{comparator}`")))?;
        let missing = match missing {
            None => Missing::Error,
            Some(name) => {
                let known = Missing::ALL.iter().find(|(known, _)| *known == name);
                known.map(|(_, missing)| *missing).ok_or_else(shape)?
            }
        };
        Ok(Self {
            section,
            key,
            comparator,
            comparison,
            value,
            active: active.as_bool().ok_or_else(shape)?,
            missing,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        json!([
            self.section.name(),
            self.key,
            self.comparator,
            self.value,
            self.active,
            self.missing.name()
        ])
    }

    /// Whether it looks at what the resolver knows of the user.
    pub(crate) fn asks_for_user(&self) -> bool {
        self.active && self.section == Section::UserInfo
    }

    /// Whether it is so. One that is not active always is.
    ///
    /// # Errors
    /// [`PolicyError::NotKnown`], with the policy's name.
    pub(crate) fn holds(&self, policy: &str, known: Known<'_>) -> Result<bool, PolicyError> {
        if !self.active {
            return Ok(true);
        }
        let values: Vec<&str> = match self.section {
            Section::UserInfo => {
                let attributes = known.user.unwrap_or_default().iter();
                attributes
                    .filter(|(key, _)| *key == self.key)
                    .map(|(_, value)| value.as_str())
                    .collect()
            }
            Section::Header => {
                let values = known.headers.get_all(self.key.as_str()).iter();
                values.filter_map(|value| value.to_str().ok()).collect()
            }
        };
        if !values.is_empty() {
            return Ok(self.is_so(&values));
        }
        match self.missing {
            Missing::Holds => Ok(true),
            Missing::Fails => Ok(false),
            Missing::Error => Err(PolicyError::NotKnown {
                policy: policy.to_owned(),
                section: self.section.name(),
                key: self.key.clone(),
            }),
        }
    }

    fn is_so(&self, values: &[&str]) -> bool {
        let number = |value: &str| value.trim().parse::<i64>().ok();
        let is_so = |value: &&str| match &self.comparison {
            Comparison::Equals | Comparison::Contains => **value == self.value,
            Comparison::StringContains => value.to_lowercase().contains(&self.value.to_lowercase()),
            Comparison::Matches(pattern) => pattern.is_match(value),
            Comparison::In(list) => list.iter().any(|item| item == value),
            Comparison::Below(limit) => number(value).is_some_and(|number| number < *limit),
            Comparison::Above(limit) => number(value).is_some_and(|number| number > *limit),
        };
        values.iter().any(is_so) != self.comparator.starts_with('!')
    }
}

fn compare(comparator: &str, value: &str) -> Option<Comparison> {
    Some(match comparator.trim_start_matches('!') {
        "equals" => Comparison::Equals,
        "contains" => Comparison::Contains,
        "string_contains" => Comparison::StringContains,
        "matches" => Comparison::Matches(whole(value).ok()?),
        "in" => Comparison::In(value.split(',').map(|item| item.trim().to_owned()).collect()),
        "<" => Comparison::Below(value.trim().parse().ok()?),
        ">" => Comparison::Above(value.trim().parse().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn holds(condition: impl Into<Value>) -> Result<bool, PolicyError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-site", HeaderValue::from_static("42"));
        let user = [("group", "staff"), ("group", "admins"), ("mail", "Alice@Example.org")];
        let user = user.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let known = Known {
            user: Some(&user),
            headers: &headers,
        };
        Condition::parse(&condition.into())
            .expect("a condition")
            .holds("p1", known)
    }

    #[test]
    fn a_condition_compares_what_is_known() {
        let table = [
            ("userinfo", "group", "contains", "admins", true),
            ("userinfo", "group", "!contains", "admins", false),
            ("userinfo", "mail", "equals", "alice@example.org", false),
            ("userinfo", "mail", "string_contains", "EXAMPLE", true),
            ("userinfo", "mail", "matches", ".*@Example[.]org", true),
            ("userinfo", "mail", "matches", "Alice", false),
            ("userinfo", "mail", "!matches", "Alice", true),
            ("HTTP Request header", "X-Site", "in", "1, 42", true),
            ("HTTP Request header", "X-Site", "!in", "1, 42", false),
            ("HTTP Request header", "X-Site", "<", "43", true),
            ("HTTP Request header", "X-Site", ">", "42", false),
        ];
        for (section, key, comparator, value, expected) in table {
            let held = holds(json!([section, key, comparator, value, true])).expect("an answer");
            assert_eq!(held, expected, "{section} {key} {comparator} {value}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_error_unless_the_policy_says_what_counts() {
        let missing = |active: bool, handle: Value| holds(json!(["userinfo", "phone", "equals", "1", active, handle]));
        assert!(matches!(missing(true, Value::Null), Err(PolicyError::NotKnown { .. })));
        assert!(matches!(
            missing(true, json!("raise_error")),
            Err(PolicyError::NotKnown { .. })
        ));
        assert!(missing(true, json!("condition_is_true")).expect("an answer"));
        assert!(!missing(true, json!("condition_is_false")).expect("an answer"));
        assert!(missing(false, Value::Null).expect("an inactive one"));
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused() {
        let refused = |value: Value| Condition::parse(&value).expect_err("no condition").to_string();
        insta::assert_snapshot!(refused(json!(["tokeninfo", "a", "equals", "b", true])), @"`conditions`: this server can evaluate the sections `userinfo` and `HTTP Request header` alone");
        insta::assert_snapshot!(refused(json!(["userinfo", "a", "date_before", "b", true])), @"`conditions`: this server does not know the comparator `date_before`");
        insta::assert_snapshot!(refused(json!(["userinfo", "a", "<", "b", true])), @"`conditions`: `b` is nothing for the comparator `<`");
        insta::assert_snapshot!(refused(json!(["userinfo", "a", "matches", "(", false])), @"`conditions`: `(` is nothing for the comparator `matches`");
        for wrong in [
            json!({}),
            json!([]),
            json!(["userinfo", "", "equals", "b", true]),
            json!(["userinfo", "a", "equals", "b", "true"]),
            json!(["userinfo", "a", "equals", "b", true, 1]),
        ] {
            assert!(
                matches!(Condition::parse(&wrong), Err(PolicyError::Invalid(_))),
                "{wrong}"
            );
        }
    }
}
