//! What a request's data must be: rules for each field, and what is said of a field that breaks one. As JSON Schema has them in its fourth draft, and in the
//! words that this API's clients know.

use serde_json::{Map, Value, json};

use super::error::Failure;

/// What the fields of an object must be.
pub(super) struct Schema {
    pub(super) fields: &'static [Field],
    /// Whether there may be no others.
    pub(super) closed: bool,
}

/// One field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) kind: Kind,
}

/// What the value of a field is.
pub(super) enum Kind {
    /// A text of so many characters.
    Text { min: usize, max: usize },
    /// The same, of a pattern: as it is told, and what looks for it.
    Pattern {
        min: usize,
        max: usize,
        pattern: &'static str,
        fits: fn(&str) -> bool,
    },
    /// One of these texts.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// An object.
    Object,
    /// A list.
    List,
}

/// What is wrong with the fields of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Problems(Map<String, Value>);

impl Field {
    /// A text that may be absent.
    pub(super) const fn text(name: &'static str, min: usize, max: usize) -> Self {
        Self {
            name,
            required: false,
            kind: Kind::Text { min, max },
        }
    }

    /// Anything else that may be absent.
    pub(super) const fn of(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            required: false,
            kind,
        }
    }

    /// The same, which must be there.
    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl Schema {
    /// The data as they are good, with values of another type made what they should be where that can be.
    ///
    /// # Errors
    /// [`Failure::Invalid`].
    pub(super) fn check(&self, data: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
        let mut problems = Problems::default();
        let mut good = data.clone();
        for field in self.fields {
            match good.get_mut(field.name) {
                // What is null is not there.
                None | Some(Value::Null) if field.required => problems.required(field.name, data),
                None => {}
                Some(Value::Null) => drop(good.remove(field.name)),
                Some(value) => field.check(value, &mut problems),
            }
        }
        if self.closed {
            for (name, value) in data {
                if self.fields.iter().all(|field| field.name != name) {
                    let detail = json!({ "message": "Field is not allowed", "value": value });
                    problems.add(name, "additionalProperties", detail);
                }
            }
        }
        problems.into_result().map(|()| good)
    }
}

impl Field {
    fn check(&self, value: &mut Value, problems: &mut Problems) {
        if let Some(coerced) = self.kind.coerced(value) {
            *value = coerced;
        }
        match &self.kind {
            Kind::Text { min, max } => {
                self.check_text(value, *min, *max, problems);
            }
            Kind::Pattern {
                min,
                max,
                pattern,
                fits,
            } => {
                if let Some(text) = self.check_text(value, *min, *max, problems)
                    && !fits(text)
                {
                    let message = format!("Failed to match pattern '{pattern}'");
                    let detail = json!({ "message": message, "target": pattern, "value": value });
                    problems.add(self.name, "pattern", detail);
                }
            }
            Kind::Word(words) => {
                if !words.iter().any(|word| *word == *value) {
                    let message = "Value not found in enumerated list of values";
                    let detail = json!({ "message": message, "target": words, "value": value });
                    problems.add(self.name, "enum", detail);
                }
            }
            Kind::Flag if value.is_boolean() => {}
            Kind::Whole if value.is_i64() => {}
            Kind::Object if value.is_object() => {}
            Kind::List if value.is_array() => {}
            Kind::Flag => problems.wrong_type(self.name, "boolean", value),
            Kind::Whole => problems.wrong_type(self.name, "integer", value),
            Kind::Object => problems.wrong_type(self.name, "object", value),
            Kind::List => problems.wrong_type(self.name, "array", value),
        }
    }

    fn check_text<'a>(&self, value: &'a Value, min: usize, max: usize, problems: &mut Problems) -> Option<&'a str> {
        let Some(text) = value.as_str() else {
            problems.wrong_type(self.name, "string", value);
            return None;
        };
        let length = text.chars().count();
        let (rule, message, target) = if length < min {
            ("minLength", format!("String must be at least {min} characters"), min)
        } else if length > max {
            (
                "maxLength",
                format!("String must not be more than {max} characters"),
                max,
            )
        } else {
            return Some(text);
        };
        let detail = json!({ "message": message, "target": target, "cause": text, "value": text });
        problems.add(self.name, rule, detail);
        None
    }
}

impl Kind {
    /// What a value of another type is meant to be.
    fn coerced(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Text { .. } | Self::Pattern { .. } | Self::Word(_), Value::Number(number)) => {
                Some(number.to_string().into())
            }
            (Self::Text { .. } | Self::Pattern { .. } | Self::Word(_), Value::Bool(flag)) => {
                Some(flag.to_string().into())
            }
            (Self::Flag, Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
            (Self::Whole, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
            _ => None,
        }
    }
}

impl Problems {
    /// One more, by the rule that is broken. A dot in a field's name would be a step into an object.
    pub(super) fn add(&mut self, field: &str, rule: &str, detail: Value) {
        let place = self.0.entry(field.replace('.', "%2E")).or_insert_with(|| json!({}));
        if let Some(rules) = place.as_object_mut() {
            rules.insert(rule.to_owned(), detail);
        }
    }

    /// A field that must be there is not.
    pub(super) fn required(&mut self, field: &str, among: &Map<String, Value>) {
        let message = "Field is required but missing";
        self.add(field, "required", json!({ "message": message, "value": among }));
    }

    /// A field has a value of another type than this.
    pub(super) fn wrong_type(&mut self, field: &str, kind: &str, value: &Value) {
        let message = format!("Value did not match type(s): {kind}");
        self.add(
            field,
            "type",
            json!({ "message": message, "target": kind, "value": value }),
        );
    }

    /// # Errors
    /// [`Failure::Invalid`] if there are any.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Failure::Invalid(self))
        }
    }

    /// As they are answered.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

impl From<(&str, &str, Value)> for Failure {
    /// One problem alone: the field, the rule, and what is said of it.
    fn from((field, rule, detail): (&str, &str, Value)) -> Self {
        let mut problems = Problems::default();
        problems.add(field, rule, detail);
        Self::Invalid(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema {
        fields: &[
            Field::text("name", 2, 4).required(),
            Field::of("kind", Kind::Word(&["a", "b"])),
            Field::of(
                "code",
                Kind::Pattern {
                    min: 1,
                    max: 9,
                    pattern: "^[0-9]+$",
                    fits: |text| text.bytes().all(|byte| byte.is_ascii_digit()),
                },
            ),
            Field::of("on", Kind::Flag),
            Field::of("count", Kind::Whole),
            Field::of("more", Kind::Object),
            Field::of("list", Kind::List),
        ],
        closed: true,
    };

    fn check(data: Value) -> Result<Value, Value> {
        let Value::Object(data) = data else {
            panic!("{data} is no object")
        };
        SCHEMA.check(&data).map(Value::Object).map_err(|failure| match failure {
            Failure::Invalid(problems) => problems.into_value(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_is_meant_is_taken() {
        let given = json!({"name": 123, "kind": "a", "code": 7, "on": "true", "count": "5", "more": {}, "list": []});
        let good = json!({"name": "123", "kind": "a", "code": "7", "on": true, "count": 5, "more": {}, "list": []});
        assert_eq!(check(given), Ok(good));
        assert_eq!(check(json!({"name": "Zoë", "kind": null})), Ok(json!({"name": "Zoë"})));
    }

    #[test]
    fn each_rule_has_its_words() {
        let problems = |data| serde_json::to_string(&check(data).expect_err("a problem")).expect("JSON");
        insta::assert_snapshot!(problems(json!({})), @r#"{"name":{"required":{"message":"Field is required but missing","value":{}}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "a"})), @r#"{"name":{"minLength":{"message":"String must be at least 2 characters","target":2,"cause":"a","value":"a"}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "abcde"})), @r#"{"name":{"maxLength":{"message":"String must not be more than 4 characters","target":4,"cause":"abcde","value":"abcde"}}}"#);
        insta::assert_snapshot!(problems(json!({"name": []})), @r#"{"name":{"type":{"message":"Value did not match type(s): string","target":"string","value":[]}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "ab", "kind": "x"})), @r#"{"kind":{"enum":{"message":"Value not found in enumerated list of values","target":["a","b"],"value":"x"}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "ab", "code": "x"})), @r#"{"code":{"pattern":{"message":"Failed to match pattern '^[0-9]+$'","target":"^[0-9]+$","value":"x"}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "ab", "a.b": 1})), @r#"{"a%2Eb":{"additionalProperties":{"message":"Field is not allowed","value":1}}}"#);
        insta::assert_snapshot!(problems(json!({"name": "ab", "on": 1, "count": 1.5, "more": [], "list": {}})), @r#"{"on":{"type":{"message":"Value did not match type(s): boolean","target":"boolean","value":1}},"count":{"type":{"message":"Value did not match type(s): integer","target":"integer","value":1.5}},"more":{"type":{"message":"Value did not match type(s): object","target":"object","value":[]}},"list":{"type":{"message":"Value did not match type(s): array","target":"array","value":{}}}}"#);
    }
}
