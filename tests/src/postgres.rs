//! A private PostgreSQL: Debian's package in a folder of its own, on a Unix socket in that folder, as an unprivileged user.
//!
//! It ends with the test's process however that ends, and takes its folder along. Nothing of it is on the network, so no two
//! tests can meet on a port.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and looks for the server's programs in PATH"
)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use nix::unistd::{Uid, User};

/// What to do where there is none.
const NOT_INSTALLED: &str = "PostgreSQL's server programs are missing: apt-get install postgresql";

/// Runs the server, and ends it when its own standard input says so. A line means: stop, the data are still wanted. The end of
/// the input means that the test is over, killed or not, and then the folder goes too.
const WATCHDOG: &str = r#"
trap '' INT
exec 3<&0
"$0/postgres" -D "$1/data" >>"$1/log" 2>&1 3<&- &
server=$!
{ read -r _ || touch "$1/over"; kill -QUIT $server; } <&3 2>/dev/null &
wait $server
[ -e "$1/over" ] && cd / && rm -rf "$1"
exit 0
"#;

/// The settings: quick, because a test's data need not survive the machine, and small.
const SETTINGS: &str = "listen_addresses = ''\nfsync = off\nfull_page_writes = off\nautovacuum = off\n\
    max_connections = 200\nshared_buffers = 32MB\nlog_min_messages = warning\n";

/// A running server.
pub struct PostgresServer {
    folder: PathBuf,
    programs: PathBuf,
    watchdog: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// An empty database on it.
#[derive(Debug, Clone)]
pub struct PostgresDatabase {
    url: String,
}

impl PostgresDatabase {
    /// How a store finds it.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Runs statements on it.
    ///
    /// # Panics
    /// If one of them fails.
    pub fn execute(&self, statements: &str) {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", statements]);
        run(&mut psql);
    }

    /// What a query answers: a line for each row, with `|` between columns.
    ///
    /// # Panics
    /// If it fails.
    pub fn query(&self, select: &str) -> String {
        let mut psql = Command::new(programs().join("psql"));
        psql.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url,
            "-c",
            select,
        ]);
        String::from_utf8_lossy(&run(&mut psql)).trim_end().to_owned()
    }

    /// A digest of all its rows.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn content(&self) -> String {
        self.query("SELECT md5(schema_to_xml('public', true, false, '')::text)")
    }
}

/// The server that all tests of this process share. Take a [`PostgresServer::database`] for each.
///
/// # Panics
/// If PostgreSQL is not installed or does not start.
pub fn shared() -> &'static PostgresServer {
    static SHARED: OnceLock<PostgresServer> = OnceLock::new();
    SHARED.get_or_init(private)
}

/// A server of one's own, for a test that stops it.
///
/// # Panics
/// As [`shared`].
pub fn private() -> PostgresServer {
    let programs = programs();
    let folder = tempfile::Builder::new()
        .prefix("keyway-pg-")
        .tempdir()
        .expect("a temporary folder")
        .keep();
    if let Some(user) = unprivileged() {
        nix::unistd::chown(&folder, Some(user.uid), Some(user.gid)).expect("the folder goes to the server's user");
    }
    let data = folder.join("data");
    let mut initdb = as_unprivileged(&programs.join("initdb"));
    initdb
        .arg("-D")
        .arg(&data)
        .args(["-U", "keyway", "-E", "UTF8", "--locale=C.UTF-8"]);
    run(initdb.args(["--auth=trust", "--no-sync"]).current_dir(&folder));
    let settings = format!("{SETTINGS}unix_socket_directories = '{}'\n", folder.display());
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))
        .expect("initdb's settings");
    file.write_all(settings.as_bytes()).expect("room for the settings");
    let server = PostgresServer {
        folder,
        programs,
        watchdog: Mutex::default(),
        databases: AtomicU32::new(0),
    };
    server.start();
    server
}

impl PostgresServer {
    /// A fresh database. It sorts by the rules of English where the server can, so that a store that leans on a database's own
    /// order is found out.
    ///
    /// # Panics
    /// If the server does not answer.
    pub fn database(&self) -> PostgresDatabase {
        let name = format!("test{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let with_icu = format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'");
        let succeeded = self
            .psql(&with_icu)
            .output()
            .is_ok_and(|output| output.status.success());
        if !succeeded {
            run(&mut self.psql(&format!("CREATE DATABASE {name}")));
        }
        let host = self.folder.to_str().expect("a UTF-8 path").replace('/', "%2F");
        PostgresDatabase {
            url: format!("postgres://keyway@{host}/{name}"),
        }
    }

    /// Stops the server at once, as a crash would.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(&self) {
        let watchdog = self.watchdog.lock().expect("no panic while locked").take();
        let mut watchdog = watchdog.expect("the server runs");
        watchdog
            .stdin
            .take()
            .expect("a pipe")
            .write_all(b"stop\n")
            .expect("the watchdog listens");
        watchdog.wait().expect("the server ends");
    }

    /// Starts the server again, with its data.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&self) {
        let mut watchdog = as_unprivileged(Path::new("/bin/sh"));
        watchdog.arg("-c").arg(WATCHDOG).arg(&self.programs).arg(&self.folder);
        watchdog
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A crash leaves the file behind, and what it says is about the server before.
        let state = self.folder.join("data/postmaster.pid");
        let _ = std::fs::remove_file(&state);
        let mut child = watchdog.spawn().expect("a shell");
        let until = Instant::now() + Duration::from_mins(1);
        while !std::fs::read_to_string(&state).is_ok_and(|text| text.lines().any(|line| line.trim() == "ready")) {
            let ended = child.try_wait().expect("a child").is_some();
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(!ended && Instant::now() < until, "PostgreSQL does not start: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        *self.watchdog.lock().expect("no panic while locked") = Some(child);
    }

    fn psql(&self, statement: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.arg("-X")
            .arg("-q")
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "keyway", "-d", "postgres", "-c", statement]);
        psql
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let watchdog = self.watchdog.get_mut().ok().and_then(Option::take);
        if let Some(mut watchdog) = watchdog {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// The folder of the newest server programs.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| is_program(&programs.join("initdb")))
        .collect();
    found.sort();
    let elsewhere = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| is_program(&folder.join("initdb")))
    };
    found
        .pop()
        .map(|(_, programs)| programs)
        .or_else(elsewhere)
        .expect(NOT_INSTALLED)
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whom to run the server as, if this is root: PostgreSQL refuses to be root.
pub(crate) fn unprivileged() -> Option<User> {
    let known = |name| User::from_name(name).ok().flatten();
    Uid::effective().is_root().then(|| {
        known("postgres")
            .or_else(|| known("nobody"))
            .expect("a user without rights")
    })
}

pub(crate) fn as_unprivileged(program: &Path) -> Command {
    let Some(user) = unprivileged() else {
        return Command::new(program);
    };
    let mut command = Command::new("runuser");
    command.args(["-u", &user.name, "--"]).arg(program);
    command
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}
