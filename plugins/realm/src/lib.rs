//! Keyway backend: realms, each of them resolvers in an order. The first resolver that knows a login decides.
//!
//! The plugin says who is meant; the host reads files, asks databases and other backends, and compares passwords. `README.md` has the configuration.

mod config;
mod name;
mod person;
mod realm;
mod resolver;
mod search;

use keyway_sdk::{
    Answer, Backend, Browse, Capability, Context, Credential, Description, Fault, Found, Health, Key, Listing, Login,
    Lookup, Outcome, Problem, Query, Refusal,
};

pub use config::Config;

use config::Settings;

/// Realms and their resolvers.
#[derive(Debug)]
pub struct Realm {
    settings: Settings,
}

impl Backend for Realm {
    type Config = Config;

    fn describe() -> Description {
        keyway_sdk::description!()
            .wants([
                Capability::Log,
                Capability::File("*"),
                Capability::Sql("*"),
                Capability::Delegate("*"),
                Capability::Net("*"),
            ])
            .may_use([
                // For resolvers of the type `directory`.
                Capability::DirectoryFind,
                Capability::DirectoryVerify,
                Capability::DirectoryList,
                // For those of the type `http`.
                Capability::CredentialExpose,
            ])
    }

    fn configure(config: Config) -> Result<Self, Vec<Problem>> {
        let settings = Settings::check(config)?;
        Ok(Self { settings })
    }

    fn verify(&self, context: &Context, login: &Login) -> Result<Outcome, Fault> {
        match &login.credential {
            Credential::Password(password) => self.settings.log_in(context, &login.identifier, password),
            _ => Ok(Refusal::UnsupportedCredential.into()),
        }
    }

    fn answer(&self, _context: &Context, answer: &Answer) -> Result<Outcome, Fault> {
        self.settings.answer(&answer.state, &answer.response)
    }
}

impl Health for Realm {
    /// Says what is wrong with each resolver that does not work.
    fn health(&self) -> Result<(), Fault> {
        let faults: Vec<Fault> = self
            .settings
            .resolvers
            .values()
            .filter_map(|resolver| resolver.check().err())
            .collect();
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        match faults.first() {
            None => Ok(()),
            Some(Fault::Misconfigured(_)) => Err(Fault::misconfigured(lines.join("; "))),
            Some(_) => Err(Fault::unavailable(lines.join("; "))),
        }
    }
}

impl Lookup for Realm {
    fn find(&self, context: &Context, key: &Key) -> Result<Found, Fault> {
        self.settings.look_up(context, key)
    }
}

impl Browse for Realm {
    fn list(&self, context: &Context, query: &Query) -> Result<Listing, Fault> {
        self.settings.search(context, query)
    }
}

keyway_sdk::register!(Realm, health, lookup, browse);
