//! `/validate/check` with a serial instead of a user.

use keyway_core::factor::{FactorRefusal, FactorVerdict, PinRule};
use keyway_core::model::Factor;
use keyway_core::token::FactorRule;

use super::check::{Presented, judge, request};
use super::reply::{accepted, challenged, reason, rejected};
use crate::dialect::privacyidea::answer::{Answer, Authentication};
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::challenge::type_of;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policies::{self, Barred, ProofRules};
use crate::dialect::privacyidea::policy::OtpPin;
use crate::dialect::privacyidea::realm_config::Named;

pub(super) async fn check(ask: &Ask, serial: &str, presented: Presented<'_>) -> Result<Answer, Failure> {
    let factor = ask.pi.factors().find(serial).await?;
    let Some(factor) = factor.filter(|factor| is_kind(factor, &presented)) else {
        return Ok(nothing());
    };
    let owner = factor.owner.as_ref();
    let realm = owner.map(|owner| owner.realm.clone()).filter(|realm| !realm.is_empty());
    let login = owner.map(|owner| owner.login.clone()).unwrap_or_default();
    let named = Named {
        login: login.clone(),
        realm: realm.clone(),
        explicit: realm.clone(),
    };
    let rules = policies::for_proof(ask, &login, &named).await?;
    note(ask, &factor);
    if rules.authorization.denied {
        return Err(Barred::Denied.into());
    }
    let by_user = presented.transaction.is_some() || rules.authentication.otppin == OtpPin::UserStore;
    if by_user && !presented.otp_only {
        if login.is_empty() {
            return Ok(nothing());
        }
        return judge(ask, &login, realm.as_deref(), Some(&factor.serial), presented, &rules).await;
    }
    let pin = if presented.otp_only || rules.authentication.otppin == OtpPin::None {
        PinRule::None
    } else {
        PinRule::Factor
    };
    let both = (&rules.authentication, &rules.authorization);
    match ask
        .pi
        .factors()
        .check_serial(&factor.serial, &presented.pass, pin)
        .await?
    {
        FactorVerdict::Accepted(factor) => Ok(accepted("matching 1 tokens", Some(&factor), None, &rules.authorization)),
        FactorVerdict::PinOnly(_) if rules.authentication.challenges && !presented.otp_only && !login.is_empty() => {
            begin(ask, &login, realm.as_deref(), &presented, &rules).await
        }
        FactorVerdict::PinOnly(_) => Ok(rejected(reason(FactorRefusal::WrongOtp, false), both)),
        FactorVerdict::Refused(refusal) => Ok(rejected(reason(refusal, false), both)),
        FactorVerdict::NoFactor => Ok(rejected("No suitable token found for authentication.", both)),
    }
}

/// The owner's challenge, which the owner's other tokens answer as well.
async fn begin(
    ask: &Ask,
    login: &str,
    realm: Option<&str>,
    presented: &Presented<'_>,
    rules: &ProofRules,
) -> Result<Answer, Failure> {
    let both = (&rules.authentication, &rules.authorization);
    let Some(whom) = ask.find_whom(login, realm).await? else {
        return Ok(rejected("No suitable token found for authentication.", both));
    };
    let rule: FactorRule = rules.authentication.factor_rule();
    let request = request(ask, login, realm, presented, rule);
    match ask.pi.tokens().challenge(&request, login, whom).await? {
        Some(asked) => Ok(challenged(asked, &rules.authentication)),
        None => Ok(rejected("No suitable token found for authentication.", both)),
    }
}

/// The same for a serial that there is not and for one that does not count.
fn nothing() -> Answer {
    Answer::of(false)
        .id(2)
        .authentication(Authentication::Reject)
        .detail(serde_json::json!({"message": "No suitable token found for authentication.", "threadid": 0}))
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
