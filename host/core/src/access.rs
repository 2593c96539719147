//! Access patterns: parsing, and evaluation in time linear in the text.
//!
//! A pattern is compared with the whole access, and upper and lower case differ. `*` stands for any characters but `.` and `#`, `#` for any
//! characters but a newline. The whole words (between dots) `me`, `my_session` and `edit` also match the identity, the session and `update`.
//! Only patterns have wildcards: in the access that is asked for, `*`, `#` and `!` are plain characters. Nothing is escaped or normalised.

mod denials;
mod pattern;
mod positions;
mod share;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use uuid::Uuid;

use crate::model::{IdentityId, SessionId};
pub use share::AccessShare;

use denials::Denials;
use pattern::{Pattern, SIGNS, Words, with_signs};

/// The longest pattern in bytes, a leading `!` included. A longer one grants nothing, and a longer negative one denies everything.
pub const MAX_PATTERN_LENGTH: usize = 1024;

/// The longest access in bytes that can be granted.
pub const MAX_REQUIRED_LENGTH: usize = 2048;

/// A token's accesses, compiled for evaluation. What is compiled does not depend on the token, so that tokens can share it: see
/// [`AccessShare`].
#[derive(Debug, Clone)]
pub struct AccessList {
    compiled: Arc<Compiled>,
    identity: IdentityId,
    session: SessionId,
}

impl AccessList {
    /// Compiles the patterns. `me` stands for the identity, `my_session` for the session; both are taken literally.
    pub fn new(patterns: &[String], identity: IdentityId, session: SessionId) -> Self {
        Self::from_compiled(Arc::new(Compiled::new(patterns)), identity, session)
    }

    fn from_compiled(compiled: Arc<Compiled>, identity: IdentityId, session: SessionId) -> Self {
        Self {
            compiled,
            identity,
            session,
        }
    }

    /// Whether the required access is granted: no negative pattern matches it and a positive one does.
    pub fn grants(&self, required: &str) -> bool {
        self.with_words(|words| self.compiled.grants(required, words))
    }

    /// What the holder is denied by patterns that are not among these. What somebody else gets together with the denial oversteps nothing.
    fn denials_without(&self, kept: &[String]) -> Denials {
        let kept: Vec<_> = kept
            .iter()
            .filter_map(|text| text.strip_prefix('!'))
            .map(Pattern::parse)
            .collect();
        let denied = self.compiled.denying.iter().filter(|denied| !kept.contains(denied));
        self.with_words(|words| Denials::new(denied, words))
    }

    fn with_words<T>(&self, work: impl FnOnce(Words<'_>) -> T) -> T {
        let (mut identity, mut session) = (Uuid::encode_buffer(), Uuid::encode_buffer());
        work(Words::of(
            self.identity.0.hyphenated().encode_lower(&mut identity),
            self.session.0.hyphenated().encode_lower(&mut session),
        ))
    }

    /// Whether these are the accesses of this identity itself.
    pub fn is_of(&self, identity: IdentityId) -> bool {
        self.identity == identity
    }

    /// The first access by which the holder would overstep what it may do itself, if it made these accesses of those: one that it lacks and would pass on, a
    /// wildcard over what it is denied, or a denial that binds it and that it would lift.
    pub fn overstep<'a>(&self, current: &'a [String], next: &'a [String]) -> Option<&'a str> {
        let mut denials = self.denials_without(next);
        for access in next.iter().filter(|access| !current.contains(access)) {
            if !self.may_add(access) || (!access.starts_with('!') && denials.meet(access)) {
                return Some(access);
            }
        }
        for access in current.iter().filter(|access| !next.contains(access)) {
            let is_binding = access.strip_prefix('!').is_some_and(|denied| denials.meet(denied));
            if !self.may_remove(access) || is_binding {
                return Some(access);
            }
        }
        None
    }

    /// Whether the holder may add this pattern to a policy: it denies, or the holder's own list grants its text.
    pub fn may_add(&self, pattern: &str) -> bool {
        pattern.starts_with('!') || self.grants(pattern)
    }

    /// Whether the holder may remove this pattern from a policy: the holder's own list grants its text, without a leading `!`.
    pub fn may_remove(&self, pattern: &str) -> bool {
        self.grants(pattern.strip_prefix('!').unwrap_or(pattern))
    }
}

/// What is left of the patterns that somebody claims under a ceiling. A pattern is kept if the ceiling's list grants the pattern's own text,
/// whatever its special words stand for; a negative one always. Where anything is kept, the ceiling's negative patterns follow, since a
/// wildcard covers more than its own text.
pub fn within_ceiling(claimed: &[String], ceiling: &[String]) -> Vec<String> {
    let list = Compiled::new(ceiling);
    // A ceiling belongs to nobody, so its words stand for themselves and their signs only.
    let covers = |text: &str| list.grants(text, SIGNS) && list.grants(&with_signs(text), SIGNS);
    let keep = |text: &&String| text.starts_with('!') || (text.len() <= MAX_PATTERN_LENGTH && covers(text));
    let mut kept: Vec<String> = claimed.iter().filter(keep).cloned().collect();
    if !kept.is_empty() {
        kept.extend(ceiling.iter().filter(|pattern| pattern.starts_with('!')).cloned());
    }
    kept
}

/// Whether a pattern, which is not negative, grants anything that one of these grants. `me` and `my_session` are whoever holds it.
pub fn reaches_into<'a>(pattern: &str, others: impl IntoIterator<Item = &'a str>) -> bool {
    let others: Vec<_> = others.into_iter().map(Pattern::parse).collect();
    Denials::new(others.iter(), SIGNS).meet(pattern)
}

/// Patterns, compiled, for any token.
#[derive(Debug)]
struct Compiled {
    denying: Box<[Pattern]>,
    granting: Box<[Pattern]>,
    /// There is a negative pattern that is too long to evaluate. What it would deny is not known, so nothing is granted.
    denies_all: bool,
}

impl Compiled {
    fn new(patterns: &[String]) -> Self {
        let (mut denying, mut granting) = (Vec::new(), Vec::new());
        let mut denies_all = false;
        for text in patterns {
            let negative = text.strip_prefix('!');
            if text.len() > MAX_PATTERN_LENGTH {
                denies_all |= negative.is_some();
                continue;
            }
            match negative {
                Some(rest) => denying.push(Pattern::parse(rest)),
                None => granting.push(Pattern::parse(text)),
            }
        }
        Self {
            denying: denying.into(),
            granting: granting.into(),
            denies_all,
        }
    }

    fn grants(&self, required: &str, words: Words<'_>) -> bool {
        if self.denies_all || required.len() > MAX_REQUIRED_LENGTH {
            return false;
        }
        let matches = |pattern: &Pattern| pattern.matches(required, words);
        !self.denying.iter().any(matches) && self.granting.iter().any(matches)
    }
}
