//! `keyway policy`: named lists of accesses, and who has them.

use clap::Subcommand;
use http::Method;
use serde_json::json;

use super::admin::{self, Call};
use super::failure::Failure;
use super::output::Output;
use super::user::field;
use crate::cli::Global;
use crate::config::Config;

/// Policies.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a policy
    Add {
        /// Its name
        name: String,
        /// Access patterns such as `calls.me.#`; a leading `!` denies. May be repeated
        #[arg(long = "access", value_name = "PATTERN", required = true, num_args = 1.., allow_hyphen_values = true)]
        accesses: Vec<String>,
    },
    /// List policies
    List,
    /// Remove a policy; tokens that were issued under it keep its accesses
    Remove {
        /// Its name
        name: String,
    },
    /// Give a policy to a user; tokens that were issued before are not changed
    Attach {
        /// The policy's name
        name: String,
        /// The user's login name or uuid, or any identity's uuid
        #[arg(long)]
        user: String,
    },
    /// Take a policy from a user; tokens that were issued before are not changed
    Detach {
        /// The policy's name
        name: String,
        /// The user's login name or uuid, or any identity's uuid
        #[arg(long)]
        user: String,
    },
}

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    super::block_on(async {
        match command {
            Command::Add { name, accesses } => {
                let body = json!({ "name": name, "accesses": accesses });
                let added = admin::send(&config, &Call::new(Method::POST, &["policies"]).body(body)).await?;
                output.one(&added, || field(&added, "id"));
            }
            Command::List => {
                let policies = admin::send(&config, &Call::new(Method::GET, &["policies"])).await?;
                output.many(
                    &policies,
                    &[
                        ("NAME", |policy| field(policy, "name")),
                        ("TENANT", |policy| field(policy, "tenant")),
                        ("ACCESSES", |policy| field(policy, "accesses")),
                    ],
                );
            }
            Command::Remove { name } => {
                let gone = admin::send(&config, &Call::new(Method::DELETE, &["policies", &name])).await?;
                output.one(&gone, || format!("removed {}", field(&gone, "name")));
            }
            Command::Attach { name, user } => {
                let call = Call::new(Method::PUT, &["policies", &name, "attachments", &user]);
                let policy = admin::send(&config, &call).await?;
                output.one(&policy, || format!("{user} has {}", field(&policy, "name")));
            }
            Command::Detach { name, user } => {
                let call = Call::new(Method::DELETE, &["policies", &name, "attachments", &user]);
                let policy = admin::send(&config, &call).await?;
                output.one(&policy, || format!("{user} no longer has {}", field(&policy, "name")));
            }
        }
        Ok(())
    })
}
