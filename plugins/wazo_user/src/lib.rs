//! Keyway backend: users of the host's own directory.
//!
//! The plugin decides who is meant and whether they may log in; the host compares the password, or looks up whose the digest is. The plugin never sees either.

use keyway_sdk::directory::{self, DirectoryError, Found, User};
use keyway_sdk::{Backend, Capability, Context, Credential, Description, Fault, Login, Outcome, Principal, Problem};
use keyway_sdk::{Deserialize, DigestAlgorithm, JsonSchema, Refusal, Secret, log, schemars};

/// Users of the host's directory, by confirmed email address or login name, or by a digest of login name and password.
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
        let tenant = context.tenant.as_deref();
        let judged = match &login.credential {
            // A digest that comes with a name is no credential of this backend: whose it is follows from the digest alone.
            Credential::Digest { algorithm, value } if login.identifier.is_empty() => {
                by_digest(*algorithm, value, tenant)?
            }
            credential => by_name(&login.identifier, credential, tenant)?,
        };
        let refusal = match judged {
            Ok(user) => return Ok(Principal::directory(&user).into()),
            Err(refusal) => refusal,
        };
        log::debug!("refused", reason = format!("{refusal:?}"));
        Ok(refusal.into())
    }
}

/// Exactly one comparison, whoever was found, so that the time of an answer does not tell who exists.
fn by_name(
    identifier: &str,
    credential: &Credential,
    tenant: Option<&str>,
) -> Result<Result<User, Refusal>, DirectoryError> {
    let candidate = match (find(identifier, tenant)?, credential) {
        (candidate, Credential::Password(_)) => candidate,
        _ => Err(Refusal::UnsupportedCredential),
    };
    let id = candidate.as_ref().ok().map(|user| user.id.as_str());
    let matches = directory::verify_password(id, credential.secret())?;
    Ok(candidate.and_then(|user| {
        if matches {
            Ok(user)
        } else {
            Err(Refusal::WrongCredential)
        }
    }))
}

/// The host's look-up is the one comparison.
fn by_digest(
    algorithm: DigestAlgorithm,
    digest: &Secret,
    tenant: Option<&str>,
) -> Result<Result<User, Refusal>, DirectoryError> {
    Ok(match directory::find_by_digest(algorithm, digest, tenant)? {
        Some(user) if user.enabled => Ok(user),
        Some(_) => Err(Refusal::Disabled),
        None => Err(Refusal::WrongCredential),
    })
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
