//! The ldap backend and one slapd on this machine: what a login costs against a native client's, how many at once, and what becomes of the others
//! when the directory stops answering.

mod cost;
mod flood;
mod native;
mod plugin;
mod stall;

use keyway_tests::slapd::{PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};
use serde_json::{Value, json};

use crate::table::Table;

/// Who logs in.
const LOGIN: &str = "alice";
/// With this.
const PASSWORD: &str = "s3cre7";

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let slapd = Slapd::builder().silent().start();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    tokio.block_on(cost::measure(table, &slapd))?;
    flood::measure(table, &tokio, &slapd);
    stall::measure(table, &tokio)
}

/// The plugin's configuration: service bind, search, re-bind.
fn config(pool: bool) -> Value {
    json!({
        "pool": pool,
        "user_base_dn": PEOPLE,
        "user_login_attribute": "uid",
        "user_email_attribute": "mail",
        "bind_dn": SERVICE_DN,
    })
}

/// The same as a backend of a configuration file, below `[[backend]]`. Its folder holds `svc.pass`.
fn backend(name: &str, net: &str, limits: &str) -> String {
    format!(
        "name = \"{name}\"\nplugin = \"ldap\"\n\
         config = {{ user_base_dn = \"{PEOPLE}\", user_login_attribute = \"uid\", user_email_attribute = \"mail\", bind_dn = \"{SERVICE_DN}\" }}\n\
         grants.net.directory = {net}\n\
         grants.credential = [\"expose\"]\n\
         secrets.bind_password = {{ file = \"svc.pass\" }}\n\
         limits = {limits}"
    )
}

fn service_password() -> &'static [u8] {
    SERVICE_PASSWORD.as_bytes()
}
