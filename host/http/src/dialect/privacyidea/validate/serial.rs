//! `/validate/check` with a serial instead of a user.

use keyway_core::factor::{FactorRefusal, FactorVerdict, PinRule};
use keyway_core::model::Factor;

use super::check::{Presented, judge, request};
use super::reply::{accepted, challenged, reason, rejected};
use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::challenge::type_of;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policies::{self, Barred, ProofRules};
use crate::dialect::privacyidea::policy::OtpPin;
use crate::dialect::privacyidea::realm_config::Named;

/// What is said of a serial that there is not, and of one that does not count.
const NOTHING: &str = "No suitable token found for authentication.";

pub(super) async fn check(ask: &Ask, serial: &str, presented: Presented<'_>) -> Result<Answer, Failure> {
    let factor = ask.pi.factors().find(serial).await?;
    let factor = factor.filter(|factor| is_kind(factor, &presented));
    let owner = factor.as_ref().and_then(|factor| factor.owner.as_ref());
    let realm = owner.map(|owner| owner.realm.to_lowercase());
    let realm = realm.filter(|realm| !realm.is_empty());
    let login = owner.map(|owner| owner.login.clone()).unwrap_or_default();
    let named = Named {
        login: login.clone(),
        realm: realm.clone(),
        explicit: realm.clone(),
    };
    let rules = policies::for_proof(ask, &login, &named).await?;
    if let Some(factor) = &factor {
        note(ask, factor);
    }
    if rules.authorization.denied {
        return Err(Barred::Denied.into());
    }
    let both = (&rules.authentication, &rules.authorization);
    let Some(factor) = &factor else {
        // What a wrong one-time password of a known one costs.
        ask.pi.tokens().burn(None).await?;
        return Ok(rejected(NOTHING, both));
    };
    let by_user = presented.transaction.is_some() || rules.authentication.otppin == OtpPin::UserStore;
    if by_user && !presented.otp_only {
        if login.is_empty() {
            ask.pi.tokens().burn(None).await?;
            return Ok(rejected(NOTHING, both));
        }
        return judge(ask, &login, realm.as_deref(), Some(&factor.serial), presented, &rules).await;
    }
    let pin = if presented.otp_only || rules.authentication.otppin == OtpPin::None {
        PinRule::None
    } else {
        PinRule::Factor
    };
    match ask
        .pi
        .factors()
        .check_serial(&factor.serial, &presented.pass, pin)
        .await?
    {
        FactorVerdict::Accepted(factor) => Ok(accepted("matching 1 tokens", Some(&factor), None, &rules.authorization)),
        FactorVerdict::PinOnly(factors) if rules.authentication.challenges && !presented.otp_only => {
            begin(ask, &factors, realm.as_deref(), &presented, &rules).await
        }
        FactorVerdict::PinOnly(_) => Ok(rejected(reason(FactorRefusal::WrongOtp, false), both)),
        FactorVerdict::Refused(refusal) => Ok(rejected(reason(refusal, false), both)),
        FactorVerdict::NoFactor => Ok(rejected(NOTHING, both)),
    }
}

/// The challenge of these factors, which were all that the PIN is of: none else answers it.
async fn begin(
    ask: &Ask,
    factors: &[Factor],
    realm: Option<&str>,
    presented: &Presented<'_>,
    rules: &ProofRules,
) -> Result<Answer, Failure> {
    let nothing = || Ok(rejected(NOTHING, (&rules.authentication, &rules.authorization)));
    let Some(owner) = factors.iter().find_map(|factor| factor.owner.as_ref()) else {
        return Ok(rejected(
            reason(FactorRefusal::WrongOtp, false),
            (&rules.authentication, &rules.authorization),
        ));
    };
    // The name may be another's by now.
    let whom = ask.find_whom(&owner.login, realm).await?;
    let Some(whom) = whom.filter(|whom| whom.identity.id == owner.identity) else {
        return nothing();
    };
    let request = request(ask, &owner.login, realm, presented, rules.authentication.factor_rule());
    let serials: Vec<_> = factors.iter().map(|factor| factor.serial.clone()).collect();
    let tokens = ask.pi.tokens();
    match tokens.challenge_of(&request, &owner.login, whom, &serials).await? {
        Some(asked) => Ok(challenged(asked, &rules.authentication)),
        None => nothing(),
    }
}

/// Whether it is of the type that was asked for.
pub(super) fn is_kind(factor: &Factor, presented: &Presented<'_>) -> bool {
    presented.kind.as_ref().is_none_or(|kind| kind == type_of(factor))
}

pub(super) fn note(ask: &Ask, factor: &Factor) {
    ask.note(|note| {
        note.kept = true;
        factor.serial.clone_into(&mut note.entry.serial);
        type_of(factor).clone_into(&mut note.entry.token_type);
    });
}
