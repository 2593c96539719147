//! `keyway config`: looks at the configuration.

use clap::Subcommand;
use keyway_core::port::{Clock as _, SystemClock};
use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::app::certificate;
use crate::cli::Global;
use crate::config::Config;

/// Looks at the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say whether the configuration is usable; exit status 2 if it is not
    Check,
}

pub(crate) fn run(global: &Global, output: Output, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check => check(global, output),
    }
}

fn check(global: &Global, output: Output) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    let warnings = certificate::outdated(&config.listen, SystemClock.now());
    let report = json!({
        "file": config.file,
        "data_dir": config.data_dir,
        "plugins_dir": config.plugins_dir,
        "listen": config.listen.iter().map(|listen| listen.address.to_string()).collect::<Vec<_>>(),
        "backends": config.backends.iter().map(|backend| backend.name.to_string()).collect::<Vec<_>>(),
        "warnings": warnings,
    });
    output.one(&report, || {
        let mut lines = vec![format!("{}: usable", config.file.display())];
        lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.join("\n")
    });
    Ok(())
}
