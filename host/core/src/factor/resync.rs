//! Finding a device again that ran away from its factor.

use super::{FactorError, FactorService, otp, window};
use crate::Secret;
use crate::model::FactorState;
use crate::port::OtpUse;

impl FactorService {
    /// Whether two one-time passwords follow each other within the factor's window for a resynchronisation. Then the factor goes on after them, and neither
    /// is good again. If not, that counts as a failure; a factor that has failed too often must be reset before.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::State`] if it is neither active nor switched off, [`FactorError::Sealed`], [`FactorError::Store`].
    pub async fn resync(
        &self,
        serial: &str,
        first: &Secret<Vec<u8>>,
        second: &Secret<Vec<u8>>,
    ) -> Result<bool, FactorError> {
        let stored = self.stored(serial).await?;
        let (factor, now) = (&stored.factor, self.clock.now());
        if !matches!(factor.state, FactorState::Active | FactorState::Disabled) {
            return Err(FactorError::State(factor.state));
        }
        if self.store.begin_attempts(&[factor.id]).await?.is_empty() {
            return Ok(false);
        }
        let digits = factor.parameters.digits;
        let pair = otp::parse(first.expose(), digits).zip(otp::parse(second.expose(), digits));
        let place = match pair {
            Some(pair) if !stored.sealed_seed.is_empty() => window::find_pair(factor, &self.open(&stored)?, pair, now),
            _ => None,
        };
        let Some(place) = place else {
            return Ok(false);
        };
        let used = OtpUse {
            factor: factor.id,
            counter: place.counter,
            drift: place.drift,
            state: factor.state,
            becomes: factor.state,
            at: now,
        };
        Ok(self.store.use_otp(&used).await?)
    }
}
