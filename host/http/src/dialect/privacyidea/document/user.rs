//! Users.

use super::{list, object};
use crate::document::Operation;

pub(super) const TAG: &str = "privacyidea users";

const PARAMETERS: &[(&str, &str)] = &[
    ("realm", "Only those of this realm."),
    ("resolver", "Only those of this resolver."),
    (
        "username",
        "A pattern of the login name: `*` stands for any text, and case does not count.",
    ),
    ("userid", "A pattern of the resolver's own name for somebody."),
    ("givenname", "A pattern of the given name."),
    ("surname", "A pattern of the surname."),
    ("email", "A pattern of the address."),
    ("phone", "A pattern of the number."),
    ("mobile", "A pattern of the number."),
    ("description", "A pattern of the description."),
];

fn users(id: &'static str, summary: &'static str) -> Operation {
    Operation::pi_caller(TAG, id, summary)
        .detail("A user sees itself alone. At most 1000 are listed.")
        .pi_query(PARAMETERS)
        .pi_gives("What is known of each.", list(object()))
        .pi_may_be_denied("A policy does not allow it, or the backend cannot list its users.")
}

pub(in crate::dialect::privacyidea) fn list_all() -> Operation {
    users("privacyideaListUsers", "Lists the users of realms")
}

pub(in crate::dialect::privacyidea) fn list_alias() -> Operation {
    users(
        "privacyideaListUsersAsOfOld",
        "Lists the users of realms, as old documentation has it",
    )
}
