//! Logins and tokens.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};

use super::{anything, boolean, integer, kz_error, object};
use crate::document::{Answer, Operation, Shape, text};

pub(in crate::dialect::kazoo) const TAG: &str = "kazoo auth";

const LOGIN: &[(&str, &str)] = &[
    (
        "credentials",
        "MD5 or SHA-1 over `username:password`, in lower-case hexadecimal. The username is in lower case.",
    ),
    ("method", "Which of them: `md5`, which is usual, or `sha`."),
    ("phone_number", "A phone number of the account. It goes before a realm."),
    ("account_realm", "The account's realm. It goes before a name."),
    ("realm", "The same."),
    ("account_name", "The account's name: its letters and digits count."),
    (
        "multi_factor_response",
        "The one-time password, or an object with it under `otp`, and with the `transaction_id`.",
    ),
];

const RESET: &str = "`reset_signature_secret`.";

/// Whose a token is, and what clients want to know besides.
pub(in crate::dialect::kazoo) fn login() -> ObjectBuilder {
    object()
        .property("account_id", text())
        .property(
            "owner_id",
            text().description(Some("Nobody for an account's own token.")),
        )
        .property("account_name", text())
        .property("language", text())
        .property("apps", ArrayBuilder::new().items(object()))
        .property("is_reseller", boolean())
        .property("reseller_id", text())
        .property("is_master_account", boolean())
        .property("cluster_id", text())
        .property("capabilities", object())
        .property("ui_config", object())
        .required("account_id")
        .required("account_name")
        .required("language")
        .required("apps")
        .required("is_reseller")
        .required("reseller_id")
}

/// The same with what the token says.
fn claims() -> ObjectBuilder {
    login()
        .property("iss", text())
        .property("identity_sig", text())
        .property("method", text().description(Some("`cb_user_auth` or `cb_api_auth`.")))
        .property("exp", integer().description(Some("Seconds since 1970.")))
        .property(
            "original_account_id",
            text().description(Some("The account of whoever acts in the owner's place.")),
        )
        .property("original_owner_id", text().description(Some("Who that is.")))
        .property("id", text().description(Some("The token.")))
        .required("iss")
        .required("method")
        .required("exp")
}

pub(in crate::dialect::kazoo) fn log_in() -> Operation {
    Operation::kz_open(TAG, "kazooLogIn", "Logs a user in")
        .detail(
            "If the user has to prove more, the answer is 401, and `data.multi_factor_request` says what is asked: send the same credentials with a \
             `multi_factor_response`.",
        )
        .kz_body(LOGIN)
        .kz_makes("A token, in `auth_token`.", login())
        .answer(kz_error(401, "Nobody is let in, or more is to be proved."))
        .kz_may_be_denied("There is no such action.")
        .kz_may_be_too_much()
}

pub(in crate::dialect::kazoo) fn log_in_by_key() -> Operation {
    Operation::kz_open(TAG, "kazooLogInByKey", "Logs an account in")
        .kz_body(&[("api_key", "The account's key: 64 hexadecimal digits.")])
        .kz_makes("A token, in `auth_token`.", login())
        .kz_may_miss("There is no such key.")
        .kz_may_be_too_much()
}

pub(in crate::dialect::kazoo) fn show_token() -> Operation {
    Operation::kz_caller(TAG, "kazooShowToken", "Shows what a token of the caller's own says")
        .kz_gives("What it says, and whose it is.", claims())
        .kz_may_be_denied("The token is somebody else's, or none.")
}

pub(in crate::dialect::kazoo) fn show_token_of_account() -> Operation {
    Operation::kz_account(
        TAG,
        "kazooShowTokenOfAccount",
        "Shows what a token of the caller's own says, below an account",
    )
    .kz_gives("What it says, and whose it is.", claims())
}

pub(in crate::dialect::kazoo) fn show_own_token() -> Operation {
    Operation::kz_caller(TAG, "kazooShowOwnToken", "Shows what the caller's token says")
        .kz_gives("What it says, and whose it is.", claims())
}

pub(in crate::dialect::kazoo) fn log_out() -> Operation {
    Operation::kz_caller(TAG, "kazooLogOut", "Ends the caller's token").kz_gives("It is not good any more.", object())
}

pub(in crate::dialect::kazoo) fn show_any_token() -> Operation {
    any_token("kazooShowAnyToken", "Shows what a token says").query("token", text(), "The token.")
}

pub(in crate::dialect::kazoo) fn look_at_any_token() -> Operation {
    any_token("kazooLookAtAnyToken", "Shows what a token in the body says")
        .query("token", text(), "The token, where it is not in the body.")
        .kz_body(&[("token", "The token.")])
}

fn any_token(id: &'static str, summary: &'static str) -> Operation {
    Operation::kz_open(TAG, id, summary)
        .kz_gives("What it says, and whose it is.", claims())
        .answer(kz_error(401, "It is not good. The message says why."))
        .kz_may_miss("The request has no token.")
}

pub(in crate::dialect::kazoo) fn renew_or_end_all() -> Operation {
    Operation::kz_caller(
        TAG,
        "kazooRenewOrEndAll",
        "Makes a new token for a good one, or ends all of them",
    )
    .detail("To end all tokens of all accounts is for those who may do everything.")
    .kz_body(&[("action", "`refresh_token` or `reset_signature_secret`.")])
    .kz_makes("A new token in `auth_token`, or nothing.", login_or_nothing())
    .kz_may_be_denied("There is no such action, or the caller may not do it.")
}

pub(in crate::dialect::kazoo) fn end_tokens_of_account() -> Operation {
    Operation::kz_account(TAG, "kazooEndTokensOfAccount", "Ends all tokens of an account")
        .detail("For administrators.")
        .kz_body(&[("action", RESET)])
        .kz_makes("They are not good any more.", object())
}

pub(in crate::dialect::kazoo) fn end_tokens_of_user() -> Operation {
    Operation::kz_account(TAG, "kazooEndTokensOfUser", "Ends all tokens of a user")
        .detail("For administrators, and for the user.")
        .kz_body(&[("action", RESET)])
        .kz_makes("They are not good any more.", object())
}

pub(in crate::dialect::kazoo) fn list_keys() -> Operation {
    let key = ["kty", "use", "alg", "kid", "n", "e"]
        .iter()
        .fold(object(), |key, name| key.property(*name, text()).required(*name));
    let body = object()
        .property("keys", ArrayBuilder::new().items(key))
        .required("keys");
    Operation::kz_open(TAG, "kazooListKeys", "Lists the public keys of tokens")
        .detail("By them others verify tokens by themselves. That a token was ended, they say nothing of.")
        .answer(Answer::new(200, "The keys, as RFC 7517 has them.").json(Shape::just(body)))
}

fn login_or_nothing() -> ObjectBuilder {
    anything().description(Some("As after a login, or an empty object."))
}
