//! Tokens as this API writes them.

use keyway_core::model::{Factor, FactorKind, FactorState, OtpAlgorithm, Timestamp};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::dialect::privacyidea::policy::TOKEN_TYPES;

/// What stands under `rollout_state` until the owner has shown that the token works.
pub(super) const VERIFY: &str = "verify";

/// A kind, as this API names it.
pub(super) fn type_name(kind: FactorKind) -> &'static str {
    let known = TOKEN_TYPES.iter().find(|(known, ..)| *known == kind);
    known.map_or("", |(_, name, ..)| *name)
}

/// The kind of this name, whatever its case, and the right to make one.
pub(super) fn kind_of(name: &str) -> Option<(FactorKind, &'static str)> {
    let known = TOKEN_TYPES
        .iter()
        .find(|(_, known, ..)| known.eq_ignore_ascii_case(name));
    known.map(|(kind, _, right, _)| (*kind, *right))
}

/// Where it stands on its way to its owner.
pub(super) fn rollout_state(state: FactorState) -> &'static str {
    match state {
        FactorState::Enrolling => VERIFY,
        FactorState::Active | FactorState::Disabled | FactorState::Revoked => "",
    }
}

/// A hash function, as this API names it.
pub(super) fn hash_name(algorithm: OtpAlgorithm) -> &'static str {
    algorithm.as_str()
}

/// A token in a list.
pub(super) fn token(factor: &Factor) -> Value {
    let owner = factor.owner.as_ref();
    let text = |of: fn(&keyway_core::model::FactorOwner) -> String| owner.map(of).unwrap_or_default();
    let realm = text(|owner| owner.realm.clone());
    let realms: Vec<_> = Some(realm.clone())
        .filter(|realm| !realm.is_empty())
        .into_iter()
        .collect();
    let is_revoked = factor.state == FactorState::Revoked;
    json!({
        "id": number(factor),
        "serial": factor.serial,
        "tokentype": type_name(factor.kind),
        "description": factor.description,
        "info": info(factor),
        "username": text(|owner| owner.login.clone()),
        "user_realm": realm,
        "realms": realms,
        "resolver": text(|owner| owner.resolver.clone()),
        "user_id": text(|owner| owner.identity.to_string()),
        "user_editable": false,
        "otplen": factor.parameters.digits,
        "active": matches!(factor.state, FactorState::Active | FactorState::Enrolling),
        "revoked": is_revoked,
        "locked": is_revoked,
        "failcount": factor.failures,
        "maxfail": factor.max_failures,
        "count": factor.counter,
        "count_window": factor.window,
        "sync_window": factor.sync_window,
        "rollout_state": rollout_state(factor.state),
        "tokengroup": [],
        "container_serial": "",
    })
}

/// A number that goes with the token. Serials are what clients go by.
fn number(factor: &Factor) -> u32 {
    let (number, ..) = factor.id.0.as_fields();
    number >> 1
}

fn info(factor: &Factor) -> Value {
    let mut info = Map::new();
    let mut put = |name: &str, value: String| drop(info.insert(name.to_owned(), Value::String(value)));
    put("tokenkind", "software".to_owned());
    put("creation_date", date(factor.created_at));
    if factor.kind != FactorKind::Recovery {
        put("hashlib", hash_name(factor.parameters.algorithm).to_owned());
    }
    if factor.kind == FactorKind::Totp {
        let step = i64::from(factor.parameters.period);
        put("timeStep", step.to_string());
        put(
            "timeWindow",
            (u64::from(factor.window) * u64::from(factor.parameters.period)).to_string(),
        );
        put("timeShift", factor.drift.saturating_mul(step).to_string());
    }
    if let Some(used) = factor.last_used_at {
        put("last_auth", date(used));
    }
    for (name, value) in &factor.attributes {
        put(name, value.clone());
    }
    Value::Object(info)
}

fn date(at: Timestamp) -> String {
    at.to_utc().format(&Rfc3339).unwrap_or_default()
}
