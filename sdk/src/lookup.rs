//! Looking somebody up without a password: an optional ability of a backend.

use crate::{Backend, Context, Fault, Principal, Refusal};

/// A backend that can say who somebody is without a password. Written as `register!(MyBackend, lookup)`.
///
/// The host asks before it renews somebody's tokens, so that groups are what they are now and nobody keeps what was taken away. Without
/// this ability tokens are renewed on what is known from the login.
///
/// ```
/// # use keyway_sdk::*;
/// # use std::collections::BTreeMap;
/// # #[derive(Deserialize, JsonSchema)]
/// # #[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
/// # struct Staff { people: BTreeMap<String, Vec<String>> }
/// # impl Backend for Staff {
/// #     type Config = Self;
/// #     fn describe() -> Description { description!() }
/// #     fn configure(config: Self) -> Result<Self, Vec<Problem>> { Ok(config) }
/// #     fn verify(&self, _: &Context, _: &Login) -> Result<Outcome, Fault> { Ok(Refusal::WrongCredential.into()) }
/// # }
/// impl Lookup for Staff {
///     fn find(&self, _context: &Context, key: &Key) -> Result<Found, Fault> {
///         // Here a login is the stable name, too.
///         let (Key::Identifier(login) | Key::Subject(login)) = key;
///         Ok(match self.people.get(login) {
///             Some(groups) => Principal::own(login).groups(groups).into(),
///             None => Refusal::UnknownIdentifier.into(),
///         })
///     }
/// }
///
/// register!(Staff, lookup);
/// # let host = testing::MockHost::new().config(json!({ "people": { "alice": ["chess"] } }));
/// let alice = host.lookup::<Staff>(Key::Subject("alice".to_owned()));
/// assert_eq!(alice, Ok(Principal::own("alice").groups(["chess"]).into()));
/// let nobody = host.lookup::<Staff>(Key::Identifier("bob".to_owned()));
/// assert_eq!(nobody, Ok(Refusal::UnknownIdentifier.into()));
/// ```
pub trait Lookup: Backend {
    /// Who is it? Answered with the grants and the limits of a login.
    ///
    /// [`Found::Principal`] is somebody whom a right credential would let in now. A user of the host's directory is believed only where the
    /// host found that user for this very call under [`Capability::DirectoryLink`](crate::Capability::DirectoryLink).
    ///
    /// # Errors
    /// A [`Fault`] where that could not be found out. That there is nobody is not a fault but [`Found::Refused`].
    fn find(&self, context: &Context, key: &Key) -> Result<Found, Fault>;
}

/// By what somebody is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A login name, as a caller wrote it.
    Identifier(String),
    /// The backend's own stable name for somebody, as it told by [`Principal::own`].
    Subject(String),
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Somebody whom a right credential would let in now.
    Principal(Principal),
    /// Nobody, or nobody who may log in now: [`Refusal::UnknownIdentifier`], `Disabled`, `Locked`, `Expired` or `Ambiguous`.
    Refused(Refusal),
    /// The operator configured no way to look anybody up: the host goes by what it knows from the login.
    CannotTell,
}

impl From<Principal> for Found {
    fn from(principal: Principal) -> Self {
        Self::Principal(principal)
    }
}

impl From<Refusal> for Found {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
