//! Resolvers.

use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::realm::FIXED;
use super::{boolean, integer, list, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea resolvers";

const PARAMETERS: &[(&str, &str)] = &[
    (
        "type",
        "`passwdresolver`, `sqlresolver`, `httpresolver`, `backend` or `directory`.",
    ),
    (
        "fileName",
        "Of a `passwdresolver`: the name of a file that the operator grants.",
    ),
    (
        "Database",
        "Of an `sqlresolver`: the name of a database that the operator grants.",
    ),
    (
        "Query",
        "Of an `sqlresolver`: finds a user by login name, the one parameter (`$1`, or `?` for MySQL).",
    ),
    ("FindQuery", "Of an `sqlresolver`: finds a user by id."),
    (
        "ListQuery",
        "Of an `sqlresolver`: finds those whose login name is `LIKE` the parameter.",
    ),
    (
        "Map",
        "Of an `sqlresolver`: the columns by what they hold, `userid` and `username` for example.",
    ),
    (
        "Table",
        "Of an `sqlresolver`: the table from which the queries are made.",
    ),
    (
        "Where",
        "Of an `sqlresolver` with a table: what holds besides, `active == 1 and kind like a%` for example.",
    ),
    (
        "Driver",
        "Of an `sqlresolver` with a table: what begins with `mysql` has parameters of MySQL's kind.",
    ),
    (
        "endpoint",
        "Of an `httpresolver`: the name of an endpoint that the operator grants.",
    ),
    ("host", "Of an `httpresolver`: what its requests call the host."),
    (
        "path",
        "Of an `httpresolver`: where a password is verified, with `{username}`, `{password}` and `{userid}` in it.",
    ),
    ("method", "Of an `httpresolver`: `GET`, `POST` or `PUT`."),
    ("requestMapping", "Of an `httpresolver`: what is sent as JSON."),
    (
        "responseMapping",
        "Of an `httpresolver`: where things are in an answer, as JSON pointers.",
    ),
    (
        "expect",
        "Of an `httpresolver`: what an answer must have, by JSON pointers.",
    ),
    (
        "headers",
        "Of an `httpresolver`: headers of each request. Secrets among them are never shown.",
    ),
    (
        "config_get_user_by_name",
        "Of an `httpresolver`: finds a user by name: `path`, `method`, `body`.",
    ),
    (
        "config_get_user_by_id",
        "Of an `httpresolver`: finds a user by id: `path`, `method`, `body`.",
    ),
    (
        "backend",
        "Of a `backend`: the name of another backend that the operator grants.",
    ),
    ("map", "Of a `backend`: attributes to have under another name."),
    ("tenant", "Of a `directory`: the tenant whose users they are."),
    (
        "on_error",
        "What becomes of a login while it does not work: `fail` or `skip` to the next.",
    ),
];

fn resolvers() -> ObjectBuilder {
    let resolver = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("resolvername", text())
        .property("type", text())
        .property("data", object())
        .property(
            "censor_keys",
            list(text()).description(Some("The headers that are secrets.")),
        )
        .property(
            "readonly",
            boolean().description(Some("Whether the configuration file defines it.")),
        );
    object().additional_properties(Some(Schema::from(resolver)))
}

pub(in crate::dialect::privacyidea) fn list_all() -> Operation {
    Operation::pi_admin(TAG, "privacyideaListResolvers", "Lists resolvers")
        .pi_query(&[("type", "Only those of this type.")])
        .pi_gives("The resolvers by name.", resolvers())
        .pi_may_be_denied("A policy does not allow it.")
}

pub(in crate::dialect::privacyidea) fn show() -> Operation {
    Operation::pi_admin(TAG, "privacyideaGetResolver", "Shows a resolver")
        .pi_query(&[])
        .pi_gives("The resolver by its name; nothing where there is none.", resolvers())
        .pi_may_be_denied("A policy does not allow it.")
}

pub(in crate::dialect::privacyidea) fn write() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaWriteResolver",
        "Makes a resolver, or changes one of the same type",
    )
    .pi_body(PARAMETERS)
    .pi_gives("Its number.", integer())
    .pi_may_be_denied(FIXED)
    .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn remove() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaDeleteResolver",
        "Removes a resolver that is in no realm",
    )
    .pi_gives("Its number.", integer())
    .pi_may_be_denied(FIXED)
    .pi_may_miss("There is no such resolver.")
    .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn test() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaTestResolver",
        "Tries a resolver, and keeps nothing of it",
    )
    .pi_body(PARAMETERS)
    .pi_gives(
        "Whether the backend accepts it. `detail.description` says why not.",
        boolean(),
    )
    .pi_may_be_denied("A policy does not allow it.")
}
