//! `keyway plugin test`: one login on a plugin file, without a server and with an empty directory behind it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use clap::Args;
use keyway_core::Secret;
use keyway_core::directory::DirectoryError;
use keyway_core::model::{BackendName, Credential, Outcome, Principal, Refusal, Subject, User, UserId};
use keyway_core::password::{PasswordParams, PasswordPool, Share};
use keyway_core::port::SystemRandom;
use keyway_runtime::{BackendSpec, HostDirectory, HostServices, Trial, try_file};
use serde_json::{Value, json};

use super::check::backend_spec;
use crate::cli::Global;
use crate::command::failure::Failure;
use crate::command::input::read_secret;
use crate::command::output::Output;

/// A login on a plugin file.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The component
    file: PathBuf,
    /// Who logs in
    #[arg(long, value_name = "NAME")]
    login: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Take configuration, secrets, grants and limits of this backend
    #[arg(long)]
    backend: Option<String>,
    /// The plugin's configuration, in place of the backend's
    #[arg(long = "with", value_name = "JSON")]
    config: Option<String>,
}

/// A directory without users.
struct Nobody(Arc<PasswordPool>);

pub(super) fn run(global: &Global, output: Output, options: &Options) -> Result<(), Failure> {
    let mut spec = match &options.backend {
        Some(name) => backend_spec(global, name)?,
        None => BackendSpec::new(
            BackendName::parse("trial").map_err(|error| Failure::of(&error))?,
            "trial",
        ),
    };
    if let Some(text) = &options.config {
        spec.config =
            serde_json::from_str(text).map_err(|error| Failure::usage(format!("`--with` is not JSON: {error}")))?;
    }
    let password = read_secret("password")?;
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
    };
    let answer = crate::command::block_on(async {
        try_file(&options.file, trial, services)
            .await
            .map_err(|error| Failure::of(&error))
    })?;
    report(output, &answer.map_err(|fault| Failure::of(&fault))?)
}

/// Only a verified principal is a success.
fn report(output: Output, outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Verified(principal) => {
            output.fields(&describe(principal));
            Ok(())
        }
        Outcome::Refused(refusal) => Err(Failure::failed(format!("refused: {}", words(*refusal)))),
        Outcome::Challenged(challenge) => Err(Failure::failed(format!(
            "the plugin asks for another step: {}",
            challenge.prompt
        ))),
    }
}

fn describe(principal: &Principal) -> Value {
    let subject = match &principal.subject {
        Subject::Directory(user) | Subject::Linked(user) => json!(format!("directory user {}", user.0)),
        Subject::Own(name) => json!(name),
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
}
