//! A directory that accepts and never answers: what it costs the logins of another backend, and what its own are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use keyway_tests::peer::{Peer, Script};
use keyway_tests::wazo::WazoClient;
use keyway_tests::{TestHost, artefact};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{LOGIN, PASSWORD, backend, service_password};
use crate::table::{Bound, Table, median};

/// Stalled logins that are kept in flight.
const STALLED: usize = 32;
const ROUNDS: usize = 7;
/// Of the other backend, in each half of a round.
const LOGINS: usize = 300;
/// The stalled backend's `limits.deadline`.
const DEADLINE: Duration = Duration::from_secs(3);

pub(super) fn measure(table: &mut Table, tokio: &Runtime) -> anyhow::Result<()> {
    let peer = Peer::start(Script::Silent);
    let net = format!(
        "{{ address = \"{}\", tls = \"none\", timeout = \"1m\" }}",
        peer.address()
    );
    let host = TestHost::builder()
        .release()
        .config("[password]\nmemory = \"19MiB\"\niterations = 2")
        .user("bob", PASSWORD)
        .file("svc.pass", service_password())
        .plugin("ldap", artefact("ldap"))
        // Without a breaker, so that as many as are wanted wait for the directory.
        .backend(&backend("stalled", &net, "{ deadline = \"3s\", breaker_faults = 0 }"))
        .backend(&backend(
            "broken",
            &net,
            "{ deadline = \"1s\", breaker_faults = 20, breaker_cooldown = \"1h\" }",
        ))
        .start();
    host.wait_until_loaded();
    neighbour(table, tokio, &host)?;
    breaker(table, tokio, &host)
}

/// The other backend's logins, in turns with and without stalled ones.
fn neighbour(table: &mut Table, tokio: &Runtime, host: &TestHost) -> anyhow::Result<()> {
    tokio.block_on(p99_of_others(&host.wazo()));
    let (mut quiet, mut loud, mut ratios, mut slowest) = (Vec::new(), Vec::new(), Vec::new(), Duration::ZERO);
    for _ in 0..ROUNDS {
        let before = tokio.block_on(p99_of_others(&host.wazo()));
        let stop = Arc::new(AtomicBool::new(false));
        let mut stalled = JoinSet::new();
        for _ in 0..STALLED {
            stalled.spawn_on(keep_stalled(host.wazo(), Arc::clone(&stop)), tokio.handle());
        }
        let meanwhile = tokio.block_on(p99_of_others(&host.wazo()));
        stop.store(true, Ordering::Relaxed);
        while let Some(ended) = tokio.block_on(stalled.join_next()) {
            slowest = slowest.max(ended??);
        }
        quiet.push(before);
        loud.push(meanwhile);
        ratios.push(meanwhile / before);
    }
    table.note("ldap, stalled: p99 of wazo_user's logins, quiet", median(quiet), "ms");
    table.note(
        "ldap, stalled: p99 of wazo_user's logins, meanwhile",
        median(loud),
        "ms",
    );
    table.figure(
        "ldap, stalled: p99 of wazo_user's logins against quiet",
        median(ratios),
        "x",
        Bound::AtMost(1.2),
    );
    table.figure(
        "ldap, stalled: the slowest 503, deadline 3,000 ms",
        slowest.as_secs_f64() * 1000.0,
        "ms",
        Bound::AtMost((DEADLINE + Duration::from_millis(250)).as_secs_f64() * 1000.0),
    );
    Ok(())
}

/// How long an answer takes once the breaker is open.
fn breaker(table: &mut Table, tokio: &Runtime, host: &TestHost) -> anyhow::Result<()> {
    let wazo = host.wazo();
    tokio.block_on(async {
        let mut opening = JoinSet::new();
        for _ in 0..STALLED {
            let wazo = wazo.clone();
            opening.spawn(async move { stalled_login(&wazo, "broken").await });
        }
        while let Some(ended) = opening.join_next().await {
            ended??;
        }
        let mut times = Vec::with_capacity(LOGINS);
        for _ in 0..LOGINS {
            times.push(stalled_login(&wazo, "broken").await?.as_secs_f64() * 1000.0);
        }
        table.figure(
            "ldap, breaker open: p99 of an answer",
            p99(times),
            "ms",
            Bound::AtMost(10.0),
        );
        Ok(())
    })
}

/// Logs in until told to stop; the slowest answer's time.
async fn keep_stalled(wazo: WazoClient, stop: Arc<AtomicBool>) -> anyhow::Result<Duration> {
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        slowest = slowest.max(stalled_login(&wazo, "stalled").await?);
    }
    Ok(slowest)
}

async fn stalled_login(wazo: &WazoClient, backend: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let answer = wazo.login(LOGIN, PASSWORD, json!({ "backend": backend })).await;
    ensure!(answer.status == 503, "{answer:?}");
    Ok(begun.elapsed())
}

async fn p99_of_others(wazo: &WazoClient) -> f64 {
    let mut times = Vec::with_capacity(LOGINS);
    for _ in 0..LOGINS {
        let begun = Instant::now();
        wazo.token("wazo_user", "bob", PASSWORD).await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    p99(times)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}
