//! The SDK's introduction shows this crate, and must not drift from it.

const README: &str = include_str!("../../../sdk/README.md");

#[test]
fn the_sdks_introduction_holds_the_backend_and_its_tests_as_they_are() {
    assert!(README.contains(include_str!("../src/lib.rs")), "src/lib.rs");
    assert!(README.contains(include_str!("login.rs")), "tests/login.rs");
}
