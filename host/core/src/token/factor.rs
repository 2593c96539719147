//! Second factors in a login: a one-time password at the end of the password, beside it, or as the answer to a challenge.

use super::challenge::{ChallengeState, Pending, PendingSubject};
use super::issue::Verified;
use super::judge::{FirstStep, Judged, Judgement, realm_of};
use super::open::Standing;
use super::{Asked, FactorRule, LoginRequest, SecondSteps, TokenError, TokenService, Whom};
use crate::Secret;
use crate::factor::{FactorRefusal, FactorVerdict, PinRule};
use crate::model::{
    Answer, ChallengeKind, Credential, Factor, Identity, IdentityId, Outcome, PluginDigest, PluginStamp, Principal,
    Refusal,
};
use crate::port::{BackendFault, BackendSlot};

impl TokenService {
    /// The backend's word, and a one-time password of whoever has an active factor.
    ///
    /// A password may end in a one-time password. Whether it does is not known before it is known whose it is; so if it ends in as many digits as a
    /// one-time password of this installation has, the backend is asked about what stands before them first, whoever is named, and about the whole
    /// after that. An unknown user costs as much as a known one.
    pub(super) async fn by_password_and_factor(
        &self,
        first: FirstStep<'_>,
        credential: Credential,
    ) -> Result<Judgement, TokenError> {
        if let (Some(steps), Credential::Password(secret), None) = (&self.factors, &credential, &first.request.otp) {
            for length in steps.service.otp_lengths().await? {
                let Some((password, otp)) = split(secret, length.into()) else {
                    continue;
                };
                let answer = first.verify(Credential::Password(password)).await?;
                if let Some(judgement) = self.after_password_before_otp(first, steps, answer, &otp).await? {
                    return Ok(judgement);
                }
            }
        }
        let answer = first.verify(credential).await?;
        self.after_password(first, answer, first.request.otp.as_ref()).await
    }

    /// `None` where the backend does not accept the password, or whoever has it has no factor: then the digits belong to the password.
    async fn after_password_before_otp(
        &self,
        first: FirstStep<'_>,
        steps: &SecondSteps,
        answer: Answer,
        otp: &Secret<Vec<u8>>,
    ) -> Result<Option<Judgement>, TokenError> {
        let Outcome::Verified(principal) = answer.outcome else {
            return Ok(None);
        };
        let someone = self.someone(first, principal, &answer.plugin).await?;
        match steps.service.check(someone.identity.id, otp).await? {
            FactorVerdict::Accepted(factor) => Ok(Some(first.proved(someone, Some(factor)))),
            FactorVerdict::Refused(reason) => Err(TokenError::Factor(reason)),
            FactorVerdict::PinOnly(_) | FactorVerdict::NoFactor => Ok(None),
        }
    }

    /// What else is asked of somebody whom the backend accepted.
    pub(super) async fn after_password(
        &self,
        first: FirstStep<'_>,
        answer: Answer,
        otp: Option<&Secret<Vec<u8>>>,
    ) -> Result<Judgement, TokenError> {
        let principal = match answer.outcome {
            Outcome::Verified(principal) => principal,
            Outcome::Refused(reason) => return Err(TokenError::Refused(reason)),
            Outcome::Challenged(challenge) => return self.hand_on(first, challenge).await,
        };
        let someone = self.someone(first, principal, &answer.plugin).await?;
        let Some(steps) = &self.factors else {
            return Ok(first.proved(someone, None));
        };
        if let Some(otp) = otp {
            match steps.service.check(someone.identity.id, otp).await? {
                FactorVerdict::Accepted(factor) => return Ok(first.proved(someone, Some(factor))),
                FactorVerdict::Refused(reason) => return Err(TokenError::Factor(reason)),
                FactorVerdict::PinOnly(_) | FactorVerdict::NoFactor => {}
            }
        }
        let active = steps.service.active_of(someone.identity.id).await?;
        if active.is_empty() {
            if first.request.factors == FactorRule::Required {
                return Err(TokenError::Refused(Refusal::WrongCredential));
            }
            return Ok(first.proved(someone, None));
        }
        let asked = self.begin(first, someone, usable(active)?).await?;
        Ok(Judgement::Asked(asked))
    }

    /// One-time passwords alone decide; the backend says who it is.
    pub(super) async fn by_factor(
        &self,
        first: FirstStep<'_>,
        credential: Credential,
    ) -> Result<Judgement, TokenError> {
        let (pin, challenges, passthru) = match first.request.factors {
            FactorRule::PinAndOtp { challenges, passthru } => (PinRule::Factor, challenges, passthru),
            FactorRule::OtpOnly { passthru } => (PinRule::None, false, passthru),
            FactorRule::Never | FactorRule::WhereActive | FactorRule::Required => {
                return self.by_password_and_factor(first, credential).await;
            }
        };
        let (Credential::Password(secret) | Credential::Otp(secret)) = &credential else {
            return Err(TokenError::Refused(Refusal::UnsupportedCredential));
        };
        let steps = self.second_steps(first.slot)?;
        let Some(whom) = self.whom(first.slot, first.context(), first.identifier).await? else {
            // What somebody costs who has no factor.
            steps.service.check_nobody(secret, pin).await?;
            if passthru {
                self.burn(Some(&(String::new(), credential))).await?;
            }
            return Err(TokenError::Refused(Refusal::UnknownIdentifier));
        };
        let someone = Someone {
            standing: self.standing_of(&whom.identity).await?,
            identity: whom.identity,
            principal: whom.principal,
            plugin: stamp(first.slot)?,
        };
        let id = someone.identity.id;
        match steps.service.check_with_pin(id, secret, pin).await? {
            FactorVerdict::Accepted(factor) => Ok(first.proved(someone, Some(factor))),
            FactorVerdict::PinOnly(factors) if challenges => {
                let asked = self.begin(first, someone, factors).await?;
                Ok(Judgement::Asked(asked))
            }
            FactorVerdict::PinOnly(_) => Err(TokenError::Factor(FactorRefusal::WrongOtp)),
            FactorVerdict::Refused(reason) => Err(TokenError::Factor(reason)),
            FactorVerdict::NoFactor if passthru && !steps.service.has_any(id).await? => {
                self.by_password(first, credential).await
            }
            FactorVerdict::NoFactor => Err(TokenError::Refused(Refusal::WrongCredential)),
        }
    }

    /// The answer to a challenge of factors.
    pub(super) async fn judge_otp(
        &self,
        first: FirstStep<'_>,
        steps: &SecondSteps,
        subject: &PendingSubject,
        otp: &Secret<Vec<u8>>,
        transaction: &str,
    ) -> Result<Judgement, TokenError> {
        let PendingSubject::Factors {
            identity: id,
            principal,
            plugin,
            serials,
        } = subject
        else {
            return Err(TokenError::Refused(Refusal::Expired));
        };
        let factor = steps.answer(*id, serials, otp, transaction).await?;
        let (identity, standing) = self.resolve_named(first.slot, principal).await?;
        if identity.id != *id {
            return Err(TokenError::Refused(Refusal::UnknownIdentifier));
        }
        let someone = Someone {
            identity,
            standing,
            principal: (**principal).clone(),
            plugin: *plugin,
        };
        Ok(first.proved(someone, Some(factor)))
    }

    /// Asks somebody for a one-time password before anything was presented; `None` if there is no factor that could answer. `request` says through which
    /// backend and under which rule the answer will come; its credential is not looked at.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn challenge(
        &self,
        request: &LoginRequest,
        identifier: &str,
        whom: Whom,
    ) -> Result<Option<Asked>, TokenError> {
        self.challenge_by(request, identifier, whom, |_| true).await
    }

    /// As [`TokenService::challenge`], and only these factors of the user's can answer.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn challenge_of(
        &self,
        request: &LoginRequest,
        identifier: &str,
        whom: Whom,
        serials: &[String],
    ) -> Result<Option<Asked>, TokenError> {
        let is_meant = |factor: &Factor| serials.contains(&factor.serial);
        self.challenge_by(request, identifier, whom, is_meant).await
    }

    async fn challenge_by(
        &self,
        request: &LoginRequest,
        identifier: &str,
        whom: Whom,
        is_meant: impl Fn(&Factor) -> bool,
    ) -> Result<Option<Asked>, TokenError> {
        let slot = self.get_slot(request).await?;
        let steps = self.second_steps(&slot)?;
        let mut active = steps.service.active_of(whom.identity.id).await?;
        active.retain(is_meant);
        if active.is_empty() {
            return Ok(None);
        }
        let first = FirstStep {
            slot: &slot,
            request,
            identifier,
            since: self.store.revocation_mark().await?,
        };
        let someone = Someone {
            standing: Standing::default(),
            identity: whom.identity,
            principal: whom.principal,
            plugin: stamp(&slot)?,
        };
        Ok(Some(self.begin(first, someone, usable(active)?).await?))
    }

    /// Where a challenge stands.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn challenge_state(&self, transaction: &str) -> Result<ChallengeState, TokenError> {
        match &self.factors {
            Some(steps) => steps.challenges.state(transaction).await,
            None => Ok(ChallengeState::Pending),
        }
    }

    pub(super) fn second_steps(&self, slot: &BackendSlot) -> Result<&SecondSteps, TokenError> {
        let missing = || BackendFault::Misconfigured("nothing here asks for second steps".to_owned());
        self.factors
            .as_ref()
            .ok_or_else(|| TokenError::of_backend(slot, missing()))
    }
}

/// Who is about to be proved.
struct Someone {
    identity: Identity,
    standing: Standing,
    principal: Principal,
    plugin: PluginDigest,
}

impl TokenService {
    async fn someone(
        &self,
        first: FirstStep<'_>,
        principal: Principal,
        plugin: &PluginStamp,
    ) -> Result<Someone, TokenError> {
        let (identity, standing) = self.resolve(first.slot, &principal).await?;
        Ok(Someone {
            identity,
            standing,
            principal,
            plugin: plugin.digest,
        })
    }

    /// Asks for a one-time password of one of these factors.
    async fn begin(&self, first: FirstStep<'_>, someone: Someone, factors: Vec<Factor>) -> Result<Asked, TokenError> {
        let pending = first.pending(PendingSubject::Factors {
            identity: someone.identity.id,
            principal: Box::new(someone.principal),
            plugin: someone.plugin,
            serials: factors.iter().map(|factor| factor.serial.clone()).collect(),
        });
        Ok(Asked {
            transaction: self.second_steps(first.slot)?.challenges.begin(&pending).await?,
            kind: ChallengeKind::Otp,
            prompt: "please enter otp:".to_owned(),
            factors,
            attributes: Vec::new(),
            login: Some(someone.identity.login),
        })
    }
}

impl SecondSteps {
    /// Takes the answer to a challenge of these factors, which is good once.
    pub(super) async fn answer(
        &self,
        id: IdentityId,
        serials: &[String],
        otp: &Secret<Vec<u8>>,
        transaction: &str,
    ) -> Result<Factor, TokenError> {
        let factor = match self.service.check_one_of(serials, otp).await? {
            FactorVerdict::Accepted(factor) => factor,
            FactorVerdict::Refused(reason) => return Err(TokenError::Factor(reason)),
            FactorVerdict::PinOnly(_) | FactorVerdict::NoFactor => {
                return Err(TokenError::Refused(Refusal::WrongCredential));
            }
        };
        // It may have been given to somebody else since.
        let is_own = factor.owner.as_ref().is_some_and(|owner| owner.identity == id);
        if !is_own || !self.challenges.finish(transaction).await? {
            return Err(TokenError::Refused(Refusal::Expired));
        }
        Ok(factor)
    }
}

impl FirstStep<'_> {
    /// The end of a login that was neither refused nor is to go on.
    fn proved(self, someone: Someone, factor: Option<Factor>) -> Judgement {
        Judgement::Proved(Box::new(Judged {
            slot: self.slot.clone(),
            verified: Verified {
                identifier: self.identifier.to_owned(),
                identity: someone.identity,
                standing: someone.standing,
                principal: someone.principal,
                plugin: someone.plugin,
                since: self.since,
            },
            factor,
        }))
    }

    /// The same, where only the backend was asked.
    pub(super) async fn proved_by_backend(
        self,
        tokens: &TokenService,
        principal: Principal,
        plugin: &PluginStamp,
    ) -> Result<Judgement, TokenError> {
        let someone = tokens.someone(self, principal, plugin).await?;
        Ok(self.proved(someone, None))
    }
}

impl Pending {
    /// Whether an answer of this caller is an answer to it. One that need not name anybody names nobody. One under another rule is none, nor one that names
    /// another realm, which may have other rules, nor another tenant: what is counted and allowed for each would go by the wrong one.
    pub(super) fn is_answered_by(&self, identifier: &str, request: &LoginRequest) -> bool {
        let login = match &self.subject {
            PendingSubject::Factors { principal, .. } => Some(principal.login.as_str()),
            PendingSubject::Backend { .. } => None,
        };
        let is_same = identifier.is_empty() || identifier == self.identifier || Some(identifier) == login;
        let is_rule = self.rule == request.factors || self.rule == FactorRule::WhereActive;
        let is_tenant = request.tenant.is_none() || request.tenant == self.tenant;
        is_same && is_rule && is_tenant && self.realm.as_deref() == realm_of(request)
    }
}

/// Those that can answer a challenge. Where all have failed too often, there is nothing to ask for.
pub(super) fn usable(active: Vec<Factor>) -> Result<Vec<Factor>, TokenError> {
    let usable: Vec<_> = active.into_iter().filter(|factor| !factor.is_locked()).collect();
    if usable.is_empty() {
        return Err(TokenError::Factor(FactorRefusal::Locked));
    }
    Ok(usable)
}

fn stamp(slot: &BackendSlot) -> Result<PluginDigest, TokenError> {
    let stamp = slot.backend.stamp();
    let stamp = stamp.ok_or_else(|| TokenError::of_backend(slot, BackendFault::NotLoaded))?;
    Ok(stamp.digest)
}

type Bytes = Secret<Vec<u8>>;

/// What stands before the last `length` characters, and these, if they are digits and there is something before them.
fn split(secret: &Bytes, length: usize) -> Option<(Bytes, Bytes)> {
    let bytes = secret.expose();
    let (password, otp) = bytes.split_at_checked(bytes.len().checked_sub(length)?)?;
    let is_otp = length > 0 && otp.iter().all(u8::is_ascii_digit);
    (is_otp && !password.is_empty()).then(|| (Secret::new(password.to_vec()), Secret::new(otp.to_vec())))
}
