//! The real binary in a folder of its own.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::log::{ServerLog, text_of};
use crate::plugin::{artefact, keyway_binary};
use crate::wazo::WazoClient;

/// What a test wants of its server.
pub struct TestHostBuilder {
    config: String,
    tls: Option<String>,
    files: Vec<(String, Vec<u8>)>,
    release: bool,
    store: Option<String>,
    backends: String,
    plugins: Vec<(String, Vec<u8>)>,
    users: Vec<(String, String, Vec<String>)>,
    serve_options: Vec<String>,
    variables: Vec<(String, String)>,
}

/// A running server.
pub struct TestHost {
    folder: TempDir,
    child: Child,
    address: String,
    tls: bool,
    release: bool,
    log: ServerLog,
    serve_options: Vec<String>,
    variables: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Finished {
    /// What it printed, which must be JSON.
    ///
    /// # Panics
    /// If it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The same, if it ended well.
    ///
    /// # Panics
    /// If it did not.
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "often the status is all that matters"
    )]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }
}

impl TestHostBuilder {
    /// Serves TLS with a certificate of its own.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = Some("{ self_signed = true }".to_owned());
        self
    }

    /// Serves TLS with the certificate and the key in these files of its folder.
    #[must_use]
    pub fn tls_from(mut self, cert: &str, key: &str) -> Self {
        self.tls = Some(format!("{{ cert = \"{cert}\", key = \"{key}\" }}"));
        self
    }

    /// Becomes this user after binding (`-u`), which takes root. Everybody can look into its folder, so that this user can.
    #[must_use]
    pub fn run_as(mut self, user: &str) -> Self {
        self.serve_options = vec!["-u".to_owned(), user.to_owned()];
        self
    }

    /// An environment variable of the server and of the commands.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in its folder.
    #[must_use]
    pub fn file(mut self, name: &str, content: &[u8]) -> Self {
        self.files.push((name.to_owned(), content.to_vec()));
        self
    }

    /// The release binary, with the password parameters and the log level of a real installation: for measurements.
    #[must_use]
    pub fn release(mut self) -> Self {
        self.release = true;
        self
    }

    /// Another store than a new SQLite file.
    #[must_use]
    pub fn store(mut self, url: &str) -> Self {
        self.store = Some(url.to_owned());
        self
    }

    /// More lines of configuration, before the backends.
    #[must_use]
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// A backend, as it stands in the configuration below `[[backend]]`. [`TestHost::builder`] starts with `wazo_user`.
    #[must_use]
    pub fn backend(mut self, toml: &str) -> Self {
        self.backends.push_str("[[backend]]\n");
        self.backends.push_str(toml);
        self.backends.push('\n');
        self
    }

    /// A file in the plugins folder.
    #[must_use]
    pub fn plugin(mut self, name: &str, wasm: Vec<u8>) -> Self {
        self.plugins.push((name.to_owned(), wasm));
        self
    }

    /// A backend on the hostile guest, which misbehaves when it is asked to by the login name.
    #[must_use]
    pub fn hostile(self, limits: &str) -> Self {
        let backend = format!("name = \"hostile\"\nplugin = \"hostile\"\nlimits = {limits}");
        self.plugin("hostile", artefact("hostile")).backend(&backend)
    }

    /// A user of the directory.
    #[must_use]
    pub fn user(mut self, login: &str, password: &str) -> Self {
        self.users.push((login.to_owned(), password.to_owned(), Vec::new()));
        self
    }

    /// A user of the directory, with more options of `user add`.
    #[must_use]
    pub fn user_with(mut self, login: &str, password: &str, options: &[&str]) -> Self {
        self.users.push((
            login.to_owned(),
            password.to_owned(),
            options.iter().map(|&o| o.to_owned()).collect(),
        ));
        self
    }

    /// Makes the folder and starts the server.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(self) -> TestHost {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plugins = folder.path().join("plugins");
        std::fs::create_dir(&plugins).expect("a plugins folder");
        for (name, wasm) in &self.plugins {
            std::fs::write(plugins.join(format!("{name}.wasm")), wasm).expect("a plugin file");
        }
        for (name, content) in &self.files {
            let path = folder.path().join(name);
            let parent = path.parent().expect("it is in the folder");
            std::fs::create_dir_all(parent).expect("a folder");
            std::fs::write(path, content).expect("a file");
        }
        std::fs::write(folder.path().join("keyway.toml"), self.toml()).expect("a configuration file");
        let mut host = TestHost {
            child: idle_child(),
            address: String::new(),
            tls: self.tls.is_some(),
            release: self.release,
            log: ServerLog::default(),
            serve_options: self.serve_options.clone(),
            variables: self.variables.clone(),
            folder,
        };
        if !host.serve_options.is_empty() {
            std::fs::set_permissions(host.folder(), Permissions::from_mode(0o755)).expect("a folder of this user");
        }
        for (login, password, options) in &self.users {
            let mut arguments = vec!["user", "add", login, "--password-stdin"];
            arguments.extend(options.iter().map(String::as_str));
            host.keyway_with_input(&arguments, password).ok();
        }
        host.launch();
        host
    }

    fn toml(&self) -> String {
        let tls = self
            .tls
            .as_ref()
            .map(|tls| format!("tls = {tls}\n"))
            .unwrap_or_default();
        let url = self.store.as_deref().unwrap_or("sqlite:var/keyway.db");
        // Cheap hashes: what a hash costs is measured elsewhere, and hundreds of logins must not take minutes.
        let cost = if self.release {
            "[log]\nformat = \"json\"\n"
        } else {
            "[password]\nmemory = \"19MiB\"\niterations = 2\n[log]\nformat = \"json\"\nlevel = \"debug\"\n"
        };
        format!(
            "data_dir = \"var\"\nplugins_dir = \"plugins\"\n\
             [[listen]]\naddress = \"127.0.0.1:0\"\n{tls}\
             [store]\nurl = \"{url}\"\n\
             {cost}{}\n{}",
            self.config, self.backends
        )
    }
}

impl TestHost {
    /// A server with `wazo_user` (alias `xivo_user`) and nothing else.
    pub fn builder() -> TestHostBuilder {
        Self::bare()
            .plugin("wazo_user", artefact("wazo_user"))
            .backend("name = \"wazo_user\"\naliases = [\"xivo_user\"]\nplugin = \"wazo_user\"")
    }

    /// A server without any backend.
    pub fn bare() -> TestHostBuilder {
        // reqwest takes the process's TLS provider; whoever comes first installs it.
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        TestHostBuilder {
            config: String::new(),
            tls: None,
            files: Vec::new(),
            release: false,
            store: None,
            backends: String::new(),
            plugins: Vec::new(),
            users: Vec::new(),
            serve_options: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Where it listens, `127.0.0.1:40123` for example.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A whole URL of it.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.address)
    }

    /// A client of the wazo dialect.
    pub fn wazo(&self) -> WazoClient {
        WazoClient::new(self.url("/0.1"))
    }

    /// What it has logged.
    pub fn log(&self) -> &ServerLog {
        &self.log
    }

    /// Its folder, which holds `keyway.toml`, `plugins` and `var`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command against it.
    pub fn keyway(&self, arguments: &[&str]) -> Finished {
        self.keyway_with_input(arguments, "")
    }

    /// Runs a command against it, with this on its standard input.
    ///
    /// # Panics
    /// If it cannot be run.
    pub fn keyway_with_input(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Finished {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that does not read its input may be gone by now, which is no fault of this test.
        let _ = stdin.write_all(input.as_ref());
        drop(stdin);
        let output = child.wait_with_output().expect("the command ends");
        Finished {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts a server that is expected to refuse, and returns how it ended.
    ///
    /// # Panics
    /// If it has not ended after 30 seconds.
    pub fn refusal(&self, arguments: &[&str]) -> Finished {
        let mut child = self
            .command()
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut pipe = child.stderr.take().expect("a pipe");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let read = pipe.read_to_end(&mut text);
            let _ = sender.send(read.map(|_| String::from_utf8_lossy(&text).into_owned()));
        });
        let Ok(stderr) = receiver.recv_timeout(Duration::from_secs(30)) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the server has started: {arguments:?}");
        };
        Finished {
            status: child.wait().expect("it ends").code().unwrap_or(-1),
            stdout: String::new(),
            stderr: stderr.expect("its complaint"),
        }
    }

    /// Puts a file in the plugins folder the careful way: written under another name, then renamed.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn install(&self, name: &str, wasm: &[u8]) {
        let fresh = self.plugin_path(&format!(".{name}.new"));
        std::fs::write(&fresh, wasm).expect("a plugin file");
        std::fs::rename(fresh, self.plugin_path(&format!("{name}.wasm"))).expect("a rename");
    }

    /// A path in the plugins folder.
    pub fn plugin_path(&self, file: &str) -> PathBuf {
        self.folder.path().join("plugins").join(file)
    }

    /// The row of `plugin list` for this backend.
    ///
    /// # Panics
    /// If there is none.
    pub fn plugin_status(&self, backend: &str) -> Value {
        let list = self.keyway(&["plugin", "list", "--json"]).ok().json();
        let rows = list.as_array().expect("an array").clone();
        rows.into_iter()
            .find(|row| row["backend"] == backend)
            .unwrap_or_else(|| panic!("no `{backend}` in {list}"))
    }

    /// Waits until no plugin is being loaded: on a busy machine a server is ready before all of them are.
    ///
    /// # Panics
    /// If one is after a minute.
    pub fn wait_until_loaded(&self) {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let list = self.keyway(&["plugin", "list", "--json"]).ok().json();
            let rows = list.as_array().expect("an array");
            if rows.iter().all(|row| row["reason"] != "it is being loaded") {
                return;
            }
            assert!(Instant::now() < until, "{list}");
        }
    }

    /// Kills it without warning, as the kernel or a power cut would.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).expect("a process id")),
            signal,
        )
        .expect("it is alive");
    }

    /// Waits for its end and returns its exit status, `None` if a signal ended it.
    ///
    /// # Panics
    /// If it is no child of this process.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }

    /// Starts it again, on another port.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn launch(&mut self) {
        let mark = self.log.mark();
        let mut child = self
            .command()
            .arg("serve")
            .args(&self.serve_options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        self.log.follow(child.stderr.take().expect("a pipe"));
        self.child = child;
        self.address = self.log.wait_for(mark, "`listening`", |line| {
            (text_of(line, "message")? == "listening").then(|| text_of(line, "address").map(str::to_owned))?
        });
        self.log.wait_for_message(mark, "ready");
    }

    fn command(&self) -> Command {
        let mut command = Command::new(keyway_binary(self.release));
        command.arg("-c").arg(self.folder.path().join("keyway.toml"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for TestHost {
    #[expect(
        clippy::print_stderr,
        reason = "a test that fails shows it, another's output nobody sees"
    )]
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log.text());
        }
    }
}

/// Stands in for the server until it is launched.
fn idle_child() -> Child {
    Command::new("true").spawn().expect("`true` runs")
}
