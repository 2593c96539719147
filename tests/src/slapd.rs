//! A private OpenLDAP: Debian's package in a folder of its own, on free ports of the loopback, as an unprivileged user. It ends with the test's
//! process however that ends, and takes its folder along.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod certificate;

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::postgres::{as_unprivileged, unprivileged};
use certificate::Certificates;
pub use certificate::{Flaw, Identity};

/// Debian's server.
const PROGRAM: &str = "/usr/sbin/slapd";
/// Its schemas.
const SCHEMAS: &str = "/etc/ldap/schema";
/// Its modules.
const MODULES: &str = "/usr/lib/ldap";
/// What to do where there is none.
const NOT_INSTALLED: &str = "OpenLDAP's server is missing: apt-get install slapd ldap-utils";

/// The tree's root.
pub const SUFFIX: &str = "dc=example,dc=org";
/// Whom a backend searches as.
pub const SERVICE_DN: &str = "cn=svc,dc=example,dc=org";
/// Its password, in which there is no password of a user: a connection that has carried one is not kept.
pub const SERVICE_PASSWORD: &str = "0f-the-service";
/// Where the users are.
pub const PEOPLE: &str = "ou=people,dc=example,dc=org";
/// Where their groups are.
pub const GROUPS: &str = "ou=groups,dc=example,dc=org";

/// The tree of every instance.
const ENTRIES: &str = include_str!("slapd/entries.ldif");
/// Who may change everything.
const ROOT_DN: &str = "cn=root,dc=example,dc=org";
const ROOT_PASSWORD: &str = "r00t-s3cre7";

/// Runs the server, and ends it when its own standard input says so. A line means: stop, the tree is still wanted. The end of the input means that
/// the test is over, killed or not, and then the folder goes too.
const WATCHDOG: &str = r#"
trap '' INT
exec 3<&0
"$0/slapd" -f "$0/slapd.conf" -h "$1" -d "$2" >>"$0/log" 2>&1 </dev/null 3<&- &
server=$!
echo $server >"$0/pid"
{ read -r _ || touch "$0/over"; kill -KILL $server; } <&3 2>/dev/null &
wait $server
[ -e "$0/over" ] && cd / && rm -rf "$0"
exit 0
"#;

/// What a test wants of its directory.
#[derive(Debug, Default)]
pub struct SlapdBuilder {
    flaw: Flaw,
    demands_client_certificate: bool,
    is_silent: bool,
    entries: String,
}

/// A running directory.
pub struct Slapd {
    folder: PathBuf,
    certificates: Certificates,
    plain: u16,
    tls: u16,
    verbosity: &'static str,
    watchdog: Mutex<Option<Child>>,
}

impl SlapdBuilder {
    /// Shows a certificate with this flaw.
    #[must_use]
    pub fn certificate(mut self, flaw: Flaw) -> Self {
        self.flaw = flaw;
        self
    }

    /// Takes nobody without a certificate of its authority.
    #[must_use]
    pub fn demand_client_certificate(mut self) -> Self {
        self.demands_client_certificate = true;
        self
    }

    /// Logs nothing: for measurements. [`Slapd::connections`] counts nothing then.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    /// More entries, as LDIF, after those that every instance has.
    #[must_use]
    pub fn entries(mut self, ldif: &str) -> Self {
        self.entries.push('\n');
        self.entries.push_str(ldif);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// If OpenLDAP is not installed or does not start.
    pub fn start(self) -> Slapd {
        let certificates = Certificates::with(self.flaw);
        let folder = self.folder(&certificates);
        let mut add = as_unprivileged(&folder.join("slapd"));
        add.args(["-T", "add", "-q", "-f"]).arg(folder.join("slapd.conf"));
        add.arg("-l").arg(folder.join("entries.ldif")).current_dir(&folder);
        run(&mut add);
        let mut directory = Slapd {
            folder,
            certificates,
            plain: 0,
            tls: 0,
            verbosity: if self.is_silent { "none" } else { "stats" },
            watchdog: Mutex::default(),
        };
        // Between a port's finding and its use another program may take it.
        let listens = (0..5).any(|_| {
            [directory.plain, directory.tls] = free_ports();
            directory.listens()
        });
        assert!(listens, "slapd does not start: {}", directory.log());
        directory
    }

    /// Everything that the server reads, in a folder that is its user's.
    fn folder(&self, certificates: &Certificates) -> PathBuf {
        assert!(Path::new(PROGRAM).exists(), "{NOT_INSTALLED}");
        let folder = tempfile::Builder::new().prefix("keyway-ldap-").tempdir();
        let folder = folder.expect("a temporary folder").keep();
        fs::create_dir(folder.join("tree")).expect("a folder");
        // A copy: where AppArmor confines Debian's own, it may read and write its own folders alone. Made by another process, because a program
        // cannot be run while any process has it open for writing, as the children do that other threads start meanwhile.
        run(Command::new("cp").arg(PROGRAM).arg(folder.join("slapd")));
        let demand = if self.demands_client_certificate {
            "demand"
        } else {
            "never"
        };
        let files = [
            ("ca.pem", certificates.authority.clone()),
            ("server.pem", certificates.server.certificate.clone()),
            ("server.key", certificates.server.key.clone()),
            ("entries.ldif", format!("{ENTRIES}{}", self.entries)),
            ("slapd.conf", settings(&folder, demand)),
        ];
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("room for a file");
        }
        if let Some(user) = unprivileged() {
            let inside = fs::read_dir(&folder)
                .expect("a folder")
                .flatten()
                .map(|entry| entry.path());
            for path in inside.chain([folder.clone()]) {
                nix::unistd::chown(&path, Some(user.uid), Some(user.gid)).expect("it goes to the server's user");
            }
        }
        folder
    }
}

impl Slapd {
    /// One of one's own.
    pub fn builder() -> SlapdBuilder {
        SlapdBuilder::default()
    }

    /// The one that all tests of this process share, who change nothing in it.
    ///
    /// # Panics
    /// As [`SlapdBuilder::start`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Slapd> = OnceLock::new();
        SHARED.get_or_init(|| Self::builder().start())
    }

    /// Where it speaks LDAP, with `StartTLS` for who asks: `127.0.0.1:40389` for example.
    pub fn plain(&self) -> String {
        format!("127.0.0.1:{}", self.plain)
    }

    /// Where it speaks LDAP over TLS.
    pub fn tls(&self) -> String {
        format!("127.0.0.1:{}", self.tls)
    }

    /// The authority to trust, in PEM.
    pub fn authority(&self) -> &str {
        &self.certificates.authority
    }

    /// What a client shows where that is demanded.
    pub fn client(&self) -> &Identity {
        &self.certificates.client
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// How many connections it has accepted so far.
    pub fn connections(&self) -> usize {
        self.log().matches(" ACCEPT from IP=").count()
    }

    /// Changes entries as its administrator: LDIF with `changetype`.
    ///
    /// # Panics
    /// If it refuses.
    pub fn modify(&self, ldif: &str) {
        let mut modify = Command::new("ldapmodify");
        modify.args(["-x", "-D", ROOT_DN, "-w", ROOT_PASSWORD]);
        modify.arg("-H").arg(format!("ldap://{}", self.plain()));
        let mut child = modify
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect(NOT_INSTALLED);
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(ldif.as_bytes()).expect("it reads");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ldapmodify: {complaint}\n{ldif}");
    }

    /// Removes an entry.
    ///
    /// # Panics
    /// If it is not there.
    pub fn remove(&self, dn: &str) {
        self.modify(&format!("dn: {dn}\nchangetype: delete\n"));
    }

    /// Whether this password is this entry's.
    ///
    /// # Panics
    /// If `ldapwhoami` is not installed.
    pub fn takes(&self, dn: &str, password: &str) -> bool {
        let mut whoami = Command::new("ldapwhoami");
        whoami.args(["-x", "-D", dn, "-w", password]);
        whoami.arg("-H").arg(format!("ldap://{}", self.plain()));
        whoami.output().expect(NOT_INSTALLED).status.success()
    }

    /// Stops it where it stands: it accepts connections, for its kernel does, and answers nothing.
    ///
    /// # Panics
    /// If it is gone.
    pub fn freeze(&self) {
        let pid = self.pid();
        kill(pid, Signal::SIGSTOP).expect("a running server");
        let stands = || {
            let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a running server");
            threads.flatten().all(|thread| {
                let state = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                state.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
            })
        };
        // What its threads have begun they may end before the signal reaches them.
        while !stands() {
            std::thread::yield_now();
        }
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// If it is gone.
    pub fn thaw(&self) {
        kill(self.pid(), Signal::SIGCONT).expect("a running server");
    }

    fn pid(&self) -> Pid {
        let pid = fs::read_to_string(self.folder.join("pid")).expect("a running server");
        Pid::from_raw(pid.trim().parse().expect("a process id"))
    }

    /// Ends it at once, as a crash would. Nobody listens on its ports then.
    ///
    /// # Panics
    /// If it does not run.
    pub fn stop(&self) {
        let watchdog = self.watchdog.lock().expect("no panic while locked").take();
        let mut watchdog = watchdog.expect("the server runs");
        let mut stdin = watchdog.stdin.take().expect("a pipe");
        stdin.write_all(b"stop\n").expect("the watchdog listens");
        watchdog.wait().expect("the server ends");
    }

    /// Starts it again, with its tree, on the same ports.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(&self) {
        assert!(self.listens(), "slapd does not start: {}", self.log());
    }

    /// Starts the server; whether it listens on its ports.
    fn listens(&self) -> bool {
        let mut watchdog = as_unprivileged(Path::new("/bin/sh"));
        watchdog.args(["-c", WATCHDOG]).arg(&self.folder);
        watchdog.arg(format!("ldap://{}/ ldaps://{}/", self.plain(), self.tls()));
        watchdog.arg(self.verbosity).current_dir(&self.folder);
        watchdog
            // What ends a whole group of processes must leave one to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let starts = |log: &str| log.matches(" slapd starting").count();
        let before = starts(&self.log());
        let mut child = watchdog.spawn().expect("a shell");
        let until = Instant::now() + Duration::from_mins(1);
        // It says that it is starting when the ports are its own, and listens there a moment later.
        while starts(&self.log()) == before || ![self.plain, self.tls].into_iter().all(is_listened_on) {
            if child.try_wait().expect("a child").is_some() {
                return false;
            }
            assert!(Instant::now() < until, "slapd does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        *self.watchdog.lock().expect("no panic while locked") = Some(child);
        true
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let watchdog = self.watchdog.get_mut().ok().and_then(Option::take);
        if let Some(mut watchdog) = watchdog {
            drop(watchdog.stdin.take());
            let _ = watchdog.wait();
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// The server's settings: quick, because a test's tree need not survive the machine, and small.
fn settings(folder: &Path, client_certificate: &str) -> String {
    let folder = folder.display();
    format!(
        "include {SCHEMAS}/core.schema\ninclude {SCHEMAS}/cosine.schema\ninclude {SCHEMAS}/inetorgperson.schema\n\
         modulepath {MODULES}\nmoduleload back_mdb\nmoduleload memberof\nmoduleload ppolicy\n\
         threads 8\n\
         TLSCACertificateFile {folder}/ca.pem\n\
         TLSCertificateFile {folder}/server.pem\n\
         TLSCertificateKeyFile {folder}/server.key\n\
         TLSVerifyClient {client_certificate}\n\
         database mdb\nmaxsize 33554432\ndbnosync\n\
         suffix \"{SUFFIX}\"\nrootdn \"{ROOT_DN}\"\nrootpw {ROOT_PASSWORD}\n\
         directory {folder}/tree\n\
         index objectClass,uid,mail,cn,member eq\n\
         access to attrs=userPassword by self =xw by anonymous auth by * none\n\
         access to * by users read by * none\n\
         overlay memberof\n\
         overlay ppolicy\nppolicy_default \"cn=default,ou=policies,{SUFFIX}\"\nppolicy_use_lockout\n"
    )
}

/// Whether anybody listens on this port. Nobody is connected to: a directory counts its connections.
fn is_listened_on(port: u16) -> bool {
    const LISTENING: &str = "0A";
    let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel's sockets");
    let end = format!(":{port:04X}");
    sockets.lines().any(|line| {
        let mut columns = line.split_whitespace().skip(1);
        columns.next().is_some_and(|local| local.ends_with(&end)) && columns.nth(1) == Some(LISTENING)
    })
}

/// Ports that nobody listens on now.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [(); COUNT].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
}
