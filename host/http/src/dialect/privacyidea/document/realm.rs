//! Realms.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::{boolean, integer, list, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea realms";

/// Why something is not changed here.
pub(super) const FIXED: &str =
    "A policy does not allow it, or the configuration file says it: what that says can only be changed there.";
const MISSING: &str = "There is no such realm.";

fn realms() -> ObjectBuilder {
    let nullable = SchemaType::from_iter([Type::Integer, Type::Null]);
    let resolver = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("name", text())
        .property("type", text())
        .property("priority", ObjectBuilder::new().schema_type(nullable))
        .property("node", text());
    let realm = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("id", integer())
        .property("default", boolean())
        .property("option", text())
        .property("resolver", list(resolver));
    object().additional_properties(Some(utoipa::openapi::Schema::from(realm)))
}

pub(in crate::dialect::privacyidea) fn list_all() -> Operation {
    Operation::pi_admin(TAG, "privacyideaListRealms", "Lists realms, each with its resolvers")
        .pi_query(&[])
        .pi_gives("The realms by name.", realms())
        .pi_may_be_denied("A policy does not allow it.")
}

pub(in crate::dialect::privacyidea) fn superuser() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaListSuperuserRealms",
        "Lists the realms whose users are administrators",
    )
    .pi_query(&[])
    .pi_gives("Their names.", list(text()))
    .pi_may_be_denied("A policy does not allow it.")
}

pub(in crate::dialect::privacyidea) fn write() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaWriteRealm",
        "Makes a realm, or gives one other resolvers",
    )
    .pi_body(&[
        (
            "resolvers",
            "The names of its resolvers: a list, or one text with commas in between.",
        ),
        (
            "priority.NAME",
            "The priority of the resolver `NAME`. The one with the lowest is asked first; without one it is 1000.",
        ),
    ])
    .pi_gives(
        "Which resolvers it has now, and which of those that were asked for there are not.",
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("added", list(text()))
            .property("failed", list(text())),
    )
    .pi_may_be_denied(FIXED)
    .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn remove() -> Operation {
    Operation::pi_admin(
        TAG,
        "privacyideaDeleteRealm",
        "Removes a realm whose users have no tokens",
    )
    .pi_gives("Its number.", integer())
    .pi_may_be_denied(FIXED)
    .pi_may_miss(MISSING)
    .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn show_default() -> Operation {
    Operation::pi_admin(TAG, "privacyideaGetDefaultRealm", "Shows the default realm")
        .pi_query(&[])
        .pi_gives("The realm by its name; nothing where none is the default.", realms())
        .pi_may_be_denied("A policy does not allow it.")
}

pub(in crate::dialect::privacyidea) fn set_default() -> Operation {
    Operation::pi_admin(TAG, "privacyideaSetDefaultRealm", "Makes a realm the default one")
        .pi_body(&[])
        .pi_gives("Its number.", integer())
        .pi_may_be_denied(FIXED)
        .pi_may_miss(MISSING)
        .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn remove_default() -> Operation {
    Operation::pi_admin(TAG, "privacyideaUnsetDefaultRealm", "Makes no realm the default one")
        .pi_gives("The number of the one that was.", integer())
        .pi_may_be_denied(FIXED)
        .pi_may_miss("There is none.")
        .pi_may_conflict()
}
