//! Logins with a refresh token, each with a session that is on disk when it is answered, under `wrk`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use keyway_core::directory::AddUser;
use keyway_core::model::{Client, Credential};
use keyway_core::token::{LoginOutcome, LoginRequest};

use crate::house::{self, House};
use crate::load::wrk;
use crate::table::{Bound, Table, median};

/// What the original does over 32 connections, in logins a second.
const ORIGINAL: f64 = 59.0;
/// So many that none of them comes near the limit of sessions, which is looked at each time.
const USERS: usize = 2000;
const MAX_SESSIONS: u32 = 10_000;
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let (port, tokens) = runtime.block_on(prepare(folder.path()))?;
    let lua = folder.path().join("refresh.lua");
    std::fs::write(&lua, script(&tokens))?;
    wrk(port, &lua, 2)?;
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let load = wrk(port, &lua, SECONDS)?;
        rates.push(load.per_second);
        tails.push(load.p99_ms);
    }
    drop(runtime);
    let rate = median(rates);
    table.note("refresh: logins with a refresh token, 32 connections", rate, "/s");
    table.note("refresh: the same, p99", median(tails), "ms");
    table.figure(
        "refresh: against the original's 59/s",
        rate / ORIGINAL,
        "x",
        Bound::AtLeast(20.0),
    );
    Ok(())
}

/// Users with a policy each, and a refresh token of each.
async fn prepare(folder: &Path) -> anyhow::Result<(u16, Vec<String>)> {
    let house = house::serve(folder, MAX_SESSIONS).await?;
    println!("making {USERS} users with refresh tokens");
    let mut tokens = Vec::with_capacity(USERS);
    for n in 0..USERS {
        tokens.push(refresh_token(&house, n).await?);
    }
    Ok((house.port, tokens))
}

async fn refresh_token(house: &House, n: usize) -> anyhow::Result<String> {
    let (login, policy) = (format!("user{n}"), format!("policy{n}"));
    let user = AddUser {
        login: Some(login.clone()),
        ..AddUser::default()
    };
    let id = house.directory.add_user(user).await?.id;
    let accesses = vec!["calls.#".to_owned(), "users.me.read".to_owned()];
    house.directory.add_policy(&policy, accesses).await?;
    house.directory.attach_policy(&policy, &login).await?;
    let request = LoginRequest {
        backend: "open_door".to_owned(),
        credentials: Some((id.to_string(), Credential::Password("x".into()))),
        tenant: None,
        ttl: None,
        client: Client::default(),
        dialect: "wazo",
        request_id: String::new(),
        attributes: Vec::new(),
        mobile: false,
        offline: Some("bench".to_owned()),
        otp: None,
        transaction: None,
        factors: keyway_core::token::FactorRule::default(),
        limited: true,
    };
    let LoginOutcome::Issued(issued) = house.tokens.login(request).await? else {
        anyhow::bail!("the login was not issued");
    };
    Ok(issued.refresh.context("a refresh token")?.reveal())
}

/// A `wrk` script that logs in with a random refresh token each time.
fn script(tokens: &[String]) -> String {
    let mut lua = String::from("local tokens = {\n");
    for token in tokens {
        let _ = writeln!(lua, "\"{token}\",");
    }
    lua.push_str(
        "}\nlocal random, count = math.random, #tokens\n\
         local headers = {[\"Content-Type\"] = \"application/json\"}\n\
         function request()\n\
         local body = '{\"client_id\": \"bench\", \"refresh_token\": \"' .. tokens[random(count)] .. '\"}'\n\
         return wrk.format(\"POST\", \"/0.1/token\", headers, body)\n\
         end\n",
    );
    lua
}
