//! The contract in `wit/`, as Rust. Generated; nothing is written by hand here but the choice of what is async.
//!
//! Only those imports are async that wait for something. The others stay plain calls, which cost a fraction.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes_without_reason,
    unsafe_code,
    reason = "generated from wit/, where the documentation is"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package keyway:host;
        world everything {
            include keyway:backend/backend-with-health@0.1.0;
            include keyway:backend/backend-with-lookup@0.1.0;
            include keyway:backend/backend-with-change-password@0.1.0;
            include keyway:backend/backend-with-browse@0.1.0;
        }
    ",
    world: "everything",
    imports: {
        "keyway:backend/directory.find-by-login": async | trappable,
        "keyway:backend/directory.find-by-email": async | trappable,
        "keyway:backend/directory.verify-password": async | trappable,
        "keyway:backend/database.query": async | trappable,
        "keyway:backend/delegate.verify-password": async | trappable,
        "keyway:backend/delegate.answer-challenge": async | trappable,
        "keyway:backend/delegate.find-by-identifier": async | trappable,
        "keyway:backend/delegate.find-by-subject": async | trappable,
        "keyway:backend/delegate.list-users": async | trappable,
        "keyway:backend/directory-digest.find-by-digest": async | trappable,
        "keyway:backend/directory-list.list-users": async | trappable,
        "keyway:backend/file.find-lines": async | trappable,
        "keyway:backend/file.list-lines": async | trappable,
        "keyway:backend/secrets.[method]secret.matches": async | trappable,
        "keyway:backend/net.connect": async | trappable,
        "keyway:backend/net.[method]connection.read": async | trappable,
        "keyway:backend/net.[method]connection.write": async | trappable,
        "keyway:backend/net.[method]connection.start-tls": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    with: {
        "keyway:backend/net.connection": crate::import::net::HeldConnection,
        "keyway:backend/secrets.secret": crate::import::secrets::HeldSecret,
    },
});
