//! Addresses.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::{Answer, LINK, Operation, Shape};

pub(super) const TAG: &str = "emails";

/// An address of a user.
#[derive(ToSchema)]
pub(super) struct Email {
    uuid: Uuid,
    address: String,
    /// Whether mails go there.
    main: bool,
    /// Whether the user showed to read what is sent there, or an administrator said so.
    confirmed: bool,
}

/// The addresses of a user.
#[derive(ToSchema)]
struct Emails {
    /// Each address once, one of them the main one, if there are any.
    emails: Vec<NewEmail>,
}

/// An address, as a user sets it.
#[derive(ToSchema)]
struct NewEmail {
    #[schema(min_length = 1, max_length = 254)]
    address: String,
    main: bool,
}

/// The addresses of a user, as an administrator sets them.
#[derive(ToSchema)]
struct AdministeredEmails {
    /// Each address once, one of them the main one, if there are any.
    emails: Vec<AdministeredEmail>,
}

/// An address, as an administrator sets it.
#[derive(ToSchema)]
struct AdministeredEmail {
    #[schema(min_length = 1, max_length = 254)]
    address: String,
    main: bool,
    /// Without it, what was so stays so.
    confirmed: Option<bool>,
}

const TAKEN: &str = "An address is somebody else's.";

fn set_by(operation: Operation) -> Operation {
    operation
        .answer(Answer::new(200, "The user's addresses.").json(Shape::list_of::<Email>()))
        .may_miss()
        .may_conflict(TAKEN)
}

pub(in crate::dialect::wazo) fn set() -> Operation {
    let access = "auth.users.{user}.emails.update";
    set_by(Operation::of_tenant(TAG, "setUserEmails", "Sets a user's addresses", access).takes::<Emails>())
}

pub(in crate::dialect::wazo) fn set_as_admin() -> Operation {
    let access = "auth.admin.users.{user}.emails.update";
    let summary = "Sets a user's addresses, and which are confirmed";
    set_by(Operation::of_tenant(TAG, "setUserEmailsAsAdmin", summary, access).takes::<AdministeredEmails>())
}

pub(in crate::dialect::wazo) fn send_confirmation() -> Operation {
    let access = "auth.users.{user}.emails.{email}.confirm.read";
    let summary = "Sends a mail that asks to confirm an address";
    Operation::of_tenant(TAG, "requestEmailConfirmation", summary, access)
        .gives_nothing("The mail is on its way.")
        .may_miss()
        .may_conflict("The address is confirmed.")
        .answer(Answer::new(429, "Too many mails were asked for.").json(super::errors()))
}

pub(in crate::dialect::wazo) fn follow() -> Operation {
    let access = "auth.emails.{email}.confirm.update";
    let expired = Answer::new(401, "The link is no good: for browsers as a page.");
    Operation::of_tenant(
        TAG,
        "followEmailConfirmation",
        "Confirms an address by the link of a mail",
        access,
    )
    .proved_by(LINK)
    .answer(Answer::new(200, "A page that says so.").html())
    .answer(expired.json(Shape::of::<super::ApiError>()).html())
    .may_miss()
}

pub(in crate::dialect::wazo) fn confirm() -> Operation {
    let access = "auth.emails.{email}.confirm.update";
    Operation::of_tenant(TAG, "confirmEmail", "Confirms an address", access)
        .gives_nothing("The address is confirmed.")
        .may_miss()
}
