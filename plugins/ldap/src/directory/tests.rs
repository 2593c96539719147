//! What the directory's own server cannot show: a kept connection on which nothing comes any more.

use std::io::{self, Read, Write};

use keyway_sdk::net::{NetError, Protection};
use keyway_sdk::testing::MockHost;
use keyway_sdk::{Backend, Capability, Context, Description, Login, Outcome, Problem, json};

use super::*;
use crate::Config;
use crate::connection::Stream;

/// The plugin, to which a connection was left that takes everything and answers nothing, until its time is over.
struct Stalled(Settings);

struct Silence;

impl Network for Silence {
    type Stream = Self;

    fn protection(&self) -> Result<Protection, NetError> {
        Ok(Protection::None)
    }

    fn connect(&self) -> Result<Self, NetError> {
        panic!("another connection would be as slow")
    }

    fn resume(&self, state: &str) -> Result<Option<Self>, NetError> {
        assert_eq!(
            state,
            format!("service:{}", "ü".repeat(MAX_STATE / 2)),
            "as much as fits"
        );
        Ok(Some(Self))
    }
}

impl Read for Silence {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(NetError::TimedOut.into())
    }
}

impl Write for Silence {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Silence {
    fn start_tls(&mut self) -> Result<(), NetError> {
        Ok(())
    }

    fn keep(self, _state: &str) {
        panic!("an answer may still come on it")
    }
}

impl Backend for Stalled {
    type Config = Config;

    fn describe() -> Description {
        crate::Ldap::describe()
    }

    fn configure(config: Config) -> Result<Self, Vec<Problem>> {
        Settings::check(config).map(Self)
    }

    fn verify(&self, _context: &Context, login: &Login) -> Result<Outcome, Fault> {
        let directory = Directory {
            settings: &self.0,
            network: &Silence,
        };
        match directory.log_in(&login.identifier, "s3cre7") {
            Err(Stop::Fault(fault)) => Err(fault),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_directory_that_does_not_answer_in_time_is_not_asked_twice() {
    let host = MockHost::new()
        .grant(Capability::CredentialExpose)
        .config(json!({ "user_base_dn": "dc=example", "bind_dn": "ü".repeat(MAX_STATE) }))
        .secret("bind_password", "svc");
    let expected = Fault::from(NetError::TimedOut);
    assert_eq!(host.login::<Stalled>("alice", "s3cre7"), Err(expected));
}
