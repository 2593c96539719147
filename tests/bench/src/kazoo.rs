//! Kazoo's API: what a login costs, and what it takes to say whose a token is.

mod login;

use anyhow::ensure;
use keyway_tests::TestHost;
use keyway_tests::kazoo::KazooClient;
use tokio::runtime::Runtime;

use crate::account::{self, ACCOUNT, PASSWORD, user};
use crate::show::{self, TOKENS};
use crate::table::Table;

const TOKEN_AUTH: &str = "/v2/token_auth";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let host = account::start();
    let kazoo = KazooClient::new(host.url(""));
    login::measure(table, &tokio, &host, &kazoo)?;
    show_own_token(table, &tokio, &host, &kazoo)
}

fn show_own_token(table: &mut Table, tokio: &Runtime, host: &TestHost, kazoo: &KazooClient) -> anyhow::Result<()> {
    let mut callers = Vec::new();
    let mut length = 0;
    for number in 0..TOKENS {
        let token = tokio.block_on(kazoo.token(ACCOUNT, &user(number), PASSWORD));
        let shown = tokio.block_on(kazoo.get_as(&token, TOKEN_AUTH));
        ensure!(shown.status == 200, "{shown:?}");
        length += shown.body.to_string().len();
        callers.push(vec![("X-Auth-Token", token)]);
    }
    show::measure(
        table,
        ("kazoo: GET /v2/token_auth", TOKEN_AUTH),
        host,
        &callers,
        length / TOKENS,
    )
}
