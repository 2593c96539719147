//! A second step that is wanted, as clients of this API are told of it.

use keyway_core::model::{ChallengeKind, Factor, FactorKind};
use keyway_core::token::Asked;
use serde_json::{Value, json};

/// How the user is to be asked: there is a field to type into.
const CLIENT_MODE: &str = "interactive";

/// What stands under `detail`.
pub(super) fn detail(asked: &Asked) -> Value {
    let transaction = asked.transaction.as_str();
    let message = if asked.prompt.is_empty() {
        "please enter otp: "
    } else {
        asked.prompt.as_str()
    };
    let challenge = |serial: &str, kind: &str| {
        json!({
            "serial": serial,
            "type": kind,
            "transaction_id": transaction,
            "message": message,
            "client_mode": CLIENT_MODE,
            "attributes": null,
            "image": null,
            "link": null,
        })
    };
    let mut steps: Vec<(&str, &str)> = asked
        .factors
        .iter()
        .map(|factor| (factor.serial.as_str(), type_of(factor)))
        .collect();
    if steps.is_empty() {
        // The backend's own: no factor of ours answers it.
        steps.push(("", kind_of(&asked.kind)));
    }
    let challenges: Vec<_> = steps.iter().map(|(serial, kind)| challenge(serial, kind)).collect();
    let messages = vec![message; challenges.len()];
    let (serial, kind) = steps.first().copied().unwrap_or_default();
    json!({
        "serial": serial,
        "type": kind,
        "transaction_id": transaction,
        "transaction_ids": vec![transaction; challenges.len()],
        "messages": messages,
        "multi_challenge": challenges,
        "message": message,
        "client_mode": CLIENT_MODE,
        "preferred_client_mode": CLIENT_MODE,
        "attributes": null,
        "image": null,
        "link": null,
        "threadid": 0,
    })
}

/// A factor's kind, as privacyIDEA names types of tokens.
pub(super) fn type_of(factor: &Factor) -> &'static str {
    match factor.kind {
        FactorKind::Hotp => "hotp",
        FactorKind::Totp => "totp",
        FactorKind::Recovery => "tan",
    }
}

/// The same of a backend's own challenge.
fn kind_of(kind: &ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Otp => "otp",
        ChallengeKind::Redirect(_) => "redirect",
        ChallengeKind::Push => "push",
    }
}
