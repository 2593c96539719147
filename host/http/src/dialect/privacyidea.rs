//! privacyIDEA's API: the route table.

mod answer;
mod ascii_json;
mod ask;
mod audit;
mod auth;
mod challenge;
mod content;
mod document;
mod error;
mod jwt;
mod keys;
mod multipart;
mod not_there;

mod page;
mod params;
mod policies;
mod policy;
mod realm;
mod realm_config;
mod realm_edit;
mod resolver;
mod rights;
mod settings;
pub(super) mod signature;
mod system;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod validate;

use axum::Router;
use axum::extract::FromRef;
use jiff::tz::TimeZone;
use keyway_core::directory::DirectoryService;
use keyway_core::factor::FactorService;
use keyway_core::model::{BackendName, Timestamp};
use keyway_core::port::{BackendDesk, Random, Store};
use keyway_core::token::TokenService;

use crate::AppState;
use crate::document::{Mount, Routes, nowhere};

pub use audit::sweep_audit;
pub use keys::PrivacyideaKeys;
pub(crate) use not_there::path as not_found;
pub use policy::{PrivacyideaPolicies, PrivacyideaPolicyReader};
pub use settings::{ErrorCodes, PrivacyideaSettings};

/// The routes.
pub(crate) fn mount() -> Mount {
    Mount {
        servers: &[""],
        prefix: "",
        also: nowhere,
        tags: document::TAGS,
        parameter: document::path_parameter,
        routes: resources(),
    }
}

/// What serves these routes.
pub(crate) fn router(mount: &Mount, state: &AppState) -> Router {
    mount
        .router()
        .method_not_allowed_fallback(not_there::method)
        .with_state(state.clone())
}

fn resources() -> Routes {
    Routes::new()
        .merge(audit::routes())
        .merge(auth::routes())
        .merge(policy::routes())
        .merge(realm::routes())
        .merge(resolver::routes())
        .merge(system::routes())
        .merge(token::routes())
        .merge(user::routes())
        .merge(validate::routes())
}

/// The part of the state that this dialect uses.
#[derive(Clone)]
struct Privacyidea(AppState);

impl FromRef<AppState> for Privacyidea {
    fn from_ref(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Privacyidea {
    fn tokens(&self) -> &TokenService {
        &self.0.tokens
    }

    fn directory(&self) -> &DirectoryService {
        &self.0.directory
    }

    fn settings(&self) -> &PrivacyideaSettings {
        &self.0.dialects.privacyidea
    }

    fn keys(&self) -> &PrivacyideaKeys {
        &self.0.privacyidea_keys
    }

    /// The name of a backend that is configured under this name or alias.
    fn backend_name(&self, name: &str) -> Option<BackendName> {
        Some(self.0.backends.find(name)?.name)
    }

    /// The configuration of backends; `None` where no server runs.
    fn desk(&self) -> Option<&dyn BackendDesk> {
        self.0.desk.as_deref()
    }

    fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// Second factors.
    fn factors(&self) -> &FactorService {
        &self.0.factors
    }

    fn policies(&self) -> &PrivacyideaPolicies {
        &self.0.privacyidea_policies
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// The zone of times in policies.
    fn time_zone(&self) -> &TimeZone {
        &self.0.dialects.wazo.time_zone
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
