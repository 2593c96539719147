//! A backend that would open a connection of its own. The standard library then imports `wasi:sockets`, which no host of Keyway offers.

use std::net::TcpStream;

use keyway_sdk::{Backend, Context, Description, Fault, Login, Outcome, Problem};
use keyway_sdk::{Deserialize, JsonSchema, Refusal, schemars};

struct ForbiddenImport;

/// There is nothing to configure.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Config {}

impl Backend for ForbiddenImport {
    type Config = Config;

    fn describe() -> Description {
        keyway_sdk::description!()
    }

    fn configure(Config {}: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    fn verify(&self, _context: &Context, _login: &Login) -> Result<Outcome, Fault> {
        TcpStream::connect("127.0.0.1:9").map_err(|error| Fault::unavailable(error.to_string()))?;
        Ok(Refusal::WrongCredential.into())
    }
}

keyway_sdk::register!(ForbiddenImport);
