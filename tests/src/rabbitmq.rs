//! A private `RabbitMQ`: Debian's package in a folder of its own, on the loopback, as an unprivileged user. It ends with the test's process
//! however that ends, and takes its folder along.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::postgres::{as_unprivileged, unprivileged};

/// The server's own script. Debian's in `/usr/sbin` wants to be root or its own user.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// What to do where there is none.
const NOT_INSTALLED: &str = "RabbitMQ is missing: apt-get install rabbitmq-server";

/// Runs the server and the name server that it needs, in a session of their own, until the end of the standard input says that the test is
/// over, killed or not.
const WATCHDOG: &str = r#"
trap '' INT
exec 3<&0
epmd -port "$ERL_EPMD_PORT" -address 127.0.0.1 >>"$HOME/log" 2>&1 </dev/null 3<&- &
names=$!
setsid "$0" >>"$HOME/log" 2>&1 </dev/null 3<&- &
server=$!
read -r _ <&3
kill -s KILL -- "-$server" 2>/dev/null
kill -s KILL -- "$names" 2>/dev/null
wait
cd / && rm -rf "$HOME"
exit 0
"#;

/// A running broker.
pub struct RabbitServer {
    port: u16,
    watchdog: Child,
}

impl RabbitServer {
    /// Starts one. Its user is `guest` with the password `guest`.
    ///
    /// # Panics
    /// If `RabbitMQ` is not installed or does not start.
    pub fn start() -> Self {
        assert!(Path::new(PROGRAM).exists(), "{NOT_INSTALLED}");
        let folder = tempfile::Builder::new()
            .prefix("keyway-mq-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let [port, names, nodes] = free_ports();
        let settings = format!("listeners.tcp.local = 127.0.0.1:{port}\nlog.console = false\n");
        std::fs::write(folder.join("rabbitmq.conf"), settings).expect("room for the settings");
        std::fs::write(folder.join("plugins"), "[].\n").expect("room for the settings");
        if let Some(user) = unprivileged() {
            // All three: what is written under a strict umask nobody else can read.
            for path in [folder.clone(), folder.join("rabbitmq.conf"), folder.join("plugins")] {
                nix::unistd::chown(&path, Some(user.uid), Some(user.gid)).expect("it goes to the server's user");
            }
        }
        let watchdog = spawn(&folder, names, nodes);
        let mut server = Self { port, watchdog };
        server.wait(&folder);
        server
    }

    /// Where it listens, on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait(&mut self, folder: &Path) {
        let until = Instant::now() + Duration::from_mins(3);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            let ended = self.watchdog.try_wait().expect("a child").is_some() || log.contains("BOOT FAILED");
            assert!(!ended && Instant::now() < until, "RabbitMQ does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for RabbitServer {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn spawn(folder: &PathBuf, names: u16, nodes: u16) -> Child {
    let mut watchdog = as_unprivileged(Path::new("/usr/bin/env"));
    let set = |name: &str, value: &str| format!("{name}={value}");
    let inside = |name: &str, file: &str| format!("{name}={}", folder.join(file).display());
    watchdog.args([
        set("HOME", &folder.display().to_string()),
        set("ERL_EPMD_PORT", &names.to_string()),
        set("ERL_EPMD_ADDRESS", "127.0.0.1"),
        set("RABBITMQ_DIST_PORT", &nodes.to_string()),
        set("RABBITMQ_NODENAME", "keyway@localhost"),
        // It is not alone on the machine: one scheduler, that does not spin.
        set("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 1:1 +sbwt none"),
        inside("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        inside("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        inside("RABBITMQ_MNESIA_BASE", "data"),
        inside("RABBITMQ_LOG_BASE", "logs"),
        inside("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
    ]);
    watchdog.args(["/bin/sh", "-c", WATCHDOG, PROGRAM]);
    watchdog
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    watchdog.spawn().expect("a shell")
}

/// Ports that nobody listens on now.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}
