//! `POST /token/init`: a new token, and the second step in which its owner shows that it works.

use axum::response::Response;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use keyway_core::Secret;
use keyway_core::factor::{Enrolled, Enrollment, otpauth_uri, qr_png_data_uri};
use keyway_core::model::{FactorKind, FactorOwner, FactorState, OtpAlgorithm, OtpParameters};
use keyway_core::port::{FactorFilter, FactorQuery};
use serde_json::{Map, Value, json};

use super::shape::{self, VERIFY};
use super::{own, seed};
use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::{Ask, Caller};
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::params::Params;
use crate::dialect::privacyidea::policies::owner;
use crate::dialect::privacyidea::policy::EnrollmentRules;
use crate::dialect::privacyidea::rights::Role;

/// What authenticator apps name as the issuer where no policy says otherwise.
const ISSUER: &str = "privacyIDEA";
/// What they name the token by: its serial.
const LABEL: &str = "<s>";

pub(super) async fn init(ask: Ask) -> Response {
    let made = async {
        let caller = ask.caller().await?;
        match ask.params()?.secret("verify")? {
            Some(otp) => verify(&ask, &caller, &otp).await,
            None => enroll(&ask, &caller).await,
        }
    };
    let made = made.await.map(Answer::not_stored);
    ask.answer(made).await
}

/// The owner shows that a token works.
async fn verify(ask: &Ask, caller: &Caller, otp: &Secret<Vec<u8>>) -> Result<Answer, Failure> {
    let serial = ask.params()?.needed("serial")?;
    let found = ask.pi.factors().find(serial).await?;
    let right = found.map_or("enrollHOTP", |factor| right_of(factor.kind));
    let factor = ask.factor(caller, right, serial).await?;
    if !ask.pi.factors().confirm(serial, otp).await? {
        return Err(Failure::Parameter(
            "The one-time password does not show that the token works".to_owned(),
        ));
    }
    Ok(Answer::of(true).detail(json!({
        "serial": factor.serial,
        "rollout_state": "enrolled",
        "threadid": 0,
    })))
}

async fn enroll(ask: &Ask, caller: &Caller) -> Result<Answer, Failure> {
    let params = ask.params()?;
    let kind = params.word("type")?.unwrap_or("hotp");
    let unknown = || Failure::Parameter("The parameter `type` is not `hotp`, `totp` or `tan`".to_owned());
    let (kind, right) = shape::kind_of(kind).ok_or_else(unknown)?;
    for unsupported in ["2stepinit", "rollover"] {
        if params.flag(unsupported)? == Some(true) {
            return Err(Failure::Parameter(format!("This server does not know `{unsupported}`")));
        }
    }
    let whose = match caller.role {
        Role::User => Some(own(caller)),
        Role::Admin if params.word("user")?.is_some() => Some(ask.owner_named(params).await?),
        Role::Admin => None,
    };
    ask.may(caller, right, Some(owner(whose.as_ref()))).await?;
    let rules = rules(ask, caller, whose.as_ref()).await?;
    let enrollment = Enrollment {
        kind,
        parameters: parameters(kind, params)?,
        seed: match kind {
            FactorKind::Recovery => None,
            FactorKind::Hotp | FactorKind::Totp => seed::read(params)?,
        },
        serial: params.word("serial")?.map(str::to_owned),
        pin: ask.new_pin(caller, "enrollpin", "pin", whose.as_ref()).await?,
        owner: whose,
        description: params.text("description")?.unwrap_or_default().to_owned(),
        confirmed_later: (rules.is_verified || params.flag("verify_enrollment")? == Some(true))
            && kind != FactorKind::Recovery,
        attributes: Vec::new(),
    };
    let enrolled = ask.pi.factors().enroll(enrollment).await?;
    ask.note_factor(&enrolled.factor);
    Ok(Answer::of(true).detail(detail(&enrolled, &rules)?))
}

fn right_of(kind: FactorKind) -> &'static str {
    shape::kind_of(shape::type_name(kind)).map_or("enrollHOTP", |(_, right)| right)
}

/// What policies say of the new token; it fails where its owner has enough of them.
async fn rules(ask: &Ask, caller: &Caller, whose: Option<&FactorOwner>) -> Result<EnrollmentRules, Failure> {
    let policies = ask.pi.policies().current().await?;
    let circumstances = ask.circumstances_of(&policies, caller, Some(owner(whose))).await?;
    let rules = policies.enrollment(&circumstances)?;
    if let (Some(most), Some(whose)) = (rules.max_per_user, whose) {
        let query = FactorQuery {
            filter: FactorFilter {
                owner: Some(whose.identity),
                ..FactorFilter::default()
            },
            limit: Some(1),
            ..FactorQuery::default()
        };
        if ask.pi.factors().list(&query).await?.filtered >= u64::from(most) {
            return Err(Failure::Denied(format!(
                "The user may have no more than {most} tokens."
            )));
        }
    }
    Ok(rules)
}

fn parameters(kind: FactorKind, params: &Params) -> Result<OtpParameters, Failure> {
    let wrong = |name: &str, wanted: &str| Failure::Parameter(format!("The parameter `{name}` is not {wanted}"));
    let algorithm = match params.word("hashlib")?.unwrap_or("sha1").to_ascii_lowercase().as_str() {
        "sha1" => OtpAlgorithm::Sha1,
        "sha256" => OtpAlgorithm::Sha256,
        "sha512" => OtpAlgorithm::Sha512,
        _ => return Err(wrong("hashlib", "`sha1`, `sha256` or `sha512`")),
    };
    let digits = match (kind, params.number("otplen")?) {
        (FactorKind::Recovery, _) | (_, None) => 6,
        (_, Some(digits)) => u8::try_from(digits).map_err(|_| wrong("otplen", "6 or 8"))?,
    };
    let period = match (kind, params.number("timeStep")?) {
        (FactorKind::Hotp | FactorKind::Recovery, _) | (_, None) => 30,
        (FactorKind::Totp, Some(period)) => u16::try_from(period).map_err(|_| wrong("timeStep", "30 or 60"))?,
    };
    Ok(OtpParameters {
        algorithm,
        digits,
        period,
    })
}

/// What the owner must get, the one time that it is told.
fn detail(enrolled: &Enrolled, rules: &EnrollmentRules) -> Result<Value, Failure> {
    let factor = &enrolled.factor;
    let mut detail = Map::new();
    let mut put = |name: &str, value: Value| drop(detail.insert(name.to_owned(), value));
    put("serial", json!(factor.serial));
    put("rollout_state", json!(shape::rollout_state(factor.state)));
    put("threadid", json!(0));
    if factor.kind == FactorKind::Recovery {
        let codes = enrolled.codes.iter().enumerate();
        let codes = codes.map(|(index, code)| (index.to_string(), json!(code.expose())));
        put("otps", Value::Object(codes.collect()));
        return Ok(Value::Object(detail));
    }
    let fill = |text: &str| {
        let owner = factor.owner.as_ref();
        let login = owner.map(|owner| owner.login.as_str()).unwrap_or_default();
        let realm = owner.map(|owner| owner.realm.as_str()).unwrap_or_default();
        // What is filled in is not looked through again.
        filled(
            text,
            &[
                (["<s>", "{serial}"], &factor.serial),
                (["<u>", "{user}"], login),
                (["<r>", "{realm}"], realm),
            ],
        )
    };
    let label = fill(rules.label.as_deref().unwrap_or(LABEL));
    let issuer = fill(rules.issuer.as_deref().unwrap_or(ISSUER));
    let uri = otpauth_uri(enrolled, &issuer, &label);
    let hex = Secret::new(HEXLOWER.encode(enrolled.seed.expose()));
    let oath = Secret::new(oath_uri(factor.kind, &label, hex.expose()));
    let seed = Secret::new(format!("seed://{}", hex.expose()));
    put("googleurl", with_picture("An address for authenticator apps", &uri)?);
    put("oathurl", with_picture("An address for the app OATH Token", &oath)?);
    let mut key = with_picture("The seed", &seed)?;
    if let Some(key) = key.as_object_mut() {
        key.insert(
            "value_b32".to_owned(),
            json!(BASE32_NOPAD.encode(enrolled.seed.expose())),
        );
    }
    put("otpkey", key);
    if factor.state == FactorState::Enrolling {
        put(
            VERIFY,
            json!({"message": "Please send a one-time password of the new token as `verify`."}),
        );
    }
    Ok(Value::Object(detail))
}

/// The texts in place of their names.
fn filled(mut text: &str, values: &[([&str; 2], &str)]) -> String {
    let mut filled = String::new();
    'text: while let Some(character) = text.chars().next() {
        for (names, value) in values {
            for name in names {
                if let Some(rest) = text.strip_prefix(name) {
                    filled.push_str(value);
                    text = rest;
                    continue 'text;
                }
            }
        }
        filled.push(character);
        text = text.get(character.len_utf8()..).unwrap_or_default();
    }
    filled
}

fn oath_uri(kind: FactorKind, label: &str, hex: &str) -> String {
    let name: String = form_urlencoded::byte_serialize(label.as_bytes()).collect();
    let timed = if kind == FactorKind::Totp {
        "&timeBased=true"
    } else {
        ""
    };
    format!("oathtoken:///addToken?name={name}&lockdown=true&key={hex}{timed}")
}

fn with_picture(description: &str, text: &Secret<String>) -> Result<Value, Failure> {
    let picture = qr_png_data_uri(text)?;
    Ok(json!({"description": description, "value": text.expose(), "img": picture.expose()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_filled_in_once() {
        let values: [([&str; 2], &str); 2] = [(["<s>", "{serial}"], "OATH1"), (["<u>", "{user}"], "<s>ö")];
        assert_eq!(filled("<u>@{serial} <x> ä", &values), "<s>ö@OATH1 <x> ä");
    }
}
