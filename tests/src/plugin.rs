//! Built files that the tests need: the server's binary and the plugins.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) fn target() -> PathBuf {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(workspace).join("target"), PathBuf::from)
}

/// The server's binary, of the development or the release profile.
///
/// # Panics
/// If it was not built.
pub fn keyway_binary(release: bool) -> PathBuf {
    let path = target().join(if release { "release/keyway" } else { "debug/keyway" });
    assert!(
        path.exists(),
        "{} is missing: run `make test`, which builds it",
        path.display()
    );
    path
}

/// The bytes of a plugin or guest, by its crate's name.
///
/// # Panics
/// If it was not built.
pub fn artefact(name: &str) -> Vec<u8> {
    let path = target().join("wasm32-wasip2/plugin").join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing: run `make test`, which builds it", path.display()))
}

/// The same plugin with another digest: a custom section is appended, which changes no behaviour.
///
/// # Panics
/// If the section's name and content were too long for a size of one byte.
pub fn variant(wasm: &[u8]) -> Vec<u8> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let payload = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let name = b"keyway-test";
    let size = u8::try_from(1 + name.len() + payload.len()).expect("a short section");
    assert!(size < 0x80, "the size must fit one LEB128 byte");
    let mut bytes = wasm.to_vec();
    bytes.extend_from_slice(&[0, size, u8::try_from(name.len()).expect("a short name")]);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(payload.as_bytes());
    bytes
}
