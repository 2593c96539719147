//! A token check against a bare axum route of the same process, under `wrk`.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use keyway_core::directory::DirectoryService;
use keyway_core::gate::{Gate, GateLimits};
use keyway_core::key::{KeyRing, MasterKey};
use keyway_core::model::{
    Answer, BackendName, Client, Credential, Outcome, PluginDigest, PluginStamp, Principal, Subject,
};
use keyway_core::password::{PasswordParams, PasswordPool};
use keyway_core::port::{
    Backend, BackendFault, BackendSlot, Backends, Clock, Random, Step, SystemClock, SystemRandom, VerifyRequest,
};
use keyway_core::setting::SettingService;
use keyway_core::tenants::TenantDirectory;
use keyway_core::token::{LoginOutcome, LoginRequest, TokenCache, TokenService, TokenSettings};
use keyway_http::dialect::Dialect;
use keyway_http::edge::{Edge, EdgeSettings, Listener, Stop};
use keyway_http::{AppParts, AppState, DialectSettings};

use crate::table::{Bound, Table, median};

const TOKENS: usize = 100_000;
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// Lets everybody in, so that a hundred thousand tokens do not cost a hundred thousand password hashes.
struct OpenDoor;

#[async_trait]
impl Backend for OpenDoor {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        let Step::Start { identifier, .. } = request.step else {
            return Err(BackendFault::NotLoaded);
        };
        let principal = Principal {
            subject: Subject::Own(identifier.clone()),
            login: identifier,
            display_name: None,
            email: None,
            groups: Vec::new(),
            accesses: vec![
                "calls.#".to_owned(),
                "users.me.read".to_owned(),
                "!calls.secret".to_owned(),
            ],
            attributes: Vec::new(),
        };
        let plugin = PluginStamp {
            digest: PluginDigest([0; 32]),
            generation: 1,
        };
        Ok(Answer {
            outcome: Outcome::Verified(principal),
            plugin,
        })
    }
}

struct OneBackend(BackendSlot);

impl Backends for OneBackend {
    fn find(&self, name: &str) -> Option<BackendSlot> {
        (name == self.0.name.as_str()).then(|| self.0.clone())
    }

    fn names(&self) -> Vec<BackendName> {
        vec![self.0.name.clone()]
    }
}

/// What one run of `wrk` says.
#[derive(Debug, Clone, Copy)]
struct Load {
    per_second: f64,
    p99_ms: f64,
}

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
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let url = format!("sqlite:{}", folder.join("keyway.db").display());
    let store = keyway_store::open(&url, keyway_store::StoreSettings::default(), &*random).await?;
    let passwords = Arc::new(PasswordPool::new(
        PasswordParams::default(),
        2,
        64,
        Arc::clone(&random),
    )?);
    let keys = KeyRing::open(&*store, &MasterKey::new([7; 32]), &*random, &*clock).await?;
    let settings = TokenSettings {
        default_ttl: Duration::from_hours(2),
        max_ttl: Duration::from_hours(24),
        sweep_interval: Duration::ZERO,
        sweep_batch: 1000,
        cache_capacity: 131_072,
        default_user_policy: None,
        refresh_ttl: None,
        max_sessions: 0,
        admin_status: None,
    };
    let cache = Arc::new(TokenCache::new(settings.cache_capacity));
    let slot = BackendSlot {
        name: BackendName::parse("open_door")?,
        backend: Arc::new(OpenDoor),
        gate: Arc::new(Gate::new(GateLimits::default())),
        deadline: Duration::from_secs(30),
        acl_ceiling: Some(Arc::from(vec!["#".to_owned()])),
    };
    let backends: Arc<dyn Backends> = Arc::new(OneBackend(slot));
    let service = compose(&store, &backends, &passwords, keys, &cache, &clock, &random, settings);
    let (tokens, directory) = service;
    let values = issue(&tokens).await?;
    let tenant_settings = SettingService::new(Arc::clone(&store), MasterKey::new([7; 32]), Arc::clone(&random));
    let state = AppState::new(AppParts {
        tenant_settings: Arc::new(tenant_settings),
        tokens,
        backends,
        store,
        directory,
        plugins: None,
        reload: None,
        clock,
        random,
        dialects: DialectSettings::default(),
    });
    let listener = Listener::tcp("127.0.0.1:0".parse()?, None)?;
    let keyway = listener.address().context("a TCP listener has an address")?.port();
    let router = keyway_http::dialect::router(&[Dialect::Wazo], &state);
    tokio::spawn(listener.serve(router, state, Edge::new(EdgeSettings::default()), Stop::new()));

    let bare = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = bare.local_addr()?.port();
    let route = Router::new().route("/0.1/token/{token}", any(async || StatusCode::NO_CONTENT));
    tokio::spawn(async move { axum::serve(bare, route).await });
    Ok((keyway, port, values))
}

#[expect(clippy::too_many_arguments, reason = "each part once")]
fn compose(
    store: &Arc<dyn keyway_core::port::Store>,
    backends: &Arc<dyn Backends>,
    passwords: &Arc<PasswordPool>,
    keys: KeyRing,
    cache: &Arc<TokenCache>,
    clock: &Arc<dyn Clock>,
    random: &Arc<dyn Random>,
    settings: TokenSettings,
) -> (Arc<TokenService>, Arc<DirectoryService>) {
    let tenants = Arc::new(TenantDirectory::new(Arc::clone(store)));
    let directory = DirectoryService::new(
        Arc::clone(store),
        Arc::clone(passwords),
        Arc::clone(cache),
        Arc::clone(&tenants),
        Arc::clone(clock),
        Arc::clone(random),
    );
    let tokens = TokenService::new(
        Arc::clone(store),
        Arc::clone(backends),
        Arc::clone(passwords),
        keys,
        Arc::clone(cache),
        tenants,
        Arc::clone(clock),
        Arc::clone(random),
        settings,
    );
    (Arc::new(tokens), Arc::new(directory))
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

fn wrk(port: u16, lua: &std::path::Path, seconds: u32) -> anyhow::Result<Load> {
    let output = Command::new("wrk")
        .args(["-t1", "-c32", "--latency", &format!("-d{seconds}s"), "-s"])
        .arg(lua)
        .arg(format!("http://127.0.0.1:{port}"))
        .output()
        .context("wrk is missing; install it (Debian: apt-get install wrk)")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(!text.contains("Non-2xx"), "not every check was answered 204:\n{text}");
    let after = |label: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(label))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let per_second = after("Requests/sec:")
        .and_then(|text| text.parse().ok())
        .with_context(|| text.clone())?;
    let p99_ms = after("99%")
        .and_then(|text| milliseconds(&text))
        .with_context(|| text.clone())?;
    Ok(Load { per_second, p99_ms })
}

fn milliseconds(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let value: f64 = text[..split].parse().ok()?;
    match &text[split..] {
        "us" => Some(value / 1000.0),
        "ms" => Some(value),
        "s" => Some(value * 1000.0),
        _ => None,
    }
}
