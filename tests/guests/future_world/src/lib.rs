//! A backend of a contract that does not exist yet: its `authenticator` is of version 0.2.0, and differs.

/// The component, which exists only as one.
#[cfg(target_family = "wasm")]
#[allow(clippy::all, clippy::pedantic, missing_docs, unsafe_code, reason = "generated")]
mod component {
    wit_bindgen::generate!({
        inline: "
            package keyway:backend@0.2.0;
            interface authenticator {
                describe: func() -> string;
                verify: func(identifier: string) -> bool;
            }
            world backend { export authenticator; }
        ",
    });

    struct Future;

    impl exports::keyway::backend::authenticator::Guest for Future {
        fn describe() -> String {
            "of the future".to_owned()
        }

        fn verify(_identifier: String) -> bool {
            true
        }
    }

    export!(Future);
}
