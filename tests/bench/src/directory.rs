//! A directory of 5,000 tenants and 100,000 users on each store: what a check with `tenant=` costs against one without, how long a page of each
//! list takes, and whether adding a user takes longer the more there are.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use keyway_core::directory::{AddTenant, AddUser, DirectoryService, TenantProfile};
use keyway_core::model::{Client, Credential, TenantId};
use keyway_core::token::{LoginOutcome, LoginRequest, TokenService};

use crate::house::{self, House};
use crate::load::{Connections, load, wrk};
use crate::table::{Bound, Table, median};

/// Tenants right below the top one, and how many each of them has below it: 5,000 in all.
const RESELLERS: usize = 50;
const CUSTOMERS: usize = 99;
const USERS: usize = 100_000;
/// How many users are added one after the other, before the others and after them, to compare the two.
const SAMPLE: usize = 500;
const CHECKED: usize = 2_000;
const ROUNDS: usize = 5;
const SECONDS: u32 = 3;

/// The lists, and what makes each of them work for its page: an order, an offset, a search, a filter.
const PAGES: [&str; 16] = [
    "/users?recurse=true&limit=50",
    "/users?recurse=true&limit=50&order=lastname&direction=desc&offset=50000",
    "/users?recurse=true&limit=50&search=user9999",
    "/users?recurse=true&limit=50&search=user",
    "/users?recurse=true&limit=50&username=user77777",
    "/users?recurse=true&limit=50&email_address=user77777%40example.org",
    "/users?recurse=true&limit=50&has_policy_slug=admin",
    "/tenants?limit=50",
    "/tenants?limit=50&order=name&offset=4000",
    "/tenants?limit=50&search=customer77",
    "/groups?recurse=true&limit=50&offset=4000",
    "/groups?recurse=true&limit=50&search=wazo-all-users-tenant",
    "/policies?recurse=true&limit=50&search=adm",
    "/sessions?recurse=true&limit=50&offset=1000",
    "/tokens?recurse=true&limit=50&order=client_id",
    "/users?limit=50",
];

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("keyway.db").display());
    on(table, "SQLite", &url, folder.path(), || ())?;
    let server = keyway_tests::postgres::private();
    let database = server.database();
    // The server of the tests never looks at its tables on its own, as every other does.
    let url = database.url();
    on(table, "PostgreSQL", &url, folder.path(), || {
        database.execute("VACUUM ANALYZE");
    })
}

fn on(table: &mut Table, name: &str, url: &str, folder: &Path, analyze: impl FnOnce()) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let house = runtime.block_on(house::serve_on(url, 0))?;
    let tenants = runtime.block_on(fill_tenants(&house.directory))?;
    let first = runtime.block_on(add_one_by_one(&house.directory, &tenants, 0))?;
    runtime.block_on(fill_users(&house.directory, &tenants))?;
    analyze();
    let last = runtime.block_on(add_one_by_one(&house.directory, &tenants, USERS))?;
    table.note(
        &format!("directory, {name}: adding a user to an empty one"),
        first * 1e3,
        "ms",
    );
    table.figure(
        &format!("directory, {name}: adding a user to 100,000, against an empty one"),
        last / first,
        "x",
        Bound::AtMost(1.5),
    );
    pages(table, name, &runtime, &house, folder)?;
    checks(table, name, &runtime, &house, &tenants, folder)
}

/// The tree of tenants, without the top one.
async fn fill_tenants(directory: &Arc<DirectoryService>) -> anyhow::Result<Vec<TenantId>> {
    println!("making 5,000 tenants");
    let top = directory.list_tenants().await?.first().context("the top tenant")?.id;
    let mut tenants = Vec::with_capacity(RESELLERS * (CUSTOMERS + 1));
    for reseller in 0..RESELLERS {
        let parent = add_tenant(directory, top, format!("reseller{reseller}")).await?;
        tenants.push(parent);
        let mut workers = Vec::new();
        for customer in 0..CUSTOMERS {
            let directory = Arc::clone(directory);
            let name = format!("customer{}", reseller * CUSTOMERS + customer);
            workers.push(tokio::spawn(async move { add_tenant(&directory, parent, name).await }));
        }
        for worker in workers {
            tenants.push(worker.await??);
        }
    }
    Ok(tenants)
}

async fn add_tenant(directory: &DirectoryService, parent: TenantId, name: String) -> anyhow::Result<TenantId> {
    let profile = TenantProfile {
        name: Some(name),
        ..TenantProfile::default()
    };
    let new = AddTenant {
        id: None,
        parent,
        slug: None,
        realm: None,
        profile,
    };
    Ok(directory.create_tenant(new).await?.id)
}

fn user(number: usize, tenants: &[TenantId]) -> AddUser {
    AddUser {
        login: Some(format!("user{number}")),
        email: Some(format!("user{number}@example.org")),
        firstname: Some(format!("First{}", number % 977)),
        lastname: Some(format!("Last{}", number % 7919)),
        tenant: Some(tenants[number % tenants.len()].to_string()),
        ..AddUser::default()
    }
}

/// The median time of one, in seconds.
async fn add_one_by_one(directory: &DirectoryService, tenants: &[TenantId], from: usize) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(SAMPLE);
    for number in from..from + SAMPLE {
        let begin = Instant::now();
        directory.add_user(user(number, tenants)).await?;
        times.push(begin.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

async fn fill_users(directory: &Arc<DirectoryService>, tenants: &[TenantId]) -> anyhow::Result<()> {
    println!("making {USERS} users");
    let mut workers = Vec::new();
    for worker in 0..64 {
        let (directory, tenants) = (Arc::clone(directory), tenants.to_vec());
        workers.push(tokio::spawn(async move {
            for number in (SAMPLE + worker..USERS).step_by(64) {
                directory.add_user(user(number, &tenants)).await?;
            }
            anyhow::Ok(())
        }));
    }
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

fn pages(
    table: &mut Table,
    name: &str,
    runtime: &tokio::runtime::Runtime,
    house: &House,
    folder: &Path,
) -> anyhow::Result<()> {
    let token = runtime.block_on(issue(&house.tokens, house::ADMIN.to_owned(), None))?;
    let mut worst: (f64, &str) = (0.0, "");
    for page in PAGES {
        let lua = folder.join("page.lua");
        let script = format!(
            "local headers = {{[\"X-Auth-Token\"] = \"{token}\"}}\n\
             function request() return wrk.format(\"GET\", \"/0.1{page}\", headers) end\n"
        );
        std::fs::write(&lua, script)?;
        let answered = load(house.port, &lua, Connections(2), Duration::from_secs(2))?;
        println!(
            "directory, {name}: GET {page}: p99 {:.1} ms, {:.0}/s",
            answered.p99_ms, answered.per_second
        );
        if answered.p99_ms > worst.0 {
            worst = (answered.p99_ms, page);
        }
    }
    table.figure(
        &format!("directory, {name}: the slowest page's p99 ({})", worst.1),
        worst.0,
        "ms",
        Bound::AtMost(50.0),
    );
    Ok(())
}

fn checks(
    table: &mut Table,
    name: &str,
    runtime: &tokio::runtime::Runtime,
    house: &House,
    tenants: &[TenantId],
    folder: &Path,
) -> anyhow::Result<()> {
    let tokens = runtime.block_on(issue_many(house, tenants))?;
    let (without, with) = (folder.join("without.lua"), folder.join("with.lua"));
    std::fs::write(&without, script(&tokens, false))?;
    std::fs::write(&with, script(&tokens, true))?;
    wrk(house.port, &without, 1)?;
    let (mut costs, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a, b) = (wrk(house.port, &without, SECONDS)?, wrk(house.port, &with, SECONDS)?);
        costs.push(a.per_second / b.per_second);
        rates.push(b.per_second);
    }
    table.note(
        &format!("directory, {name}: checks with `tenant=`"),
        median(rates),
        "/s",
    );
    table.figure(
        &format!("directory, {name}: a check with `tenant=` against one without"),
        median(costs),
        "x",
        Bound::AtMost(1.3),
    );
    Ok(())
}

/// Tokens of users in many tenants, each with a tenant that it is good for.
async fn issue_many(house: &House, tenants: &[TenantId]) -> anyhow::Result<Vec<(String, String)>> {
    let mut issued = Vec::with_capacity(CHECKED);
    for number in 0..CHECKED {
        let tenant = tenants[number % tenants.len()].to_string();
        let user = house.directory.get_user(&format!("user{number}")).await?;
        let token = issue(&house.tokens, user.id.to_string(), Some("bench")).await?;
        issued.push((token, tenant));
    }
    Ok(issued)
}

async fn issue(tokens: &TokenService, login: String, offline: Option<&str>) -> anyhow::Result<String> {
    let request = LoginRequest {
        backend: "open_door".to_owned(),
        credentials: Some((login, Credential::Password("x".into()))),
        tenant: None,
        ttl: None,
        client: Client::default(),
        dialect: "wazo",
        request_id: String::new(),
        attributes: Vec::new(),
        mobile: false,
        offline: offline.map(str::to_owned),
        otp: None,
        transaction: None,
        factors: keyway_core::token::FactorRule::default(),
        limited: true,
    };
    match tokens.login(request).await? {
        LoginOutcome::Issued(issued) => Ok(issued.value.reveal()),
        LoginOutcome::Challenged(_) => anyhow::bail!("the login was not issued"),
    }
}

/// A `wrk` script that checks a random token each time, for its tenant or for none.
fn script(tokens: &[(String, String)], with_tenant: bool) -> String {
    let mut lua = String::from("local paths = {\n");
    for (token, tenant) in tokens {
        let tenant = if with_tenant {
            format!("&tenant={tenant}")
        } else {
            String::new()
        };
        let _ = writeln!(lua, "\"/0.1/token/{token}?scope=calls.user.read{tenant}\",");
    }
    lua.push_str(
        "}\nlocal random, count = math.random, #paths\n\
         function request() return wrk.format(\"HEAD\", paths[random(count)]) end\n",
    );
    lua
}
