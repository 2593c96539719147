//! Webitel's API: the route table.

mod acl;
mod ask;
mod book;
mod caller;
mod cors;
mod document;
mod domain_token;
mod error;
mod jwt;
mod login;
mod maker;
mod not_allowed;
mod role;
mod roles;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use keyway_core::account::AccountService;
use keyway_core::directory::DirectoryService;
use keyway_core::key::MasterKey;
use keyway_core::model::Timestamp;
use keyway_core::port::{Random, Store};
use keyway_core::token::{TokenService, TokenValue};

use crate::AppState;
use crate::document::{Methods, Mount, Routes, get, nowhere, post};
use crate::presented::Unreadable;

pub use settings::{CdrSettings, UnknownUser, WebitelSettings};

use book::Book;
use document::auth as tell;
use jwt::{Behind, JwtKeys};

/// What this dialect keeps while the server runs: its keys, the roles and the tokens of domains.
pub struct WebitelState {
    keys: JwtKeys,
    book: Arc<Book>,
}

impl WebitelState {
    /// Keys follow from the master key: all nodes of an installation have the same. The store is read when something is first asked for.
    pub fn new(master: &MasterKey, store: Arc<dyn Store>) -> Self {
        Self {
            keys: JwtKeys::new(master),
            book: Arc::new(Book::new(store)),
        }
    }

    /// The token of the core behind one of this dialect's.
    ///
    /// # Errors
    /// [`Unreadable`], also for a domain's token, which is good here alone.
    pub(crate) fn token_of(&self, text: &str, now: Timestamp) -> Result<TokenValue, Unreadable> {
        let genuine = self.keys.read(text).map_err(|_| Unreadable::Signature)?;
        if genuine.has_expired(now) {
            return Err(Unreadable::Expired);
        }
        match genuine.behind {
            Behind::Pair { token, .. } | Behind::Foreign(token) => Ok(token),
            Behind::Record(_) => Err(Unreadable::Identity),
        }
    }
}

impl fmt::Debug for WebitelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebitelState")
    }
}

/// The routes.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "",
        also: nowhere,
        tags: document::TAGS,
        parameter: document::path_parameter,
        routes: resources().route("/api/v2/{*rest}", Methods::none(not_allowed::not_found)),
    }
}

/// What serves these routes.
pub(crate) fn router(mount: &Mount, state: &AppState) -> Router {
    mount
        .router()
        .method_not_allowed_fallback(not_allowed::handle)
        .with_state(state.clone())
}

fn resources() -> Routes {
    Routes::new()
        .route("/login", post(tell::log_in, login::log_in))
        .route("/logout", post(tell::log_out, login::log_out))
        .route("/api/v2/whoami", get(tell::whoami, login::whoami))
        .merge(role::routes())
        .merge(domain_token::routes())
}

/// The part of the state that this dialect uses.
#[derive(Clone)]
struct Webitel(AppState);

impl FromRef<AppState> for Webitel {
    fn from_ref(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Webitel {
    fn tokens(&self) -> &TokenService {
        &self.0.tokens
    }

    fn directory(&self) -> &DirectoryService {
        &self.0.directory
    }

    fn accounts(&self) -> &AccountService {
        &self.0.accounts
    }

    fn settings(&self) -> &WebitelSettings {
        &self.0.dialects.webitel
    }

    fn keys(&self) -> &JwtKeys {
        &self.0.webitel.keys
    }

    fn book(&self) -> &Arc<Book> {
        &self.0.webitel.book
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
