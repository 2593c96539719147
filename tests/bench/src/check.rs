//! A token check against a bare axum route of the same process, under `wrk`.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::ensure;
use axum::http::StatusCode;
use keyway_core::model::{Client, Credential};
use keyway_core::token::{LoginOutcome, LoginRequest, TokenService};

use crate::bare;
use crate::house;
use crate::load::wrk;
use crate::table::{Bound, Table, median};

const TOKENS: usize = 100_000;
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let (keyway, bare, tokens) = runtime.block_on(serve(folder.path()))?;
    let check = folder.path().join("check.lua");
    std::fs::write(&check, script(&tokens, false))?;
    let close = folder.path().join("close.lua");
    std::fs::write(&close, script(&tokens, true))?;

    for (name, lua, bound) in [("keep-alive", &check, true), ("Connection: close", &close, false)] {
        let (mut rates, mut tails, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        wrk(keyway, lua, 2)?;
        wrk(bare, lua, 1)?;
        for _ in 0..ROUNDS {
            let (a, b) = (wrk(keyway, lua, SECONDS)?, wrk(bare, lua, SECONDS)?);
            rates.push(a.per_second / b.per_second);
            tails.push(a.p99_ms / b.p99_ms);
            ours.push(a.per_second);
            theirs.push(b.per_second);
        }
        table.note(&format!("check, {name}: checks"), median(ours), "/s");
        table.note(&format!("check, {name}: bare route"), median(theirs), "/s");
        if bound {
            table.figure(
                "check: throughput against the bare route",
                median(rates),
                "x",
                Bound::AtLeast(0.75),
            );
            table.figure(
                "check: p99 against the bare route",
                median(tails),
                "x",
                Bound::AtMost(2.0),
            );
        } else {
            table.note(
                "check, Connection: close: throughput against the bare route",
                median(rates),
                "x",
            );
            table.note(
                "check, Connection: close: p99 against the bare route",
                median(tails),
                "x",
            );
        }
    }
    drop(runtime);
    Ok(())
}

/// Serves both in this process; returns their ports and the live tokens.
async fn serve(folder: &std::path::Path) -> anyhow::Result<(u16, u16, Vec<String>)> {
    let house = house::serve(folder, 0).await?;
    let values = issue(&house.tokens).await?;
    let bare = bare::serve("/0.1/token/{token}", StatusCode::NO_CONTENT).await?;
    Ok((house.port, bare, values))
}

/// Issues the tokens through the service, as logins would.
async fn issue(tokens: &Arc<TokenService>) -> anyhow::Result<Vec<String>> {
    println!("issuing {TOKENS} tokens");
    let mut workers = Vec::new();
    for worker in 0..64 {
        let tokens = Arc::clone(tokens);
        workers.push(tokio::spawn(async move {
            let mut values = Vec::new();
            for n in (worker..TOKENS).step_by(64) {
                let request = LoginRequest {
                    backend: "open_door".to_owned(),
                    credentials: Some((format!("user{n}"), Credential::Password("x".into()))),
                    tenant: None,
                    ttl: None,
                    client: Client::default(),
                    dialect: "wazo",
                    request_id: String::new(),
                    attributes: Vec::new(),
                    mobile: false,
                    offline: None,
                    otp: None,
                    transaction: None,
                    factors: keyway_core::token::FactorRule::default(),
                    limited: true,
                };
                let LoginOutcome::Issued(issued) = tokens.login(request).await? else {
                    continue;
                };
                values.push(issued.value.reveal());
            }
            anyhow::Ok(values)
        }));
    }
    let mut values = Vec::with_capacity(TOKENS);
    for worker in workers {
        values.extend(worker.await??);
    }
    ensure!(values.len() == TOKENS, "{} tokens were issued", values.len());
    Ok(values)
}

/// A `wrk` script that asks for a random live token each time.
fn script(tokens: &[String], close: bool) -> String {
    let mut lua = String::from("local tokens = {\n");
    for token in tokens {
        let _ = writeln!(lua, "\"{token}\",");
    }
    lua.push_str("}\nlocal random, count = math.random, #tokens\nlocal headers = {}\n");
    if close {
        lua.push_str("headers[\"Connection\"] = \"close\"\n");
    }
    lua.push_str(
        "function request()\n\
         return wrk.format(\"HEAD\", \"/0.1/token/\" .. tokens[random(count)] .. \"?scope=calls.user.read\", headers)\n\
         end\n",
    );
    lua
}
