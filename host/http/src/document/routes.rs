//! Tables of routes. Each holds what the router serves and what the document tells of it.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use utoipa::openapi::HttpMethod;
use utoipa::openapi::path::ParameterBuilder;

use super::Operation;
use crate::AppState;

/// Tells of an operation. It is called when somebody asks for the document.
pub(crate) type Tell = fn() -> Operation;

/// Routes below a prefix.
#[derive(Default)]
pub(crate) struct Routes(pub(super) Vec<Route>);

pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) methods: Methods,
}

/// The methods of one path, each with its handler.
pub(crate) struct Methods {
    handlers: MethodRouter<AppState>,
    pub(super) told: Vec<(HttpMethod, Tell)>,
}

/// Routes in their place.
pub(crate) struct Mount {
    /// Before which prefixes they are served: `""`, and where else proxies put them.
    pub(crate) servers: &'static [&'static str],
    /// What all their paths begin with.
    pub(crate) prefix: &'static str,
    /// Where else a path is served, with its prefix: [`nowhere`] as a rule.
    pub(crate) also: fn(&str) -> Vec<String>,
    /// What they are about, in the page's order, and what there is to say of it.
    pub(crate) tags: &'static [(&'static str, &'static str)],
    /// Tells of a parameter of a path by its name.
    pub(crate) parameter: fn(&str) -> Option<ParameterBuilder>,
    /// The routes.
    pub(crate) routes: Routes,
}

/// Paths that are served in one place alone.
pub(crate) fn nowhere(_path: &str) -> Vec<String> {
    Vec::new()
}

impl Routes {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One more path.
    pub(crate) fn route(mut self, path: &'static str, methods: Methods) -> Self {
        self.0.push(Route { path, methods });
        self
    }

    /// Those of another table, too.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Mount {
    /// What serves them.
    #[expect(
        clippy::disallowed_methods,
        reason = "here alone a route that is told of becomes one that is served"
    )]
    pub(crate) fn router(&self) -> Router<AppState> {
        let mut router = Router::new();
        for server in self.servers {
            for Route { path, methods } in &self.routes.0 {
                let path = format!("{}{path}", self.prefix);
                for path in [path.clone()].into_iter().chain((self.also)(&path)) {
                    router = router.route(&format!("{server}{path}"), methods.handlers.clone());
                }
            }
        }
        router
    }
}

macro_rules! begin {
    ($($name:ident: $method:ident),*) => {
        $(
            /// A path with this method.
            pub(crate) fn $name<H: Handler<T, AppState>, T: 'static>(tell: Tell, handler: H) -> Methods {
                Methods {
                    handlers: routing::$name(handler),
                    told: vec![(HttpMethod::$method, tell)],
                }
            }
        )*
    };
}

macro_rules! go_on {
    ($($name:ident: $method:ident),*) => {
        $(
            /// The same path with this method, too.
            pub(crate) fn $name<H: Handler<T, AppState>, T: 'static>(mut self, tell: Tell, handler: H) -> Self {
                self.handlers = self.handlers.$name(handler);
                self.told.push((HttpMethod::$method, tell));
                self
            }
        )*
    };
}

begin!(get: Get, head: Head, post: Post, put: Put, delete: Delete);

impl Methods {
    go_on!(head: Head, post: Post, put: Put, patch: Patch, delete: Delete);

    /// A path that answers all methods as if it were not there. The document does not tell of it.
    pub(crate) fn none<H: Handler<T, AppState>, T: 'static>(handler: H) -> Self {
        Self {
            handlers: routing::any(handler),
            told: Vec::new(),
        }
    }

    /// A path with this method that others than the router answer.
    pub(crate) fn elsewhere(method: HttpMethod, tell: Tell) -> Self {
        Self {
            handlers: MethodRouter::new(),
            told: vec![(method, tell)],
        }
    }
}
