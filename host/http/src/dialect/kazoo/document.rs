//! What the served document tells of this dialect: here what its routes have in common, below a file for each resource.

pub(super) mod account;
pub(super) mod auth;
pub(super) mod recovery;
pub(super) mod security;
pub(super) mod user;

use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::document::{Answer, BASIC, BEARER, Operation, Shape, TOKEN, parameter, text};

/// What there is, in the page's order.
pub(super) const TAGS: &[(&str, &str)] = &[
    (auth::TAG, "Kazoo's logins, and the tokens of its clients."),
    (
        account::TAG,
        "What Kazoo's clients know of tenants, which are accounts to them.",
    ),
    (user::TAG, "What Kazoo's clients know of users."),
    (
        security::TAG,
        "How users and programs of accounts log in, and who tried.",
    ),
];

/// The parameters of paths.
pub(super) fn path_parameter(name: &str) -> Option<ParameterBuilder> {
    let description = match name {
        "account" => "The account's id: 32 hexadecimal digits in lower case.",
        "user" => "The user's id, in the same form.",
        "token" => "A token of the caller's own.",
        "attempt" => "The attempt's id, as a list has it.",
        _ => return None,
    };
    Some(parameter(ParameterIn::Path, name, text(), description))
}

/// Answers and parameters that many operations of this dialect have.
impl Operation {
    /// An operation for anybody.
    pub(super) fn kz_open(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::open(tag, id, summary).kz_errors()
    }

    /// An operation for callers with a token.
    pub(super) fn kz_caller(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::kz_open(tag, id, summary)
            .proved_by(TOKEN)
            .proved_by(BEARER)
            .proved_by(BASIC)
            .query(
                "auth_token",
                text(),
                "The token, where it stands in no header. The body may have it, too.",
            )
            .query(
                "authorization",
                text(),
                "What the header `Authorization` says, where there is none. The body may have it, too.",
            )
            .header(
                "X-Auth-Account-Id",
                text(),
                "The id of the account that the token must be of.",
            )
            .answer(kz_error(401, "No token, or one that is not good.").shared("KzUnauthorized"))
            .kz_may_be_too_much()
    }

    /// An operation for callers with a token, about an account that is theirs or lies below it.
    pub(super) fn kz_account(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::kz_caller(tag, id, summary)
            .kz_may_be_denied(
                "The account is not the caller's and does not lie below it, or the caller may not do this.",
            )
            .kz_may_miss("There is no such account, or nothing with such an id in it.")
    }

    fn kz_errors(self) -> Self {
        let busy = "The server, or something that it depends on, cannot say now.";
        let retry = "In how many seconds to try again.";
        self.answer(
            kz_error(
                400,
                "A field is missing or wrong: `data` says which, and by which rule.",
            )
            .shared("KzRefused"),
        )
        .answer(kz_error(408, "The body did not arrive in time.").shared("KzTooSlow"))
        .answer(kz_error(413, "The body is too large.").shared("KzTooLarge"))
        .answer(kz_error(500, "The server is at fault. Its log says why, under the request's id.").shared("KzBroken"))
        .answer(kz_error(503, busy).header("Retry-After", retry).shared("KzUnavailable"))
    }

    /// It reads `data` with these fields from the body.
    pub(super) fn kz_body(self, fields: &[Told]) -> Self {
        let data = fields.iter().fold(object(), |data, (name, description)| {
            data.property(*name, anything().description(Some(*description)))
        });
        let body = object()
            .property("data", data)
            .property("action", text())
            .property("auth_token", text());
        self.optional_body(&["application/json", "application/x-www-form-urlencoded"], &body.into())
    }

    /// It answers 200 with these data.
    pub(super) fn kz_gives(self, description: &str, data: impl Into<RefOr<Schema>>) -> Self {
        self.answer(Answer::new(200, description).json(Shape::just(success(data))))
    }

    /// It answers 201 with these data.
    pub(super) fn kz_makes(self, description: &str, data: impl Into<RefOr<Schema>>) -> Self {
        self.answer(Answer::new(201, description).json(Shape::just(success(data))))
    }

    /// What it names may not exist.
    pub(super) fn kz_may_miss(self, description: &'static str) -> Self {
        self.answer(kz_error(404, description))
    }

    /// It may not be allowed.
    pub(super) fn kz_may_be_denied(self, description: &'static str) -> Self {
        self.answer(kz_error(403, description))
    }

    /// It may be asked for too often.
    pub(super) fn kz_may_be_too_much(self) -> Self {
        let retry = "In how many seconds to try again.";
        self.answer(
            kz_error(429, "This client tried too often.")
                .header("Retry-After", retry)
                .shared("KzTooMany"),
        )
    }
}

/// What a field of the data is.
type Told = (&'static str, &'static str);

fn success(data: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    envelope()
        .property("data", data)
        .property("page_size", integer())
        .property("start_key", text())
        .property("next_start_key", text())
        .property("revision", text())
}

/// An error in the envelope.
pub(super) fn kz_error(status: u16, description: &str) -> Answer {
    let body = envelope()
        .property(
            "data",
            anything().description(Some("What is wrong, by field and rule; or a message.")),
        )
        .property("error", text().description(Some("The status, as a text.")))
        .property("message", text())
        .required("error")
        .required("message");
    Answer::new(status, description).json(Shape::just(body))
}

fn envelope() -> ObjectBuilder {
    object()
        .property("status", text().description(Some("`success` or `error`.")))
        .property(
            "auth_token",
            text().description(Some("The token, new or the caller's own.")),
        )
        .property("request_id", text())
        .property("node", text())
        .property("version", text())
        .property("timestamp", text())
        .required("status")
        .required("data")
        .required("request_id")
        .required("node")
        .required("version")
        .required("timestamp")
}

/// The schema of anything that JSON can say.
pub(super) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

/// The schema of an object with any fields.
pub(super) fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

pub(super) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

pub(super) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}
