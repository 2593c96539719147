//! A private `MariaDB`: Debian's package in a folder of its own, on a Unix socket in that folder, as an unprivileged user. It ends with the test's
//! process however that ends, and takes its folder along.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::postgres::{as_unprivileged, unprivileged};

const SERVER: &str = "/usr/sbin/mariadbd";
const INSTALL: &str = "/usr/bin/mariadb-install-db";
const CLIENT: &str = "/usr/bin/mariadb";

/// What to do where there is none.
const NOT_INSTALLED: &str = "MariaDB's server programs are missing: apt-get install mariadb-server";

/// Runs the server until the end of the standard input says that the test is over, killed or not.
const WATCHDOG: &str = r#"
trap '' INT
exec 3<&0
"$0" --no-defaults --datadir="$1/data" --socket="$1/sock" --pid-file="$1/pid" --skip-networking --innodb-buffer-pool-size=16M \
    --innodb-flush-log-at-trx-commit=0 >>"$1/log" 2>&1 </dev/null 3<&- &
server=$!
read -r _ <&3
kill -KILL $server
wait
cd / && rm -rf "$1"
exit 0
"#;

/// A running server.
pub struct MariaServer {
    folder: PathBuf,
    watchdog: Child,
    databases: AtomicU32,
}

/// A database on it.
#[derive(Debug, Clone)]
pub struct MariaDatabase {
    socket: PathBuf,
    name: String,
}

impl MariaServer {
    /// Starts one.
    ///
    /// # Panics
    /// If `MariaDB` is not installed or does not start.
    pub fn start() -> Self {
        assert!(
            Path::new(SERVER).exists() && Path::new(INSTALL).exists(),
            "{NOT_INSTALLED}"
        );
        let folder = tempfile::Builder::new().prefix("keyway-maria-").tempdir();
        let folder = folder.expect("a temporary folder").keep();
        if let Some(user) = unprivileged() {
            nix::unistd::chown(&folder, Some(user.uid), Some(user.gid)).expect("the folder goes to the server's user");
        }
        let mut install = as_unprivileged(Path::new(INSTALL));
        install
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .arg(format!("--datadir={}", folder.join("data").display()))
            .current_dir(&folder);
        run(&mut install);
        let mut watchdog = as_unprivileged(Path::new("/bin/sh"));
        watchdog
            .arg("-c")
            .arg(WATCHDOG)
            .arg(SERVER)
            .arg(&folder)
            .current_dir(&folder);
        watchdog
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Self {
            watchdog: watchdog.spawn().expect("a shell"),
            folder,
            databases: AtomicU32::new(0),
        };
        let until = Instant::now() + Duration::from_mins(1);
        while !server
            .client("SELECT 1")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
        {
            let ended = server.watchdog.try_wait().expect("a child").is_some();
            let log = || std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            assert!(!ended && Instant::now() < until, "MariaDB does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// A fresh database, which the user `keyway` with the password `s3cre7` may read and write.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn database(&self) -> MariaDatabase {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let statements = format!(
            "CREATE DATABASE {name} CHARACTER SET utf8mb4; \
             CREATE USER IF NOT EXISTS keyway@localhost IDENTIFIED BY 's3cre7'; \
             GRANT ALL ON {name}.* TO keyway@localhost; GRANT FILE ON *.* TO keyway@localhost"
        );
        run(&mut self.client(&statements));
        MariaDatabase {
            socket: self.folder.join("sock"),
            name,
        }
    }

    fn client(&self, statements: &str) -> Command {
        client(&self.folder.join("sock"), "", statements)
    }
}

impl MariaDatabase {
    /// How it is found, without the password.
    ///
    /// # Panics
    /// If its folder has no name in UTF-8.
    pub fn url(&self) -> String {
        let socket = self.socket.to_str().expect("a UTF-8 path").replace('/', "%2F");
        format!("mysql://keyway@{socket}/{}", self.name)
    }

    /// Runs statements on it.
    ///
    /// # Panics
    /// If one of them fails.
    pub fn execute(&self, statements: &str) {
        run(&mut client(&self.socket, &self.name, statements));
    }

    /// What a query answers: a line for each row.
    ///
    /// # Panics
    /// If it fails.
    pub fn query(&self, select: &str) -> String {
        let answered = run(&mut client(&self.socket, &self.name, select));
        String::from_utf8_lossy(&answered).trim_end().to_owned()
    }
}

impl Drop for MariaServer {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

fn client(socket: &Path, database: &str, statements: &str) -> Command {
    let mut client = Command::new(CLIENT);
    client
        .args(["--no-defaults", "-u", "root", "-N", "-B"])
        .arg(format!("--socket={}", socket.display()))
        .args(["-e", statements])
        .args((!database.is_empty()).then_some(database))
        .stderr(Stdio::null());
    client
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stderr(Stdio::piped()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
