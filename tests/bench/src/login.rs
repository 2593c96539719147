//! The processor time of a login through HTTP, a plugin and the store, against the raw argon2 hash in it.

use keyway_tests::TestHost;
use serde_json::json;

use crate::cost::{self, each_ms};
use crate::table::{Bound, Table, median};

const ROUNDS: usize = 6;
const LOGINS: u32 = 25;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = TestHost::builder().release().user("alice", "s3cre7").start();
    let wazo = host.wazo();
    let login = || runtime.block_on(wazo.login("alice", "s3cre7", json!({}))).token();
    login();
    cost::raw_hash();
    let (mut ratios, mut ours, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = cost::of_process(host.pid())?;
        for _ in 0..LOGINS {
            login();
        }
        let login_ms = each_ms(cost::of_process(host.pid())?.saturating_sub(before), LOGINS);
        let before = cost::own()?;
        for _ in 0..LOGINS {
            cost::raw_hash();
        }
        let hash_ms = each_ms(cost::own()?.saturating_sub(before), LOGINS);
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
