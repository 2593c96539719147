//! A backend that wants to see passwords, and then tells them to everyone who listens: the log, stderr, and the message of a fault.
//!
//! `alice` with the password `s3cre7` logs in, after the password was written to the log (in the message, in a field and in a field's key) and to stderr.
//! With the identifier `fault` the answer is a fault whose message holds the password. With `again=N` it looks at the password N
//! times more, and lets everybody in. The configured secret `key`, if there is one, is told too.

use keyway_sdk::{Backend, Capability, Context, Description, Fault, Login, Outcome, Principal, Problem};
use keyway_sdk::{Deserialize, JsonSchema, Refusal, config, log, schemars};

struct WantsExpose;

/// There is nothing to configure.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "keyway_sdk::serde", deny_unknown_fields)]
struct Config {}

impl Backend for WantsExpose {
    type Config = Config;

    fn describe() -> Description {
        keyway_sdk::description!().wants([Capability::Log, Capability::CredentialExpose])
    }

    fn configure(Config {}: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self)
    }

    #[expect(clippy::print_stderr, reason = "it is what it does")]
    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let exposed = login.credential.secret().expose()?;
        let password = String::from_utf8_lossy(&exposed);
        log::info!("the password is {password}", password = password);
        log::emit(
            log::Level::Warn,
            "the key of a field",
            &[(password.to_string(), "told".to_owned())],
        );
        eprintln!("the password is {password}");
        if let Some(key) = config::find_secret("key") {
            log::info!("a configured secret", key = String::from_utf8_lossy(&key.expose()?));
        }
        if let Some(times) = login.identifier.strip_prefix("again=") {
            for _ in 0..times.parse().unwrap_or(0) {
                login.credential.secret().expose()?;
            }
            return Ok(Principal::own("alice").into());
        }
        match login.identifier.as_str() {
            "fault" => Err(Fault::internal(format!("the password is {password}"))),
            "alice" if password == "s3cre7" => Ok(Principal::own("alice").into()),
            _ => Ok(Refusal::WrongCredential.into()),
        }
    }
}

keyway_sdk::register!(WantsExpose);
