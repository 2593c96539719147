//! The body of `POST /token`.

use std::time::Duration;

use keyway_core::Secret;
use serde_json::{Map, Number, Value};

use super::validation::{Problem, Problems, object};

/// The longest identifier that a field may hold.
const MAX_IDENTIFIER: usize = 1024;
/// The longest one-time password or transaction id.
const MAX_OTP: usize = 64;

/// What a login's body says, checked. Unknown keys are ignored, as the original does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LoginBody {
    /// Which backend to ask.
    pub(super) backend: Option<String>,
    /// The token's life in seconds, between 1 and the operator's maximum.
    pub(super) expiration: Option<u64>,
    /// `tenant_id` or `domain_name`.
    pub(super) tenant: Option<String>,
    /// How the caller proves who it is, and what else it wants.
    pub(super) proof: Proof,
    /// `otp`: a one-time password beside the password of the header.
    pub(super) otp: Option<Secret<Vec<u8>>>,
    /// `transaction_id`: the password of the header is the answer to this challenge.
    pub(super) transaction: Option<String>,
}

/// How the caller proves who it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Proof {
    /// With the credentials of the header.
    #[default]
    Credentials,
    /// Likewise, and the client of this name wants a refresh token.
    Offline(String),
    /// With this text, which the client of this name was given for a refresh token.
    Refresh {
        /// The text.
        token: String,
        /// The client's name.
        client_id: String,
    },
    /// With a SAML session. This server has none, so nobody has one of that name.
    Saml,
}

impl LoginBody {
    /// Parses a body, whatever its content type.
    ///
    /// # Errors
    /// [`Problem`].
    pub(super) fn parse(body: &[u8], max_ttl: Duration) -> Result<Self, Problem> {
        let mut fields = object(body)?;
        let mut problems = Problems::default();
        let backend = text(&mut fields, "backend", &mut problems);
        let expiration = expiration(fields.get("expiration"), max_ttl.as_secs(), &mut problems);
        let tenant_id = text(&mut fields, "tenant_id", &mut problems);
        let domain_name = text(&mut fields, "domain_name", &mut problems);
        let access = Access::take(&mut fields, &mut problems);
        let otp = short_text(&mut fields, "otp", &mut problems);
        let transaction = short_text(&mut fields, "transaction_id", &mut problems);
        // What fields must not stand together is looked at when each of them is right.
        problems.none_or_fail()?;
        let mut problems = Problems::default();
        if tenant_id.is_some() && domain_name.is_some() {
            problems.remark("_schema", "tenant_id and domain_name are mutually exclusive");
        }
        let proof = access.proof(&mut problems);
        problems.none_or_fail()?;
        Ok(Self {
            backend,
            expiration,
            tenant: tenant_id.or(domain_name),
            proof,
            otp: otp.map(|otp| Secret::new(otp.into_bytes())),
            transaction,
        })
    }
}

/// The fields that say how the caller proves who it is.
struct Access {
    offline: bool,
    client_id: Option<String>,
    refresh_token: Option<String>,
    saml_session: bool,
}

impl Access {
    fn take(fields: &mut Map<String, Value>, problems: &mut Problems) -> Self {
        let access_type = text(fields, "access_type", problems);
        if !matches!(access_type.as_deref(), None | Some("online" | "offline")) {
            problems.choice("access_type", &["online", "offline"]);
        }
        Self {
            offline: access_type.as_deref() == Some("offline"),
            client_id: identifier(fields, "client_id", problems),
            // An empty one is none: clients that have none send it so.
            refresh_token: text(fields, "refresh_token", problems).filter(|token| !token.is_empty()),
            saml_session: identifier(fields, "saml_session_id", problems).is_some(),
        }
    }

    /// What cannot stand together gets a remark.
    fn proof(self, problems: &mut Problems) -> Proof {
        let mut refuse = |text| problems.remark("_schema", text);
        if self.saml_session {
            if self.refresh_token.is_some() {
                refuse("saml_session_id and refresh_token are mutually exclusive");
            }
            return Proof::Saml;
        }
        match (self.refresh_token, self.client_id, self.offline) {
            (Some(_), _, true) => refuse("an offline access cannot be asked for with a refresh_token"),
            (Some(_), None, false) => refuse("a refresh_token needs its client_id"),
            (Some(token), Some(client_id), false) => return Proof::Refresh { token, client_id },
            (None, None, true) => refuse("an offline access needs a client_id"),
            (None, Some(client_id), true) => return Proof::Offline(client_id),
            // Without either the client id has no effect, here as in the original.
            (None, _, false) => {}
        }
        Proof::Credentials
    }
}

fn text(fields: &mut Map<String, Value>, field: &'static str, problems: &mut Problems) -> Option<String> {
    match fields.remove(field)? {
        Value::String(text) => return Some(text),
        Value::Null => problems.null(field),
        _ => problems.kind(field, "string"),
    }
    None
}

/// What is given in digits as a rule. An empty one is none.
fn short_text(fields: &mut Map<String, Value>, field: &'static str, problems: &mut Problems) -> Option<String> {
    let text = text(fields, field, problems).filter(|text| !text.is_empty())?;
    if text.len() <= MAX_OTP {
        return Some(text);
    }
    problems.length(field, 1, MAX_OTP);
    None
}

fn identifier(fields: &mut Map<String, Value>, field: &'static str, problems: &mut Problems) -> Option<String> {
    let text = text(fields, field, problems)?;
    if (1..=MAX_IDENTIFIER).contains(&text.chars().count()) {
        return Some(text);
    }
    problems.length(field, 1, MAX_IDENTIFIER);
    None
}

/// A whole number of seconds. As in the original, a fraction is cut off and digits in a text count; other text does not.
fn expiration(value: Option<&Value>, max: u64, problems: &mut Problems) -> Option<u64> {
    let seconds = match value? {
        Value::Number(number) => whole(number),
        Value::String(digits) => digits.trim().parse::<i128>().ok(),
        Value::Null => {
            problems.null("expiration");
            return None;
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let Some(seconds) = seconds else {
        problems.kind("expiration", "integer");
        return None;
    };
    let seconds = u64::try_from(seconds)
        .ok()
        .filter(|seconds| (1..=max).contains(seconds));
    if seconds.is_none() {
        problems.range("expiration", 1, max);
    }
    seconds
}

fn whole(number: &Number) -> Option<i128> {
    if let Some(exact) = number.as_i128() {
        return Some(exact);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is to be cut off; what is too large stays so"
    )]
    number.as_f64().map(|rough| rough.trunc() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn parse(body: &str) -> Result<LoginBody, Problem> {
        LoginBody::parse(body.as_bytes(), HOUR)
    }

    fn accepted(body: &str) -> LoginBody {
        parse(body).unwrap_or_else(|problem| panic!("{body}: {problem:?}"))
    }

    fn reason(body: &str) -> String {
        match parse(body) {
            Err(Problem::Invalid(problems)) => problems.python(),
            Err(Problem::NoObject) => Problem::NO_OBJECT.to_owned(),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn body_without_fields_is_a_login_with_defaults() {
        for body in [
            "{}",
            "null",
            "[]",
            " {} \n",
            r#"{"no_such_key": [1]}"#,
            r#"{"access_type": "online", "client_id": "x"}"#,
        ] {
            assert_eq!(accepted(body), LoginBody::default(), "{body}");
        }
    }

    #[test]
    fn body_that_is_no_json_is_malformed() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for body in [
            "",
            " ",
            "{",
            "{'a': 1}",
            "nope",
            "{}{}",
            "{\"a\": NaN}",
            "\u{feff}{}",
            &deep,
        ] {
            assert_eq!(parse(body), Err(Problem::Malformed), "{body}");
        }
        assert_eq!(
            LoginBody::parse(b"{\"backend\": \"\xff\"}", HOUR),
            Err(Problem::Malformed)
        );
    }

    #[test]
    fn body_of_another_type_is_refused() {
        for body in ["[1]", "\"s\"", "1", "true", "\"\"", "0", "false"] {
            assert_eq!(reason(body), "{'_schema': ['Invalid input type.']}", "{body}");
        }
    }

    #[test]
    fn backend_is_text() {
        assert_eq!(
            accepted(r#"{"backend": "xivo_user"}"#).backend.as_deref(),
            Some("xivo_user")
        );
        assert_eq!(
            accepted(r#"{"backend": "a", "backend": "b"}"#).backend.as_deref(),
            Some("b")
        );
        insta::assert_snapshot!(reason(r#"{"backend": null}"#), @"{'backend': [{'constraint_id': 'not_null', 'constraint': 'not_null', 'message': 'Field may not be null.'}]}");
        insta::assert_snapshot!(reason(r#"{"backend": 42}"#), @"{'backend': [{'constraint_id': 'type', 'constraint': 'string', 'message': 'Not a valid string.'}]}");
    }

    #[test]
    fn expiration_is_a_whole_number_up_to_the_maximum() {
        for (text, seconds) in [
            ("1", 1),
            ("600", 600),
            ("3600", 3600),
            ("1.5", 1),
            ("6e2", 600),
            ("600.0", 600),
            ("\"600\"", 600),
            ("\" +7 \"", 7),
        ] {
            let body = format!(r#"{{"expiration": {text}}}"#);
            assert_eq!(accepted(&body).expiration, Some(seconds), "{text}");
        }
    }

    #[test]
    fn expiration_out_of_range_is_refused_and_the_range_is_named() {
        let expected = "{'expiration': [{'constraint_id': 'range', 'constraint': {'min': 1, 'max': 3600}, \
            'message': 'Must be greater than or equal to 1 and less than or equal to 3600.'}]}";
        for text in [
            "0",
            "-1",
            "0.5",
            "3601",
            "-0.0",
            "1e400",
            "99999999999999999999",
            "1e300",
            "-1e300",
            "\"0\"",
            "\"-1\"",
            "\"99999999999999999999\"",
        ] {
            let body = format!(r#"{{"expiration": {text}}}"#);
            if text == "1e400" {
                assert_eq!(parse(&body), Err(Problem::Malformed), "no number that JSON can hold");
            } else {
                assert_eq!(reason(&body), expected, "{text}");
            }
        }
    }

    #[test]
    fn expiration_that_is_no_number_is_refused() {
        let expected =
            "{'expiration': [{'constraint_id': 'type', 'constraint': 'integer', 'message': 'Not a valid integer.'}]}";
        for text in [
            "true", "false", "[]", "[1]", "{}", "\"\"", "\"soon\"", "\"1.5\"", "\"1e3\"", "\"0x10\"", "\"6 0\"",
        ] {
            assert_eq!(reason(&format!(r#"{{"expiration": {text}}}"#)), expected, "{text}");
        }
        insta::assert_snapshot!(reason(r#"{"expiration": null}"#), @"{'expiration': [{'constraint_id': 'not_null', 'constraint': 'not_null', 'message': 'Field may not be null.'}]}");
    }

    #[test]
    fn tenant_is_named_one_way_or_the_other() {
        assert_eq!(accepted(r#"{"tenant_id": "t"}"#).tenant.as_deref(), Some("t"));
        assert_eq!(
            accepted(r#"{"domain_name": "d.example"}"#).tenant.as_deref(),
            Some("d.example")
        );
        insta::assert_snapshot!(reason(r#"{"tenant_id": "t", "domain_name": "d"}"#), @"{'_schema': ['tenant_id and domain_name are mutually exclusive']}");
        insta::assert_snapshot!(reason(r#"{"tenant_id": 1, "domain_name": null}"#), @"{'tenant_id': [{'constraint_id': 'type', 'constraint': 'string', 'message': 'Not a valid string.'}], 'domain_name': [{'constraint_id': 'not_null', 'constraint': 'not_null', 'message': 'Field may not be null.'}]}");
    }

    #[test]
    fn proof_is_what_the_fields_say_together() {
        let proof = |body: &str| accepted(body).proof;
        for body in [
            "{}",
            r#"{"client_id": "c"}"#,
            r#"{"access_type": "online"}"#,
            r#"{"refresh_token": ""}"#,
        ] {
            assert_eq!(proof(body), Proof::Credentials, "{body}");
        }
        assert_eq!(
            proof(r#"{"access_type": "offline", "client_id": "c"}"#),
            Proof::Offline("c".to_owned())
        );
        for access_type in ["", r#""access_type": "online", "#] {
            let body = format!(r#"{{{access_type}"refresh_token": "r", "client_id": "c"}}"#);
            let expected = Proof::Refresh {
                token: "r".to_owned(),
                client_id: "c".to_owned(),
            };
            assert_eq!(proof(&body), expected, "{body}");
        }
        assert_eq!(proof(r#"{"saml_session_id": "s"}"#), Proof::Saml);
    }

    #[test]
    fn proof_that_contradicts_itself_is_refused() {
        let table = [
            r#"{"access_type": "offline"}"#,
            r#"{"refresh_token": "r"}"#,
            r#"{"access_type": "offline", "client_id": "c", "refresh_token": "r"}"#,
            r#"{"saml_session_id": "s", "client_id": "c", "refresh_token": "r"}"#,
        ];
        let reasons: Vec<_> = table.into_iter().map(reason).collect();
        insta::assert_snapshot!(reasons.join("\n"), @r"
        {'_schema': ['an offline access needs a client_id']}
        {'_schema': ['a refresh_token needs its client_id']}
        {'_schema': ['an offline access cannot be asked for with a refresh_token']}
        {'_schema': ['saml_session_id and refresh_token are mutually exclusive']}
        ");
    }

    #[test]
    fn proof_of_a_wrong_type_is_named_by_its_field() {
        insta::assert_snapshot!(reason(r#"{"access_type": "x"}"#), @"{'access_type': [{'constraint_id': 'enum', 'constraint': {'choices': ['online', 'offline']}, 'message': 'Must be one of: online, offline.'}]}");
        insta::assert_snapshot!(reason(r#"{"refresh_token": 1, "client_id": ""}"#), @"{'client_id': [{'constraint_id': 'length', 'constraint': {'min': 1, 'max': 1024}, 'message': 'Length must be between 1 and 1024.'}], 'refresh_token': [{'constraint_id': 'type', 'constraint': 'string', 'message': 'Not a valid string.'}]}");
        assert!(reason(&format!(r#"{{"client_id": "{}"}}"#, "x".repeat(1025))).contains("'length'"));
        assert!(reason(r#"{"saml_session_id": ""}"#).contains("'length'"));
    }
}
