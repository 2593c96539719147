//! The time of a login through the plugin, against the same by a native client.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use keyway_core::port::BackendSlot;
use keyway_tests::slapd::Slapd;

use super::native::Native;
use super::plugin::{self, Plugin, Protected};
use crate::table::{Bound, Table, median};

const ROUNDS: usize = 9;
const LOGINS: u32 = 240;

/// Who does a login, and how.
#[derive(Clone)]
enum Side {
    Native(Arc<Native>),
    NativePooled(Arc<Native>),
    Plugin(BackendSlot),
}

impl Side {
    async fn login(&self) -> anyhow::Result<()> {
        match self {
            Self::Native(native) => native.login().await,
            Self::NativePooled(native) => native.login_pooled().await,
            Self::Plugin(slot) => plugin::login(slot).await,
        }
    }

    /// Milliseconds of one of so many logins, of which some are under way at once.
    async fn time(&self, at_once: u32) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let side = self.clone();
            workers.spawn(async move {
                for _ in 0..LOGINS / at_once {
                    side.login().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(begun.elapsed().as_secs_f64() * 1000.0 * f64::from(at_once) / f64::from(LOGINS))
    }
}

pub(super) async fn measure(table: &mut Table, slapd: &Slapd) -> anyhow::Result<()> {
    for (protected, name) in [(Protected::Tls, "TLS"), (Protected::No, "plain")] {
        let native = Arc::new(Native::new(slapd, protected)?);
        let plugin = Plugin::start(slapd, protected).await.context("the plugin")?;
        let sides = [
            Side::Native(Arc::clone(&native)),
            Side::NativePooled(native),
            Side::Plugin(plugin.fresh.clone()),
            Side::Plugin(plugin.pooled.clone()),
        ];
        for at_once in [1, 8] {
            compare(table, &format!("ldap, {name}, {at_once} at once"), &sides, at_once).await?;
        }
        plugin.stop().await;
    }
    Ok(())
}

/// In turns, so that what else the machine does hits all of them alike.
async fn compare(table: &mut Table, name: &str, sides: &[Side; 4], at_once: u32) -> anyhow::Result<()> {
    for side in sides {
        side.time(at_once).await?;
    }
    let mut times = [const { Vec::new() }; 4];
    let (mut fresh_ratios, mut pooled_ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut round = [0.0; 4];
        for (side, time) in sides.iter().zip(&mut round) {
            *time = side.time(at_once).await?;
        }
        let [native, _, fresh, pooled] = round;
        fresh_ratios.push(fresh / native);
        pooled_ratios.push(pooled / native);
        for (all, time) in times.iter_mut().zip(round) {
            all.push(time);
        }
    }
    let [native, native_pooled, fresh, pooled] = times.map(median);
    table.note(&format!("{name}: native client, bind, search, bind"), native, "ms");
    table.note(
        &format!("{name}: native client, pooled service connection"),
        native_pooled,
        "ms",
    );
    table.note(&format!("{name}: plugin, nothing pooled"), fresh, "ms");
    table.note(&format!("{name}: plugin, pooled service connection"), pooled, "ms");
    let figures = [("nothing pooled", fresh_ratios, 1.5), ("pooled", pooled_ratios, 1.2)];
    for (what, ratios, bound) in figures {
        let name = format!("{name}: plugin, {what}, against the native client");
        table.figure(&name, median(ratios), "x", Bound::AtMost(bound));
    }
    Ok(())
}
