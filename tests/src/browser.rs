//! A real browser that shows a page of ours: Chromium, without a window. The page comes from an origin of its own, and tells the test what it saw.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// What to do where there is none.
const NOT_INSTALLED: &str = "Chromium or jQuery is missing: make chromium";

const CHROMIUM: &str = "/usr/bin/chromium";
const JQUERY: &str = "/usr/share/javascript/jquery/jquery.min.js";

/// How long a page may take. A busy machine starts a browser slowly.
const PATIENCE: Duration = Duration::from_mins(2);

/// An origin on a free port of the loopback, for as long as the process lives. It serves a page with jQuery (`/jquery.js`), the page's script (`/page.js`) and
/// what the script finds as `setup` (`/setup.js`); what the script sends to `/told` gets to the test.
pub struct PageServer {
    url: String,
    files: Arc<Files>,
    told: Receiver<Value>,
}

struct Files {
    html: &'static str,
    script: &'static str,
    jquery: Vec<u8>,
    setup: Mutex<String>,
}

/// A browser, until the end of this value.
struct Browser {
    child: Child,
    profile: TempDir,
}

impl PageServer {
    /// Starts one.
    ///
    /// # Panics
    /// If there is no port, or no jQuery.
    pub fn start(html: &'static str, script: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let files = Arc::new(Files {
            html,
            script,
            jquery: std::fs::read(JQUERY).expect(NOT_INSTALLED),
            setup: Mutex::default(),
        });
        let (sender, told) = channel();
        let served = Arc::clone(&files);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, sender) = (Arc::clone(&served), sender.clone());
                // A browser opens connections that it may not use.
                std::thread::spawn(move || drop(serve(stream, &files, &sender)));
            }
        });
        Self {
            url: format!("http://{address}/"),
            files,
            told,
        }
    }

    /// The page's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Shows the page in a new browser under this address, which must be one of this origin, and returns what the script tells.
    ///
    /// # Panics
    /// If there is no browser, or if it tells nothing within two minutes.
    pub fn show(&self, url: &str, setup: &Value) -> Value {
        assert!(url.starts_with(&self.url), "{url} is no page of {}", self.url);
        *self.files.setup.lock().expect("no panic while locked") = format!("const setup = {setup};");
        let mut browser = Browser::start(url);
        let told = self.told.recv_timeout(PATIENCE);
        let log = browser.end();
        told.unwrap_or_else(|_| panic!("the page tells nothing: {log}"))
    }
}

impl Browser {
    fn start(url: &str) -> Self {
        assert!(Path::new(CHROMIUM).exists(), "{NOT_INSTALLED}");
        let profile = tempfile::tempdir().expect("a temporary folder");
        let log = std::fs::File::create(profile.path().join("log")).expect("a log");
        let child = Command::new(CHROMIUM)
            // It shows nothing but our own page; its sandbox needs more than a container gives.
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--no-first-run",
                "--disable-extensions",
                "--disable-background-networking",
            ])
            .args(["--disable-component-update", "--disable-sync", "--no-proxy-server"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg(url)
            .env("HOME", profile.path())
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("a browser");
        Self { child, profile }
    }

    /// Ends it, and returns what it complained of. Asked to, it waits for its other processes, which write to its folder until then.
    fn end(&mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        let until = Instant::now() + Duration::from_secs(10);
        if matches!(self.child.try_wait(), Ok(None)) && kill(pid, Signal::SIGTERM).is_ok() {
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::fs::read_to_string(self.profile.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.end();
    }
}

/// Answers one request. A browser that breaks off is no fault of the server's.
fn serve(stream: TcpStream, files: &Files, told: &Sender<Value>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap_or(0),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let setup = || files.setup.lock().expect("no panic while locked").clone().into_bytes();
    let (status, kind, content) = match target.split('?').next().unwrap_or_default() {
        "/" => ("200 OK", "text/html", files.html.as_bytes().to_vec()),
        "/page.js" => ("200 OK", "text/javascript", files.script.as_bytes().to_vec()),
        "/jquery.js" => ("200 OK", "text/javascript", files.jquery.clone()),
        "/setup.js" => ("200 OK", "text/javascript", setup()),
        "/told" => ("200 OK", "text/plain", Vec::new()),
        _ => ("404 Not Found", "text/plain", Vec::new()),
    };
    let mut stream = stream;
    let size = content.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&content)?;
    if target == "/told" {
        // Nobody may wait any longer.
        let _ = told.send(serde_json::from_slice(&body).unwrap_or_default());
    }
    Ok(())
}
