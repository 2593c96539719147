//! The body of `POST /token`.

use std::time::Duration;

use serde_json::{Map, Number, Value};

use super::validation::{Problem, Problems, object};

/// The longest identifier that a field may hold.
const MAX_IDENTIFIER: usize = 1024;

/// What a login's body says, checked. Unknown keys are ignored, as the original does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LoginBody {
    /// Which backend to ask.
    pub(super) backend: Option<String>,
    /// The token's life in seconds, between 1 and the operator's maximum.
    pub(super) expiration: Option<u64>,
    /// `tenant_id` or `domain_name`.
    pub(super) tenant: Option<String>,
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
        if tenant_id.is_some() && domain_name.is_some() {
            problems.remark("_schema", "tenant_id and domain_name are mutually exclusive");
        }
        refuse_what_is_not_offered(&mut fields, &mut problems);
        problems.none_or_fail()?;
        Ok(Self {
            backend,
            expiration,
            tenant: tenant_id.or(domain_name),
        })
    }
}

/// Refresh tokens and SAML: their fields are checked, and a login that relies on them is told so rather than half served.
fn refuse_what_is_not_offered(fields: &mut Map<String, Value>, problems: &mut Problems) {
    let access_type = text(fields, "access_type", problems);
    match access_type.as_deref() {
        None | Some("online") => {}
        Some("offline") => problems.remark("access_type", "Refresh tokens are not offered by this version."),
        Some(_) => problems.choice("access_type", &["online", "offline"]),
    }
    // Without a refresh token the client id has no effect, here as in the original.
    identifier(fields, "client_id", problems);
    if text(fields, "refresh_token", problems).is_some() {
        problems.remark("refresh_token", "Refresh tokens are not offered by this version.");
    }
    if identifier(fields, "saml_session_id", problems).is_some() {
        problems.remark("saml_session_id", "SAML sessions are not offered by this version.");
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
