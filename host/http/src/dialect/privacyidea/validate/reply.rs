//! What is answered to who asks about somebody.

use keyway_core::factor::FactorRefusal;
use keyway_core::model::Factor;
use keyway_core::token::{Asked, Proved};
use serde_json::{Map, Value, json};

use crate::dialect::privacyidea::answer::{Answer, Authentication};
use crate::dialect::privacyidea::challenge;
use crate::dialect::privacyidea::policy::{AuthenticationRules, AuthorizationRules};
use crate::dialect::privacyidea::user::is_told;

/// It is proved.
pub(super) fn accepted(
    message: &str,
    factor: Option<&Factor>,
    proved: Option<&Proved>,
    rules: &AuthorizationRules,
) -> Answer {
    let answer = Answer::of(true).id(2).authentication(Authentication::Accept);
    if rules.hides_success {
        return answer;
    }
    let mut detail = base(message);
    if let Some(factor) = factor {
        detail.insert("serial".to_owned(), json!(factor.serial));
        detail.insert("type".to_owned(), json!(challenge::type_of(factor)));
        detail.insert("otplen".to_owned(), json!(factor.parameters.digits));
    }
    if let Some(proved) = proved {
        if rules.tells_user {
            detail.insert("user".to_owned(), user(proved));
        }
        if rules.tells_resolver {
            detail.insert("user-realm".to_owned(), json!(attribute(proved, "realm.name")));
            detail.insert("user-resolver".to_owned(), json!(attribute(proved, "realm.resolver")));
        }
    }
    answer.detail(Value::Object(detail))
}

/// It is not proved.
pub(super) fn rejected(message: &str, rules: (&AuthenticationRules, &AuthorizationRules)) -> Answer {
    let answer = Answer::of(false).id(2).authentication(Authentication::Reject);
    if rules.1.hides_failure {
        return answer;
    }
    let message = if rules.0.hides_reasons {
        "Authentication failed."
    } else {
        message
    };
    answer.detail(Value::Object(base(message)))
}

/// Something else is asked.
pub(super) fn challenged(mut asked: Asked, rules: &AuthenticationRules) -> Answer {
    if let Some(text) = &rules.challenge_text {
        asked.prompt.clone_from(text);
    }
    Answer::of(false)
        .id(2)
        .authentication(Authentication::Challenge)
        .detail(challenge::detail(&asked))
}

/// Why a one-time password was not accepted, in the words that clients know.
pub(super) fn reason(refusal: FactorRefusal, is_answer: bool) -> &'static str {
    match refusal {
        FactorRefusal::WrongOtp | FactorRefusal::WrongPin if is_answer => "Response did not match the challenge.",
        FactorRefusal::WrongOtp => "wrong otp value",
        FactorRefusal::UsedBefore => "wrong otp value. previous otp used again",
        FactorRefusal::WrongPin => "wrong otp pin",
        FactorRefusal::Locked => "Failcounter exceeded",
    }
}

fn base(message: &str) -> Map<String, Value> {
    Map::from_iter([
        ("message".to_owned(), json!(message)),
        ("threadid".to_owned(), json!(0)),
    ])
}

/// What is known of the user, and may be told.
fn user(proved: &Proved) -> Value {
    let principal = &proved.principal;
    let mut told = Map::from_iter([("username".to_owned(), json!(principal.login))]);
    if let Some(email) = &principal.email {
        told.insert("email".to_owned(), json!(email));
    }
    for (name, value) in &principal.attributes {
        if is_told(name) {
            told.insert(name.clone(), json!(value));
        }
    }
    Value::Object(told)
}

/// What a backend says of somebody under this name; empty for nothing.
pub(super) fn attribute(proved: &Proved, name: &str) -> String {
    let attributes = proved.principal.attributes.iter();
    let mut values = attributes.filter(|(known, _)| known == name);
    values.next().map(|(_, value)| value.clone()).unwrap_or_default()
}
