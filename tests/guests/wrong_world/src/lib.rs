//! A component that is no backend at all: it exports an interface of somebody else's package.

/// The component, which exists only as one.
#[cfg(target_family = "wasm")]
#[allow(clippy::all, clippy::pedantic, missing_docs, unsafe_code, reason = "generated")]
mod component {
    wit_bindgen::generate!({
        inline: "
            package other:greeter@1.0.0;
            interface greeter { greet: func() -> string; }
            world greeting { export greeter; }
        ",
    });

    struct Greeter;

    impl exports::other::greeter::greeter::Guest for Greeter {
        fn greet() -> String {
            "hello".to_owned()
        }
    }

    export!(Greeter);
}
