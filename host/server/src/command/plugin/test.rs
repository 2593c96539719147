//! `keyway plugin test`: one login on a plugin file, without a server and with an empty directory behind it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{
    BackendName, Credential, DigestAlgorithm, Outcome, Principal, Refusal, Subject, User, UserId,
};
use keyway_core::password::{PasswordParams, PasswordPool, Share};
use keyway_core::port::SystemRandom;
use keyway_runtime::{BackendSpec, HostDirectory, HostServices, Trial, Tried, try_file};
use keyway_store::SqlDatabases;
use serde_json::{Value, json};

use super::check::backend_spec;
use crate::cli::Global;
use crate::command::failure::Failure;
use crate::command::input::{ask_secret, read_secret};
use crate::command::output::{Column, Output};
use crate::command::user::field;
use crate::config::Config;

/// A login on a plugin file.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The component
    file: PathBuf,
    /// Who logs in
    #[arg(long, visible_alias = "user", value_name = "NAME")]
    login: String,
    /// Read the password from standard input, even where that is a terminal
    #[arg(long)]
    password_stdin: bool,
    /// Take configuration, secrets, grants and limits of this backend [default: with `--config`, the one that has this plugin]
    #[arg(long)]
    backend: Option<String>,
    /// The plugin's configuration, in place of the backend's
    #[arg(long = "with", value_name = "JSON")]
    config: Option<String>,
}

/// A directory without users.
struct Nobody(Arc<PasswordPool>);

pub(super) fn run(global: &Global, output: Output, options: &Options) -> Result<(), Failure> {
    let mut spec = spec(global, options)?;
    if let Some(text) = &options.config {
        spec.config =
            serde_json::from_str(text).map_err(|error| Failure::usage(format!("`--with` is not JSON: {error}")))?;
    }
    let password = if options.password_stdin {
        read_secret("password")?
    } else {
        ask_secret("password")?
    };
    let trial = Trial {
        config: spec.config,
        secrets: spec.secrets,
        grants: spec.grants,
        limits: spec.limits,
        identifier: options.login.clone(),
        credential: Credential::Password(password.expose().as_str().into()),
    };
    let passwords = PasswordPool::new(PasswordParams::default(), 1, 16, Arc::new(SystemRandom));
    let passwords = Arc::new(passwords.map_err(|error| Failure::of(&error))?);
    let services = HostServices {
        directory: Arc::new(Nobody(Arc::clone(&passwords))),
        passwords,
        databases: Arc::new(SqlDatabases),
    };
    let tried = crate::command::block_on(async {
        try_file(&options.file, trial, services)
            .await
            .map_err(|error| Failure::of(&error))
    })?;
    report(output, &tried)
}

/// What the operator grants the plugin: the named backend's, or the only one's that has it.
fn spec(global: &Global, options: &Options) -> Result<BackendSpec, Failure> {
    if let Some(name) = &options.backend {
        return backend_spec(global, name);
    }
    if global.config_file.is_none() {
        let name = BackendName::parse("trial").map_err(|error| Failure::of(&error))?;
        return Ok(BackendSpec::new(name, "trial"));
    }
    let config = Config::load(global.config_file.as_deref())?;
    let plugin = options.file.file_stem().unwrap_or_default().to_string_lossy();
    let mut fitting = config.backends.into_iter().filter(|spec| spec.plugin == plugin);
    match (fitting.next(), fitting.next()) {
        (Some(spec), None) => Ok(spec),
        (None, _) => Err(Failure::failed(format!(
            "`{}` has no `[[backend]]` with `plugin = \"{plugin}\"`; name one with `--backend`",
            config.file.display()
        ))),
        (Some(one), Some(other)) => Err(Failure::failed(format!(
            "`{}` and `{}` both have the plugin `{plugin}`; say which with `--backend`",
            one.name, other.name
        ))),
    }
}

/// The steps, and how it ended. Only a verified principal is a success.
fn report(output: Output, tried: &Tried) -> Result<(), Failure> {
    let steps = tried.steps.iter().map(|step| {
        json!({
            "step": step.step,
            "detail": step.detail,
            "at_ms": u64::try_from(step.at.as_millis()).unwrap_or(u64::MAX),
        })
    });
    let steps: Vec<Value> = steps.collect();
    let (principal, failure) = match &tried.answer {
        Ok(Outcome::Verified(principal)) => (describe(principal), None),
        Ok(Outcome::Refused(refusal)) => (Value::Null, Some(format!("refused: {}", words(*refusal)))),
        Ok(Outcome::Challenged(challenge)) => {
            let asked = format!("the plugin asks for another step: {}", challenge.prompt);
            (Value::Null, Some(asked))
        }
        Err(fault) => (Value::Null, Some(fault.to_string())),
    };
    if output.is_json() {
        let mut whole = principal.as_object().cloned().unwrap_or_default();
        whole.insert("steps".to_owned(), Value::Array(steps));
        output.fields(&Value::Object(whole));
    } else {
        if !steps.is_empty() {
            let columns: [Column; 3] = [
                ("MS", |row| field(row, "at_ms")),
                ("STEP", |row| field(row, "step")),
                ("DETAIL", |row| field(row, "detail")),
            ];
            output.many(&Value::Array(steps), &columns);
        }
        if failure.is_none() {
            output.fields(&principal);
        }
    }
    let Some(failure) = failure else {
        return Ok(());
    };
    let last = tried.steps.last();
    let place = last.map_or_else(String::new, |step| format!(" (the last step was `{}`)", step.step));
    Err(Failure::failed(format!("{failure}{place}")))
}

fn describe(principal: &Principal) -> Value {
    let subject = match &principal.subject {
        Subject::Directory(user) | Subject::Linked(user) | Subject::Found(user) => {
            json!(format!("directory user {}", user.0))
        }
        Subject::Own(name) => json!(name),
        Subject::Delegated { backend, subject } => json!(format!("{backend}: {subject}")),
    };
    let attributes: serde_json::Map<_, _> = principal
        .attributes
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    json!({
        "subject": subject,
        "login": principal.login,
        "display_name": principal.display_name,
        "email": principal.email,
        "groups": principal.groups,
        "accesses": principal.accesses,
        "attributes": attributes,
    })
}

fn words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::WrongCredential => "the password does not belong to the login",
        Refusal::UnknownIdentifier => "nobody has this login",
        Refusal::Disabled => "the account is disabled",
        Refusal::Locked => "the account is locked for now",
        Refusal::Expired => "the account or its password has expired",
        Refusal::MustChangePassword => "the password must be changed first",
        Refusal::Ambiguous => "the login fits more than one account",
        Refusal::UnsupportedCredential => "the plugin does not take passwords",
        Refusal::Overtaken => "the password was changed meanwhile",
    }
}

#[async_trait]
impl HostDirectory for Nobody {
    async fn find_by_login(&self, _login: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn find_by_email(&self, _email: &str, _tenant: Option<&str>) -> Result<Option<User>, DirectoryError> {
        Ok(None)
    }

    async fn list(&self, _pattern: &str, _tenant: Option<&str>, _most: u32) -> Result<Vec<User>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn group_names(&self, _user: Option<UserId>) -> Result<Vec<String>, DirectoryError> {
        Ok(Vec::new())
    }

    async fn verify_password(
        &self,
        backend: &BackendName,
        _user: Option<UserId>,
        password: &Secret<Vec<u8>>,
    ) -> Result<bool, DirectoryError> {
        self.0.burn(&Share::Backend(backend.clone()), password).await?;
        Ok(false)
    }

    async fn find_by_digest(
        &self,
        backend: &BackendName,
        _algorithm: DigestAlgorithm,
        digest: &Secret<Vec<u8>>,
        _tenant: Option<&str>,
    ) -> Result<Option<User>, DirectoryError> {
        self.0.burn(&Share::Backend(backend.clone()), digest).await?;
        Ok(None)
    }
}
