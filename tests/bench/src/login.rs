//! The processor time of a login through HTTP, a plugin and the store, against the raw argon2 hash in it.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use keyway_tests::TestHost;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::json;

use crate::table::{Bound, Table, median};

const ROUNDS: usize = 6;
const LOGINS: u32 = 25;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = TestHost::builder().release().user("alice", "s3cre7").start();
    let wazo = host.wazo();
    let login = || runtime.block_on(wazo.login("alice", "s3cre7", json!({}))).token();
    login();
    raw_hash();
    let (mut ratios, mut ours, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = server_time(host.pid())?;
        for _ in 0..LOGINS {
            login();
        }
        let login_ms = server_time(host.pid())?.saturating_sub(before).as_secs_f64() * 1000.0 / f64::from(LOGINS);
        let before = own_time()?;
        for _ in 0..LOGINS {
            raw_hash();
        }
        let hash_ms = own_time()?.saturating_sub(before).as_secs_f64() * 1000.0 / f64::from(LOGINS);
        ratios.push(login_ms / hash_ms);
        ours.push(login_ms);
        raw.push(hash_ms);
    }
    table.note("login: processor time", median(ours), "ms");
    table.note("login: raw argon2id hash (64 MiB, t=3, p=1)", median(raw), "ms");
    table.figure(
        "login: processor time against the raw hash",
        median(ratios),
        "x",
        Bound::AtMost(1.05),
    );
    Ok(())
}

/// One hash with the parameters that the server uses by default, memory allocated anew as a plain caller would.
fn raw_hash() {
    let params = Params::new(64 * 1024, 3, 1, None).expect("valid parameters");
    let mut output = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(b"s3cre7", b"sixteen byte salt", &mut output)
        .expect("a hash");
    std::hint::black_box(output);
}

/// The processor time of another process, user and system, from the scheduler's nanosecond count.
fn server_time(pid: u32) -> anyhow::Result<Duration> {
    let mut total = Duration::ZERO;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        let nanos: u64 = stat.split_whitespace().next().unwrap_or("0").parse()?;
        total += Duration::from_nanos(nanos);
    }
    Ok(total)
}

fn own_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).expect("time goes on")
    };
    Ok(Duration::from_micros(
        micros(usage.user_time()) + micros(usage.system_time()),
    ))
}
