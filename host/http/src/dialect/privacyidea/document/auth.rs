//! Logins.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use super::{anything, boolean, integer, list, object, pi_error};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea auth";

const LOGIN: &[(&str, &str)] = &[
    (
        "username",
        "The login name, perhaps with its realm: `user@realm` or `realm\\user`.",
    ),
    ("password", "The password, perhaps with a one-time password at its end."),
    ("realm", "The realm. It goes before one in the name."),
    ("transaction_id", "That of the challenge that the password answers."),
];

/// The texts of the answer to a login, then its booleans, numbers, and what may be anything.
const TEXTS: &[&str] = &[
    "token",
    "role",
    "username",
    "realm",
    "policy_template_url",
    "default_tokentype",
    "default_container_type",
    "timeout_action",
    "session_persistence",
    "show_node",
    "logout_redirect_url",
];
const BOOLEANS: &[&str] = &[
    "auth",
    "user_details",
    "token_wizard",
    "token_wizard_2nd",
    "admin_dashboard",
    "dialog_no_token",
    "search_on_enter",
    "hide_welcome",
    "hide_buttons",
    "deletion_confirmation",
    "show_seed",
];
const NUMBERS: &[&str] = &[
    "log_level",
    "logout_time",
    "audit_page_size",
    "token_page_size",
    "user_page_size",
    "subscription_status",
    "rss_age",
];
const OTHERS: &[&str] = &[
    "token_rollover",
    "qr_image_android",
    "qr_image_ios",
    "qr_image_custom",
    "container_wizard",
];

pub(in crate::dialect::privacyidea) fn log_in() -> Operation {
    Operation::pi_open(TAG, "privacyideaLogIn", "Logs in")
        .detail(
            "The token in the answer is good for an hour, unless a policy says otherwise, or until its session ends. If the user has to prove more, the value is \
             `false`, and `detail` says what is asked: send the same `username` with the `transaction_id` and the one-time password as the `password`.",
        )
        .pi_query(LOGIN)
        .pi_body(LOGIN)
        .pi_gives("A token, or what else is asked.", welcome())
        .answer(pi_error(401, "Nobody is let in. The code says why, as far as it is told."))
        .pi_may_be_denied("A policy does not let this user log in.")
        .answer(pi_error(429, "There are too many sessions."))
}

fn welcome() -> ObjectBuilder {
    let texts = TEXTS.iter().map(|name| (*name, text()));
    let booleans = BOOLEANS.iter().map(|name| (*name, boolean()));
    let numbers = NUMBERS.iter().map(|name| (*name, integer()));
    let others = OTHERS.iter().map(|name| (*name, anything()));
    let all = texts.chain(booleans).chain(numbers).chain(others);
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Boolean]));
    let value = all.fold(value, |value, (name, schema)| {
        value.property(name, schema).required(name)
    });
    ["rights", "menus", "require_description"]
        .iter()
        .fold(value, |value, name| value.property(*name, list(text())).required(*name))
}

pub(in crate::dialect::privacyidea) fn log_out() -> Operation {
    Operation::pi_caller(TAG, "privacyideaLogOut", "Logs out")
        .detail("The token, and every other of its session, is not good any more. The original has no such operation.")
        .pi_gives("The session has ended.", boolean())
}

pub(in crate::dialect::privacyidea) fn rights() -> Operation {
    Operation::pi_caller(
        TAG,
        "privacyideaListRights",
        "Lists which types of tokens the caller may enrol",
    )
    .pi_query(&[])
    .pi_gives("A description of each, by its type.", object())
}
