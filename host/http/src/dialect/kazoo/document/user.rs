//! Users of accounts, and who acts in their place.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

use super::auth::login;
use super::{anything, boolean, object};
use crate::document::{Operation, text, word_of};

pub(in crate::dialect::kazoo) const TAG: &str = "kazoo users";

const USER: &[(&str, &str)] = &[
    (
        "username",
        "By which the user logs in: kept in lower case, and unique in the account. With another one goes a password.",
    ),
    ("password", "The password. It is never shown."),
    ("first_name", "The given name."),
    ("last_name", "The family name."),
    (
        "email",
        "The main address. One that an administrator sets is good for mail at once.",
    ),
    ("enabled", "Whether the user may log in. Only administrators say so."),
    ("priv_level", "`admin` or `user`. Only administrators say so."),
    (
        "verified",
        "Whether somebody made sure that the user is who it says. Only administrators say so.",
    ),
    (
        "require_password_update",
        "Whether clients are to ask for a new password.",
    ),
    ("language", "The language, `en-us` for example."),
    ("timezone", "The time zone, by its name in the IANA database."),
];

fn user() -> ObjectBuilder {
    object()
        .additional_properties(Some(utoipa::openapi::Schema::from(anything())))
        .property("id", text())
        .property("username", text())
        .property("first_name", text())
        .property("last_name", text())
        .property("email", text())
        .property("enabled", boolean())
        .property("priv_level", word_of(["user", "admin"]))
        .property("verified", boolean())
        .property("require_password_update", boolean())
        .property("language", text())
        .property("timezone", text())
        .required("id")
        .required("enabled")
        .required("priv_level")
}

pub(in crate::dialect::kazoo) fn list() -> Operation {
    Operation::kz_account(TAG, "kazooListUsers", "Lists the users of an account")
        .kz_pages()
        .query("filter_username", text(), "Only the one of this name.")
        .query("filter_email", text(), "Only those with this address.")
        .query("filter_first_name", text(), "Only those of this given name.")
        .query("filter_last_name", text(), "Only those of this family name.")
        .kz_gives("The users.", ArrayBuilder::new().items(user_in_a_list()))
}

fn user_in_a_list() -> ObjectBuilder {
    object()
        .property("id", text())
        .property("username", text())
        .property("first_name", text())
        .property("last_name", text())
        .property("email", text())
        .property("priv_level", word_of(["user", "admin"]))
        .property("enabled", boolean())
        .property("timezone", text())
        .property("features", ArrayBuilder::new().items(text()))
        .required("id")
        .required("priv_level")
}

pub(in crate::dialect::kazoo) fn create() -> Operation {
    Operation::kz_account(TAG, "kazooCreateUser", "Makes a user")
        .detail("For administrators. Whatever else is sent is kept with the user, up to 64 KiB of it.")
        .kz_body(USER)
        .kz_makes("The user.", user())
}

pub(in crate::dialect::kazoo) fn show() -> Operation {
    Operation::kz_account(TAG, "kazooGetUser", "Shows a user").kz_gives("The user.", user())
}

pub(in crate::dialect::kazoo) fn replace() -> Operation {
    Operation::kz_account(TAG, "kazooReplaceUser", "Puts another user in the place of this one")
        .detail(
            "For the user itself and for administrators. `username`, `email`, `enabled`, `priv_level`, `verified` and `require_password_update` stay as they \
             are where they are not sent. With a new password all tokens of the user end.",
        )
        .kz_body(USER)
        .kz_gives("The user.", user())
}

pub(in crate::dialect::kazoo) fn change() -> Operation {
    Operation::kz_account(TAG, "kazooUpdateUser", "Changes a user")
        .detail(
            "For the user itself and for administrators. What is not sent stays; what is null goes. With a new password all tokens of the user end.",
        )
        .kz_body(USER)
        .kz_gives("The user.", user())
}

pub(in crate::dialect::kazoo) fn remove() -> Operation {
    Operation::kz_account(TAG, "kazooDeleteUser", "Removes a user")
        .detail("For administrators.")
        .kz_gives("The user as it was.", user())
}

pub(in crate::dialect::kazoo) fn impersonate() -> Operation {
    Operation::kz_account(TAG, "kazooImpersonate", "Acts in the place of a user")
        .detail(
            "For administrators of an account above the user's, who act in nobody's place already. The token ends with the caller's, and names both in its \
             claims.",
        )
        .kz_body(&[("action", "`impersonate_user`. It may stand beside the data, too.")])
        .kz_makes("A token, in `auth_token`.", login())
}
