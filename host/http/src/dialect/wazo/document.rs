//! What the served document tells of this dialect: here what its routes have in common, below a file for each resource.

pub(super) mod config;
pub(super) mod email;
pub(super) mod group;
pub(super) mod idp;
pub(super) mod ldap;
pub(super) mod password;
pub(super) mod policy;
pub(super) mod refresh_token;
pub(super) mod session;
mod shape;
pub(super) mod status;
pub(super) mod tenant;
pub(super) mod token;
pub(super) mod user;

use utoipa::ToSchema;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::document::{Answer, Operation, Shape, parameter, text, word_of};
use shape::{ApiError, Message, TokenServiceError};

/// What there is, in the page's order.
pub(super) const TAGS: &[(&str, &str)] = &[
    (token::TAG, "Logins, checks of tokens, and their end."),
    (
        refresh_token::TAG,
        "By the client that they were given to. Their text is shown once, by the login that made them.",
    ),
    (session::TAG, "One for each login."),
    (user::TAG, "Who is in the directory."),
    (email::TAG, "The addresses of users, and their confirmation."),
    (password::TAG, "Known or forgotten."),
    (group::TAG, "Their members have their policies."),
    (
        policy::TAG,
        "Named lists of accesses. Nobody adds or removes an access that the own token does not have.",
    ),
    (tenant::TAG, "A tree. Whoever is in one sees it and all below."),
    (idp::TAG, "By which method users prove who they are."),
    (ldap::TAG, "Backends, and where the users of a tenant are in LDAP."),
    (
        config::TAG,
        "The server's configuration, for callers of the top tenant.",
    ),
    (status::TAG, "Whether the server works."),
];

/// The parameters of paths.
pub(super) fn path_parameter(name: &str) -> Option<ParameterBuilder> {
    let (schema, description) = match name {
        "token" => (uuid(), "A token, which is its own proof."),
        "user" => (uuid(), "The user."),
        "email" => (uuid(), "The address."),
        "group" => (uuid(), "The group."),
        "tenant" => (uuid(), "The tenant."),
        "parent" => (uuid(), "The tenant that is to be above it."),
        "session" => (uuid(), "The session."),
        "policy" => (text(), "The policy, by its UUID or its slug."),
        "access" => (text(), "The access, percent-encoded."),
        "client" => (text(), "The client's name."),
        "type" => (text(), "The method."),
        _ => return None,
    };
    Some(parameter(ParameterIn::Path, name, schema, description))
}

/// A filter of a list by its name.
fn filter(name: &str) -> (ObjectBuilder, &'static str) {
    match name {
        "group_uuid" => (uuid(), "Only the members of this group."),
        "policy_uuid" => (uuid(), "Only those that were given this policy."),
        "policy_slug" => (text(), "Only those that were given a policy of this slug."),
        "has_policy_uuid" => (uuid(), "Only those that have this policy, be it by a group."),
        "has_policy_slug" => (text(), "Only those that have a policy of this slug, be it by a group."),
        "mobile" => (boolean(), "Only those of mobile devices, or only the others."),
        "read_only" => (boolean(), "Only those that nobody may change here, or only the others."),
        "system_managed" => (boolean(), "Only those that the server made, or only the others."),
        "uuid" => (uuid(), "Only this one."),
        _ => (text(), "Only those that have exactly this."),
    }
}

/// The schema of an id.
fn uuid() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn count() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))
}

/// Answers and parameters that many operations of this dialect have.
impl Operation {
    /// An operation for callers with this access, in the tenant of `Wazo-Tenant`.
    fn of_tenant(tag: &'static str, id: &'static str, summary: &'static str, access: &'static str) -> Self {
        let tenant = parameter(
            ParameterIn::Header,
            "Wazo-Tenant",
            uuid(),
            "The tenant that the request is about: the caller's own, which it is without this header, or one below it.",
        );
        Self::guarded(tag, id, summary, access)
            .shared_parameter("tenant", tenant)
            .answer(unauthorized())
            .fails()
    }

    /// What can always happen.
    fn fails(self) -> Self {
        self.answer(broken()).answer(unavailable())
    }

    /// It takes a body of this type.
    fn takes<T: ToSchema>(self) -> Self {
        self.takes_shape(Shape::of::<T>())
    }

    fn takes_shape(self, shape: Shape) -> Self {
        self.body("application/json", shape)
            .answer(refused())
            .answer(too_slow())
            .answer(too_large())
    }

    /// It answers 200 with this.
    fn gives<T: ToSchema>(self, description: &str) -> Self {
        self.answer(Answer::new(200, description).json(Shape::of::<T>()))
    }

    /// It answers 204.
    fn gives_nothing(self, description: &str) -> Self {
        self.answer(Answer::new(204, description))
    }

    /// It answers a part of a list of these, in an order that is asked for by one of these names.
    fn lists<T: ToSchema, O>(self, orders: &[(&'static str, O)]) -> Self {
        let page = Shape::of::<T>().within(|item| {
            ObjectBuilder::new()
                .property("items", ArrayBuilder::new().items(item))
                .property(
                    "total",
                    count().description(Some("How many there are without filters.")),
                )
                .property("filtered", count().description(Some("How many fit the filters.")))
                .required("items")
                .required("total")
                .required("filtered")
                .into()
        });
        self.list_parameters(orders)
            .answer(Answer::new(200, "This part of the list.").json(page))
    }

    /// What part of a list is wanted, and in which order.
    fn list_parameters<O>(self, orders: &[(&'static str, O)]) -> Self {
        let query = |name, schema, description| parameter(ParameterIn::Query, name, Schema::from(schema), description);
        let order = word_of(orders.iter().map(|(name, _)| *name));
        let direction = word_of(["asc", "desc"]);
        self.shared_parameter("limit", query("limit", count(), "How many to list at most."))
            .shared_parameter("offset", query("offset", count(), "How many to leave out first."))
            .query("order", order, "What to order by.")
            .shared_parameter("direction", query("direction", direction, "Upwards or downwards."))
            .shared_parameter("search", query("search", text(), "A text that one of the names holds."))
            .shared_parameter(
                "recurse",
                query(
                    "recurse",
                    boolean(),
                    "Whether to list what the tenants below have, too.",
                ),
            )
            .answer(refused_list())
    }

    /// Filters of a list.
    fn filters(self, names: &[&str]) -> Self {
        names.iter().fold(self, |operation, name| {
            let (schema, description) = filter(name);
            operation.query(name, schema, description)
        })
    }

    /// What it names by id may not exist.
    fn may_miss(self) -> Self {
        self.answer(missing())
    }

    /// What it would put together may be of different tenants.
    fn other_tenant(self) -> Self {
        let words = "They are of different tenants.";
        self.answer(Answer::new(400, words).json(Shape::of::<ApiError>()))
    }

    /// What it would make may be there.
    fn may_conflict(self, description: &str) -> Self {
        self.answer(Answer::new(409, description).json(errors()))
    }

    /// What it would change may be protected.
    fn may_be_forbidden(self, description: &str) -> Self {
        self.answer(Answer::new(403, description).json(errors()))
    }
}

/// The two shapes of an error.
fn errors() -> Shape {
    Shape::any_of([Shape::of::<ApiError>(), Shape::of::<TokenServiceError>()])
}

fn unauthorized() -> Answer {
    const WORDS: &str = "No token, one that is unknown or expired, one without the access, or one of a tenant that has no business there.";
    Answer::new(401, WORDS)
        .json(Shape::of::<ApiError>())
        .shared("Unauthorized")
}

fn missing() -> Answer {
    const WORDS: &str = "There is no such thing, or it is not the caller's to see. What is no UUID has no page at all.";
    Answer::new(404, WORDS).json(errors()).html().shared("Missing")
}

fn refused() -> Answer {
    const WORDS: &str = "The body is not what it should be.";
    let shapes = [
        Shape::of::<ApiError>(),
        Shape::of::<TokenServiceError>(),
        Shape::of::<Message>(),
    ];
    Answer::new(400, WORDS)
        .json(Shape::any_of(shapes))
        .shared("RefusedBody")
}

fn refused_list() -> Answer {
    const WORDS: &str = "A parameter is not what it should be.";
    Answer::new(400, WORDS)
        .json(Shape::of::<ApiError>())
        .shared("RefusedList")
}

fn too_slow() -> Answer {
    let words = "The body did not arrive in time.";
    Answer::new(408, words).json(Shape::of::<Message>()).shared("TooSlow")
}

fn too_large() -> Answer {
    let words = "The body is too large.";
    Answer::new(413, words).json(Shape::of::<Message>()).shared("TooLarge")
}

fn broken() -> Answer {
    const WORDS: &str = "The server is at fault. Its log says why, under the request's id.";
    Answer::new(500, WORDS).json(Shape::of::<Message>()).shared("Broken")
}

fn unavailable() -> Answer {
    const WORDS: &str = "The server cannot say now.";
    Answer::new(503, WORDS)
        .json(Shape::any_of([
            Shape::of::<TokenServiceError>(),
            Shape::of::<Message>(),
        ]))
        .header("Retry-After", "In how many seconds to try again.")
        .shared("Unavailable")
}
