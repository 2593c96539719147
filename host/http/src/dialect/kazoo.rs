//! Kazoo's API: the route table.

mod account;
mod api_auth;
mod api_key;
mod ask;
mod attempts;
mod basic;
mod bucket;
mod challenge;
mod decorations;
mod document;
mod envelope;
mod error;
mod get_user_auth;
mod impersonate;
mod jwks;
mod jwt;
mod keys;
mod login;
mod lookup;
mod not_allowed;
mod put_auth;
mod put_user_auth;
mod recovery;
mod reseller;
mod schema;
mod security;
mod settings;
mod signing;
#[cfg(test)]
mod tests;
mod token_auth;
mod tokeninfo;
mod user;
mod welcome;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::FromRef;
use keyway_core::account::AccountService;
use keyway_core::directory::DirectoryService;
use keyway_core::key::MasterKey;
use keyway_core::model::Timestamp;
use keyway_core::port::{Clock, Random, Store};
use keyway_core::token::{TokenService, TokenValue};

use crate::AppState;
use crate::document::{Methods, Mount, Routes, get, put};

pub(crate) use keys::ReadError;
pub use settings::{BucketSettings, Impersonation, KazooSettings};
pub(crate) use signing::SigningError;

use bucket::Buckets;
use decorations::Languages;
use document::auth as tell;
use keys::KazooKeys;
use signing::SigningKey;

/// What this dialect keeps while the server runs: its keys, the buckets of clients, and what is remembered so that it need not be asked for.
pub struct KazooState {
    keys: KazooKeys,
    buckets: Buckets,
    languages: Languages,
    /// What answers name as the node. All nodes have the same name: they are one installation.
    node: String,
}

impl KazooState {
    /// Nothing is remembered yet.
    pub fn new(master: &MasterKey, settings: &KazooSettings, clock: Arc<dyn Clock>) -> Self {
        let mut node = hex::encode(master.derive("keyway/kazoo/node/v1").expose());
        node.truncate(32);
        Self {
            keys: KazooKeys::new(master),
            buckets: Buckets::new(settings.bucket, clock),
            languages: Languages::new(),
            node,
        }
    }
}

impl fmt::Debug for KazooState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KazooState")
    }
}

/// The routes, under `/v2` and `/v1`; those of an account also under `account`, which is the caller's own.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "/v2",
        also: elsewhere,
        tags: document::TAGS,
        parameter: document::path_parameter,
        routes: resources().route("/{*rest}", Methods::none(not_allowed::not_found)),
    }
}

/// Where else a path is served.
fn elsewhere(path: &str) -> Vec<String> {
    let Some(rest) = path.strip_prefix("/v2/") else {
        return Vec::new();
    };
    let mut places = vec![format!("/v1/{rest}")];
    if let Some(rest) = rest.strip_prefix("accounts/{account}/") {
        places.extend([format!("/v2/account/{rest}"), format!("/v1/account/{rest}")]);
    } else if rest == "accounts/{account}" {
        places.extend(["/v2/account", "/v1/account"].map(str::to_owned));
    }
    places
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
        .route("/user_auth", put(tell::log_in, put_user_auth::handle))
        .route("/user_auth/{token}", get(tell::show_token, get_user_auth::handle))
        .route(
            "/accounts/{account}/user_auth/{token}",
            get(tell::show_token_of_account, get_user_auth::handle),
        )
        .route(
            "/token_auth",
            get(tell::show_own_token, token_auth::show).delete(tell::log_out, token_auth::remove),
        )
        .route("/api_auth", put(tell::log_in_by_key, api_auth::handle))
        .route("/auth", put(tell::renew_or_end_all, put_auth::of_all))
        .route(
            "/auth/tokeninfo",
            get(tell::show_any_token, tokeninfo::handle).post(tell::look_at_any_token, tokeninfo::handle),
        )
        .route("/auth/jwks", get(tell::list_keys, jwks::handle))
        .route(
            "/accounts/{account}/auth",
            put(tell::end_tokens_of_account, put_auth::of_account),
        )
        .route(
            "/accounts/{account}/users/{user}/auth",
            put(tell::end_tokens_of_user, put_auth::of_user),
        )
        .merge(account::routes())
        .merge(api_key::routes())
        .merge(impersonate::routes())
        .merge(recovery::routes())
        .merge(reseller::routes())
        .merge(security::routes())
        .merge(user::routes())
}

/// The token of the core behind one of this dialect's.
///
/// # Errors
/// [`ReadError`].
pub(crate) async fn token_of(state: &AppState, text: &str) -> Result<TokenValue, ReadError> {
    let keys = &state.kazoo.keys;
    keys.read(text, state.clock.now(), &*state.store, &state.random).await
}

/// The part of the state that this dialect uses.
#[derive(Clone)]
struct Kazoo(AppState);

impl FromRef<AppState> for Kazoo {
    fn from_ref(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Kazoo {
    fn tokens(&self) -> &TokenService {
        &self.0.tokens
    }

    fn directory(&self) -> &DirectoryService {
        &self.0.directory
    }

    fn accounts(&self) -> &AccountService {
        &self.0.accounts
    }

    fn settings(&self) -> &KazooSettings {
        &self.0.dialects.kazoo
    }

    fn state(&self) -> &KazooState {
        &self.0.kazoo
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    fn random(&self) -> &Arc<dyn Random> {
        &self.0.random
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn node(&self) -> &str {
        &self.0.kazoo.node
    }

    /// How long a token is good.
    fn ttl(&self) -> Duration {
        self.settings().token_ttl.min(self.tokens().settings().max_ttl)
    }

    async fn signing_key(&self) -> Result<&Arc<SigningKey>, SigningError> {
        self.state().keys.signing(self.store(), self.random()).await
    }
}
