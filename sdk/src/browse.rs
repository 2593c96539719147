//! Listing users: an optional ability of a backend.

use crate::{Backend, Context, Fault, Principal, Subject};

/// A backend that can list its users. Written as `register!(MyBackend, browse)`.
///
/// This is what an administrator searches for users with. Without this ability a backend's users cannot be listed.
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
/// impl Browse for Staff {
///     fn list(&self, _context: &Context, query: &Query) -> Result<Listing, Fault> {
///         let people = self.people.iter().map(|(login, groups)| Principal::own(login).groups(groups));
///         Ok(Listing::of(people.filter(|person| query.fits(person)), query.most))
///     }
/// }
///
/// register!(Staff, browse);
/// # let host = testing::MockHost::new().config(json!({ "people": { "alice": ["chess"], "albert": [], "bob": [] } }));
/// let listing = host.browse::<Staff>(Query::most(1).with("login", "AL*"));
/// assert_eq!(listing, Ok(Listing { principals: vec![Principal::own("albert")], complete: false }));
/// ```
pub trait Browse: Backend {
    /// Who is there? Answered with the grants and the limits of a login. No verifier of a password may be among what is told.
    ///
    /// # Errors
    /// A [`Fault`] where that could not be found out. That there is nobody is not a fault but an empty [`Listing`].
    fn list(&self, context: &Context, query: &Query) -> Result<Listing, Fault>;
}

/// Which users. What is not said does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Query {
    /// Only those of this realm, where the backend has some.
    pub realm: Option<String>,
    /// Only those of this resolver, where it has some.
    pub resolver: Option<String>,
    /// Patterns by the name of what they are about: `login`, `email`, `display-name`, `subject`, or an attribute's.
    pub patterns: Vec<(String, String)>,
    /// No more than these.
    pub most: u32,
}

impl Query {
    /// Everybody, but no more than `most`.
    pub fn most(most: u32) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Narrows it to a realm.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Narrows it to a resolver.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Into<String>) -> Self {
        self.resolver = Some(resolver.into());
        self
    }

    /// Adds a pattern.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, pattern: impl Into<String>) -> Self {
        self.patterns.push((name.into(), pattern.into()));
        self
    }

    /// The first pattern about `name`.
    pub fn pattern(&self, name: &str) -> Option<&str> {
        let found = self.patterns.iter().find(|(about, _)| about == name);
        found.map(|(_, pattern)| pattern.as_str())
    }

    /// Whether all patterns fit this principal. Realm and resolver are the backend's own to look at.
    ///
    /// ```
    /// use keyway_sdk::{Principal, Query};
    ///
    /// let alice = Principal::own("4711").login("alice").email("Alice@example.org").attribute("floor", "3");
    /// let query = Query::most(10).with("email", "*@EXAMPLE.*").with("floor", "3").with("subject", "47*");
    /// assert!(query.fits(&alice) && !query.with("phone", "*").fits(&alice));
    /// ```
    pub fn fits(&self, principal: &Principal) -> bool {
        self.patterns.iter().all(|(name, pattern)| {
            let value = match name.as_str() {
                "login" => Some(principal.login.as_str()),
                "email" => principal.email.as_deref(),
                "display-name" => principal.display_name.as_deref(),
                "subject" => Some(match &principal.subject {
                    Subject::Directory(name) | Subject::Own(name) | Subject::Delegated { subject: name, .. } => {
                        name.as_str()
                    }
                }),
                name => principal.attributes.get(name).map(String::as_str),
            };
            value.is_some_and(|value| Self::matches(pattern, value))
        })
    }

    /// Whether a pattern fits a text: `*` stands for any text, and case does not count.
    ///
    /// ```
    /// use keyway_sdk::Query;
    ///
    /// assert!(Query::matches("a*E", "Alice") && Query::matches("*", "") && !Query::matches("a", "ab"));
    /// ```
    pub fn matches(pattern: &str, text: &str) -> bool {
        let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
        let Some((head, rest)) = pattern.split_once('*') else {
            return pattern == text;
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let inner = text.strip_prefix(head).and_then(|text| text.strip_suffix(tail));
        // The leftmost place for each piece leaves the most room for the next.
        let placed = inner.and_then(|inner| {
            middle.split('*').try_fold(inner, |left, piece| {
                left.find(piece).and_then(|at| left.get(at + piece.len()..))
            })
        });
        placed.is_some()
    }
}

/// Those who are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Those who fit.
    pub principals: Vec<Principal>,
    /// Whether these are all.
    pub complete: bool,
}

impl Listing {
    /// The first `most` of these; complete if there are no more.
    pub fn of(principals: impl IntoIterator<Item = Principal>, most: u32) -> Self {
        let mut all = principals.into_iter();
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let principals = all.by_ref().take(most).collect();
        Self {
            principals,
            complete: all.next().is_none(),
        }
    }
}
