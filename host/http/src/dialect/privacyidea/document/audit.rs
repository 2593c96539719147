//! The audit.

use super::{anything, integer, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea audit";

const LIST: &[(&str, &str)] = &[
    ("page", "From 1 on."),
    (
        "page_size",
        "How many entries a page has: 15, unless this says otherwise.",
    ),
    ("sortorder", "`asc` for the oldest first."),
    ("timelimit", "Only what is not older than this: `2h`, `1d`."),
    ("success", "`1` for what was done, `0` for the rest."),
    ("action", "A pattern of the method and the route."),
    (
        "authentication",
        "A pattern of `ACCEPT`, `REJECT`, `CHALLENGE` or `DECLINED`.",
    ),
    (
        "user",
        "A pattern, like those of all other columns: `*` stands for any text, and case does not count.",
    ),
    ("realm", "A pattern."),
    ("resolver", "A pattern."),
    ("administrator", "A pattern."),
    ("serial", "A pattern."),
    ("token_type", "A pattern."),
    ("policies", "A pattern."),
    ("info", "A pattern."),
    ("client", "A pattern of the address."),
    ("user_agent", "A pattern."),
    ("request_id", "A pattern."),
];

pub(in crate::dialect::privacyidea) fn list() -> Operation {
    let page = object()
        .property("auditcolumns", super::list(text()))
        .property("auditdata", super::list(object()))
        .property("count", integer().description(Some("How many fit the filters.")))
        .property("current", integer())
        .property(
            "next",
            anything().description(Some("The number of the next page; null for the last.")),
        )
        .property(
            "prev",
            anything().description(Some("The number of the page before; null for the first.")),
        );
    let page = ["auditcolumns", "auditdata", "count", "current", "next", "prev"]
        .iter()
        .fold(page, |page, name| page.required(*name));
    Operation::pi_caller(TAG, "privacyideaListAudit", "Lists what was asked, the newest first")
        .detail("Users see what is about themselves.")
        .pi_query(LIST)
        .pi_gives("A page.", page)
        .pi_may_be_denied("Policies do not allow it.")
}
