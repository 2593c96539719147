//! Tokens.

use utoipa::openapi::schema::ObjectBuilder;

use super::{anything, boolean, integer, list as list_of, object};
use crate::document::{Operation, text};

pub(super) const TAG: &str = "privacyidea tokens";

const LIST: &[(&str, &str)] = &[
    ("page", "From 1 on."),
    (
        "pagesize",
        "How many tokens a page has: 15, unless this says otherwise.",
    ),
    (
        "sortby",
        "`serial`, `tokentype`, `username`, `user_realm`, `description` or `failcount`.",
    ),
    ("sortdir", "`desc` to turn the order round."),
    ("serial", "A pattern: `*` stands for any text, and case does not count."),
    ("type", "Only those of this type."),
    ("description", "A pattern."),
    (
        "user",
        "A pattern of the login name, perhaps with its realm. For administrators.",
    ),
    ("realm", "The user's realm. For administrators."),
    ("tokenrealm", "A pattern of the realm."),
    ("resolver", "A pattern of the resolver."),
    ("assigned", "Only those that belong to somebody, or only the others."),
    (
        "active",
        "Only those that are enabled, or only those that are disabled.",
    ),
    (
        "rollout_state",
        "`verify` for those whose owners have not shown yet that they work.",
    ),
];
const SERIAL: (&str, &str) = ("serial", "The token's serial.");
const USER: (&str, &str) = (
    "user",
    "The user, in place of a serial: all tokens of it. For administrators.",
);
const REALM: (&str, &str) = ("realm", "The user's realm.");
const TARGETS: &[(&str, &str)] = &[SERIAL, USER, REALM];
const INIT: &[(&str, &str)] = &[
    (
        "type",
        "`hotp`, which it is without this, `totp`, or `tan` for recovery codes.",
    ),
    (
        "user",
        "Whose it is to be; nobody's without this. Users make tokens for themselves alone.",
    ),
    REALM,
    ("serial", "Its serial; one is made without this."),
    (
        "genkey",
        "`1` to have a seed made, which is done without `otpkey` as well.",
    ),
    ("otpkey", "The seed."),
    ("otpkeyformat", "How that is written: `hex`, or `base32check`."),
    ("pin", "The PIN that goes before its one-time passwords."),
    ("otplen", "How many digits these have: 6 or 8."),
    ("hashlib", "`sha1`, `sha256` or `sha512`."),
    ("timeStep", "How many seconds a time step has: 30 or 60."),
    ("description", "For people."),
    (
        "verify_enrollment",
        "`1` if it is to work only once its owner has shown that it does.",
    ),
    (
        "verify",
        "With the serial of a token that waits for it: one of its one-time passwords.",
    ),
];
const ASSIGN: &[(&str, &str)] = &[
    SERIAL,
    ("user", "To whom. Users take tokens for themselves alone."),
    REALM,
    ("pin", "The token's PIN from now on."),
];
const RESYNC: &[(&str, &str)] = &[
    SERIAL,
    ("otp1", "A one-time password."),
    ("otp2", "The one that comes right after it."),
];
const PIN: &[(&str, &str)] = &[SERIAL, ("otppin", "The PIN; nothing for none."), ("pin", "The same.")];
const DESCRIPTION: &[(&str, &str)] = &[SERIAL, ("description", "For people.")];
const SET: &[(&str, &str)] = &[
    SERIAL,
    ("pin", "The PIN; nothing for none."),
    ("description", "For people."),
    ("max_failcount", "With how many failures it lets nobody in."),
    (
        "count_window",
        "How many counters, or time steps to either side, are tried.",
    ),
    ("sync_window", "How many are tried when it is resynchronised."),
];

/// An operation on tokens that are named by parameters.
fn by_parameters(id: &'static str, summary: &'static str, parameters: &[(&'static str, &'static str)]) -> Operation {
    Operation::pi_caller(TAG, id, summary)
        .detail("Users act upon their own tokens alone.")
        .pi_query(&[])
        .pi_body(parameters)
        .pi_may_be_denied("Policies do not allow it.")
        .pi_may_miss("There is no such token, or it is not the caller's.")
}

/// The same for the token in the path.
fn by_path(id: &'static str, summary: &'static str, parameters: &[(&'static str, &'static str)]) -> Operation {
    let others: Vec<_> = parameters
        .iter()
        .copied()
        .filter(|(name, _)| *name != SERIAL.0)
        .collect();
    by_parameters(id, summary, &others)
}

fn count() -> ObjectBuilder {
    integer().description(Some("How many."))
}

macro_rules! acts {
    ($($by_parameters:ident, $by_path:ident: $id:literal, $one:literal, $summary:literal, $parameters:expr, $value:expr;)*) => {
        $(
            pub(in crate::dialect::privacyidea) fn $by_parameters() -> Operation {
                by_parameters($id, $summary, $parameters).pi_gives("What was done.", $value)
            }

            pub(in crate::dialect::privacyidea) fn $by_path() -> Operation {
                by_path($one, $summary, $parameters).pi_gives("What was done.", $value)
            }
        )*
    };
}

acts! {
    enable, enable_one: "privacyideaEnableTokens", "privacyideaEnableToken", "Enables tokens", TARGETS, count();
    disable, disable_one: "privacyideaDisableTokens", "privacyideaDisableToken", "Disables tokens", TARGETS, count();
    revoke, revoke_one: "privacyideaRevokeTokens", "privacyideaRevokeToken", "Gives tokens up for good", TARGETS, count();
    reset, reset_one: "privacyideaResetTokens", "privacyideaResetToken", "Resets the failures of tokens", TARGETS, count();
    resync, resync_one: "privacyideaResyncTokens", "privacyideaResyncToken", "Brings a token back into step", RESYNC, boolean();
    set_pin, set_pin_of_one: "privacyideaSetPins", "privacyideaSetPin", "Sets a token's PIN", PIN, count();
    describe, describe_one: "privacyideaDescribeTokens", "privacyideaDescribeToken", "Describes a token", DESCRIPTION, count();
    set, set_one: "privacyideaSetTokens", "privacyideaSetToken", "Sets what a token goes by", SET, count();
}

pub(in crate::dialect::privacyidea) fn unassign() -> Operation {
    by_parameters(
        "privacyideaUnassignTokens",
        "Takes tokens away from their user",
        TARGETS,
    )
    .pi_gives("What was done.", count())
}

pub(in crate::dialect::privacyidea) fn assign() -> Operation {
    by_parameters("privacyideaAssignToken", "Gives a token to a user", ASSIGN)
        .pi_gives("It belongs to the user.", boolean())
}

pub(in crate::dialect::privacyidea) fn remove() -> Operation {
    Operation::pi_caller(TAG, "privacyideaDeleteToken", "Deletes a token")
        .detail("Users delete their own tokens alone.")
        .pi_query(&[])
        .pi_gives("How many are gone: 1.", count())
        .pi_may_be_denied("Policies do not allow it.")
        .pi_may_miss("There is no such token, or it is not the caller's.")
}

pub(in crate::dialect::privacyidea) fn init() -> Operation {
    by_parameters("privacyideaInitToken", "Makes a token", INIT)
        .detail(
            "`detail` holds what the owner must get, the one time that it is told: the seed, addresses for authenticator apps, and pictures of them. Where \
             policies want it, the token works once a second request has sent one of its one-time passwords as `verify`.",
        )
        .pi_gives("It is made, or works.", boolean())
}

pub(in crate::dialect::privacyidea) fn list() -> Operation {
    let page = object()
        .property("tokens", list_of(token()))
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
    let page = ["tokens", "count", "current", "next", "prev"]
        .iter()
        .fold(page, |page, name| page.required(*name));
    Operation::pi_caller(TAG, "privacyideaListTokens", "Lists tokens")
        .detail("Users see their own.")
        .pi_query(LIST)
        .pi_gives("A page.", page)
        .pi_may_be_denied("Policies do not allow it.")
}

fn token() -> ObjectBuilder {
    let texts = [
        "serial",
        "tokentype",
        "description",
        "username",
        "user_realm",
        "resolver",
        "user_id",
        "rollout_state",
        "container_serial",
    ];
    let numbers = [
        "id",
        "otplen",
        "failcount",
        "maxfail",
        "count",
        "count_window",
        "sync_window",
    ];
    let flags = ["active", "revoked", "locked", "user_editable"];
    let texts = texts.into_iter().map(|name| (name, text()));
    let numbers = numbers.into_iter().map(|name| (name, integer()));
    let flags = flags.into_iter().map(|name| (name, boolean()));
    let all = texts.chain(numbers).chain(flags).chain([("info", object())]);
    let token = all.fold(object(), |token, (name, schema)| {
        token.property(name, schema).required(name)
    });
    ["realms", "tokengroup"].iter().fold(token, |token, name| {
        token.property(*name, list_of(text())).required(*name)
    })
}
