//! `wrk`, and what it says.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// What one run of `wrk` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p99_ms: f64,
}

/// How many connections ask at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connections(pub(crate) u32);

/// Asks as the script says, over 32 connections.
pub(crate) fn wrk(port: u16, lua: &Path, seconds: u32) -> anyhow::Result<Load> {
    load(port, lua, Connections(32), Duration::from_secs(seconds.into()))
}

/// Asks as the script says.
pub(crate) fn load(port: u16, lua: &Path, connections: Connections, time: Duration) -> anyhow::Result<Load> {
    let (connections, time) = (format!("-c{}", connections.0), format!("-d{}s", time.as_secs()));
    let output = Command::new("wrk")
        .args(["-t1", &connections, "--latency", &time, "-s"])
        .arg(lua)
        .arg(format!("http://127.0.0.1:{port}"))
        .output()
        .context("wrk is missing; install it (Debian: apt-get install wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        !text.contains("Non-2xx"),
        "not every request was answered as it should be:\n{text}"
    );
    let after = |label: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(label))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let per_second = after("Requests/sec:")
        .and_then(|text| text.parse().ok())
        .with_context(|| text.clone())?;
    let p99_ms = after("99%")
        .and_then(|text| milliseconds(&text))
        .with_context(|| text.clone())?;
    Ok(Load { per_second, p99_ms })
}

fn milliseconds(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let value: f64 = text[..split].parse().ok()?;
    match &text[split..] {
        "us" => Some(value / 1000.0),
        "ms" => Some(value),
        "s" => Some(value * 1000.0),
        _ => None,
    }
}
