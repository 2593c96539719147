//! The list of dialects: the table of contents of this folder. A new one is a folder here, a variant, and a line in each match.

pub mod wazo;

use std::fmt;

use axum::Router;

use crate::AppState;

/// An API flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// xivo-auth's and wazo-auth's token API, `/0.1/token`.
    Wazo,
}

/// The text names no dialect of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// Planned, and not part of this version.
    #[error("the dialect `{0}` is not part of this version; it has: {built}", built = Dialect::names())]
    NotBuilt(&'static str),
    /// No dialect at all.
    #[error("unknown dialect `{0}`; this version has: {built}", built = Dialect::names())]
    Unknown(String),
}

impl Dialect {
    /// Every dialect of this version.
    pub const ALL: &[Self] = &[Self::Wazo];

    /// The names that a configuration may hold and that this version does not serve yet.
    const PLANNED: &[&'static str] = &["kazoo", "privacyidea", "webitel"];

    /// Parses a configuration's name.
    ///
    /// # Errors
    /// [`DialectError`].
    pub fn parse(name: &str) -> Result<Self, DialectError> {
        if let Some(dialect) = Self::ALL.iter().find(|dialect| dialect.name() == name) {
            return Ok(*dialect);
        }
        match Self::PLANNED.iter().find(|planned| **planned == name) {
            Some(planned) => Err(DialectError::NotBuilt(planned)),
            None => Err(DialectError::Unknown(name.to_owned())),
        }
    }

    /// Its name in the configuration, in logs and in sessions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wazo => "wazo",
        }
    }

    fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|dialect| dialect.name()).collect();
        names.join(", ")
    }

    fn routes(self, state: &AppState) -> Router {
        match self {
            Self::Wazo => wazo::router(state),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The routes of these dialects. To be served behind the edge ([`crate::edge::Listener::serve`]).
pub fn router(dialects: &[Dialect], state: &AppState) -> Router {
    let mut router = Router::new();
    let mut seen = Vec::new();
    for dialect in dialects {
        if !seen.contains(dialect) {
            router = router.merge(dialect.routes(state));
            seen.push(*dialect);
        }
    }
    if !dialects.is_empty() {
        router = router.merge(crate::events::router(state));
    }
    router.fallback(crate::edge::not_found)
}
