//! PINs before one-time passwords.

use super::check::{Judged, nothing_open, unlocked};
use super::window::{self, Fit};
use super::{FactorError, FactorRefusal, FactorService, FactorVerdict, PinRule, codes, otp};
use crate::Secret;
use crate::model::{FactorKind, IdentityId};
use crate::password::{PasswordError, Share};
use crate::port::StoredFactor;

/// How long a PIN is, in bytes.
pub(super) const LENGTHS: std::ops::RangeInclusive<usize> = 1..=128;

/// How many factors with a PIN are considered for one text, since comparing a PIN is as dear as comparing a password.
const CONSIDERED: usize = 8;

/// The shortest one-time passwords. A text that is longer may begin with a PIN.
const SHORTEST_OTP: usize = 6;

/// For whom PINs are compared: whose backend it would be is not known here.
const SHARE: Share = Share::Unjudged;

impl FactorService {
    /// Judges what `rule` asks for and a one-time password after it, of somebody's active factors. The one-time password is the text's last characters, as
    /// many as the factor's have. A text that is a PIN alone, or nothing for a factor that has none, is [`FactorVerdict::PinOnly`].
    ///
    /// An attempt is counted before it is judged. A one-time password that is refused after a right PIN counts on the factors of that PIN, a wrong PIN on all; factors that have failed too often are
    /// neither tried nor counted on.
    ///
    /// At most eight factors with a PIN are considered: those that the one-time password fits before others, otherwise by serial. Each costs two comparisons of
    /// a verifier at the most, and a PIN that several share is compared once. Whoever has no factor, none with a PIN, or only such that have failed too
    /// often, costs what somebody with one factor costs.
    ///
    /// # Errors
    /// [`FactorError::Sealed`], [`FactorError::Password`], [`FactorError::Store`].
    pub async fn check_with_pin(
        &self,
        owner: IdentityId,
        pass: &Secret<Vec<u8>>,
        rule: PinRule,
    ) -> Result<FactorVerdict, FactorError> {
        let factors = self.store.active_factors(owner).await?;
        self.judge_with_pin(&factors, pass, rule).await
    }

    /// What [`FactorService::check_with_pin`] costs for somebody who has no factor, for whoever is nobody.
    ///
    /// # Errors
    /// [`FactorError::Password`].
    pub async fn check_nobody(&self, pass: &Secret<Vec<u8>>, rule: PinRule) -> Result<(), FactorError> {
        self.judge_with_pin(&[], pass, rule).await.map(drop)
    }

    pub(super) async fn judge_with_pin(
        &self,
        factors: &[StoredFactor],
        pass: &Secret<Vec<u8>>,
        rule: PinRule,
    ) -> Result<FactorVerdict, FactorError> {
        match rule {
            PinRule::None if pass.expose().is_empty() && unlocked(factors).next().is_some() => Ok(
                FactorVerdict::PinOnly(unlocked(factors).map(|stored| stored.factor.clone()).collect()),
            ),
            PinRule::None => {
                let verdict = self.judge_alone(factors, pass.expose()).await?;
                if !matches!(verdict, FactorVerdict::Accepted(_)) {
                    // What a wrong PIN costs: nobody learns by time who has a factor.
                    self.passwords.burn(&SHARE, pass).await?;
                }
                Ok(verdict)
            }
            PinRule::Factor => self.judge_pin(factors, pass.expose()).await,
        }
    }

    async fn judge_pin(&self, factors: &[StoredFactor], text: &[u8]) -> Result<FactorVerdict, FactorError> {
        let mut pins = Pins::of(self, text);
        let open = self.begin(factors).await?;
        let considered = self.considered(&open, text);
        // The PIN first, whatever the one-time password: by time nobody can tell whether a guess of it was right.
        let mut pinned = Vec::new();
        for stored in &considered {
            let Some((pin, otp)) = split(stored, text) else {
                continue;
            };
            match pins.are(stored, pin).await {
                Ok(true) => pinned.push((*stored, otp)),
                Ok(false) => {}
                Err(error) => {
                    // Nothing was judged yet. What cannot be done after it stays counted: it must not be worth anything to a guesser.
                    self.take_back(open.iter().copied()).await?;
                    return Err(error);
                }
            }
        }
        let refusal = match self.judge(&pinned).await? {
            Judged::Accepted(accepted) => {
                let others = open.iter().copied().filter(|stored| stored.factor.id != accepted.id);
                self.take_back(others).await?;
                return Ok(FactorVerdict::Accepted(*accepted));
            }
            Judged::Refused(refusal) => refusal,
        };
        let mut alone = Vec::new();
        for stored in &considered {
            if pins.are(stored, text).await? {
                alone.push(stored.factor.clone());
            }
        }
        let with_pin = considered.iter().filter(|stored| stored.factor.pin.is_some()).count();
        pins.settle(with_pin).await?;
        if !alone.is_empty() {
            self.take_back(open.iter().copied()).await?;
            return Ok(FactorVerdict::PinOnly(alone));
        }
        if !pinned.is_empty() {
            let is_pinned = |stored: &StoredFactor| pinned.iter().any(|(known, _)| known.factor.id == stored.factor.id);
            self.take_back(open.iter().copied().filter(|stored| !is_pinned(stored)))
                .await?;
            return Ok(FactorVerdict::Refused(refusal));
        }
        if open.is_empty() {
            return Ok(nothing_open(factors));
        }
        Ok(FactorVerdict::Refused(if with_pin > 0 {
            FactorRefusal::WrongPin
        } else {
            FactorRefusal::WrongOtp
        }))
    }

    /// The factors that a text is compared with: all without a PIN, and so many of the others.
    fn considered<'f>(&self, open: &[&'f StoredFactor], text: &[u8]) -> Vec<&'f StoredFactor> {
        let (mut with_pin, mut considered): (Vec<&StoredFactor>, Vec<_>) =
            open.iter().copied().partition(|stored| stored.factor.pin.is_some());
        if with_pin.len() > CONSIDERED {
            with_pin.sort_by_cached_key(|stored| !self.may_fit(stored, text));
            with_pin.truncate(CONSIDERED);
        }
        considered.extend(with_pin);
        considered
    }

    /// Whether a text ends in what could be a good one-time password of the factor.
    fn may_fit(&self, stored: &StoredFactor, text: &[u8]) -> bool {
        let Some((_, tail)) = split(stored, text) else {
            return false;
        };
        if stored.factor.kind == FactorKind::Recovery {
            return true;
        }
        match (otp::parse(tail, stored.factor.parameters.digits), self.open(stored)) {
            (Some(otp), Ok(generator)) => {
                matches!(
                    window::fit(&stored.factor, &generator, otp, self.clock.now()),
                    Fit::Fresh(_)
                )
            }
            _ => false,
        }
    }
}

/// A text as the PIN and the one-time password of a factor, if its end looks like one.
pub(super) fn split<'t>(stored: &StoredFactor, text: &'t [u8]) -> Option<(&'t [u8], &'t [u8])> {
    let digits = stored.factor.parameters.digits;
    let (pin, otp) = text.split_at_checked(text.len().checked_sub(usize::from(digits))?)?;
    let fits = match stored.factor.kind {
        FactorKind::Recovery => codes::parse(otp).is_some(),
        FactorKind::Hotp | FactorKind::Totp => otp::parse(otp, digits).is_some(),
    };
    fits.then_some((pin, otp))
}

/// The comparisons that one text costs.
struct Pins<'t> {
    service: &'t FactorService,
    text: &'t [u8],
    /// The verifier, the length of what was compared with it, and how that ended.
    known: Vec<(Secret<String>, usize, bool)>,
}

impl<'t> Pins<'t> {
    fn of(service: &'t FactorService, text: &'t [u8]) -> Self {
        Self {
            service,
            text,
            known: Vec::new(),
        }
    }

    /// Whether these first bytes of the text are the factor's PIN.
    async fn are(&mut self, stored: &StoredFactor, pin: &[u8]) -> Result<bool, FactorError> {
        let Some(verifier) = &stored.factor.pin else {
            return Ok(pin.is_empty());
        };
        if !LENGTHS.contains(&pin.len()) {
            return Ok(false);
        }
        let same = |(known, length, _): &&(Secret<String>, usize, bool)| *length == pin.len() && known == verifier;
        if let Some((.., matches)) = self.known.iter().find(same) {
            return Ok(*matches);
        }
        let compared = Secret::new(pin.to_vec());
        let passwords = &self.service.passwords;
        let matches = match passwords.verify_stored(&SHARE, &compared, Some(verifier)).await {
            Ok(comparison) => comparison.matches,
            // One broken verifier must not keep its owner's other factors from working.
            Err(error @ (PasswordError::Unsupported(_) | PasswordError::TooCostly)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(serial = %stored.factor.serial, error, "a stored PIN cannot be used; set a new one");
                false
            }
            Err(error) => return Err(error.into()),
        };
        self.known.push((verifier.clone(), pin.len(), matches));
        Ok(matches)
    }

    /// Does the work that so many factors with a PIN, at least one, cost at the most for a text of this length, as far as it was not done.
    async fn settle(self, with_pin: usize) -> Result<(), FactorError> {
        let each = if self.text.len() > SHORTEST_OTP { 2 } else { 1 };
        let text = Secret::new(self.text.to_vec());
        for _ in self.known.len()..each * with_pin.max(1) {
            self.service.passwords.burn(&SHARE, &text).await?;
        }
        Ok(())
    }
}
