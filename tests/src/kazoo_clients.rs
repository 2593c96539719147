//! Clients of Kazoo's API that others wrote or that are run as others run them: kazoo-sdk in a Python environment of its own, and a shell.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::plugin::target;

/// Runs a script of kazoo-sdk's, with this as JSON on its standard input: what it prints, which is JSON.
///
/// # Panics
/// If the SDK is not installed, or if the script fails.
pub fn run_sdk(script: &str, setup: &Value) -> Value {
    let python = target().join("kazoo-sdk/bin/python3");
    assert!(python.exists(), "kazoo-sdk is missing: make kazoo-sdk");
    let mut command = Command::new(python);
    command.args(["-I", "-c", script]);
    let told = run(&mut command, &setup.to_string());
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("no JSON ({error}): {told}"))
}

/// Runs lines of a shell, in which `$CLIENTS` is this folder: what they print.
///
/// # Panics
/// If curl or jq is not installed, or if the lines fail.
pub fn run_shell(lines: &str, clients: &Path, variables: &[(&str, &str)]) -> String {
    for name in ["curl", "jq"] {
        assert!(is_installed(name), "{name} is missing: make curl-jq");
    }
    let mut command = Command::new("/bin/sh");
    command.args(["-euc", lines]).env("CLIENTS", clients);
    command.envs(variables.iter().copied());
    run(&mut command, "")
}

#[expect(clippy::disallowed_methods, reason = "this is the search path that the shell uses")]
fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder: PathBuf| folder.join(name))
        .any(|file| file.is_file())
}

fn run(command: &mut Command, input: &str) -> String {
    let mut child = command
        // A proxy that the machine has is no way to the loopback.
        .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    // Whoever does not read its input may be gone by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let complaint = String::from_utf8_lossy(&output.stderr);
    let name = command.get_program().display();
    assert!(output.status.success(), "{name}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
