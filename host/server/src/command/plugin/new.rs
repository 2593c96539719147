//! `keyway plugin new`: the smallest useful backend under a name of your own.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::command::failure::Failure;
use crate::command::output::Output;

/// What a new plugin begins as: the example, so that it always builds and its tests always pass.
const SOURCE: &str = include_str!("../../../../../examples/hello_backend/src/lib.rs");
const TESTS: &str = include_str!("../../../../../examples/hello_backend/tests/login.rs");

pub(super) fn run(output: Output, name: &str, sdk: Option<&Path>) -> Result<(), Failure> {
    if !is_plugin_name(name) {
        return Err(Failure::usage(format!(
            "`{name}` does not do; a plugin's name is a letter, then `a-z`, `0-9` and `_`"
        )));
    }
    let sdk = find_sdk(sdk)?;
    let folder = PathBuf::from(name);
    write(&folder, name, &sdk).map_err(|error| {
        Failure::failed(format!(
            "cannot make the folder `{name}`: {error}; choose another name or place"
        ))
    })?;
    let made = json!({ "folder": folder, "sdk": sdk });
    output.one(&made, || {
        format!(
            "`{name}` is ready; next:\n  cd {name}\n  cargo test\n  cargo build --release --target wasm32-wasip2\n  keyway plugin install \
             target/wasm32-wasip2/release/{name}.wasm"
        )
    });
    Ok(())
}

fn is_plugin_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 64 && name.chars().all(legal)
}

/// The SDK that was named, else the one of the source tree that this folder or this program lies in.
fn find_sdk(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let is_sdk = |folder: &Path| {
        std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"keyway-sdk\""))
    };
    if let Some(named) = named {
        return match named.canonicalize() {
            Ok(folder) if is_sdk(&folder) => Ok(folder),
            _ => Err(Failure::failed(format!(
                "there is no keyway-sdk in `{}`",
                named.display()
            ))),
        };
    }
    let places = [std::env::current_dir(), std::env::current_exe()];
    let mut around = places
        .iter()
        .flatten()
        .flat_map(|place| place.ancestors())
        .map(|folder| folder.join("sdk"));
    around.find(|folder| is_sdk(folder)).ok_or_else(|| {
        Failure::failed("keyway-sdk is not near; name its folder, the `sdk` of Keyway's source tree, with `--sdk PATH`")
    })
}

fn write(folder: &Path, name: &str, sdk: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder)?;
    std::fs::create_dir(folder.join("src"))?;
    std::fs::create_dir(folder.join("tests"))?;
    std::fs::write(folder.join("Cargo.toml"), manifest(name, sdk))?;
    std::fs::write(folder.join(".gitignore"), "/target\n")?;
    std::fs::write(folder.join("src/lib.rs"), SOURCE.replace("hello_backend", name))?;
    std::fs::write(folder.join("tests/login.rs"), TESTS.replace("hello_backend", name))
}

fn manifest(name: &str, sdk: &Path) -> String {
    let sdk = toml::Value::String(sdk.display().to_string());
    format!(
        r#"[package]
name = "{name}"
description = "A Keyway backend"
version = "0.1.0"
edition = "2024"
publish = false

[lib]
# `cdylib` becomes the component, `lib` is what the tests use.
crate-type = ["cdylib", "lib"]

[dependencies]
keyway-sdk = {{ path = {sdk} }}

# Small, and quick to compile on load.
[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
strip = true
panic = "abort"

# A workspace of its own, wherever the folder lies.
[workspace]
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_name_is_an_identifier() {
        for good in ["a", "my_backend", "ldap2"] {
            assert!(is_plugin_name(good), "{good}");
        }
        for bad in ["", "2a", "_a", "My", "a-b", "../a", "a b", &"a".repeat(65)] {
            assert!(!is_plugin_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_new_plugin_bears_its_name_and_finds_the_sdk() {
        let folder = tempfile::tempdir().expect("a folder");
        let sdk = find_sdk(Some(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk"))).expect("the SDK is there");
        let made = folder.path().join("mine");
        write(&made, "mine", &sdk).expect("it is written");
        let read = |name: &str| std::fs::read_to_string(made.join(name)).expect(name);
        let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
        assert_eq!(manifest["package"]["name"].as_str(), Some("mine"));
        assert_eq!(manifest["dependencies"]["keyway-sdk"]["path"].as_str(), sdk.to_str());
        for file in ["src/lib.rs", "tests/login.rs"] {
            assert!(!read(file).contains("hello_backend"), "{file}");
        }
        assert!(read("tests/login.rs").contains("use mine::"));
        assert!(
            write(&made, "mine", &sdk).is_err(),
            "a folder that exists is left alone"
        );
    }
}
