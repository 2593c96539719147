//! What is done to tokens that are there.

use axum::response::Response;
use keyway_core::Secret;
use keyway_core::model::{FactorOwner, FactorState};
use keyway_core::port::FactorChange;

use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::{Ask, Caller};
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::params::Params;
use crate::dialect::privacyidea::policies::owner;

pub(super) async fn enable(ask: Ask) -> Response {
    let result = put_in(&ask, "enable", FactorState::Active).await;
    ask.answer(result).await
}

pub(super) async fn disable(ask: Ask) -> Response {
    let result = put_in(&ask, "disable", FactorState::Disabled).await;
    ask.answer(result).await
}

pub(super) async fn revoke(ask: Ask) -> Response {
    let result = put_in(&ask, "revoke", FactorState::Revoked).await;
    ask.answer(result).await
}

/// Puts tokens in a state; the answer is how many.
async fn put_in(ask: &Ask, action: &'static str, state: FactorState) -> Result<Answer, Failure> {
    let caller = ask.caller().await?;
    let targets = ask.targets(&caller, action).await?;
    for factor in &targets {
        ask.pi.factors().set_state(&factor.serial, state).await?;
    }
    Ok(Answer::of(targets.len()))
}

pub(super) async fn reset(ask: Ask) -> Response {
    let reset = async {
        let caller = ask.caller().await?;
        let targets = ask.targets(&caller, "reset").await?;
        for factor in &targets {
            ask.pi.factors().reset(&factor.serial).await?;
        }
        Ok(Answer::of(targets.len()))
    };
    ask.answer(reset.await).await
}

pub(super) async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.caller().await?;
        let factor = ask.factor(&caller, "delete", ask.params()?.needed("serial")?).await?;
        ask.pi.factors().remove(&factor.serial).await?;
        Ok(Answer::of(1))
    };
    ask.answer(removed.await).await
}

pub(super) async fn resync(ask: Ask) -> Response {
    let synced = async {
        let caller = ask.caller().await?;
        let params = ask.params()?;
        let missing = |name: &str| Failure::Parameter(format!("Missing parameter: `{name}`"));
        let one = params.secret("otp1")?.ok_or_else(|| missing("otp1"))?;
        let other = params.secret("otp2")?.ok_or_else(|| missing("otp2"))?;
        let factor = ask.factor(&caller, "resync", params.needed("serial")?).await?;
        let synced = ask.pi.factors().resync(&factor.serial, &one, &other).await?;
        Ok(Answer::of(synced))
    };
    ask.answer(synced.await).await
}

pub(super) async fn set_pin(ask: Ask) -> Response {
    let set = async {
        let caller = ask.caller().await?;
        let params = ask.params()?;
        for unsupported in ["userpin", "sopin"] {
            if params.word(unsupported)?.is_some() {
                return Err(Failure::Parameter(format!(
                    "No token of this server has a `{unsupported}`"
                )));
            }
        }
        let factor = ask.factor(&caller, "setpin", params.needed("serial")?).await?;
        let name = if params.value("otppin").is_some() {
            "otppin"
        } else {
            "pin"
        };
        if params.value(name).is_none() {
            return Ok(Answer::of(0));
        }
        let pin = ask.new_pin(&caller, "setpin", name, factor.owner.as_ref()).await?;
        ask.pi.factors().set_pin(&factor.serial, pin).await?;
        Ok(Answer::of(1))
    };
    ask.answer(set.await).await
}

pub(super) async fn describe(ask: Ask) -> Response {
    let described = async {
        let caller = ask.caller().await?;
        let params = ask.params()?;
        let missing = || Failure::Parameter("Missing parameter: `description`".to_owned());
        let description = params.text("description")?.ok_or_else(missing)?;
        let factor = ask.factor(&caller, "setdescription", params.needed("serial")?).await?;
        let change = FactorChange {
            description: Some(description.to_owned()),
            ..FactorChange::default()
        };
        ask.pi.factors().change(&factor.serial, change).await?;
        Ok(Answer::of(1))
    };
    ask.answer(described.await).await
}

pub(super) async fn set(ask: Ask) -> Response {
    let result = set_all(&ask).await;
    ask.answer(result).await
}

/// Sets what the request says; the answer is how many things. Nothing is set unless everything may be.
async fn set_all(ask: &Ask) -> Result<Answer, Failure> {
    let caller = ask.caller().await?;
    let params = ask.params()?;
    let serial = params.needed("serial")?;
    for unsupported in [
        "hashlib",
        "count_auth_max",
        "count_auth_success_max",
        "validity_period_start",
        "validity_period_end",
    ] {
        if params.word(unsupported)?.is_some() {
            return Err(Failure::Parameter(format!(
                "This server does not set `{unsupported}` of a token"
            )));
        }
    }
    let change = FactorChange {
        max_failures: count(params, "max_failcount")?,
        window: count(params, "count_window")?,
        sync_window: count(params, "sync_window")?,
        description: params.text("description")?.map(str::to_owned),
        ..FactorChange::default()
    };
    let numbers = [change.max_failures, change.window, change.sync_window];
    let numbers = numbers.iter().flatten().count();
    let (sets_pin, sets_description) = (params.value("pin").is_some(), change.description.is_some());
    let wanted = [
        (numbers > 0, "set"),
        (sets_description, "setdescription"),
        (sets_pin, "setpin"),
    ];
    let mut factor = None;
    for (_, action) in wanted.iter().filter(|(is_wanted, _)| *is_wanted) {
        factor = Some(ask.factor(&caller, action, serial).await?);
    }
    let Some(factor) = factor else {
        return Ok(Answer::of(0));
    };
    let pin = ask.new_pin(&caller, "setpin", "pin", factor.owner.as_ref()).await?;
    if numbers > 0 || sets_description {
        ask.pi.factors().change(&factor.serial, change).await?;
    }
    if sets_pin {
        ask.pi.factors().set_pin(&factor.serial, pin).await?;
    }
    Ok(Answer::of(
        numbers + usize::from(sets_description) + usize::from(sets_pin),
    ))
}

fn count(params: &Params, name: &str) -> Result<Option<u32>, Failure> {
    let number = params.number(name)?.map(u32::try_from).transpose();
    number.map_err(|_| Failure::Parameter(format!("The parameter `{name}` is not a number from 0 on")))
}

impl Ask {
    /// The PIN in the parameter of this name, for a token of this owner; `None` for none, and for an empty one.
    ///
    /// # Errors
    /// [`Failure::Denied`] if the caller may set none, [`Failure::Parameter`] if it is not as policies want it.
    pub(super) async fn new_pin(
        &self,
        caller: &Caller,
        action: &'static str,
        name: &str,
        whose: Option<&FactorOwner>,
    ) -> Result<Option<Secret<Vec<u8>>>, Failure> {
        let pin = self.params()?.secret(name)?;
        let policies = self.pi.policies().current().await?;
        let circumstances = self.circumstances_of(&policies, caller, Some(owner(whose))).await?;
        let rules = policies.pin(caller.role, &circumstances)?;
        let Some(pin) = pin else {
            return match rules.min {
                // A new token with no PIN at all has one that is too short.
                Some(min) if min > 0 && action == "enrollpin" => Err(too_short(min)),
                _ => Ok(None),
            };
        };
        let length = String::from_utf8_lossy(pin.expose()).chars().count();
        if length > 0 {
            self.may(caller, action, Some(owner(whose))).await?;
        }
        match (rules.min, rules.max) {
            (Some(min), _) if length < min => Err(too_short(min)),
            (_, Some(max)) if length > max => Err(Failure::Parameter(format!(
                "The PIN must have no more than {max} characters"
            ))),
            _ => Ok(Some(pin).filter(|_| length > 0)),
        }
    }
}

fn too_short(min: usize) -> Failure {
    Failure::Parameter(format!("The PIN must have at least {min} characters"))
}
