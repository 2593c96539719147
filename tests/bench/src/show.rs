//! A route that shows whose a token is, against a bare axum route of this process, under `wrk`.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::http::StatusCode;
use keyway_tests::TestHost;

use crate::bare;
use crate::load::wrk;
use crate::table::{Bound, Table, median};

/// How many tokens are good at once: each connection's client has one of its own.
pub(crate) const TOKENS: usize = 32;

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// The headers of one caller.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// Compares GET of a path by these callers, whose answer is this long, with a route that answers nothing. Another one, which answers as many bytes, says how much of
/// the difference those make.
pub(crate) fn measure(
    table: &mut Table,
    (name, path): (&str, &str),
    host: &TestHost,
    callers: &[Headers],
    length: usize,
) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let keyway = host.address().rsplit(':').next().unwrap_or_default().parse()?;
    let bare = tokio.block_on(bare::serve(path, StatusCode::NO_CONTENT))?;
    let full = tokio.block_on(bare::serve(path, Bytes::from("x".repeat(length))))?;
    let folder = tempfile::tempdir()?;
    let lua = folder.path().join("show.lua");
    std::fs::write(&lua, script(path, callers))?;
    for port in [keyway, bare, full] {
        wrk(port, &lua, 1)?;
    }
    let (mut ratios, mut full_ratios, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let shown = wrk(keyway, &lua, SECONDS)?;
        let yardstick = wrk(bare, &lua, SECONDS)?;
        full_ratios.push(shown.per_second / wrk(full, &lua, SECONDS)?.per_second);
        ratios.push(shown.per_second / yardstick.per_second);
        tails.push(shown.p99_ms);
        ours.push(shown.per_second);
        theirs.push(yardstick.per_second);
    }
    table.note(&format!("{name}, 32 connections"), median(ours), "/s");
    table.note(&format!("{name}, p99"), median(tails), "ms");
    table.note(&format!("{name}: bare route"), median(theirs), "/s");
    table.note(
        &format!("{name}: against a bare route with as long an answer"),
        median(full_ratios),
        "x",
    );
    table.figure(
        &format!("{name}: throughput against the bare route"),
        median(ratios),
        "x",
        Bound::AtLeast(0.5),
    );
    Ok(())
}

/// A `wrk` script that asks as one of the callers each time. The requests are written beforehand, so that writing them takes no time from the server.
fn script(path: &str, callers: &[Headers]) -> String {
    let mut lua = String::from("local requests = {}\nfunction init()\n");
    for headers in callers {
        let mut fields = String::new();
        for (name, value) in headers {
            let _ = write!(fields, "[\"{name}\"] = \"{value}\", ");
        }
        let _ = writeln!(
            lua,
            "requests[#requests + 1] = wrk.format(\"GET\", \"{path}\", {{{fields}}})"
        );
    }
    lua.push_str(
        "end\n\
         local random, count = math.random, ",
    );
    let _ = writeln!(
        lua,
        "{}\nfunction request() return requests[random(count)] end",
        callers.len()
    );
    lua
}
