//! Second steps of a login: what the answer says that is wanted, and the answer to it.

use keyway_core::Secret;
use keyway_core::model::ChallengeKind;
use keyway_core::token::Asked;
use serde_json::{Map, Value, json};

/// In the original's own words, which are misspelt.
const MESSAGE: &str = "client needs to preform second-factor authentication";

/// Under which of these names an answer holds the one-time password.
const RESPONSES: [&str; 4] = ["otp", "code", "response", "passcode"];

/// What is asked, in the data of the answer.
pub(super) fn data(asked: &Asked) -> Value {
    let mut settings = Map::new();
    let kind = match &asked.kind {
        ChallengeKind::Otp => "otp",
        ChallengeKind::Redirect(url) => {
            settings.insert("url".to_owned(), json!(url));
            "redirect"
        }
        ChallengeKind::Push => "push",
    };
    settings.insert("transaction_id".to_owned(), json!(asked.transaction));
    settings.insert("prompt".to_owned(), json!(asked.prompt));
    let serials: Vec<_> = asked.factors.iter().map(|factor| factor.serial.as_str()).collect();
    settings.insert("serials".to_owned(), json!(serials));
    json!({
        "message": MESSAGE,
        "multi_factor_request": { "provider_name": kind, "settings": settings },
    })
}

/// The answer to a challenge, beside the same credentials.
pub(super) struct Response {
    /// What answers it.
    pub(super) otp: Secret<Vec<u8>>,
    /// Which one.
    pub(super) transaction: Option<String>,
}

impl Response {
    /// `multi_factor_response`: a text, or an object with the text and the transaction. `None` where there is none.
    pub(super) fn of(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::String(otp) => Some(Self {
                otp: Secret::new(otp.clone().into_bytes()),
                transaction: None,
            }),
            Value::Number(otp) => Some(Self {
                otp: Secret::new(otp.to_string().into_bytes()),
                transaction: None,
            }),
            Value::Object(fields) => {
                let otp = RESPONSES.iter().find_map(|name| fields.get(*name))?;
                let transaction = fields.get("transaction_id").and_then(Value::as_str);
                Some(Self {
                    transaction: transaction.map(str::to_owned),
                    ..Self::of(Some(otp)).filter(|inner| inner.transaction.is_none())?
                })
            }
            Value::Null | Value::Bool(_) | Value::Array(_) => None,
        }
    }
}
