//! Accounts, their keys, and who resells.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

use super::{anything, boolean, integer, object};
use crate::document::{Operation, text};

pub(in crate::dialect::kazoo) const TAG: &str = "kazoo accounts";

const ACCOUNT: &[(&str, &str)] = &[
    (
        "name",
        "Its name, of 1 to 128 characters. Right below one account there are no two of one name.",
    ),
    ("realm", "The SIP realm that stands for it."),
    ("language", "The language of its users, `en-us` for example."),
    ("timezone", "Their time zone, by its name in the IANA database."),
    (
        "enabled",
        "Whether its users may log in. Only those above the account say so.",
    ),
    (
        "phone_numbers",
        "The numbers that stand for it. Only those above the account say so.",
    ),
    (
        "trial_expires",
        "From when on its users may no longer log in, in seconds since the year 0. Only those above the account say so.",
    ),
];

const PAGES: &str = "How many there are on a page: 50 if absent, 1000 at the most.";

impl Operation {
    /// It answers with a part of a list.
    pub(in crate::dialect::kazoo::document) fn kz_pages(self) -> Self {
        self.query("page_size", integer(), PAGES)
            .query("start_key", text(), "The `next_start_key` of the page before.")
            .query("paginate", text(), "`false` for 1000 on a page.")
    }
}

fn account() -> ObjectBuilder {
    object()
        .additional_properties(Some(utoipa::openapi::Schema::from(anything())))
        .property("id", text())
        .property("name", text())
        .property("realm", text())
        .property("language", text())
        .property("timezone", text())
        .property("enabled", boolean())
        .property("phone_numbers", ArrayBuilder::new().items(text()))
        .property("trial_expires", integer())
        .property("trial_time_left", integer().description(Some("In seconds.")))
        .property("is_reseller", boolean())
        .property(
            "reseller_id",
            text().description(Some("The nearest one above that resells, else the top one.")),
        )
        .property(
            "superduper_admin",
            boolean().description(Some("Whether it is the top one.")),
        )
        .property("descendants_count", integer())
        .required("id")
        .required("enabled")
        .required("is_reseller")
        .required("reseller_id")
        .required("superduper_admin")
}

fn listed() -> ArrayBuilder {
    ArrayBuilder::new().items(
        object()
            .property("id", text())
            .property("name", text())
            .property("realm", text())
            .property(
                "tree",
                ArrayBuilder::new()
                    .items(text())
                    .description(Some("The accounts above it, the top one first.")),
            )
            .property("enabled", boolean())
            .property("is_reseller", boolean())
            .property("descendants_count", integer())
            .required("id"),
    )
}

fn named() -> ArrayBuilder {
    ArrayBuilder::new().items(object().property("id", text()).property("name", text()).required("id"))
}

fn key() -> ObjectBuilder {
    object()
        .property("api_key", text().description(Some("64 hexadecimal digits.")))
        .required("api_key")
}

/// Who makes an account, and what it may be called.
const UNIQUE_NAME: &str = "For administrators. No other account may have the name, of which the letters `a` to `z` and the digits count, in lower case; so it is \
     where an account gets another name.";

pub(in crate::dialect::kazoo) fn list() -> Operation {
    Operation::kz_account(TAG, "kazooListAccounts", "Lists all accounts")
        .detail("For administrators of the top account.")
        .kz_pages()
        .kz_gives("The accounts.", listed())
}

pub(in crate::dialect::kazoo) fn create_below_own() -> Operation {
    Operation::kz_account(TAG, "kazooCreateAccountBelowOwn", "Makes an account below the caller's")
        .detail(UNIQUE_NAME)
        .kz_body(ACCOUNT)
        .kz_makes("The account.", account())
}

pub(in crate::dialect::kazoo) fn show() -> Operation {
    Operation::kz_account(TAG, "kazooGetAccount", "Shows an account").kz_gives("The account.", account())
}

pub(in crate::dialect::kazoo) fn create() -> Operation {
    Operation::kz_account(TAG, "kazooCreateAccount", "Makes an account below this one")
        .detail(UNIQUE_NAME)
        .kz_body(ACCOUNT)
        .kz_makes("The account.", account())
}

pub(in crate::dialect::kazoo) fn replace() -> Operation {
    Operation::kz_account(TAG, "kazooReplaceAccount", "Puts another account in the place of this one")
        .detail(
            "For administrators. `realm`, `enabled`, `phone_numbers` and `trial_expires` stay as they are where they are not sent. Whatever else is sent is \
             kept with the account, up to 64 KiB of it. An account that is disabled, or whose trial is over, closes those below it too, as long as it is.",
        )
        .kz_body(ACCOUNT)
        .kz_gives("The account.", account())
}

pub(in crate::dialect::kazoo) fn change() -> Operation {
    Operation::kz_account(TAG, "kazooUpdateAccount", "Changes an account")
        .detail("For administrators. What is not sent stays; what is null goes.")
        .kz_body(ACCOUNT)
        .kz_gives("The account.", account())
}

pub(in crate::dialect::kazoo) fn remove() -> Operation {
    Operation::kz_account(TAG, "kazooDeleteAccount", "Removes an account, and all that it owns")
        .detail("For administrators of an account above it. There must be no accounts below it.")
        .kz_gives("The account as it was.", account())
}

pub(in crate::dialect::kazoo) fn list_children() -> Operation {
    Operation::kz_account(TAG, "kazooListChildren", "Lists the accounts right below one")
        .detail("For administrators.")
        .kz_pages()
        .kz_gives("The accounts.", listed())
}

pub(in crate::dialect::kazoo) fn list_descendants() -> Operation {
    Operation::kz_account(TAG, "kazooListDescendants", "Lists all accounts below one")
        .detail("For administrators.")
        .kz_pages()
        .kz_gives("The accounts.", listed())
}

pub(in crate::dialect::kazoo) fn list_parents() -> Operation {
    Operation::kz_account(TAG, "kazooListParents", "Lists the accounts above one")
        .kz_gives("Those from the caller's own account on.", named())
}

pub(in crate::dialect::kazoo) fn list_tree() -> Operation {
    Operation::kz_account(TAG, "kazooListTree", "Lists the accounts above one")
        .kz_gives("Those from the caller's own account on.", named())
}

pub(in crate::dialect::kazoo) fn show_key() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooGetApiKey",
        "Shows the key by which programs log in for an account",
    )
    .detail("For administrators. An account that has none gets one.")
    .kz_gives("The key.", key())
}

pub(in crate::dialect::kazoo) fn renew_key() -> Operation {
    Operation::kz_account(TAG, "kazooRenewApiKey", "Makes the key of an account anew")
        .detail("For administrators. The key before is good no more, and its tokens end.")
        .kz_makes("The key.", key())
}

pub(in crate::dialect::kazoo) fn promote() -> Operation {
    Operation::kz_account(TAG, "kazooPromoteReseller", "Makes an account a reseller")
        .detail("For administrators of the top account. There must be no reseller below the account.")
        .kz_makes("The account.", account())
}

pub(in crate::dialect::kazoo) fn demote() -> Operation {
    Operation::kz_account(TAG, "kazooDemoteReseller", "Makes an account no reseller any more")
        .detail("For administrators of the top account.")
        .kz_gives("The account.", account())
}
