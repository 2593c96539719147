//! Proofs that other programs ask for.

use super::{boolean, integer, pi_error};
use crate::document::{Answer, Operation};

pub(super) const TAG: &str = "privacyidea validate";

const CHECK: &[(&str, &str)] = &[
    ("user", "The login name, perhaps with its realm."),
    ("realm", "The realm. It goes before one in the name."),
    (
        "serial",
        "The only token that counts; without a user, its owner is the user.",
    ),
    (
        "pass",
        "What the user presents: PIN and one-time password, unless policies want something else. It must be there.",
    ),
    ("transaction_id", "That of the challenge that `pass` answers."),
    ("state", "The same."),
    ("otponly", "With a serial: `pass` is the one-time password alone."),
    ("type", "The only type of tokens that counts."),
];
const TRIGGER: &[(&str, &str)] = &[
    ("user", "The login name."),
    ("realm", "The realm."),
    ("serial", "A token of the user, in place of the name."),
];

/// What HEAD is answered, which is served with GET elsewhere.
fn no_head() -> Answer {
    pi_error(
        405,
        "The method was HEAD: it would prove something, or begin a challenge, as GET does.",
    )
}

fn asks(id: &'static str, summary: &'static str) -> Operation {
    Operation::pi_open(TAG, id, summary)
        .detail(
            "`detail` says more: a message, the token, or the challenge that is to be answered. Where no policy says otherwise, users prove themselves with \
             the PIN of a token and its one-time password.",
        )
        .answer(pi_error(401, "There were too many attempts. The code says why, as far as it is told."))
        .pi_may_be_denied("A policy lets nobody in, or policies contradict each other.")
}

pub(in crate::dialect::privacyidea) fn check() -> Operation {
    asks("privacyideaCheck", "Tells whether somebody is who it says")
        .pi_query(CHECK)
        .pi_gives("Whether it is proved.", boolean())
        .answer(no_head())
}

pub(in crate::dialect::privacyidea) fn check_post() -> Operation {
    asks("privacyideaPostCheck", "Tells whether somebody is who it says")
        .pi_query(CHECK)
        .pi_body(CHECK)
        .pi_gives("Whether it is proved.", boolean())
}

fn by_status(operation: Operation) -> Operation {
    operation
        .pi_query(CHECK)
        .answer(Answer::new(204, "It is proved."))
        .answer(Answer::new(
            400,
            "It is not proved, or a parameter is missing or wrong.",
        ))
}

pub(in crate::dialect::privacyidea) fn radius() -> Operation {
    by_status(asks(
        "privacyideaRadiusCheck",
        "Tells by the status whether somebody is who it says",
    ))
    .answer(no_head())
}

pub(in crate::dialect::privacyidea) fn radius_post() -> Operation {
    let operation = asks(
        "privacyideaPostRadiusCheck",
        "Tells by the status whether somebody is who it says",
    );
    by_status(operation.pi_body(CHECK))
}

fn triggers(id: &'static str) -> Operation {
    Operation::pi_admin(TAG, id, "Begins a challenge for a user")
        .pi_query(TRIGGER)
        .pi_gives("How many tokens can answer it.", integer())
        .pi_may_be_denied("Policies do not allow it.")
        .pi_may_miss("There is no such token.")
}

pub(in crate::dialect::privacyidea) fn trigger() -> Operation {
    triggers("privacyideaTriggerChallenge").answer(no_head())
}

pub(in crate::dialect::privacyidea) fn trigger_post() -> Operation {
    triggers("privacyideaPostTriggerChallenge").pi_body(TRIGGER)
}

fn polls(id: &'static str) -> Operation {
    Operation::pi_open(TAG, id, "Tells whether a challenge has been answered")
        .detail("`detail.challenge_status` is `accept` or `pending`; nobody learns which challenges there are.")
        .pi_gives("Whether it has been answered rightly.", boolean())
}

pub(in crate::dialect::privacyidea) fn poll() -> Operation {
    polls("privacyideaPollTransaction").pi_query(&[("transaction_id", "That of the challenge. It must be there.")])
}

pub(in crate::dialect::privacyidea) fn poll_one() -> Operation {
    polls("privacyideaPollOneTransaction").pi_query(&[])
}
