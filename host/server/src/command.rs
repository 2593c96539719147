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
mod rights;
mod serve;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod user;

use std::process::ExitCode;
use std::time::Duration;

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
        Some(Command::Rights) => rights::run(&global, output),
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

/// How long a thread that works off the main path may go on once a command is done. One that compiles a plugin cannot be told to stop.
const LAST_WORK: Duration = Duration::from_secs(5);

/// Runs a command's asynchronous part. What it has left unfinished does not keep the process alive.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WORK);
    ended
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_thread_that_never_ends_does_not_keep_the_process_alive() {
        let (end, ended) = mpsc::channel::<()>();
        let began = Instant::now();
        let watchdog = std::thread::spawn(move || {
            // For a `block_on` that waits: the test fails then, and does not hang.
            std::thread::sleep(LAST_WORK * 3);
            drop(end);
        });
        let done = block_on(async {
            tokio::task::spawn_blocking(move || ended.recv());
            Ok(())
        });
        assert!(done.is_ok());
        assert!(began.elapsed() < LAST_WORK * 2, "it took {:?}", began.elapsed());
        drop(watchdog);
    }
}
