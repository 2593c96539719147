//! Settings.

use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::realm::FIXED;
use super::{anything, integer, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea settings";

const DENIED: &str = "A policy does not allow it.";

pub(in crate::dialect::privacyidea) fn list() -> Operation {
    Operation::pi_admin(TAG, "privacyideaListSettings", "Lists settings")
        .pi_query(&[])
        .pi_gives("The settings by name. What is a secret is not shown.", object())
        .pi_may_be_denied(DENIED)
}

pub(in crate::dialect::privacyidea) fn show() -> Operation {
    Operation::pi_admin(TAG, "privacyideaGetSetting", "Shows a setting")
        .pi_query(&[])
        .pi_gives("Its value; null where there is none.", anything())
        .pi_may_be_denied(DENIED)
}

pub(in crate::dialect::privacyidea) fn keys() -> Operation {
    let ready = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("is_ready", ObjectBuilder::new().schema_type(Type::Boolean));
    Operation::pi_admin(
        TAG,
        "privacyideaShowKeys",
        "Shows whether the keys are there under which secrets are sealed",
    )
    .pi_query(&[])
    .pi_gives("Always `true`: no server starts without them.", ready)
    .pi_may_be_denied(DENIED)
}

pub(in crate::dialect::privacyidea) fn write() -> Operation {
    Operation::pi_admin(TAG, "privacyideaWriteSettings", "Writes settings")
        .detail("Each parameter is a setting. `splitAtSign` says whether a realm may stand in a login name; the others are kept for clients that read them.")
        .pi_body(&[
            ("NAME", "The value of the setting `NAME`."),
            ("NAME.type", "`password` for one that is a secret."),
            ("NAME.desc", "What it is for."),
        ])
        .pi_gives("By their names, whether each was `insert` or `update`.", object())
        .pi_may_be_denied(FIXED)
        .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn remove() -> Operation {
    Operation::pi_admin(TAG, "privacyideaDeleteSetting", "Removes a setting")
        .pi_gives("Its number.", integer())
        .pi_may_be_denied(FIXED)
        .pi_may_miss("There is no such setting.")
        .pi_may_conflict()
}

pub(in crate::dialect::privacyidea) fn signature() -> Operation {
    let key = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("algorithm", text())
        .property("public_key", text().description(Some("As PEM.")));
    Operation::pi_open(TAG, "privacyideaGetSignatureKey", "Shows with which key answers are signed")
        .detail(
            "The signature of an answer is one over its JSON without the signature, with sorted keys, `, ` and `: ` between things, and nothing but ASCII. \
             The original has no such operation.",
        )
        .pi_query(&[])
        .pi_gives("The public key.", key)
        .pi_may_miss("Answers are not signed.")
}
