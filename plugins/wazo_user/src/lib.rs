//! Keyway backend: users of the host's own directory.
//!
//! The plugin decides who is meant and whether they may log in; the host compares the password. The plugin never sees one.

use keyway_sdk::directory::{self, DirectoryError, Found, User};
use keyway_sdk::{Backend, Capability, Context, Credential, Description, Fault, Login, Outcome, Principal, Problem};
use keyway_sdk::{Deserialize, JsonSchema, Refusal, log, schemars};

/// Users of the host's directory, by confirmed email address or login name.
pub struct WazoUser;

/// There is nothing to configure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub struct Config {}

impl Backend for WazoUser {
    type Config = Config;

    fn describe() -> Description {
        keyway_sdk::description!().wants([Capability::Log, Capability::DirectoryFind, Capability::DirectoryVerify])
    }

    fn configure(Config {}: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let candidate = find(&login.identifier, context.tenant.as_deref())?;
        let candidate = match &login.credential {
            Credential::Password(_) => candidate,
            _ => Err(Refusal::UnsupportedCredential),
        };
        // Exactly one comparison, whoever was found, so that the time of an answer does not tell who exists.
        let id = candidate.as_ref().ok().map(|user| user.id.as_str());
        let matches = directory::verify_password(id, login.credential.secret())?;
        let refusal = match candidate {
            Ok(user) if matches => return Ok(Principal::directory(&user).into()),
            Ok(_) => Refusal::WrongCredential,
            Err(refusal) => refusal,
        };
        log::debug!("refused", reason = format!("{refusal:?}"));
        Ok(refusal.into())
    }
}

/// The one enabled user whom this identifier means. An email address goes before a login name, so that nobody takes over another's
/// address by choosing it as a login.
fn find(identifier: &str, tenant: Option<&str>) -> Result<Result<User, Refusal>, DirectoryError> {
    let found = match directory::find_by_email(identifier, tenant)? {
        Found::Nobody => directory::find_by_login(identifier, tenant)?,
        found => found,
    };
    Ok(match found {
        Found::One(user) if user.enabled => Ok(user),
        Found::One(_) => Err(Refusal::Disabled),
        Found::Nobody => Err(Refusal::UnknownIdentifier),
        Found::Several => Err(Refusal::Ambiguous),
    })
}

keyway_sdk::register!(WazoUser);
