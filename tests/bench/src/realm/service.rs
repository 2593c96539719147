//! The release binary under `wrk`: `POST /auth` and `GET /auth/rights`, against what the original does in a second (measured on privacyIDEA 3.14 with two
//! processors) and against the raw hash.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use keyway_tests::privacyidea::PrivacyideaClient;
use keyway_tests::{TestHost, artefact};

use super::SHA512CRYPT;
use super::native::sha512crypt_per_second;
use crate::load::wrk;
use crate::table::{Bound, Table, median};

/// What the original does in a second.
const ORIGINAL_LOGINS: f64 = 34.0;
const ORIGINAL_RIGHTS: f64 = 104.0;

const USERS: usize = 1000;
const ROUNDS: usize = 3;
const SECONDS: u32 = 8;

pub(super) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let host = TestHost::builder()
        .release()
        .config("[dialect.privacyidea]\nbackend = \"realms\"")
        .plugin("realm", artefact("realm"))
        .file("passwd.txt", passwd().as_bytes())
        .backend(
            r#"name = "realms"
plugin = "realm"
config.default_realm = "realm1"
config.realms.realm1.resolvers = [{ name = "flat" }]
config.resolvers.flat = { type = "passwd", file = "flat" }
grants.file.flat = { path = "passwd.txt" }
"#,
        )
        .start();
    host.wait_until_loaded();
    let port = host.address().rsplit(':').next().unwrap_or_default().parse()?;
    let folder = tempfile::tempdir()?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let token = tokio.block_on(PrivacyideaClient::new(host.url("")).token("user0", "s3cre7"));

    let lua = folder.path().join("auth.lua");
    std::fs::write(&lua, logins())?;
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    wrk(port, &lua, 2)?;
    for _ in 0..ROUNDS {
        ours.push(wrk(port, &lua, SECONDS)?.per_second);
        raw.push(sha512crypt_per_second(Duration::from_secs(2)));
    }
    let (ours, raw) = (median(ours), median(raw));
    table.note("realm: POST /auth, sha512crypt, 32 connections", ours, "/s");
    table.note("realm: raw sha512crypt on all processors", raw, "/s");
    table.note("realm: POST /auth against the raw hash", ours / raw, "x");
    table.figure(
        "realm: POST /auth against the original's 34 a second",
        ours / ORIGINAL_LOGINS,
        "x",
        Bound::AtLeast(20.0),
    );
    rights(table, port, folder.path(), &token)
}

fn rights(table: &mut Table, port: u16, folder: &Path, token: &str) -> anyhow::Result<()> {
    let lua = folder.join("rights.lua");
    std::fs::write(
        &lua,
        format!("wrk.path = \"/auth/rights\"\nwrk.headers[\"Authorization\"] = \"{token}\"\n"),
    )?;
    wrk(port, &lua, 1)?;
    let mut ours = Vec::new();
    for _ in 0..ROUNDS {
        ours.push(wrk(port, &lua, SECONDS / 2)?.per_second);
    }
    let ours = median(ours);
    table.note("realm: GET /auth/rights, 32 connections", ours, "/s");
    table.figure(
        "realm: GET /auth/rights against the original's 104 a second",
        ours / ORIGINAL_RIGHTS,
        "x",
        Bound::AtLeast(100.0),
    );
    Ok(())
}

/// A thousand users with one password.
fn passwd() -> String {
    let mut text = String::new();
    for user in 0..USERS {
        let _ = writeln!(text, "user{user}:{SHA512CRYPT}:{}:100::/:/bin/sh", 1000 + user);
    }
    text
}

/// Each of them in turn.
fn logins() -> String {
    format!(
        "local n = 0\n\
         wrk.method = \"POST\"\n\
         wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"\n\
         request = function()\n\
           n = (n + 1) % {USERS}\n\
           return wrk.format(nil, \"/auth\", nil, \"username=user\" .. n .. \"&password=s3cre7\")\n\
         end\n"
    )
}
