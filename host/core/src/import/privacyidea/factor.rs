//! A token of privacyIDEA's as a factor.

use super::cipher::EncryptionKeys;
use super::date;
use crate::Secret;
use crate::model::{Factor, FactorId, FactorKind, FactorState, OtpAlgorithm, OtpParameters, Timestamp};
use crate::port::PrivacyideaToken;
use uuid::Uuid;

/// What the factor itself says.
const OWN_KEYS: [&str; 4] = ["hashlib", "timeStep", "timeWindow", "timeShift"];

/// The bounds of what a factor may have, as the factor service has them.
const MAX_HOTP_WINDOW: i64 = 100;
const MAX_TOTP_WINDOW: i64 = 6;
const MAX_SYNC_WINDOW: i64 = 10_000;
const MAX_FAILURES: i64 = 1000;
const MAX_ATTRIBUTES: usize = 7 * 1024;

/// The half of the window of TOTP where neither a token nor the system says one, in seconds.
const USUAL_TIME_WINDOW: f64 = 180.0;

/// What the whole system says where a token says nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Usual(Vec<(String, String)>);

/// A factor, in want of an owner and a PIN.
pub(super) struct Ready {
    pub(super) factor: Factor,
    pub(super) seed: Secret<Vec<u8>>,
    /// What is not quite as it was.
    pub(super) notes: Vec<String>,
}

impl Usual {
    pub(super) fn new(settings: Vec<(String, String)>) -> Self {
        Self(settings)
    }

    /// What the token says, or else the system for tokens of its kind.
    fn of<'a>(&'a self, token: &'a PrivacyideaToken, key: &str) -> Option<&'a str> {
        let own = token.info(key).filter(|value| !value.is_empty());
        own.or_else(|| {
            let whole = format!("{}.{key}", token.kind.to_lowercase());
            let found = self.0.iter().find(|(known, _)| *known == whole);
            found.map(|(_, value)| value.as_str())
        })
    }
}

/// How the one-time passwords of a token are made, if it is one that makes any in a way that is known here.
pub(super) fn kind(token: &PrivacyideaToken) -> Option<FactorKind> {
    match token.kind.to_lowercase().as_str() {
        "hotp" => Some(FactorKind::Hotp),
        "totp" => Some(FactorKind::Totp),
        _ => None,
    }
}

/// The factor that a token becomes, or why it cannot be one.
pub(super) fn of(
    token: &PrivacyideaToken,
    usual: &Usual,
    keys: &EncryptionKeys,
    now: Timestamp,
) -> Result<Ready, String> {
    let kind = kind(token).ok_or_else(|| format!("tokens of the type `{}` are not brought in", token.kind))?;
    let state = rolled_out(token)?;
    let seed = keys.seed(&token.seed, &token.seed_iv);
    let seed = seed.ok_or("its seed does not open with this key")?;
    if seed.expose().is_empty() {
        return Err("it has no seed: its enrolment was not finished".to_owned());
    }
    let parameters = parameters(kind, token, usual)?;
    let mut notes = Vec::new();
    let state = limited(state, token, now, &mut notes);
    let (window, sync_window) = windows(kind, parameters, token, usual);
    let used = u64::try_from(token.counter).map_err(|_| "its counter is negative")?;
    let factor = Factor {
        id: FactorId(Uuid::nil()),
        serial: token.serial.clone(),
        kind,
        parameters,
        owner: None,
        state,
        pin: None,
        counter: match kind {
            // The next one.
            FactorKind::Hotp | FactorKind::Recovery => used,
            // The one that was used last.
            FactorKind::Totp if used == 0 => 0,
            FactorKind::Totp => used.saturating_add(1),
        },
        drift: drift(kind, parameters, token),
        failures: clamped(token.failures, 0, i64::from(i32::MAX)),
        max_failures: clamped(token.max_failures, 1, MAX_FAILURES),
        window,
        sync_window,
        description: token.description.clone(),
        attributes: attributes(token, &mut notes),
        created_at: token.info("creation_date").and_then(date::parse).unwrap_or(now),
        last_used_at: token.info("last_auth").and_then(date::parse),
    };
    Ok(Ready { factor, seed, notes })
}

/// Where the token stands, from how far its enrolment is and what was done to it.
fn rolled_out(token: &PrivacyideaToken) -> Result<FactorState, String> {
    let unfinished = match token.rollout_state.as_str() {
        "" | "enrolled" => false,
        "verify" => true,
        other => return Err(format!("its enrolment was not finished: it is in the state `{other}`")),
    };
    Ok(match token {
        token if token.revoked => FactorState::Revoked,
        token if !token.active || token.locked => FactorState::Disabled,
        _ if unfinished => FactorState::Enrolling,
        _ => FactorState::Active,
    })
}

fn parameters(kind: FactorKind, token: &PrivacyideaToken, usual: &Usual) -> Result<OtpParameters, String> {
    let digits = u8::try_from(token.digits).ok().filter(|digits| matches!(digits, 6 | 8));
    let digits =
        digits.ok_or_else(|| format!("its one-time passwords have {} digits, and not 6 or 8", token.digits))?;
    let algorithm = match usual.of(token, "hashlib").map(str::to_lowercase).as_deref() {
        None | Some("sha1") => OtpAlgorithm::Sha1,
        Some("sha256") => OtpAlgorithm::Sha256,
        Some("sha512") => OtpAlgorithm::Sha512,
        Some(other) => return Err(format!("its hash function is `{other}`")),
    };
    let period = match (kind, usual.of(token, "timeStep")) {
        (FactorKind::Totp, Some("60")) => 60,
        (FactorKind::Totp, Some(other)) if other != "30" => {
            return Err(format!("its time step is `{other}` seconds, and not 30 or 60"));
        }
        _ => 30,
    };
    Ok(OtpParameters {
        algorithm,
        digits,
        period,
    })
}

fn windows(kind: FactorKind, parameters: OtpParameters, token: &PrivacyideaToken, usual: &Usual) -> (u32, u32) {
    let window = match kind {
        FactorKind::Hotp | FactorKind::Recovery => clamped(token.window, 0, MAX_HOTP_WINDOW),
        FactorKind::Totp => {
            let seconds = usual.of(token, "timeWindow").and_then(|text| text.trim().parse().ok());
            let steps = seconds.unwrap_or(USUAL_TIME_WINDOW) / f64::from(parameters.period);
            clamped(whole(steps), 1, MAX_TOTP_WINDOW)
        }
    };
    (window, clamped(token.sync_window, 0, MAX_SYNC_WINDOW))
}

/// The token's clock was so many seconds ahead of the middle of nothing: of the second at which it was asked. A step that began before it is ahead by less
/// than a whole one.
fn drift(kind: FactorKind, parameters: OtpParameters, token: &PrivacyideaToken) -> i64 {
    let shift: Option<f64> = token.info("timeShift").and_then(|text| text.trim().parse().ok());
    match (kind, shift) {
        (FactorKind::Totp, Some(seconds)) => whole((seconds / f64::from(parameters.period)).ceil()),
        _ => 0,
    }
}

/// The limits of a token that a factor does not have. One that was reached is kept by switching the factor off.
fn limited(state: FactorState, token: &PrivacyideaToken, now: Timestamp, notes: &mut Vec<String>) -> FactorState {
    let (mut over, mut lost) = (false, Vec::new());
    let at = |key| token.info(key).filter(|text| !text.is_empty());
    for (key, is_over) in [("validity_period_start", false), ("validity_period_end", true)] {
        if let Some(text) = at(key) {
            over |= date::parse(text).is_none_or(|limit| if is_over { now >= limit } else { now < limit });
            lost.push(format!("{key} `{text}`"));
        }
    }
    for (most, used) in [
        ("count_auth_max", "count_auth"),
        ("count_auth_success_max", "count_auth_success"),
    ] {
        let number = |key| at(key).and_then(|text| text.trim().parse::<u64>().ok());
        if let Some(limit) = number(most).filter(|limit| *limit > 0) {
            over |= number(used).unwrap_or(0) >= limit;
            lost.push(format!("{most} `{limit}`"));
        }
    }
    if lost.is_empty() {
        return state;
    }
    let lost = lost.join(", ");
    if over && matches!(state, FactorState::Active | FactorState::Enrolling) {
        notes.push(format!(
            "its limits do not let it be used now ({lost}), so it is switched off"
        ));
        return FactorState::Disabled;
    }
    notes.push(format!("its limits do not hold here: {lost}"));
    state
}

/// What else is kept with the token, as long as there is room.
fn attributes(token: &PrivacyideaToken, notes: &mut Vec<String>) -> Vec<(String, String)> {
    let mut room = MAX_ATTRIBUTES;
    let mut kept = Vec::new();
    for (key, value) in &token.info {
        if OWN_KEYS.contains(&key.as_str()) {
            continue;
        }
        match room.checked_sub(key.len() + value.len()) {
            Some(left) => {
                room = left;
                kept.push((key.clone(), value.clone()));
            }
            None => notes.push(format!("there is no room for what it has under `{key}`")),
        }
    }
    kept
}

fn clamped(value: i64, least: i64, most: i64) -> u32 {
    u32::try_from(value.clamp(least, most)).unwrap_or(0)
}

/// A number without its fraction; what is no number is 0.
fn whole(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "that is what is asked for, and it saturates"
    )]
    let whole = number as i64;
    whole
}
