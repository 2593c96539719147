//! The smallest useful backend: users and their password verifiers stand in its configuration.

use std::collections::BTreeMap;

use keyway_sdk::{Backend, Context, Description, Fault, Login, Outcome, Principal, Problem, Refusal};
use keyway_sdk::{Deserialize, JsonSchema, schemars};

/// The configuration, which is all that this backend is.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
pub struct Hello {
    /// Verifiers (`$argon2id$...`) by login.
    users: BTreeMap<String, String>,
    /// What to say to everyone who logs in.
    greeting: Option<String>,
}

impl Backend for Hello {
    type Config = Self;

    fn describe() -> Description {
        keyway_sdk::description!()
    }

    fn configure(config: Self) -> Result<Self, Vec<Problem>> {
        Ok(config)
    }

    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let verifier = self.users.get(&login.identifier);
        if !login.password_matches(verifier.map(String::as_str))? {
            return Ok(Refusal::WrongCredential.into());
        }
        let principal = Principal::own(&login.identifier);
        Ok(match &self.greeting {
            Some(greeting) => principal.attribute("greeting", greeting).into(),
            None => principal.into(),
        })
    }
}

keyway_sdk::register!(Hello);
