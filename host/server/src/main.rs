//! The `keyway` binary: configuration, command line, composition root. It decides nothing.

mod app;
mod cli;
mod command;
mod config;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    command::run(cli::Cli::parse())
}
