//! The processor time of a login with a digest, at 32 connections, against the argon2 hash in it.

use std::time::Instant;

use anyhow::ensure;
use keyway_tests::TestHost;
use keyway_tests::kazoo::KazooClient;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::account::{ACCOUNT, PASSWORD, user};
use crate::cost::{self, each_ms};
use crate::table::{Bound, Table, median};

const CONNECTIONS: u32 = 32;
const ROUNDS: usize = 5;
/// Logins of each connection in a round. All are waited for, so that none is paid for and not counted.
const LOGINS: u32 = 3;
/// Raw hashes of each processor in a round.
const HASHES: u32 = 20;

pub(super) fn measure(table: &mut Table, tokio: &Runtime, host: &TestHost, kazoo: &KazooClient) -> anyhow::Result<()> {
    cost::raw_hashes_at_once(1)?;
    let (mut ratios, mut ours, mut raw, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // A server that rests gives argon2's memory back: what is measured is one in the midst of logins.
        tokio.block_on(log_in(kazoo, 1))?;
        let (before, begun) = (cost::of_process(host.pid())?, Instant::now());
        tokio.block_on(log_in(kazoo, LOGINS))?;
        let took = begun.elapsed();
        let spent = cost::of_process(host.pid())?.saturating_sub(before);
        let login_ms = each_ms(spent, CONNECTIONS * LOGINS);
        let hash_ms = cost::raw_hashes_at_once(HASHES)?;
        ratios.push(login_ms / hash_ms);
        ours.push(login_ms);
        raw.push(hash_ms);
        rates.push(f64::from(CONNECTIONS * LOGINS) / took.as_secs_f64());
    }
    table.note("kazoo: PUT /v2/user_auth, 32 connections", median(rates), "/s");
    table.note("kazoo: PUT /v2/user_auth, processor time", median(ours), "ms");
    table.note("kazoo: raw argon2id hash (64 MiB, t=3, p=1)", median(raw), "ms");
    table.figure(
        "kazoo: PUT /v2/user_auth, processor time against the raw hash",
        median(ratios),
        "x",
        Bound::AtMost(1.05),
    );
    Ok(())
}

/// So many logins on each connection, one after the other.
async fn log_in(kazoo: &KazooClient, logins: u32) -> anyhow::Result<()> {
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (kazoo, user) = (kazoo.clone(), user(usize::try_from(number)?));
        connections.spawn(async move {
            for _ in 0..logins {
                let answer = kazoo.login(ACCOUNT, &user, PASSWORD).await;
                ensure!(answer.status == 201, "{answer:?}");
            }
            Ok(())
        });
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    Ok(())
}
