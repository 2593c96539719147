//! What each command does. One file per command; `admin.rs` speaks to the server, `output.rs` is the only one that prints.

mod admin;
pub(crate) mod config;
pub(crate) mod demo;
mod failure;
pub(crate) mod import;
mod input;
mod output;
pub(crate) mod plugin;
pub(crate) mod policy;
mod serve;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod user;

use std::process::ExitCode;

use crate::app::log;
use crate::cli::{Cli, Command, Global, ServeOptions};
use crate::config::LogConfig;
use failure::Failure;
use output::Output;

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli {
        global,
        serve: options,
        command,
    } = cli;
    let output = Output::new(global.json);
    match command {
        None => serve::run(&global, &options),
        Some(Command::Serve(own)) => {
            let options = ServeOptions {
                user: own.user.or(options.user),
                foreground: true,
            };
            serve::run(&global, &options)
        }
        Some(_) if options.user.is_some() => Err(Failure::usage("`-u` goes with serving; leave it out here")),
        Some(Command::Demo(options)) => demo::run(&global, &options),
        Some(Command::Config(command)) => config::run(&global, output, &command),
        Some(Command::User(command)) => with_log(&global, || user::run(&global, output, command)),
        Some(Command::Tenant(command)) => with_log(&global, || tenant::run(&global, output, command)),
        Some(Command::Policy(command)) => with_log(&global, || policy::run(&global, output, command)),
        Some(Command::Token(command)) => with_log(&global, || token::run(&global, output, command)),
        Some(Command::Import(command)) => with_log(&global, || import::run(&global, output, command)),
        Some(Command::Plugin(command)) => with_log(&global, || plugin::run(&global, output, command)),
    }
}

/// A command logs only where it was asked to: its errors are told anyway.
fn with_log(global: &Global, command: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    if let Some(level) = global.level() {
        log::start(LogConfig::default(), Some(level));
    }
    command()
}

/// Runs a command's asynchronous part.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}
