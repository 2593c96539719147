//! A thousand logins in flight at once, through the real server.

use std::time::{Duration, Instant};

use keyway_tests::slapd::Slapd;
use keyway_tests::{TestHost, artefact};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{LOGIN, PASSWORD, backend, service_password};
use crate::table::{Bound, Table};

const LOGINS: u32 = 1000;

pub(super) fn measure(table: &mut Table, tokio: &Runtime, slapd: &Slapd) {
    let net = format!(
        "{{ address = \"{}\", tls = \"implicit\", ca = \"ca.pem\", idle = 64 }}",
        slapd.tls()
    );
    // Whoever comes last waits for all others: that takes a place in the queue, and time.
    let limits = "{ concurrency = 64, queue = 1024, deadline = \"30s\" }";
    let host = TestHost::bare()
        .release()
        .file("ca.pem", slapd.authority().as_bytes())
        .file("svc.pass", service_password())
        .plugin("ldap", artefact("ldap"))
        .backend(&backend("corp", &net, limits))
        .start();
    host.wait_until_loaded();
    let wazo = host.wazo();
    tokio.block_on(wazo.token("corp", LOGIN, PASSWORD));
    let (failed, slowest, spent) = tokio.block_on(async {
        let begun = Instant::now();
        let mut logins = JoinSet::new();
        for _ in 0..LOGINS {
            let wazo = wazo.clone();
            logins.spawn(async move {
                let answer = wazo.login(LOGIN, PASSWORD, json!({"backend": "corp"})).await;
                (answer.status, begun.elapsed())
            });
        }
        let (mut failed, mut slowest) = (0_u32, Duration::ZERO);
        while let Some(ended) = logins.join_next().await {
            // One that got no answer at all has panicked.
            let (status, took) = ended.unwrap_or((0, Duration::ZERO));
            failed += u32::from(status != 200);
            slowest = slowest.max(took);
        }
        (failed, slowest, begun.elapsed())
    });
    table.figure(
        "ldap: 1,000 logins in flight at once, failed",
        f64::from(failed),
        "",
        Bound::AtMost(0.0),
    );
    let rate = f64::from(LOGINS) / spent.as_secs_f64();
    table.note("ldap: 1,000 logins in flight at once, in a second", rate, "/s");
    let slowest = slowest.as_secs_f64() * 1000.0;
    table.note("ldap: 1,000 logins in flight at once, the slowest", slowest, "ms");
}
