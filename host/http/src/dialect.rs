//! The list of dialects: the table of contents of this folder. A new one is a folder here, a variant, and a line in each match.

pub mod kazoo;
pub mod privacyidea;
pub mod wazo;
pub mod webitel;

use std::fmt;

use axum::Router;
use axum::handler::Handler as _;

use crate::document::{self, Document, Mount};
use crate::{AppState, DialectSettings, edge, events, password};

/// An API flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// xivo-auth's and wazo-auth's token API, `/0.1/token`.
    Wazo,
    /// privacyIDEA's API, `/auth` and the rest.
    Privacyidea,
    /// Kazoo's API, `/v2/user_auth` and the rest.
    Kazoo,
    /// Webitel's API, `/login` and the rest.
    Webitel,
}

/// The text names no dialect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect `{0}`; this version has: {known}", known = Dialect::names())]
pub struct UnknownDialect(String);

impl Dialect {
    /// Every dialect.
    pub const ALL: &[Self] = &[Self::Wazo, Self::Privacyidea, Self::Kazoo, Self::Webitel];

    /// Parses a configuration's name.
    ///
    /// # Errors
    /// [`UnknownDialect`].
    pub fn parse(name: &str) -> Result<Self, UnknownDialect> {
        let found = Self::ALL.iter().copied().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| UnknownDialect(name.to_owned()))
    }

    /// Its name in the configuration, in logs and in sessions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wazo => "wazo",
            Self::Privacyidea => "privacyidea",
            Self::Kazoo => "kazoo",
            Self::Webitel => "webitel",
        }
    }

    fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|dialect| dialect.name()).collect();
        names.join(", ")
    }

    fn mount(self, settings: &DialectSettings, document: &Document) -> Mount {
        match self {
            Self::Wazo => wazo::mount(&settings.wazo, document),
            Self::Privacyidea => privacyidea::mount(),
            Self::Kazoo => kazoo::mount(),
            Self::Webitel => webitel::mount(),
        }
    }

    fn router(self, mount: &Mount, state: &AppState) -> Router {
        match self {
            Self::Wazo => wazo::router(mount, state),
            Self::Privacyidea => privacyidea::router(mount, state),
            Self::Kazoo => kazoo::router(mount, state),
            Self::Webitel => webitel::router(mount, state),
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
    let mut wanted = Vec::new();
    for dialect in dialects {
        if !wanted.contains(dialect) {
            wanted.push(*dialect);
        }
    }
    let mut router = Router::new();
    if !wanted.is_empty() {
        // The document tells of its own routes, too: it is made of a first table, and served by a second one like it.
        let told = Tables::of(&wanted, state, &Document::default());
        let served = Tables::of(&wanted, state, &told.document());
        for (dialect, mount) in &served.dialects {
            router = router.merge(dialect.router(mount, state));
        }
        for mount in &served.every {
            let routes = mount.router().method_not_allowed_fallback(edge::not_allowed);
            router = router.merge(routes.with_state(state.clone()));
        }
    }
    if wanted.contains(&Dialect::Privacyidea) {
        return router.fallback_service(privacyidea::not_found.with_state(state.clone()));
    }
    router.fallback(edge::not_found)
}

/// The tables of all routes of a listener.
struct Tables {
    dialects: Vec<(Dialect, Mount)>,
    /// Those of every listener that serves a dialect.
    every: Vec<Mount>,
    /// What the edge answers before any router is asked.
    edge: Mount,
}

impl Tables {
    fn of(dialects: &[Dialect], state: &AppState, document: &Document) -> Self {
        let mounts = dialects
            .iter()
            .map(|dialect| (*dialect, dialect.mount(&state.dialects, document)));
        Self {
            dialects: mounts.collect(),
            every: vec![password::mount(), events::mount(), document::mount(document)],
            edge: edge::mount(),
        }
    }

    fn document(&self) -> Document {
        let dialects = self.dialects.iter().map(|(_, mount)| mount);
        Document::of(dialects.chain(&self.every).chain([&self.edge]))
    }
}
