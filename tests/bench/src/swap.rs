//! Compile and swap: from a new file in place to the first login on the new generation, and a minute of swaps under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use keyway_tests::{TestHost, artefact, variant};
use serde_json::json;

use crate::table::{Bound, Table, median};

const UNDER_LOAD: Duration = Duration::from_mins(1);

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let host = TestHost::builder().release().user("alice", "s3cre7").start();
    let plugin = artefact("wazo_user");
    let mut swaps = Vec::new();
    for _ in 0..10 {
        let begun = swap(&host, &plugin);
        runtime
            .block_on(host.wazo().login("alice", "s3cre7", json!({})))
            .token();
        swaps.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    table.figure(
        "swap: file in place to first login",
        median(swaps),
        "ms",
        Bound::AtMost(500.0),
    );
    under_load(table, &runtime, &host, &plugin)
}

/// Installs a variant and waits until it is live; returns when it was put in place.
fn swap(host: &TestHost, plugin: &[u8]) -> Instant {
    let fresh = variant(plugin);
    let mark = host.log().mark();
    let begun = Instant::now();
    host.install("wazo_user", &fresh);
    host.log().wait_for_message(mark, "a generation is live");
    begun
}

fn under_load(
    table: &mut Table,
    runtime: &tokio::runtime::Runtime,
    host: &TestHost,
    plugin: &[u8],
) -> anyhow::Result<()> {
    println!("a minute of logins with a swap every second");
    let (good, bad) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for _ in 0..4 {
        let (wazo, good, bad, stop) = (host.wazo(), Arc::clone(&good), Arc::clone(&bad), Arc::clone(&stop));
        workers.push(runtime.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let answer = wazo.login("alice", "s3cre7", json!({})).await;
                let count = if answer.status == 200 { &good } else { &bad };
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let (begun, mut swapped) = (Instant::now(), 0_u32);
    while begun.elapsed() < UNDER_LOAD {
        let at = swap(host, plugin);
        swapped += 1;
        std::thread::sleep(Duration::from_secs(1).saturating_sub(at.elapsed()));
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        runtime.block_on(worker)?;
    }
    table.note("swap under load: swaps in 60 s", f64::from(swapped), "");
    table.note("swap under load: logins", f64::from(good.load(Ordering::Relaxed)), "");
    let failed = f64::from(bad.load(Ordering::Relaxed));
    table.figure("swap under load: failed logins", failed, "", Bound::AtMost(0.0));
    Ok(())
}
