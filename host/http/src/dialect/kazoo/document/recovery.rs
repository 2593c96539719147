//! Links for those who have forgotten a password.

use super::auth::{TAG, login};
use super::{kz_error, object};
use crate::document::Operation;

pub(in crate::dialect::kazoo) fn ask() -> Operation {
    Operation::kz_open(TAG, "kazooAskForRecovery", "Mails a link by which a user logs in once")
        .detail("The answer is the same whether there is such a user or not, unless the operator wants it to tell.")
        .kz_body(&[
            ("username", "Who has forgotten the password."),
            (
                "ui_url",
                "Where the link is to lead: an address that the operator allows. `recovery` and the reset id are added to its query.",
            ),
            ("phone_number", "A phone number of the account. It goes before a realm."),
            ("account_realm", "The account's realm. It goes before a name."),
            ("realm", "The same."),
            ("account_name", "The account's name."),
        ])
        .kz_makes("Nothing is said.", object())
        .kz_may_be_too_much()
}

pub(in crate::dialect::kazoo) fn answer() -> Operation {
    Operation::kz_open(TAG, "kazooRecover", "Logs a user in by a mailed link")
        .detail("The link is good once. The user's `require_password_update` is set, and clients are to ask for a new password.")
        .kz_body(&[
            ("reset_id", "The id that the link carries."),
            (
                "multi_factor_response",
                "The one-time password, or an object with it under `otp`, and with the `transaction_id`.",
            ),
        ])
        .kz_gives("A token, in `auth_token`.", login())
        .answer(kz_error(401, "More is to be proved."))
        .kz_may_be_too_much()
}
