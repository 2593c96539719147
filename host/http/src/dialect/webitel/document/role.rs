//! Roles.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::{acl, list, object};
use crate::document::{Operation, Shape, text};

pub(super) const TAG: &str = "webitel roles";

const MISSING: &str = "There is no such role.";

fn parents() -> ObjectBuilder {
    let kinds = SchemaType::from_iter([Type::String, Type::Array, Type::Null]);
    let words = "The name of the role whose rights it has, too, or a list of several.";
    ObjectBuilder::new().schema_type(kinds).description(Some(words))
}

fn role() -> ObjectBuilder {
    object()
        .property("roles", text().description(Some("Its name.")))
        .property("parents", parents())
        .property("allows", acl())
}

pub(in crate::dialect::webitel) fn list_all() -> Operation {
    Operation::webitel_caller(TAG, "webitelListRoles", "Lists roles")
        .webitel_gives("The roles, by name.", list(role()))
        .webitel_may_be_denied()
}

pub(in crate::dialect::webitel) fn create() -> Operation {
    Operation::webitel_caller(TAG, "webitelCreateRole", "Makes a role")
        .detail("Nobody gives a role what its own does not allow. Roles are the whole installation's: whoever has a domain makes none.")
        .body("application/json", Shape::just(role().required("roles")))
        .webitel_gives("The role.", role())
        .webitel_may_be_denied()
        .webitel_may_conflict()
}

pub(in crate::dialect::webitel) fn show() -> Operation {
    Operation::webitel_caller(TAG, "webitelGetRole", "Shows a role")
        .webitel_gives("The role.", role())
        .webitel_may_be_denied()
        .webitel_may_miss(MISSING)
}

pub(in crate::dialect::webitel) fn update() -> Operation {
    Operation::webitel_caller(TAG, "webitelUpdateRole", "Changes a role")
        .detail(
            "What is not given stays. `root` cannot be changed, and nobody changes a role that allows what its own does not. Whoever has a domain changes none.",
        )
        .body("application/json", Shape::just(role()))
        .webitel_gives("The role.", role())
        .webitel_may_be_denied()
        .webitel_may_miss(MISSING)
        .webitel_may_conflict()
}

pub(in crate::dialect::webitel) fn remove() -> Operation {
    Operation::webitel_caller(TAG, "webitelDeleteRole", "Removes a role")
        .detail(
            "One that is there by itself comes back as it was, if that allows nothing that the caller's does not, and cannot be removed. Whoever has a domain \
             removes none.",
        )
        .webitel_gives("It is gone.", text())
        .webitel_may_be_denied()
        .webitel_may_miss(MISSING)
        .webitel_may_conflict()
}
