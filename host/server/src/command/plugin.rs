//! `keyway plugin`: plugin files, and the backends that they serve.

mod check;
mod install;
mod new;
mod test;

use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::Value;

use super::admin::{self, Call};
use super::failure::Failure;
use super::output::{Output, date};
use super::user::field;
use crate::cli::Global;
use crate::config::Config;

/// Plugins and the backends that they serve.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the backends of the running server and how they stand
    List,
    /// List a backend's generations, newest first
    History {
        /// The backend
        backend: String,
    },
    /// Go back to the plugin file that served before, and keep the present one out
    Rollback {
        /// The backend
        backend: String,
    },
    /// Let a plugin file in that was kept out, or end the probation of the one that serves
    Promote {
        /// The backend
        backend: String,
    },
    /// Say whether the server would load a plugin file; needs no server
    Check {
        /// The component
        file: PathBuf,
        /// Have it look at the configuration of this backend, too
        #[arg(long)]
        backend: Option<String>,
    },
    /// Log in once on a plugin file; needs no server, and the directory behind it is empty
    Test(test::Options),
    /// Check a plugin file and put it into the plugins folder, where a running server takes it up
    Install {
        /// The component
        file: PathBuf,
        /// The name that backends have in `plugin` [default: the file's own name]
        #[arg(long = "as", value_name = "NAME")]
        name: Option<String>,
    },
    /// Start a plugin of your own: a folder with a working backend and its test
    New {
        /// The plugin's name, and the folder's
        name: String,
        /// Where the SDK lies, relative to the present folder
        #[arg(long, value_name = "PATH")]
        sdk: Option<PathBuf>,
    },
}

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    match command {
        Command::List => list(global, output),
        Command::History { backend } => history(global, output, &backend),
        Command::Rollback { backend } => act(global, output, &backend, "rollback"),
        Command::Promote { backend } => act(global, output, &backend, "promote"),
        Command::Check { file, backend } => check::run(global, output, &file, backend.as_deref()),
        Command::Test(options) => test::run(global, output, &options),
        Command::Install { file, name } => install::run(global, output, &file, name.as_deref()),
        Command::New { name, sdk } => new::run(output, &name, sdk.as_deref()),
    }
}

fn ask(global: &Global, method: Method, steps: &[&str]) -> Result<Value, Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    super::block_on(admin::send(&config, &Call::new(method, steps).on_server()))
}

fn list(global: &Global, output: Output) -> Result<(), Failure> {
    print_statuses(output, &ask(global, Method::GET, &["plugins"])?);
    Ok(())
}

fn print_statuses(output: Output, statuses: &Value) {
    output.many(
        statuses,
        &[
            ("BACKEND", |row| field(row, "backend")),
            ("PLUGIN", |row| field(row, "plugin")),
            ("VERSION", |row| field(row, "version")),
            ("GENERATION", |row| field(row, "generation")),
            ("STATE", |row| field(row, "state")),
            ("DIGEST", |row| field(row, "digest")),
            ("REASON", |row| field(row, "reason")),
        ],
    );
}

fn history(global: &Global, output: Output, backend: &str) -> Result<(), Failure> {
    output.many(
        &ask(global, Method::GET, &["plugins", backend, "history"])?,
        &[
            ("GENERATION", |row| field(row, "generation")),
            ("VERSION", |row| field(row, "version")),
            ("SINCE", |row| date(row.get("since").unwrap_or(&Value::Null))),
            ("LIVE", |row| {
                if row.get("live") == Some(&Value::Bool(true)) {
                    "*"
                } else {
                    ""
                }
                .to_owned()
            }),
            ("DIGEST", |row| field(row, "digest")),
            ("REMARK", |row| field(row, "remark")),
        ],
    );
    Ok(())
}

fn act(global: &Global, output: Output, backend: &str, verb: &str) -> Result<(), Failure> {
    let status = ask(global, Method::POST, &["plugins", backend, verb])?;
    output.one(&status, || {
        format!(
            "{}: generation {}, {} {}, {}",
            field(&status, "backend"),
            field(&status, "generation"),
            field(&status, "plugin"),
            field(&status, "version"),
            field(&status, "state")
        )
    });
    Ok(())
}
