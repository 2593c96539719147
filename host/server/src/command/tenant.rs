//! `keyway tenant`: the tenants that own users and policies.

use clap::Subcommand;
use http::Method;
use serde_json::json;

use super::admin::{self, Call};
use super::failure::Failure;
use super::output::Output;
use super::user::field;
use crate::cli::Global;
use crate::config::Config;

/// Tenants.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a tenant and print its uuid
    Add {
        /// Its name
        name: String,
        /// The tenant above it: a uuid, domain, realm or name [default: master]
        #[arg(long)]
        parent: Option<String>,
        /// The SIP realm that stands for it
        #[arg(long)]
        realm: Option<String>,
        /// A domain that stands for it; may be repeated
        #[arg(long = "domain", value_name = "DOMAIN")]
        domains: Vec<String>,
    },
    /// List tenants
    List,
    /// Remove a tenant that owns nothing
    Remove {
        /// Its uuid, domain, realm or name
        tenant: String,
    },
}

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    super::block_on(async {
        match command {
            Command::Add {
                name,
                parent,
                realm,
                domains,
            } => {
                let body = json!({ "name": name, "parent": parent, "realm": realm, "domains": domains });
                let added = admin::send(&config, &Call::new(Method::POST, &["tenants"]).body(body)).await?;
                output.one(&added, || field(&added, "id"));
            }
            Command::List => {
                let tenants = admin::send(&config, &Call::new(Method::GET, &["tenants"])).await?;
                output.many(
                    &tenants,
                    &[
                        ("UUID", |tenant| field(tenant, "id")),
                        ("NAME", |tenant| field(tenant, "name")),
                        ("PARENT", |tenant| field(tenant, "parent")),
                        ("REALM", |tenant| field(tenant, "realm")),
                        ("DOMAINS", |tenant| field(tenant, "domains")),
                    ],
                );
            }
            Command::Remove { tenant } => {
                let gone = admin::send(&config, &Call::new(Method::DELETE, &["tenants", &tenant])).await?;
                output.one(&gone, || {
                    format!("removed {} ({})", field(&gone, "name"), field(&gone, "id"))
                });
            }
        }
        Ok(())
    })
}
