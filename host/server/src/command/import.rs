//! `keyway import`: other systems' directories.

mod bar;
mod privacyidea;
mod report;

use std::sync::Arc;

use clap::Subcommand;
use keyway_core::import::ImportSettings;
use keyway_core::port::SystemRandom;
use keyway_store::open_wazo;

use super::admin;
use super::failure::Failure;
use super::output::Output;
use crate::app::master_key;
use crate::app::services::Services;
use crate::cli::Global;
use crate::config::Config;
use bar::Bar;

/// Where from.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring in the PostgreSQL database of wazo-auth, release 25.14 or later: tenants, users with their passwords, groups, policies,
    /// refresh tokens and LDAP settings
    ///
    /// All come under their own ids. Users log in with their old passwords, and clients go on with their refresh tokens. wazo-auth's database
    /// is only read. What is here already is left as it is, and what is in the way of something here is left out and named, so the import can
    /// be run again: after an interruption it goes on, and a second run changes nothing. Whoever was removed here in the meantime comes back;
    /// a refresh token that was revoked here does not, nor does a policy or a group that was taken from somebody who is here. The server must
    /// be stopped, on every node.
    Wazo {
        /// The database, `postgres://USER@HOST/NAME`. Its password is better kept out of here: PGPASSWORD and ~/.pgpass are read
        #[arg(long, value_name = "URL")]
        url: String,
        /// Only say what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring in a database of privacyIDEA's, release 3.0 or later: realms, resolvers, HOTP and TOTP tokens with their seeds, PINs and counters,
    /// policies
    ///
    /// Realms and resolvers come into a backend on the plugin `realm`, tokens become second factors of the users whom that backend knows, and
    /// policies are those of privacyIDEA's API. What a resolver stands on, a file, a database or an LDAP directory, has to be granted in the
    /// configuration first: the report says what is missing and how to write it; then run the import again. privacyIDEA's database is only read.
    /// What is here already is left as it is, so a second run adds what the first could not, and otherwise nothing. Stop privacyIDEA before the
    /// last run, so that no one-time password is used there after it, and then here once more. The server must be stopped, on every node.
    Privacyidea(privacyidea::Options),
}

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    match command {
        Command::Wazo { url, dry_run } => wazo(&config, output, global.json, &url, dry_run),
        Command::Privacyidea(options) => privacyidea::run(&config, output, global.json, &options),
    }
}

fn wazo(config: &Config, output: Output, json: bool, url: &str, dry_run: bool) -> Result<(), Failure> {
    super::block_on(async {
        let lock = admin::lock_out_server(config).await?;
        let timeout = config.store.settings.acquire_timeout;
        let foreign = open_wazo(url, timeout).await.map_err(|error| Failure::of(&error))?;
        let master = master_key::read(&config.master_key, &SystemRandom).map_err(|error| Failure::of(&error))?;
        let services = Services::open(config, &master).await;
        let services = services.map_err(|error| Failure::of(&error))?;
        let how = ImportSettings {
            dry_run,
            refresh_ttl: config.token.refresh_ttl,
        };
        let store = Arc::clone(&services.store);
        let bar = Bar::new(!json);
        let imported = services.into_importer().run(&*foreign, how, &bar).await;
        bar.clear();
        store.close().await;
        drop(lock);
        let report = imported.map_err(|error| Failure::of(&error))?;
        let value = serde_json::to_value(&report).map_err(|error| Failure::of(&error))?;
        output.one(&value, || report::text(&report));
        Ok(())
    })
}
