//! Judging one-time passwords.

use super::window::{self, Fit};
use super::{FactorError, FactorRefusal, FactorService, FactorVerdict, PinRule, codes, otp};
use crate::Secret;
use crate::model::{Factor, FactorKind, FactorState, IdentityId};
use crate::port::{OtpUse, StoredFactor};

/// What a one-time password was to a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Good, and it is used up now.
    Accepted,
    /// Used before.
    Used,
    /// None of the factor's.
    Wrong,
}

/// What became of a one-time password.
pub(super) enum Judged {
    Accepted(Box<Factor>),
    Refused(FactorRefusal),
}

impl FactorService {
    /// Judges a one-time password, or a recovery code, of somebody's active factors. Nothing else may be in the text. If it is refused, that counts on
    /// every factor that was tried: on all but those that have failed too often.
    ///
    /// # Errors
    /// [`FactorError::Sealed`], [`FactorError::Store`].
    pub async fn check(&self, owner: IdentityId, otp: &Secret<Vec<u8>>) -> Result<FactorVerdict, FactorError> {
        let factors = self.store.active_factors(owner).await?;
        self.judge_alone(&factors, otp.expose()).await
    }

    /// Judges what `rule` asks for and a one-time password after it. See [`FactorService::check_with_pin`]; the factor need not belong to anybody.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Sealed`], [`FactorError::Password`], [`FactorError::Store`].
    pub async fn check_serial(
        &self,
        serial: &str,
        pass: &Secret<Vec<u8>>,
        rule: PinRule,
    ) -> Result<FactorVerdict, FactorError> {
        let stored = self.stored(serial).await?;
        let active = stored.factor.state == FactorState::Active;
        let factors: Vec<_> = active.then_some(stored).into_iter().collect();
        self.judge_with_pin(&factors, pass, rule).await
    }

    /// Judges the answer to a challenge: a one-time password of one of these factors, of those that are active still. Whoever made the challenge knows whose
    /// they were, and an accepted one says whose it is.
    ///
    /// # Errors
    /// [`FactorError::Sealed`], [`FactorError::Store`].
    pub async fn check_one_of(&self, serials: &[String], otp: &Secret<Vec<u8>>) -> Result<FactorVerdict, FactorError> {
        let mut factors = Vec::with_capacity(serials.len());
        for serial in serials {
            let found = self.store.find_factor(serial).await?;
            factors.extend(found.filter(|stored| stored.factor.state == FactorState::Active));
        }
        self.judge_alone(&factors, otp.expose()).await
    }

    pub(super) async fn judge_alone(&self, factors: &[StoredFactor], otp: &[u8]) -> Result<FactorVerdict, FactorError> {
        let open = self.begin(factors).await?;
        if open.is_empty() {
            return Ok(nothing_open(factors));
        }
        let tried: Vec<_> = open.iter().map(|stored| (*stored, otp)).collect();
        match self.judge(&tried).await? {
            Judged::Accepted(accepted) => {
                self.take_back(open.iter().copied().filter(|stored| stored.factor.id != accepted.id))
                    .await?;
                Ok(FactorVerdict::Accepted(*accepted))
            }
            Judged::Refused(refusal) => Ok(FactorVerdict::Refused(refusal)),
        }
    }

    /// Counts an attempt on each that has not failed too often, and returns those. The others are not even tried: nobody learns from them whether a guess was
    /// right.
    pub(super) async fn begin<'f>(&self, factors: &'f [StoredFactor]) -> Result<Vec<&'f StoredFactor>, FactorError> {
        let ids: Vec<_> = unlocked(factors).map(|stored| stored.factor.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let begun = self.store.begin_attempts(&ids).await?;
        Ok(factors
            .iter()
            .filter(|stored| begun.contains(&stored.factor.id))
            .collect())
    }

    /// Takes the attempt back from those that were not meant.
    pub(super) async fn take_back<'f>(
        &self,
        factors: impl Iterator<Item = &'f StoredFactor>,
    ) -> Result<(), FactorError> {
        let ids: Vec<_> = factors.map(|stored| stored.factor.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        Ok(self.store.take_back_attempts(&ids).await?)
    }

    /// Tries each factor, on which an attempt was counted, with the one-time password that goes with it, until one is good.
    pub(super) async fn judge(&self, tried: &[(&StoredFactor, &[u8])]) -> Result<Judged, FactorError> {
        let (mut refusal, mut sealed) = (FactorRefusal::WrongOtp, None);
        for (stored, otp) in tried {
            match self.attempt(stored, otp, FactorState::Active).await {
                Ok(Attempt::Accepted) => return Ok(Judged::Accepted(Box::new(stored.factor.clone()))),
                Ok(Attempt::Used) => refusal = FactorRefusal::UsedBefore,
                Ok(Attempt::Wrong) => {}
                // Another factor may still let its owner in.
                Err(error @ FactorError::Sealed(_)) => sealed = Some(error),
                Err(error) => return Err(error),
            }
        }
        sealed.map_or(Ok(Judged::Refused(refusal)), Err)
    }

    /// Tries a factor, which is `becomes` if the one-time password is good.
    pub(super) async fn attempt(
        &self,
        stored: &StoredFactor,
        otp: &[u8],
        becomes: FactorState,
    ) -> Result<Attempt, FactorError> {
        let (factor, now) = (&stored.factor, self.clock.now());
        if factor.kind == FactorKind::Recovery {
            let Some(code) = codes::parse(otp) else {
                return Ok(Attempt::Wrong);
            };
            let code = codes::digest(&self.master, factor.id, code.expose());
            let used = self.store.use_code(factor.id, &code, now).await?;
            return Ok(if used { Attempt::Accepted } else { Attempt::Wrong });
        }
        let Some(otp) = otp::parse(otp, factor.parameters.digits) else {
            return Ok(Attempt::Wrong);
        };
        let place = match window::fit(factor, &self.open(stored)?, otp, now) {
            Fit::Fresh(place) => place,
            Fit::Stale => return Ok(Attempt::Used),
            Fit::Wrong => return Ok(Attempt::Wrong),
        };
        let used = OtpUse {
            factor: factor.id,
            counter: place.counter,
            drift: place.drift,
            state: factor.state,
            becomes,
            at: now,
        };
        // Whoever else used it meanwhile, on this node or another, was first.
        let first = self.store.use_otp(&used).await?;
        Ok(if first { Attempt::Accepted } else { Attempt::Used })
    }
}

/// Those that had not failed too often when they were read.
pub(super) fn unlocked(factors: &[StoredFactor]) -> impl Iterator<Item = &StoredFactor> {
    factors.iter().filter(|stored| !stored.factor.is_locked())
}

/// The verdict where there is no factor to try.
pub(super) fn nothing_open(factors: &[StoredFactor]) -> FactorVerdict {
    if factors.is_empty() {
        FactorVerdict::NoFactor
    } else {
        FactorVerdict::Refused(FactorRefusal::Locked)
    }
}
