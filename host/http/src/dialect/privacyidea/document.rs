//! What the served document tells of this dialect: here what its routes have in common, below a file for each resource.

pub(super) mod audit;
pub(super) mod auth;
pub(super) mod policy;
pub(super) mod realm;
pub(super) mod resolver;
pub(super) mod system;
pub(super) mod token;
pub(super) mod user;
pub(super) mod validate;

use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::document::{Answer, Operation, PI_AUTHORIZATION, PI_TOKEN, Shape, parameter, text};

/// What there is, in the page's order.
pub(super) const TAGS: &[(&str, &str)] = &[
    (auth::TAG, "privacyIDEA's logins, and what a caller may do."),
    (
        policy::TAG,
        "What callers of privacyIDEA's API may do, and how people prove who they are.",
    ),
    (token::TAG, "What privacyIDEA's API calls second factors."),
    (validate::TAG, "Other programs ask whether somebody is who it says."),
    (audit::TAG, "Who asked privacyIDEA's API for what, and how it ended."),
    (
        realm::TAG,
        "In which users are found: each is an ordered list of resolvers.",
    ),
    (resolver::TAG, "Who know users."),
    (user::TAG, "Whom the resolvers know."),
    (
        system::TAG,
        "What privacyIDEA's clients set, and the key of signed answers.",
    ),
];

/// The parameters of paths.
pub(super) fn path_parameter(name: &str) -> Option<ParameterBuilder> {
    let description = match name {
        "realm" => "The realm's name. Case does not count.",
        "resolver" => "The resolver's name.",
        "policy" => "The policy's name.",
        "serial" => "The token's serial. Case does not count.",
        "transaction_id" => "That of a challenge.",
        "scope" => "A scope of policies, or `conditions`.",
        "key" => "The setting's name.",
        _ => return None,
    };
    Some(parameter(ParameterIn::Path, name, text(), description))
}

/// What a parameter is, in the query or the body.
type Told = (&'static str, &'static str);

/// Answers and parameters that many operations of this dialect have.
impl Operation {
    /// An operation for anybody.
    pub(super) fn pi_open(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::open(tag, id, summary).pi_errors()
    }

    /// An operation for callers with a token, whatever their role.
    pub(super) fn pi_caller(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::pi_open(tag, id, summary)
            .proved_by(PI_TOKEN)
            .proved_by(PI_AUTHORIZATION)
            .answer(
                pi_error(401, "No token, or one that is not good, or one of another role.").shared("PiUnauthorized"),
            )
    }

    /// An operation for administrators.
    pub(super) fn pi_admin(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::pi_caller(tag, id, summary).detail("For administrators.")
    }

    fn pi_errors(self) -> Self {
        let refused = "A parameter is missing or wrong, or the body is not what it says that it is.";
        let busy = "The server, or something that it depends on, cannot say now.";
        let retry = "In how many seconds to try again.";
        self.answer(pi_error(400, refused).shared("PiRefused"))
            .answer(pi_error(408, "The body did not arrive in time.").shared("PiTooSlow"))
            .answer(pi_error(413, "The body is too large.").shared("PiTooLarge"))
            .answer(
                pi_error(500, "The server is at fault. Its log says why, under the request's id.").shared("PiBroken"),
            )
            .answer(pi_error(503, busy).header("Retry-After", retry).shared("PiUnavailable"))
    }

    /// It reads these parameters from the query.
    pub(super) fn pi_query(self, parameters: &[Told]) -> Self {
        let parameters = parameters.iter().chain(&[NONCE]);
        parameters.fold(self, |operation, (name, description)| {
            operation.query(name, text(), description)
        })
    }

    /// It reads these parameters from the body, which may be a form or JSON.
    pub(super) fn pi_body(self, parameters: &[Told]) -> Self {
        let any = [
            Type::String,
            Type::Number,
            Type::Boolean,
            Type::Array,
            Type::Object,
            Type::Null,
        ];
        let any = || ObjectBuilder::new().schema_type(SchemaType::from_iter(any.clone()));
        let parameters = parameters.iter().chain(&[NONCE]);
        let body = parameters.fold(
            ObjectBuilder::new().schema_type(Type::Object),
            |body, (name, description)| body.property(*name, any().description(Some(*description))),
        );
        self.optional_body(
            &[
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
            &body.into(),
        )
    }

    /// It answers 200 with this value.
    pub(super) fn pi_gives(self, description: &str, value: impl Into<RefOr<Schema>>) -> Self {
        let result = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("status", boolean())
            .property("value", value.into())
            .property("authentication", text())
            .required("status")
            .required("value");
        let body = envelope()
            .property("result", result)
            .property("versionnumber", text())
            .required("versionnumber");
        self.answer(Answer::new(200, description).json(Shape::just(body)))
    }

    /// What it names may not exist.
    pub(super) fn pi_may_miss(self, description: &'static str) -> Self {
        self.answer(pi_error(404, description))
    }

    /// It may not be allowed.
    pub(super) fn pi_may_be_denied(self, description: &'static str) -> Self {
        self.answer(pi_error(403, description))
    }

    /// It may cross somebody else's change.
    pub(super) fn pi_may_conflict(self) -> Self {
        self.answer(pi_error(409, "Somebody else changed the same meanwhile.").shared("PiOvertaken"))
    }
}

/// What a caller wants to read in the answer.
const NONCE: Told = ("nonce", "Given back in the answer.");

/// An error in the envelope.
pub(super) fn pi_error(status: u16, description: &str) -> Answer {
    let error = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("code", integer().description(Some("What clients go by.")))
        .property("message", text())
        .required("code")
        .required("message");
    let result = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("status", boolean())
        .property("error", error)
        .required("status")
        .required("error");
    let config = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("logout_time", integer())
        .description(Some("With the older numbers of errors."));
    let body = envelope().property("result", result).property("config", config);
    Answer::new(status, description).json(Shape::just(body))
}

fn envelope() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("id", integer())
        .property("jsonrpc", text())
        .property("time", number().description(Some("Seconds since 1970.")))
        .property("version", text())
        .property(
            "signature",
            text().description(Some(
                "Of the rest of the answer, where the operator wants answers to be signed.",
            )),
        )
        .property("nonce", text().description(Some("The caller's.")))
        .property("detail", anything().description(Some("More about it.")))
        .required("id")
        .required("jsonrpc")
        .required("time")
        .required("version")
        .required("result")
}

/// The schema of anything that JSON can say.
pub(super) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

/// The schema of an object with any fields.
pub(super) fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object)
}

/// The schema of a list of these.
pub(super) fn list(item: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    ArrayBuilder::new().items(item.into())
}

pub(super) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

pub(super) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

pub(super) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}
