//! `/validate/check`: is it this user, or does this token say so?

use keyway_core::Secret;
use keyway_core::model::{Credential, Refusal};
use keyway_core::token::{FactorRule, LoginRequest, ProofOutcome, Proved, REQUESTED_REALM, TokenError};

use super::reply::{accepted, attribute, challenged, reason, rejected};
use super::serial;
use crate::dialect::Dialect;
use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::policies::{self, Barred, ProofRules};
use crate::dialect::privacyidea::policy::OtpPin;
use crate::dialect::privacyidea::token::no_such_user;

/// What is presented.
pub(super) struct Presented<'a> {
    pub(super) pass: Secret<Vec<u8>>,
    /// The challenge that it answers.
    pub(super) transaction: Option<&'a str>,
    /// The only type of tokens that counts, in lower case.
    pub(super) kind: Option<String>,
    /// Whether no PIN is asked for.
    pub(super) otp_only: bool,
}

pub(super) async fn run(ask: &Ask) -> Result<Answer, Failure> {
    let params = ask.params()?;
    let (user, serial) = (params.word("user")?, params.word("serial")?);
    let missing = |name: &str| Failure::Parameter(format!("Missing parameter: `{name}`"));
    let transaction = params.word("transaction_id")?;
    let presented = Presented {
        pass: params.secret("pass")?.ok_or_else(|| missing("pass"))?,
        transaction: transaction.or(params.word("state")?),
        kind: params.word("type")?.map(str::to_ascii_lowercase),
        otp_only: params.flag("otponly")?.unwrap_or(false),
    };
    match (user, serial) {
        (None, None) => Err(missing("user")),
        (None, Some(serial)) => serial::check(ask, serial, presented).await,
        (Some(_), _) if presented.otp_only => Err(Failure::Parameter(
            "The parameter `otponly` goes with `serial` alone".to_owned(),
        )),
        (Some(user), serial) => by_user(ask, user, serial, presented).await,
    }
}

async fn by_user(ask: &Ask, user: &str, serial: Option<&str>, presented: Presented<'_>) -> Result<Answer, Failure> {
    let config = ask.pi.realm_config().await?;
    let named = config.named(user, ask.params()?.word("realm")?);
    let rules = policies::for_proof(ask, user, &named).await?;
    let is_nowhere = named.realm.is_none() && !config.realms().is_empty();
    if config.check(&named).is_err() || is_nowhere {
        return unknown(&rules);
    }
    // Said even where the name says it, too: the answer to a challenge must mean the same one as what began it.
    let realm = rules.realm.as_deref().or(named.realm.as_deref());
    judge(ask, user, realm, serial, presented, &rules).await
}

/// What is answered where there is no such user.
fn unknown(rules: &ProofRules) -> Result<Answer, Failure> {
    if rules.authentication.hides_reasons {
        return Ok(rejected("", (&rules.authentication, &rules.authorization)));
    }
    Err(no_such_user())
}

/// What becomes of what a user presents. If a serial is named, it must have been that token.
pub(super) async fn judge(
    ask: &Ask,
    user: &str,
    realm: Option<&str>,
    serial: Option<&str>,
    presented: Presented<'_>,
    rules: &ProofRules,
) -> Result<Answer, Failure> {
    let both = (&rules.authentication, &rules.authorization);
    let pass_is_empty = presented.pass.expose().is_empty();
    let rule = match rules.authentication.factor_rule() {
        // An empty password must never reach a backend, where it could mean an anonymous bind.
        FactorRule::PinAndOtp { challenges, .. } if pass_is_empty => FactorRule::PinAndOtp {
            challenges,
            passthru: false,
        },
        FactorRule::OtpOnly { .. } if pass_is_empty => FactorRule::OtpOnly { passthru: false },
        rule => rule,
    };
    let by_password = matches!(rule, FactorRule::WhereActive | FactorRule::Required);
    if pass_is_empty && (by_password || presented.transaction.is_some()) {
        ask.pi.tokens().burn(None).await?;
        return Ok(rejected("wrong otp value", both));
    }
    if rules.authorization.denied {
        ask.pi.tokens().burn(None).await?;
        return Err(Barred::Denied.into());
    }
    let is_answer = presented.transaction.is_some();
    let outcome = match prove(ask, user, realm, &presented, rule, rules).await {
        Ok(outcome) => outcome,
        Err(TokenError::Factor(refusal)) => return Ok(rejected(reason(refusal, is_answer), both)),
        Err(TokenError::Refused(Refusal::UnknownIdentifier)) if !is_answer => return unknown(rules),
        Err(
            TokenError::Refused(_) | TokenError::Closed(_) | TokenError::NoCredential | TokenError::AccessDenied(_),
        ) => {
            return Ok(rejected(refused(rule, is_answer), both));
        }
        Err(error) => return Err(error.into()),
    };
    match outcome {
        ProofOutcome::Challenged(asked) => Ok(challenged(asked, &rules.authentication)),
        ProofOutcome::Proved(proved) => Ok(answer(ask, &proved, serial, &presented, rules)),
    }
}

fn refused(rule: FactorRule, is_answer: bool) -> &'static str {
    match rule {
        _ if is_answer => "No active challenge response token found",
        FactorRule::WhereActive | FactorRule::Required | FactorRule::Never => "wrong otp pin",
        FactorRule::PinAndOtp { .. } | FactorRule::OtpOnly { .. } => "The user has no tokens assigned",
    }
}

async fn prove(
    ask: &Ask,
    user: &str,
    realm: Option<&str>,
    presented: &Presented<'_>,
    rule: FactorRule,
    rules: &ProofRules,
) -> Result<ProofOutcome, TokenError> {
    let tokens = ask.pi.tokens();
    if rules.authentication.otppin == OtpPin::UserStore && presented.transaction.is_some() {
        // A challenge that was triggered began without a password, and is no answer where one is asked for. Whether it was is told before anything is
        // judged.
        let began_alone = tokens
            .prove(request(ask, user, realm, presented, super::trigger::ALONE))
            .await;
        if !matches!(began_alone, Err(TokenError::Refused(Refusal::WrongCredential))) {
            return began_alone;
        }
    }
    tokens.prove(request(ask, user, realm, presented, rule)).await
}

/// A proof that is asked for.
pub(super) fn request(
    ask: &Ask,
    user: &str,
    realm: Option<&str>,
    presented: &Presented<'_>,
    factors: FactorRule,
) -> LoginRequest {
    let realm = realm.map(|realm| (REQUESTED_REALM.to_owned(), realm.to_owned()));
    LoginRequest {
        backend: ask.pi.settings().backend.clone(),
        credentials: Some((user.to_owned(), Credential::Password(presented.pass.clone()))),
        tenant: None,
        ttl: None,
        client: ask.client(),
        dialect: Dialect::Privacyidea.name(),
        request_id: ask.call.id().to_owned(),
        attributes: realm.into_iter().collect(),
        mobile: false,
        limited: false,
        offline: None,
        otp: None,
        transaction: presented.transaction.map(str::to_owned),
        factors,
    }
}

/// The answer about somebody who is proved, if by what was asked for.
fn answer(ask: &Ask, proved: &Proved, serial: Option<&str>, presented: &Presented<'_>, rules: &ProofRules) -> Answer {
    let both = (&rules.authentication, &rules.authorization);
    let factor = proved.factor.as_ref();
    ask.note(|note| {
        let entry = &mut note.entry;
        proved.principal.login.clone_into(&mut entry.user);
        entry.realm = Some(attribute(proved, "realm.name").to_lowercase())
            .filter(|realm| !realm.is_empty())
            .unwrap_or_else(|| rules.user.realm.clone());
        entry.resolver = attribute(proved, "realm.resolver");
    });
    if let Some(factor) = factor {
        serial::note(ask, factor);
    }
    let is_wanted = factor.is_none_or(|factor| {
        serial.is_none_or(|serial| factor.serial.eq_ignore_ascii_case(serial)) && serial::is_kind(factor, presented)
    });
    if !is_wanted || (factor.is_none() && serial.is_some()) {
        return rejected("No suitable token found for authentication.", both);
    }
    let message = match factor {
        Some(_) if presented.transaction.is_some() => "Found matching challenge",
        Some(_) => "matching 1 tokens",
        None => "The user has proved to be who it is with the password of its userstore.",
    };
    accepted(message, factor, Some(proved), &rules.authorization)
}
