//! Passwords.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;

use super::{errors, text, uuid};
use crate::document::{Answer, LINK, Operation, Shape};

pub(super) const TAG: &str = "passwords";

/// A change of a password by whoever knows it.
#[derive(ToSchema)]
struct PasswordChange {
    #[schema(min_length = 1, max_length = 1024, write_only)]
    old_password: String,
    #[schema(min_length = 1, max_length = 1024, write_only)]
    new_password: String,
}

/// A new password by the link of a mail.
#[derive(ToSchema)]
struct NewPassword {
    /// Null takes the password away.
    #[schema(required, min_length = 1, max_length = 1024, write_only)]
    password: Option<String>,
}

/// The form of the page.
#[derive(ToSchema)]
struct PasswordForm {
    #[schema(min_length = 1, max_length = 1024, write_only)]
    password: String,
}

const RESET_ACCESS: &str = "auth.users.password.reset.{user_uuid}.create";
const WHOSE: &str = "Whose password it is.";

pub(in crate::dialect::wazo) fn change() -> Operation {
    let access = "auth.users.{user}.password.update";
    let external = Answer::new(405, "The password is kept elsewhere.");
    let wrong = Answer::new(401, "The token is not good enough, or the old password is wrong.");
    Operation::of_tenant(TAG, "changeUserPassword", "Changes a password", access)
        .detail("The user's sessions end.")
        .takes::<PasswordChange>()
        .gives_nothing("The new password is in place.")
        .answer(wrong.json(errors()))
        .may_miss()
        .answer(external.json(Shape::of::<super::ApiError>()))
}

pub(in crate::dialect::wazo) fn request() -> Operation {
    Operation::open(
        TAG,
        "requestPasswordReset",
        "Sends a mail with a link to a new password",
    )
    .detail("By exactly one of the parameters. The answer does not say whether there is such a user.")
    .query("username", text(), "The user's name.")
    .query("email", text(), "An address of the user.")
    .query("login", text(), "Either of both.")
    .gives_nothing("If there is such a user, a mail is on its way.")
    .answer(Answer::new(400, "Not exactly one of the parameters.").json(Shape::of::<super::ApiError>()))
    .fails()
}

pub(in crate::dialect::wazo) fn set() -> Operation {
    let summary = "Sets a password by the link of a mail";
    Operation::of_tenant(TAG, "resetUserPassword", summary, RESET_ACCESS)
        .detail("The link is used up, and the user's sessions end.")
        .proved_by(LINK)
        .needed_query("user_uuid", uuid(), WHOSE)
        .takes::<NewPassword>()
        .gives_nothing("The new password is in place.")
        .may_miss()
}

pub(in crate::dialect::wazo) fn show_form() -> Operation {
    form("showPasswordForm", "Shows the page that a mailed link leads to")
        .answer(Answer::new(200, "A form for the new password.").html())
}

pub(in crate::dialect::wazo) fn submit_form() -> Operation {
    form("submitPasswordForm", "Sets a password by that page's form")
        .body("application/x-www-form-urlencoded", Shape::of::<PasswordForm>())
        .answer(Answer::new(200, "A page that says that the password is set.").html())
        .answer(
            Answer::new(400, "The form once more, with what is wrong with the password.")
                .json(Shape::of::<super::Message>())
                .html(),
        )
        .answer(super::too_slow())
        .answer(super::too_large())
}

fn form(id: &'static str, summary: &'static str) -> Operation {
    Operation::guarded(TAG, id, summary, RESET_ACCESS)
        .proved_by(LINK)
        .needed_query("user_uuid", uuid(), WHOSE)
        .answer(Answer::new(401, "A page that says that the link is no good.").html())
        .may_miss()
        .fails()
}
