//! The `keyway` binary: command line, configuration, composition root. It decides nothing.

mod config;

fn main() {
    let _ = config::Config::load(None);
}
