//! The release binary as a whole: idle memory, and time to ready from a warm cache of compiled plugins.

use std::time::Instant;

use keyway_tests::{TestHost, artefact};
use serde_json::json;

use crate::table::{Bound, Table, median};

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut host = TestHost::builder()
        .release()
        .user("alice", "s3cre7")
        .plugin("hello_backend", artefact("hello_backend"))
        .backend("name = \"hello\"\nplugin = \"hello_backend\"\nconfig.users = {}")
        .start();
    let mut starts = Vec::new();
    for _ in 0..7 {
        host.kill();
        let begun = Instant::now();
        host.launch();
        starts.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    table.figure(
        "server: ready from a warm cache",
        median(starts),
        "ms",
        Bound::AtMost(1000.0),
    );
    table.figure(
        "server: idle memory, two plugins loaded",
        resident_mib(host.pid())?,
        "MiB",
        Bound::AtMost(60.0),
    );
    for _ in 0..20 {
        runtime
            .block_on(host.wazo().login("alice", "s3cre7", json!({})))
            .token();
    }
    std::thread::sleep(std::time::Duration::from_secs(5));
    let after = resident_mib(host.pid())?;
    table.figure(
        "server: idle memory, 5 s after 20 logins",
        after,
        "MiB",
        Bound::AtMost(60.0),
    );
    Ok(())
}

fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0 kB");
    let kib: f64 = kib.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
