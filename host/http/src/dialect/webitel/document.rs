//! What the served document tells of this dialect: here what its routes have in common, below a file for each resource.

pub(super) mod auth;
pub(super) mod role;
pub(super) mod token;

use utoipa::openapi::RefOr;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};

use crate::document::{Answer, Operation, Shape, WEBITEL_TOKEN, parameter, text};

/// What there is, in the page's order.
pub(super) const TAGS: &[(&str, &str)] = &[
    (auth::TAG, "Webitel's logins, and what a caller may do."),
    (role::TAG, "What callers of Webitel's API may do."),
    (token::TAG, "Tokens of domains, for programs."),
];

/// The parameters of paths.
pub(super) fn path_parameter(name: &str) -> Option<ParameterBuilder> {
    let description = match name {
        "name" => {
            "The name of the role or the domain. A caller with a domain has its own in view, whatever the name says."
        }
        "uuid" => "The token's id.",
        _ => return None,
    };
    Some(parameter(ParameterIn::Path, name, text(), description))
}

/// Answers and parameters that many operations of this dialect have.
impl Operation {
    /// An operation for anybody.
    pub(super) fn webitel_open(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        let busy = "The server, or something that it depends on, cannot say now.";
        let retry = "In how many seconds to try again.";
        let fault = "The server is at fault. Its log says why, under the request's id.";
        Self::open(tag, id, summary)
            .answer(webitel_error(400, "Something in the request is wrong.").shared("WebitelRefused"))
            .answer(webitel_error(408, "The body did not arrive in time.").shared("WebitelTooSlow"))
            .answer(webitel_error(413, "The body is too large.").shared("WebitelTooLarge"))
            .answer(webitel_error(500, fault).shared("WebitelBroken"))
            .answer(
                webitel_error(503, busy)
                    .header("Retry-After", retry)
                    .shared("WebitelUnavailable"),
            )
    }

    /// An operation for callers with a token.
    pub(super) fn webitel_caller(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        let key = "The key that came with the token. Tokens of domains, and those that other APIs issued, need none.";
        Self::webitel_open(tag, id, summary)
            .proved_by(WEBITEL_TOKEN)
            .header("X-Key", text(), key)
            .query(
                "access_token",
                text(),
                "The token, which the body may have under the same name, too.",
            )
            .query(
                "x_key",
                text(),
                "The key, which the body may have under the same name, too.",
            )
            .answer(
                webitel_error(401, "No token, or one that is not good, or no key, or another one's.")
                    .shared("WebitelUnauthorized"),
            )
    }

    /// The caller's role may not allow it.
    pub(super) fn webitel_may_be_denied(self) -> Self {
        self.answer(webitel_error(403, "The caller's role does not allow it.").shared("WebitelDenied"))
    }

    /// What it names may not exist.
    pub(super) fn webitel_may_miss(self, description: &'static str) -> Self {
        self.answer(webitel_error(404, description))
    }

    /// It may cross somebody else's change.
    pub(super) fn webitel_may_conflict(self) -> Self {
        self.answer(webitel_error(409, "Somebody else changed the same meanwhile.").shared("WebitelOvertaken"))
    }

    /// It answers 200 with this under `info`.
    pub(super) fn webitel_gives(self, description: &str, info: impl Into<RefOr<Schema>>) -> Self {
        let body = object()
            .property("status", text())
            .property("info", info.into())
            .required("status")
            .required("info");
        self.answer(Answer::new(200, description).json(Shape::just(body)))
    }
}

/// An error.
pub(super) fn webitel_error(status: u16, description: &str) -> Answer {
    let body = object()
        .property(
            "status",
            ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Integer])),
        )
        .property("info", text())
        .property(
            "message",
            text().description(Some("In the place of `info`, where a logout has no token.")),
        )
        .required("status");
    Answer::new(status, description).json(Shape::just(body))
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

fn list(item: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    ArrayBuilder::new().items(item.into())
}

/// What a role allows.
fn acl() -> ObjectBuilder {
    let permissions = Schema::from(list(text()).build());
    object()
        .description(Some("For each resource the permissions on it: `*`, or some of `c`, `r`, `u` and `d`, each perhaps followed by `o` for one's own."))
        .additional_properties(Some(permissions))
}
