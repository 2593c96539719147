//! wazo-auth's and xivo-auth's 0.1 token API: the route table.

mod ask;
mod check_scopes;
mod config;
mod cors;
mod delete_token;
mod document;
mod email_confirm;
mod envelope;
mod error;
mod fields;
mod get_document;
mod get_token;
mod group;
mod head_status;
mod head_token;
mod idp;
mod ids;
mod ldap_settings;
mod list_backends;
mod list_query;
mod login_body;
mod not_allowed;
mod page;
mod password_reset;
mod policy;
mod post_token;
mod query;
mod refresh_token;
mod register;
mod session;
mod tenant;
#[cfg(test)]
mod tests;
mod token_path;
mod user;
mod validation;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use keyway_core::directory::DirectoryService;
use keyway_core::model::Timestamp;
use keyway_core::notice::NoticeService;
use keyway_core::port::{Backends, Pages, Store};
use keyway_core::setting::SettingService;
use keyway_core::token::TokenService;

use crate::document::{Document, Mount, Routes, get, head, nowhere, post};
use crate::{AppState, OwnSettings, WazoSettings};

pub use cors::Cors;
pub use envelope::Envelope;
pub use page::mail_links;

/// The routes, under `/0.1` and, where wazo's proxy puts them, under `/api/auth/0.1`.
pub(crate) fn mount(settings: &WazoSettings, document: &Document) -> Mount {
    Mount {
        servers: &["", "/api/auth"],
        prefix: "/0.1",
        also: nowhere,
        tags: document::TAGS,
        parameter: document::path_parameter,
        routes: own_routes(document).merge(resources(settings)),
    }
}

/// What serves these routes.
pub(crate) fn router(mount: &Mount, state: &AppState) -> Router {
    let router = mount
        .router()
        .method_not_allowed_fallback(not_allowed::handle)
        .with_state(state.clone());
    state.dialects.wazo.cors.over(router)
}

/// The routes of tokens and of the server itself.
fn own_routes(document: &Document) -> Routes {
    Routes::new()
        .route("/token", post(document::token::create, post_token::handle))
        .route(
            "/token/{token}",
            get(document::token::show, get_token::handle)
                .head(document::token::head, head_token::handle)
                .delete(document::token::remove, delete_token::handle),
        )
        .route(
            "/token/{token}/scopes/check",
            post(document::token::check_scopes, check_scopes::handle),
        )
        .route("/backends", get(document::ldap::list_backends, list_backends::handle))
        .route("/status", head(document::status::head, head_status::handle))
        .merge(get_document::routes(document))
}

/// The routes of the directory.
fn resources(settings: &WazoSettings) -> Routes {
    Routes::new()
        .merge(config::routes())
        .merge(email_confirm::routes())
        .merge(group::routes())
        .merge(idp::routes())
        .merge(password_reset::routes())
        .merge(policy::routes())
        .merge(register::routes(settings.registration))
        .merge(ldap_settings::routes())
        .merge(tenant::routes())
        .merge(user::routes())
        .merge(session::routes())
        .merge(refresh_token::routes())
}

/// The part of the state that this dialect uses.
#[derive(Clone)]
struct Wazo(AppState);

impl FromRef<AppState> for Wazo {
    fn from_ref(state: &AppState) -> Self {
        Self(state.clone())
    }
}

impl Wazo {
    fn tokens(&self) -> &TokenService {
        &self.0.tokens
    }

    fn backends(&self) -> &dyn Backends {
        &*self.0.backends
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    fn own_settings(&self) -> Option<&dyn OwnSettings> {
        self.0.own_settings.as_deref()
    }

    fn settings(&self) -> &WazoSettings {
        &self.0.dialects.wazo
    }

    fn directory(&self) -> &DirectoryService {
        &self.0.directory
    }

    fn notices(&self) -> &Arc<NoticeService> {
        &self.0.notices
    }

    fn pages(&self) -> &dyn Pages {
        &*self.0.pages
    }

    fn tenant_settings(&self) -> &SettingService {
        &self.0.tenant_settings
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
