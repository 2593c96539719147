//! Tokens of domains.

use utoipa::openapi::schema::ObjectBuilder;

use super::{boolean, integer, list, object};
use crate::document::{Operation, Shape, text};

pub(super) const TAG: &str = "webitel domain tokens";

const MISSING: &str = "There is no such token, or no such domain.";

fn token() -> ObjectBuilder {
    let token = object()
        .property("uuid", text())
        .property("expire", integer().description(Some("Milliseconds since 1970.")))
        .property("roleName", text())
        .property("createdBy", text())
        .property("createdOn", integer().description(Some("Milliseconds since 1970.")))
        .property("enabled", boolean());
    ["uuid", "expire", "roleName", "createdBy", "createdOn", "enabled"]
        .into_iter()
        .fold(token, ObjectBuilder::required)
}

pub(in crate::dialect::webitel) fn list_all() -> Operation {
    Operation::webitel_caller(TAG, "webitelListDomainTokens", "Lists the tokens of a domain")
        .webitel_gives("What is known of them, without the tokens.", list(token()))
        .webitel_may_be_denied()
        .webitel_may_miss("There is no such domain.")
}

pub(in crate::dialect::webitel) fn create() -> Operation {
    let body = object()
        .property(
            "expire",
            integer().description(Some("Milliseconds since 1970, in the future.")),
        )
        .property(
            "role",
            text().description(Some(
                "The name of its role, which may allow nothing that the caller's does not.",
            )),
        )
        .required("expire")
        .required("role");
    let made = object()
        .property("data", token())
        .property("token", text())
        .required("data")
        .required("token");
    Operation::webitel_caller(TAG, "webitelCreateDomainToken", "Makes a token of a domain")
        .detail(
            "It needs no key. It never allows what its maker's role did not, nor what that does not any more, and ends with its maker. Tokens of domains make \
             none, and neither does anybody in somebody else's place.",
        )
        .body("application/json", Shape::just(body))
        .webitel_gives("The token, the one time that it is shown.", made)
        .webitel_may_be_denied()
        .webitel_may_miss("There is no such domain.")
        .webitel_may_conflict()
}

pub(in crate::dialect::webitel) fn switch() -> Operation {
    let body = object().property("state", boolean()).required("state");
    Operation::webitel_caller(
        TAG,
        "webitelSwitchDomainToken",
        "Switches a token of a domain off or on",
    )
    .detail("Who could not make it does not switch it on.")
    .body("application/json", Shape::just(body))
    .webitel_gives("What is known of it.", token())
    .webitel_may_be_denied()
    .webitel_may_miss(MISSING)
    .webitel_may_conflict()
}

pub(in crate::dialect::webitel) fn remove() -> Operation {
    Operation::webitel_caller(TAG, "webitelDeleteDomainToken", "Removes a token of a domain")
        .webitel_gives("It is gone.", text())
        .webitel_may_be_denied()
        .webitel_may_miss(MISSING)
}
