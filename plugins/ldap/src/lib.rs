//! Keyway backend: the users of an LDAP directory, OpenLDAP, Active Directory or any other that speaks LDAP 3.
//!
//! The host connects and does TLS; the plugin speaks the protocol. `README.md` has the configuration.

mod account;
mod active_directory;
mod attribute;
mod ber;
mod config;
mod connection;
mod directory;
mod dn;
mod entry;
mod filter;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod group;
mod health;
mod identity;
mod lookup;
mod matching;
mod modify_password;
mod password_policy;
mod protocol;
mod session;
mod verdict;

use keyway_sdk::{
    Backend, Capability, ChangePassword, Changed, Context, Credential, Description, Fault, Found, Health, Key, Login,
    Lookup, Outcome, PasswordChange, Principal, Problem, Refusal, Secret, log,
};

pub use config::{Config, Link};

use config::Settings;
use connection::{ENDPOINT, Endpoint};
use directory::Directory;
use modify_password::Wish;
use verdict::Stop;

/// The users of an LDAP directory.
#[derive(Debug)]
pub struct Ldap {
    settings: Settings,
}

impl Backend for Ldap {
    type Config = Config;

    fn describe() -> Description {
        keyway_sdk::description!()
            .wants([Capability::Log, Capability::CredentialExpose, Capability::Net(ENDPOINT)])
            // For `link = "email"` alone.
            .may_use([Capability::DirectoryFind, Capability::DirectoryLink])
    }

    fn configure(config: Config) -> Result<Self, Vec<Problem>> {
        let settings = Settings::check(config)?;
        Ok(Self { settings })
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let Credential::Password(password) = &login.credential else {
            return Ok(Refusal::UnsupportedCredential.into());
        };
        let principal = clear(password).and_then(|password| {
            let person = self.directory().log_in(&login.identifier, &password)?;
            identity::principal(&self.settings, context, &person)
        });
        decided(principal)
    }
}

impl Health for Ldap {
    fn health(&self) -> Result<(), Fault> {
        self.directory().check()
    }
}

impl Lookup for Ldap {
    fn find(&self, context: &Context, key: &Key) -> Result<Found, Fault> {
        let person = match self.directory().look_up(key) {
            Ok(Some(person)) => Ok(person),
            Ok(None) => return Ok(Found::CannotTell),
            Err(stop) => Err(stop),
        };
        decided(person.and_then(|person| identity::principal(&self.settings, context, &person)))
    }
}

impl ChangePassword for Ldap {
    fn change(&self, context: &Context, change: &PasswordChange) -> Result<Changed, Fault> {
        let changed = clear(&change.present).and_then(|present| {
            let new = clear(&change.new).ok();
            self.directory().change_password(Wish {
                context,
                name: &change.identifier,
                present: &present,
                new: new.as_deref(),
            })
        });
        match changed {
            Ok(Err(rejection)) => Ok(rejection.into()),
            Ok(Ok(principal)) => Ok(principal.into()),
            Err(stop) => decided(Err(stop)),
        }
    }
}

impl Ldap {
    fn directory(&self) -> Directory<'_, Endpoint> {
        Directory {
            settings: &self.settings,
            network: &Endpoint,
        }
    }
}

/// The answer to the host.
fn decided<T: From<Principal> + From<Refusal>>(principal: Result<Principal, Stop>) -> Result<T, Fault> {
    match principal {
        Ok(principal) => Ok(principal.into()),
        Err(Stop::Refused(refusal)) => {
            log::debug!("refused", reason = format!("{refusal:?}"));
            Ok(refusal.into())
        }
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

/// A password as LDAP takes it, which is UTF-8 (RFC 4513, 5.1.3). No directory can have one that is not.
fn clear(password: &Secret) -> Result<String, Stop> {
    let bytes = password.expose().map_err(Fault::from)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Refusal::WrongCredential.into()),
    }
}

keyway_sdk::register!(Ldap, health, lookup, change_password);
