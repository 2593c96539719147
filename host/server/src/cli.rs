//! The command line as typed. What a command does is in `command/<name>.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{config, demo, import, plugin, policy, tenant, token, user};
use crate::config::LogLevel;

/// Keyway checks who you are, hands out a token, and tells other services whether it is still good.
///
/// Without a command it serves. Exit status: 0 done, 1 failed, 2 usage or configuration error.
#[derive(Debug, Parser)]
#[command(name = "keyway", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// Options of a server.
    #[command(flatten)]
    pub(crate) serve: ServeOptions,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The configuration file [default: ./keyway.toml, else /etc/keyway/keyway.toml]
    #[arg(
        short,
        long = "config-file",
        visible_alias = "config",
        value_name = "FILE",
        global = true
    )]
    pub(crate) config_file: Option<PathBuf>,
    /// Log debug messages; the same as `-l debug`
    #[arg(short, long, global = true, conflicts_with = "log_level")]
    pub(crate) debug: bool,
    /// How much to log [default: what the configuration says, else info]
    #[arg(short, long, value_name = "LEVEL", value_enum, ignore_case = true, global = true)]
    pub(crate) log_level: Option<LogLevel>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Options of a server.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeOptions {
    /// Give up root once the listeners are bound, and run as this user, who must be able to read every file that the configuration names
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Stay in the foreground. It always does: this is accepted because xivo-auth had it
    #[arg(short, long)]
    pub(crate) foreground: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve (the same as no command)
    Serve(ServeOptions),
    /// Serve a demonstration on the loopback, with a user to log in as, and no file needed
    Demo(demo::Options),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Users of the server's own directory
    #[command(subcommand)]
    User(user::Command),
    /// Tenants
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Policies: named lists of accesses
    #[command(subcommand)]
    Policy(policy::Command),
    /// Show what the same person is to each API: the table of rights
    Rights,
    /// Tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Plugins and the backends that they serve
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Bring in the users, tenants and policies of another system
    #[command(subcommand)]
    Import(import::Command),
}

impl Global {
    /// The level that the command line asks for.
    pub(crate) fn level(&self) -> Option<LogLevel> {
        if self.debug {
            Some(LogLevel::Debug)
        } else {
            self.log_level
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("keyway").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_xivo_auth_serve() {
        let cli = parse("-c a.toml -u keyway -d -f").expect("xivo-auth took these");
        assert!(cli.command.is_none());
        assert_eq!(cli.global.config_file, Some("a.toml".into()));
        assert_eq!(cli.serve.user.as_deref(), Some("keyway"));
        assert!(cli.serve.foreground);
        assert_eq!(cli.global.level(), Some(LogLevel::Debug));
        for (word, level) in [
            ("critical", LogLevel::Critical),
            ("error", LogLevel::Error),
            ("warning", LogLevel::Warning),
            ("info", LogLevel::Info),
            ("DEBUG", LogLevel::Debug),
        ] {
            let cli = parse(&format!("-l {word}")).expect(word);
            assert_eq!(cli.global.level(), Some(level));
        }
        let cli = parse("serve -u keyway -f").expect("serve takes them too");
        assert!(matches!(cli.command, Some(Command::Serve(options)) if options.user.as_deref() == Some("keyway")));
    }

    #[test]
    fn every_command_of_the_contract_parses() {
        for line in [
            "serve",
            "demo",
            "demo --plugins dist/plugins --port 9498",
            "-c a.toml config check",
            "config check -c a.toml --json",
            "user add alice --password-stdin --email a@example.org --tenant t --admin",
            "user list --json",
            "user show alice",
            "user remove alice",
            "user set-password alice --password-stdin",
            "tenant add sub --parent master --realm sip.example.org --domain a.example.org --domain b.example.org",
            "tenant list",
            "tenant remove sub",
            "policy add p --access a.# --access !a.b",
            "policy list",
            "policy remove p",
            "policy attach p --user alice",
            "policy detach p --user alice",
            "rights --json",
            "token check 1823c1ee-6c6a-0cdc-d869-964a7f08a744 --scope a.b --tenant t",
            "token check -",
            "token revoke 1823c1ee-6c6a-0cdc-d869-964a7f08a744",
            "token revoke --user alice",
            "token revoke --plugin sha256:00",
            "plugin list",
            "plugin history wazo_user",
            "plugin rollback wazo_user",
            "plugin promote wazo_user",
            "plugin check a.wasm",
            "plugin test a.wasm --login alice --password-stdin --with {}",
            "plugin install a.wasm",
            "plugin new mine --sdk ../sdk",
            "import wazo --url postgres://asterisk@localhost/asterisk",
            "import wazo --url postgres://asterisk@localhost/asterisk --dry-run --json",
            "import privacyidea --url sqlite:pi.db --enckey enckey",
            "import privacyidea --url - --enckey /etc/privacyidea/enckey --backend realms --dry-run --json",
        ] {
            assert!(parse(line).is_ok(), "{line}: {:?}", parse(line).err());
        }
    }

    #[test]
    fn what_is_not_of_the_contract_is_a_usage_error() {
        for line in [
            "no-such-command",
            "user add",
            "user add alice",
            "user",
            "-l loud",
            "-d -l info",
            "token revoke",
            "token revoke 1823c1ee-6c6a-0cdc-d869-964a7f08a744 --user alice",
            "policy add p",
            "policy attach p",
            "demo --port 99999",
            "import",
            "import wazo",
            "import privacyidea",
            "import privacyidea --url sqlite:pi.db",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        assert_eq!(parse("--help").expect_err("help is shown").exit_code(), 0);
    }
}
