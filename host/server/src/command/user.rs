//! `keyway user`: the users of the server's own directory.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::admin::{self, Call};
use super::failure::Failure;
use super::input::read_secret;
use super::output::{Output, date, plain};
use crate::cli::Global;
use crate::config::Config;

/// Users of the server's own directory.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a user and print its uuid
    Add {
        /// The login name
        name: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
        /// The email address, taken as confirmed
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The given name
        #[arg(long, value_name = "TEXT")]
        firstname: Option<String>,
        /// The family name
        #[arg(long, value_name = "TEXT")]
        lastname: Option<String>,
        /// The owner: a tenant's uuid, domain, realm or name [default: master]
        #[arg(long)]
        tenant: Option<String>,
        /// Attach the policy `admin`, which allows everything (`#`)
        #[arg(long)]
        admin: bool,
    },
    /// List users
    List {
        /// Only those of this tenant
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Show a user
    Show {
        /// The login name or the uuid
        user: String,
    },
    /// Remove a user and end its sessions
    Remove {
        /// The login name or the uuid
        user: String,
    },
    /// Set a user's password and end its sessions
    SetPassword {
        /// The login name or the uuid
        user: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

/// Users in one answer of the API.
const PAGE: usize = 1000;

pub(crate) fn run(global: &Global, output: Output, command: Command) -> Result<(), Failure> {
    let config = Config::load(global.config_file.as_deref())?;
    super::block_on(async {
        match command {
            Command::List { tenant } => list(&config, output, tenant.as_deref()).await,
            Command::Show { user } => {
                let found = admin::send(&config, &Call::new(Method::GET, &["users", &user])).await?;
                output.fields(&found);
                Ok(())
            }
            Command::Remove { user } => {
                let gone = admin::send(&config, &Call::new(Method::DELETE, &["users", &user])).await?;
                output.one(&gone, || {
                    format!("removed {} ({})", field(&gone, "login"), field(&gone, "id"))
                });
                Ok(())
            }
            Command::SetPassword { user, .. } => {
                let body = json!({ "password": read_secret("password")?.expose() });
                let call = Call::new(Method::PUT, &["users", &user, "password"]).body(body);
                let changed = admin::send(&config, &call).await?;
                output.one(&changed, || {
                    format!("password of {} set; its sessions have ended", field(&changed, "login"))
                });
                Ok(())
            }
            Command::Add {
                name,
                email,
                firstname,
                lastname,
                tenant,
                admin: is_admin,
                ..
            } => {
                let body = json!({
                    "login": name,
                    "password": read_secret("password")?.expose(),
                    "email": email,
                    "firstname": firstname,
                    "lastname": lastname,
                    "tenant": tenant,
                    "admin": is_admin,
                });
                let added = admin::send(&config, &Call::new(Method::POST, &["users"]).body(body)).await?;
                output.one(&added, || field(&added, "id"));
                Ok(())
            }
        }
    })
}

/// All pages of the list.
async fn list(config: &Config, output: Output, tenant: Option<&str>) -> Result<(), Failure> {
    let mut users = Vec::new();
    loop {
        let mut call = Call::new(Method::GET, &["users"])
            .query("offset", &users.len().to_string())
            .query("limit", &PAGE.to_string());
        if let Some(tenant) = tenant {
            call = call.query("tenant", tenant);
        }
        let page = admin::send(config, &call).await?;
        let items = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_last = items.len() < PAGE;
        users.extend(items);
        if is_last {
            break;
        }
    }
    output.many(
        &Value::Array(users),
        &[
            ("UUID", |user| field(user, "id")),
            ("LOGIN", |user| field(user, "login")),
            ("EMAIL", main_email),
            ("TENANT", |user| field(user, "tenant")),
            ("ENABLED", |user| field(user, "enabled")),
            ("CREATED", |user| date(user.get("created_at").unwrap_or(&Value::Null))),
        ],
    );
    Ok(())
}

/// A field for people; nothing if it is absent.
pub(super) fn field(value: &Value, key: &str) -> String {
    value.get(key).map(plain).unwrap_or_default()
}

fn main_email(user: &Value) -> String {
    let emails = user.get("emails").and_then(Value::as_array).into_iter().flatten();
    let mut main = emails.filter(|email| email.get("main") == Some(&Value::Bool(true)));
    main.next().map(|email| field(email, "address")).unwrap_or_default()
}
