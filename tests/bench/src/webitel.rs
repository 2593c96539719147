//! Webitel's API: what it takes to say whose a token is.

use anyhow::ensure;
use keyway_tests::webitel::WebitelClient;

use crate::account::{self, DOMAIN, PASSWORD, user};
use crate::show::{self, TOKENS};
use crate::table::Table;

const WHOAMI: &str = "/api/v2/whoami";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = account::start();
    let webitel = WebitelClient::new(host.url(""));
    let mut callers = Vec::new();
    let mut length = 0;
    for number in 0..TOKENS {
        let login = format!("{}@{DOMAIN}", user(number));
        let pair = tokio.block_on(webitel.pair(&login, PASSWORD));
        let shown = tokio.block_on(webitel.whoami(&pair));
        ensure!(shown.status == 200, "{shown:?}");
        length += shown.body.to_string().len();
        callers.push(vec![("X-Access-Token", pair.token), ("X-Key", pair.key)]);
    }
    show::measure(
        table,
        ("webitel: GET /api/v2/whoami", WHOAMI),
        &host,
        &callers,
        length / TOKENS,
    )
}
