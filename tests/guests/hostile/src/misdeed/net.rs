//! What can be done wrong with the endpoint `target`.

use std::io::{Read as _, Write as _};

use keyway_sdk::{Fault, Login, Outcome, Principal, net};

pub(super) const TARGET: &str = "target";
const KIB: usize = 1024;

/// Connects, and keeps each connection.
pub(super) fn flood(amount: u64) -> Result<(), Fault> {
    let mut connections = Vec::new();
    for _ in 0..amount {
        connections.push(net::connect(TARGET)?);
    }
    Ok(())
}

pub(super) fn elsewhere() -> Result<(), Fault> {
    net::connect("elsewhere").map(drop).map_err(Fault::from)
}

/// Writes without an end.
pub(super) fn firehose() -> Result<(), Fault> {
    let mut connection = net::connect(TARGET)?;
    loop {
        connection.write_all(&[7; 8 * KIB])?;
    }
}

/// Reads what never comes.
pub(super) fn wait() -> Result<(), Fault> {
    net::connect(TARGET)?.read_exact(&mut [0; 8 * KIB])?;
    Ok(())
}

/// Leaves a connection that carried the password in two pieces, and says whether another call would get it.
pub(super) fn keep(login: Option<&Login>) -> Result<Outcome, Fault> {
    let mut connection = net::connect(TARGET)?;
    connection.write_all(b"hello ")?;
    if let Some(login) = login {
        let password = login.credential.secret().expose()?;
        let (first, second) = password.split_at(password.len() / 2);
        connection.write_all(first)?;
        connection.write_all(second)?;
    }
    connection.keep("kept");
    let kept = net::resume(TARGET, "kept")?.is_some();
    Ok(Principal::own("alice").attribute("kept", kept.to_string()).into())
}
