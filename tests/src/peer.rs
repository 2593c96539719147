//! A peer that is no server at all: what it does with a connection is a script.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What it does with every connection.
#[derive(Debug, Clone)]
pub enum Script {
    /// Accepts, reads, and never answers.
    Silent,
    /// Closes at once.
    Closing,
    /// Answers whatever it is asked first with these bytes, then closes.
    Answering(Vec<u8>),
    /// Answers the first question with these bytes and then waits for ever.
    Hanging(Vec<u8>),
    /// The same, and then sends a NUL each time that this has passed.
    Dripping(Vec<u8>, Duration),
}

/// One on a free port of the loopback, for as long as the process lives.
#[derive(Debug)]
pub struct Peer {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    /// Starts one.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                let script = script.clone();
                std::thread::spawn(move || play(&script, stream));
            }
        });
        Self { address, connections }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A client that breaks off is no fault of the peer's.
fn play(script: &Script, mut stream: TcpStream) {
    let mut question = [0; 4096];
    match script {
        Script::Closing => {}
        Script::Silent => while stream.read(&mut question).is_ok_and(|read| read > 0) {},
        Script::Answering(answer) => {
            let _ = stream.read(&mut question);
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(Shutdown::Write);
        }
        Script::Hanging(answer) => {
            let _ = stream.read(&mut question);
            let _ = stream.write_all(answer);
            while stream.read(&mut question).is_ok_and(|read| read > 0) {}
        }
        Script::Dripping(answer, pause) => {
            let _ = stream.read(&mut question);
            let _ = stream.write_all(answer);
            while stream.write_all(&[0]).is_ok() {
                std::thread::sleep(*pause);
            }
        }
    }
}
