//! Finding factors, changing them and giving them to people.

use super::enroll::invalid;
use super::{FactorError, FactorService};
use crate::Secret;
use crate::model::{Factor, FactorKind, FactorOwner, FactorState, IdentityId, Paged};
use crate::port::{FactorChange, FactorFilter, FactorQuery};

/// The widest window of HOTP: each counter more is a guess more for who does not have the device.
const MAX_HOTP_WINDOW: u32 = 100;

/// The widest window of TOTP, to either side: three minutes at 30 seconds.
const MAX_TOTP_WINDOW: u32 = 6;

/// The widest window for a resynchronisation.
const MAX_SYNC_WINDOW: u32 = 10_000;

/// The most failures that may be allowed.
const MAX_FAILURES: u32 = 1000;

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 1024;

/// The most that attributes may take, in bytes of their names and values.
const MAX_ATTRIBUTES: usize = 8 * 1024;

/// How often a change is tried again that another one came between.
const ATTEMPTS: u32 = 5;

impl FactorService {
    /// The factor of this serial, without regard to case.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn find(&self, serial: &str) -> Result<Option<Factor>, FactorError> {
        let found = self.store.find_factor(serial).await?;
        Ok(found.map(|stored| stored.factor))
    }

    /// The factor of this serial, which must be there.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Store`].
    pub async fn get(&self, serial: &str) -> Result<Factor, FactorError> {
        Ok(self.stored(serial).await?.factor)
    }

    /// Some of the factors.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn list(&self, query: &FactorQuery) -> Result<Paged<Factor>, FactorError> {
        Ok(self.store.list_factors(query).await?)
    }

    /// The lengths of the one-time passwords of all active factors that belong to somebody, ascending, each once.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn otp_lengths(&self) -> Result<Vec<u8>, FactorError> {
        Ok(self.store.otp_lengths().await?)
    }

    /// Whether somebody has any factor, in whatever state.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn has_any(&self, owner: IdentityId) -> Result<bool, FactorError> {
        let query = FactorQuery {
            filter: FactorFilter {
                owner: Some(owner),
                ..FactorFilter::default()
            },
            limit: Some(1),
            ..FactorQuery::default()
        };
        Ok(!self.store.list_factors(&query).await?.items.is_empty())
    }

    /// Somebody's active factors, by serial, those that have failed too often included.
    ///
    /// # Errors
    /// [`FactorError::Store`].
    pub async fn active_of(&self, owner: IdentityId) -> Result<Vec<Factor>, FactorError> {
        let stored = self.store.active_factors(owner).await?;
        Ok(stored.into_iter().map(|stored| stored.factor).collect())
    }

    /// Switches a factor on or off, or gives it up for good; returns it as it is then. A factor that was handed out and not confirmed is switched on by
    /// [`FactorService::confirm`] alone, and can only be revoked here.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::State`] if it is in a state that does not lead there, [`FactorError::Store`].
    pub async fn set_state(&self, serial: &str, state: FactorState) -> Result<Factor, FactorError> {
        for _ in 0..ATTEMPTS {
            if let Some(factor) = self.try_set_state(serial, state).await? {
                return Ok(factor);
            }
        }
        Err(invalid("the factor changes all the time; try again"))
    }

    /// `None` if somebody else changed its state meanwhile.
    async fn try_set_state(&self, serial: &str, state: FactorState) -> Result<Option<Factor>, FactorError> {
        let factor = self.get(serial).await?;
        let leads_there = match (factor.state, state) {
            (now, then) if now == then => return Ok(Some(factor)),
            (FactorState::Revoked, _) | (_, FactorState::Enrolling) => false,
            (FactorState::Enrolling, then) => then == FactorState::Revoked,
            (FactorState::Active | FactorState::Disabled, _) => true,
        };
        if !leads_there {
            return Err(FactorError::State(factor.state));
        }
        let change = FactorChange {
            only_in: Some(factor.state),
            state: Some(state),
            ..FactorChange::default()
        };
        let changed = self.store.change_factor(factor.id, &change).await?;
        Ok(changed.then_some(Factor { state, ..factor }))
    }

    /// Removes a factor and its codes.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Store`].
    pub async fn remove(&self, serial: &str) -> Result<(), FactorError> {
        let factor = self.get(serial).await?;
        if self.store.remove_factor(factor.id).await? {
            Ok(())
        } else {
            Err(FactorError::Unknown(factor.serial))
        }
    }

    /// Sets the PIN that goes before a factor's one-time passwords; `None` for none.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Invalid`], [`FactorError::Password`], [`FactorError::Store`].
    pub async fn set_pin(&self, serial: &str, pin: Option<Secret<Vec<u8>>>) -> Result<(), FactorError> {
        let factor = self.get(serial).await?;
        let change = FactorChange {
            pin: Some(self.pin_verifier(pin.as_ref()).await?),
            ..FactorChange::default()
        };
        self.apply(&factor, &change).await
    }

    /// Changes what is shown with a factor and how forgiving it is: its description, attributes, windows and how many failures it may have. What has a function
    /// of its own (state, owner, PIN, failures) is refused here.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Invalid`], [`FactorError::Store`].
    pub async fn change(&self, serial: &str, change: FactorChange) -> Result<(), FactorError> {
        if change.state.is_some() || change.owner.is_some() || change.pin.is_some() || change.failures.is_some() {
            return Err(invalid("state, owner, PIN and failures are not changed in this way"));
        }
        let factor = self.get(serial).await?;
        check_limits(factor.kind, change.max_failures, change.window, change.sync_window)?;
        if let Some(description) = &change.description {
            check_description(description)?;
        }
        if let Some(attributes) = &change.attributes {
            check_attributes(attributes)?;
        }
        self.apply(&factor, &change).await
    }

    /// Forgets a factor's failures, so that it lets its owner in again.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Store`].
    pub async fn reset(&self, serial: &str) -> Result<(), FactorError> {
        let factor = self.get(serial).await?;
        let change = FactorChange {
            failures: Some(0),
            ..FactorChange::default()
        };
        self.apply(&factor, &change).await
    }

    /// Gives a factor to somebody.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Invalid`] if it is somebody else's, [`FactorError::State`] if it was revoked, [`FactorError::Store`].
    pub async fn assign(&self, serial: &str, owner: FactorOwner) -> Result<(), FactorError> {
        for _ in 0..ATTEMPTS {
            if self.try_assign(serial, &owner).await? {
                return Ok(());
            }
        }
        Err(invalid("the factor changes all the time; try again"))
    }

    /// `false` if somebody else changed its state or its owner meanwhile.
    async fn try_assign(&self, serial: &str, owner: &FactorOwner) -> Result<bool, FactorError> {
        let factor = self.get(serial).await?;
        if factor.state == FactorState::Revoked {
            return Err(FactorError::State(factor.state));
        }
        if factor.owner.as_ref().is_some_and(|now| now.identity != owner.identity) {
            return Err(invalid("the factor belongs to somebody else"));
        }
        let change = FactorChange {
            only_in: Some(factor.state),
            only_of: Some(factor.owner.map(|now| now.identity)),
            owner: Some(Some(owner.clone())),
            ..FactorChange::default()
        };
        Ok(self.store.change_factor(factor.id, &change).await?)
    }

    /// Takes a factor away from its owner, with the PIN that the owner knows and the failures that the owner made.
    ///
    /// # Errors
    /// [`FactorError::Unknown`], [`FactorError::Store`].
    pub async fn unassign(&self, serial: &str) -> Result<(), FactorError> {
        let factor = self.get(serial).await?;
        let change = FactorChange {
            owner: Some(None),
            pin: Some(None),
            failures: Some(0),
            ..FactorChange::default()
        };
        self.apply(&factor, &change).await
    }

    async fn apply(&self, factor: &Factor, change: &FactorChange) -> Result<(), FactorError> {
        if self.store.change_factor(factor.id, change).await? {
            Ok(())
        } else {
            Err(FactorError::Unknown(factor.serial.clone()))
        }
    }
}

pub(super) fn check_limits(
    kind: FactorKind,
    max_failures: Option<u32>,
    window: Option<u32>,
    sync_window: Option<u32>,
) -> Result<(), FactorError> {
    let widest = match kind {
        FactorKind::Hotp => MAX_HOTP_WINDOW,
        FactorKind::Totp => MAX_TOTP_WINDOW,
        FactorKind::Recovery => 0,
    };
    if window.is_some_and(|window| window > widest) {
        return Err(FactorError::Invalid(format!("the window is at most {widest}")));
    }
    if sync_window.is_some_and(|window| window > MAX_SYNC_WINDOW) {
        return Err(FactorError::Invalid(format!(
            "the window for a resynchronisation is at most {MAX_SYNC_WINDOW}"
        )));
    }
    if max_failures.is_some_and(|failures| !(1..=MAX_FAILURES).contains(&failures)) {
        return Err(FactorError::Invalid(format!(
            "a factor may have 1 to {MAX_FAILURES} failures"
        )));
    }
    Ok(())
}

pub(super) fn check_description(description: &str) -> Result<(), FactorError> {
    if description.chars().count() > MAX_DESCRIPTION {
        return Err(FactorError::Invalid(format!(
            "a description has at most {MAX_DESCRIPTION} characters"
        )));
    }
    Ok(())
}

pub(super) fn check_attributes(attributes: &[(String, String)]) -> Result<(), FactorError> {
    let size: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_ATTRIBUTES {
        return Err(FactorError::Invalid(format!(
            "attributes have at most {MAX_ATTRIBUTES} bytes"
        )));
    }
    Ok(())
}
