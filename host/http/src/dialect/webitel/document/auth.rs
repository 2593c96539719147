//! Logins.

use utoipa::openapi::schema::ObjectBuilder;

use super::{acl, integer, object, webitel_error};
use crate::document::{Answer, Operation, Shape, text};

pub(super) const TAG: &str = "webitel auth";

fn cdr() -> ObjectBuilder {
    object()
        .property("host", text())
        .property("useProxy", text().description(Some("`true` or `false`, as a text.")))
        .description(Some("Where call records are."))
}

fn expires() -> ObjectBuilder {
    integer().description(Some(
        "From when on the token is no longer good: milliseconds since 1970.",
    ))
}

pub(in crate::dialect::webitel) fn log_in() -> Operation {
    let body = object()
        .property(
            "username",
            text().description(Some("`user@domain`, or the user alone for those of the top tenant.")),
        )
        .property("password", text())
        .required("username")
        .required("password");
    let welcome = object()
        .property("key", text())
        .property(
            "domain",
            text().description(Some("The user's domain; absent for those of the top tenant.")),
        )
        .property("username", text())
        .property("expires", expires())
        .property("token", text())
        .property(
            "role",
            integer().description(Some("0 for `user`, 1 for `admin`, 2 for `root`, -1 for others.")),
        )
        .property("roleName", text())
        .property("acl", acl())
        .property("cdr", cdr());
    let welcome = ["key", "username", "expires", "token", "role", "roleName", "acl", "cdr"]
        .into_iter()
        .fold(welcome, ObjectBuilder::required);
    Operation::webitel_open(TAG, "webitelLogIn", "Logs in")
        .detail("The token is good for a hundred days, unless the operator says otherwise, or until its session ends.")
        .query("code", text(), "A one-time password, of whoever has a second factor.")
        .body("application/json", Shape::just(body))
        .answer(Answer::new(200, "A key and a token.").json(Shape::just(welcome)))
        .answer(webitel_error(
            301,
            "The user has to send a one-time password, too. Nothing is to be found elsewhere.",
        ))
        .answer(webitel_error(
            401,
            "Nobody is let in, or the one-time password is wrong.",
        ))
        .answer(webitel_error(
            404,
            "Nobody has the name, where the operator lets that be told.",
        ))
        .answer(webitel_error(429, "There are too many sessions."))
}

pub(in crate::dialect::webitel) fn log_out() -> Operation {
    let ended = object()
        .property("status", text())
        .property("info", text())
        .required("status")
        .required("info");
    Operation::webitel_caller(TAG, "webitelLogOut", "Logs out")
        .detail("The token is not good any more. A pair that has expired is taken back, too. A domain's token is not ended here, but by its removal.")
        .answer(Answer::new(200, "The session has ended.").json(Shape::just(ended)))
}

pub(in crate::dialect::webitel) fn whoami() -> Operation {
    let whoami = object()
        .property("acl", acl())
        .property(
            "id",
            text().description(Some("`user@domain`, or the user alone for those of the top tenant.")),
        )
        .property("domain", text())
        .property("roleName", text())
        .property("expires", expires())
        .property("cdr", cdr());
    let whoami = ["acl", "id", "roleName", "expires", "cdr"]
        .into_iter()
        .fold(whoami, ObjectBuilder::required);
    Operation::webitel_caller(
        TAG,
        "webitelWhoami",
        "Shows who the caller is, and what its role allows now",
    )
    .answer(Answer::new(200, "The caller.").json(Shape::just(whoami)))
}
