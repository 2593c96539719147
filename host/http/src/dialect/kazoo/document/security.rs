//! How users of accounts log in, and who tried.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

use super::{boolean, integer, object};
use crate::document::{Operation, text};

pub(in crate::dialect::kazoo) const TAG: &str = "kazoo security";

const CONFIG: &[(&str, &str)] = &[(
    "auth_modules",
    "`cb_user_auth` and `cb_api_auth`, each with `token_auth_expiry_s`, how long a token is good in seconds, and with `log_failed_attempts` and \
     `log_successful_attempts`, which attempts are written.",
)];

fn config() -> ObjectBuilder {
    let module = || {
        object()
            .property("token_auth_expiry_s", integer())
            .property("log_failed_attempts", boolean())
            .property("log_successful_attempts", boolean())
    };
    let modules = object()
        .property("cb_user_auth", module())
        .property("cb_api_auth", module());
    object().property("auth_modules", modules)
}

fn attempt() -> ObjectBuilder {
    object()
        .property("id", text())
        .property("auth_type", text())
        .property("auth_module", text())
        .property("status", text().description(Some("`success` or `failed`.")))
        .property("message", text())
        .property("timestamp", integer().description(Some("Seconds since the year 0.")))
        .property("client_ip", text())
        .required("id")
        .required("auth_type")
        .required("status")
        .required("timestamp")
}

pub(in crate::dialect::kazoo) fn list_modules() -> Operation {
    Operation::kz_caller(TAG, "kazooListAuthModules", "Lists by what users and programs log in").kz_gives(
        "The names of the modules.",
        object().property("available_auth_modules", ArrayBuilder::new().items(text())),
    )
}

pub(in crate::dialect::kazoo) fn show() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooGetSecurity",
        "Shows how users and programs of an account log in",
    )
    .detail("For administrators.")
    .kz_gives(
        "What is said of the account, and what holds where nothing is.",
        object()
            .property("account", config())
            .property("inherited_config", config()),
    )
}

pub(in crate::dialect::kazoo) fn replace() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooReplaceSecurity",
        "Says how users and programs of an account log in",
    )
    .detail("For administrators. It holds for the accounts below as well, where they say nothing else.")
    .kz_body(CONFIG)
    .kz_gives("What is said now.", config())
}

pub(in crate::dialect::kazoo) fn change() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooUpdateSecurity",
        "Changes how users and programs of an account log in",
    )
    .detail("For administrators. What is not sent stays; what is null goes.")
    .kz_body(CONFIG)
    .kz_gives("What is said now.", config())
}

pub(in crate::dialect::kazoo) fn remove() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooDeleteSecurity",
        "Says nothing any more of how users and programs of an account log in",
    )
    .detail("For administrators.")
    .kz_gives("What was said.", config())
}

pub(in crate::dialect::kazoo) fn list_attempts() -> Operation {
    Operation::kz_account(TAG, "kazooListAttempts", "Lists attempts to log in, newest first")
        .detail("For administrators.")
        .kz_pages()
        .query(
            "created_from",
            integer(),
            "Only those from this time on, in seconds since the year 0.",
        )
        .query("created_to", integer(), "Only those before this time, likewise.")
        .kz_gives("The attempts.", ArrayBuilder::new().items(attempt()))
}

pub(in crate::dialect::kazoo) fn show_attempt() -> Operation {
    Operation::kz_account(TAG, "kazooGetAttempt", "Shows an attempt to log in")
        .detail("For administrators.")
        .kz_gives(
            "The attempt.",
            attempt()
                .property("client_headers", object().property("user-agent", text()))
                .property("crossbar_request_id", text())
                .property(
                    "metadata",
                    object()
                        .property("account_id", text())
                        .property("owner_id", text().description(Some("Who was let in.")))
                        .property(
                            "original_owner_id",
                            text().description(Some("Who acted in that one's place.")),
                        ),
                ),
        )
}
