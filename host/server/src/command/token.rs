//! `keyway token`: looks at tokens and ends them.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::admin::{self, Call};
use super::failure::Failure;
use super::input::read_secret;
use super::output::{Output, date};
use super::user::field;
use crate::cli::Global;
use crate::config::Config;

/// Tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what stands behind a token; exit status 1 if it is not good
    Check {
        /// The token; `-` reads it from standard input, where no list of processes shows it
        token: String,
        /// The access that it must have
        #[arg(long)]
        scope: Option<String>,
        /// The tenant that it must be good for
        #[arg(long)]
        tenant: Option<String>,
    },
    /// End tokens
    Revoke(Target),
}

/// Which tokens to end.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Target {
    /// The token; `-` reads it from standard input, where no list of processes shows it
    token: Option<String>,
    /// All of this user's tokens: a login name or uuid, or any identity's uuid
    #[arg(long)]
    user: Option<String>,
    /// Every token that this plugin file ever let in
    #[arg(long, value_name = "DIGEST")]
    plugin: Option<String>,
}

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    super::block_on(async {
        match command {
            Command::Check { token, scope, tenant } => {
                let body = json!({ "token": read_token(token)?, "scope": scope, "tenant": tenant });
                let call = Call::new(Method::POST, &["tokens", "check"]).body(body);
                let found = admin::send(&config, &call).await?;
                output.one(&found, || describe(&found));
            }
            Command::Revoke(target) => {
                let token = target.token.map(read_token).transpose()?;
                let body = json!({ "token": token, "user": target.user, "plugin": target.plugin });
                let call = Call::new(Method::POST, &["tokens", "revoke"]).body(body);
                let ended = admin::send(&config, &call).await?;
                output.one(&ended, || match ended.get("tokens").and_then(Value::as_u64) {
                    Some(1) => "1 token revoked".to_owned(),
                    count => format!("{} tokens revoked", count.unwrap_or(0)),
                });
            }
        }
        Ok(())
    })
}

fn read_token(written: String) -> Result<String, Failure> {
    if written == "-" {
        return Ok(read_secret("token")?.expose().trim().to_owned());
    }
    Ok(written)
}

fn describe(found: &Value) -> String {
    let expiry = date(found.get("expires_at").unwrap_or(&Value::Null));
    format!(
        "good until {expiry}: {} ({}) through {}, accesses: {}",
        field(found, "login"),
        field(found, "identity"),
        field(found, "backend"),
        field(found, "accesses")
    )
}
