//! A database that the real privacyIDEA has written, with a little of everything in it: the program runs from a Python environment of its own, on a free
//! port of the loopback, and is told what to write through its own API. `make privacyidea` makes the environment.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::mariadb::MariaDatabase;
use crate::plugin::target;
use crate::postgres::PostgresDatabase;
use crate::privacyidea::{PrivacyideaClient, hotp, totp};

/// What to do where there is none.
const NOT_INSTALLED: &str = "privacyIDEA is missing: make privacyidea";

/// The administrator.
const ADMIN: &str = "admin";
const ADMIN_PASSWORD: &str = "4dmin-pw";

/// A user of `passwd1` with the uid 1000, whose password is `cornelius-pw`, and who has the token `HOTP1`.
pub const CORNELIUS: &str = "cornelius";
/// Another with the uid 1001, whose password is `hans-pw`, and who has the token `TOTP1`.
pub const HANS: &str = "hans";
/// The PIN of `HOTP1`.
pub const PIN: &str = "p1n";
/// The PIN of `HOTP2`, which is nobody's, and which was kept encrypted.
pub const ENCRYPTED_PIN: &str = "pin-ä7";

/// The file of `passwd1`, with what crypt(3) makes of the passwords.
pub const PASSWD: &str = "\
cornelius:$6$saltsaltsalt$74t5zxJq6d8yuE65VikRbcAIP6ngjSIPyAedfv4pQujR.VpC4MauZxTdfyqMKWF6a1rtMZ3CuHQiuRvVZSH4F0:1000:1000:\
Cornelius K,room,1,2,c@example.org:/home/c:/bin/sh
hans:$6$pepperpepper$zcZAL6HoTNl3tte7Z0pf9rgFl9HznPuKHg./oGEl2WkAOHD4e/CRqQu8qhvyNp0pDN.LTy1/GAPOamSnyRDqo/:1001:1001:\
Hans M,,,,:/home/h:/bin/sh
";

/// The users that the resolver `hr` finds.
const HR: &str = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute('CREATE TABLE users (id INTEGER PRIMARY KEY, login TEXT, pw TEXT, sn TEXT, active INTEGER)')
database.execute('INSERT INTO users VALUES (7, ?, ?, ?, 1), (8, ?, ?, ?, 0)', sys.argv[2:])
database.commit()
";

/// What `pi-manage` does when it is called three times, without loading the program three times.
const START: &str = "
import sys
from privacyidea.cli.pimanage import cli
cli(['setup', 'create_tables'], standalone_mode=False)
cli(['admin', 'add', sys.argv[2], '-p', sys.argv[3]], standalone_mode=False)
cli(['run', '-p', sys.argv[1]])
";

/// Runs the program until the end of the standard input says that the test is over, killed or not.
const WATCHDOG: &str = r#"
trap '' INT
folder=$1
shift
"$0" "$folder/start.py" "$@" >"$folder/server.log" 2>&1 </dev/null &
server=$!
read -r _
kill -KILL $server
"#;

/// What the program wrote, and what only it was told.
pub struct WrittenDatabase {
    folder: TempDir,
    url: String,
    /// The seed of `HOTP1`. Its one-time password of counter 0 has been used.
    pub hotp_seed: Vec<u8>,
    /// The seed of `TOTP1`.
    pub totp_seed: Vec<u8>,
    /// The one-time password of `TOTP1` that has been used.
    pub totp_used: String,
    /// The seed of `HOTP2`.
    pub encrypted_pin_seed: Vec<u8>,
    /// The seed of `OFF`, which is switched off and has no PIN.
    pub off_seed: Vec<u8>,
}

impl WrittenDatabase {
    /// As the program's own configuration names it.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The file of keys.
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("enckey")
    }

    /// The file that the resolver `passwd1` reads.
    pub fn passwd_file(&self) -> PathBuf {
        self.folder.path().join("passwd")
    }

    /// The database that the resolver `hr` asks.
    pub fn hr_database(&self) -> PathBuf {
        self.folder.path().join("hr.sqlite")
    }
}

/// The one in SQLite that all tests of this process share. Nobody writes to it.
///
/// # Panics
/// If the program is not installed or does not do what it is told.
pub async fn shared() -> &'static WrittenDatabase {
    static SHARED: OnceCell<WrittenDatabase> = OnceCell::const_new();
    SHARED.get_or_init(in_sqlite).await
}

async fn in_sqlite() -> WrittenDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:///{}", folder.path().join("pi.sqlite").display());
    write(folder, url).await
}

/// The same in PostgreSQL.
///
/// # Panics
/// As [`shared`].
pub async fn in_postgres(database: &PostgresDatabase) -> WrittenDatabase {
    let url = database.url().replace("%2F", "/");
    let (_, rest) = url.split_once('@').expect("a user");
    let (host, name) = rest.rsplit_once('/').expect("a name");
    let url = format!("postgresql+psycopg2://keyway@/{name}?host={host}");
    write(tempfile::tempdir().expect("a temporary folder"), url).await
}

/// The same in `MariaDB`.
///
/// # Panics
/// As [`shared`].
pub async fn in_mariadb(database: &MariaDatabase) -> WrittenDatabase {
    let url = database.url().replace("%2F", "/");
    let (_, rest) = url.split_once('@').expect("a user");
    let (socket, name) = rest.rsplit_once('/').expect("a name");
    let url = format!("mysql+pymysql://keyway:s3cre7@localhost/{name}?unix_socket={socket}");
    write(tempfile::tempdir().expect("a temporary folder"), url).await
}

/// A running program.
struct Program {
    folder: TempDir,
    url: String,
    watchdog: Child,
    client: PrivacyideaClient,
    token: String,
}

fn program(name: &str) -> PathBuf {
    let path = target().join("privacyidea/bin").join(name);
    assert!(path.exists(), "{NOT_INSTALLED}");
    path
}

async fn write(folder: TempDir, url: String) -> WrittenDatabase {
    Program::start(folder, url).await.fill().await
}

impl Program {
    async fn start(folder: TempDir, url: String) -> Self {
        prepare(folder.path(), &url);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", WATCHDOG])
            .arg(program("python3"))
            .arg(folder.path())
            .args([&*port.to_string(), ADMIN, ADMIN_PASSWORD])
            .env("PRIVACYIDEA_CONFIGFILE", folder.path().join("pi.cfg"))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let watchdog = shell.spawn().expect("a shell");
        // Whoever installed one before has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = PrivacyideaClient::new(format!("http://127.0.0.1:{port}"));
        let until = Instant::now() + Duration::from_mins(2);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap_or_default();
            assert!(Instant::now() < until, "privacyIDEA does not start: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let token = client.token(ADMIN, ADMIN_PASSWORD).await;
        Self {
            folder,
            url,
            watchdog,
            client,
            token,
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.client.post_json_as(&self.token, path, &body).await;
        assert_eq!(answer.body["result"]["status"], true, "{path}: {answer:?}");
        answer.body
    }

    /// Makes a token, and returns its seed.
    async fn init(&self, body: Value) -> Vec<u8> {
        let made = self.post("/token/init", body).await;
        let seed = made["detail"]["otpkey"]["value"].as_str().unwrap_or_default();
        let seed = seed.strip_prefix("seed://").unwrap_or_default().as_bytes();
        let digits = |pair: &[u8]| std::str::from_utf8(pair).map(|pair| u8::from_str_radix(pair, 16));
        let bytes = seed
            .chunks(2)
            .map(|pair| digits(pair).expect("ASCII").expect("hexadecimal"));
        bytes.collect()
    }

    async fn use_up(&self, serial: &str, pass: &str) {
        let checked = self
            .post("/validate/check", json!({"serial": serial, "pass": pass}))
            .await;
        assert_eq!(checked["result"]["value"], true, "{checked}");
    }

    async fn fill(self) -> WrittenDatabase {
        self.resolvers().await;
        let owned = |kind: &str, serial: &str, user: &str, pin: &str| json!({"type": kind, "serial": serial, "user": user, "realm": "realm1", "pin": pin, "genkey": 1});
        let free = |serial: &str, pin: &str| json!({"type": "hotp", "serial": serial, "pin": pin, "genkey": 1});
        let mut first = owned("hotp", "HOTP1", CORNELIUS, PIN);
        first["description"] = json!("the first");
        let hotp_seed = self.init(first).await;
        let totp_seed = self.init(owned("totp", "TOTP1", HANS, "")).await;
        let mut other = owned("totp", "TOTP2", "7", "");
        other["user"] = json!("dana");
        other["realm"] = json!("mixed");
        (other["hashlib"], other["otplen"], other["timeStep"]) = (json!("sha256"), json!(8), json!(60));
        self.init(other).await;
        self.init(owned("spass", "SPASS1", HANS, "x")).await;
        let mut text = owned("sms", "SMS1", HANS, "x");
        text["phone"] = json!("+49 151 1");
        self.init(text).await;
        let off_seed = self.init(free("OFF", "")).await;
        self.init(free("REVOKED", "")).await;
        self.post("/token/disable", json!({"serial": "OFF"})).await;
        self.post("/token/revoke", json!({"serial": "REVOKED"})).await;
        self.use_up("HOTP1", &format!("{PIN}{}", hotp(&hotp_seed, 0))).await;
        let totp_used = totp(&totp_seed, 0);
        self.use_up("TOTP1", &totp_used).await;
        let wrong = json!({"serial": "HOTP1", "pass": format!("{PIN}000000")});
        self.post("/validate/check", wrong).await;
        let encrypts = json!({"scope": "enrollment", "action": "encrypt_pin", "active": true});
        self.post("/policy/encrypts", encrypts).await;
        let encrypted_pin_seed = self.init(free("HOTP2", ENCRYPTED_PIN)).await;
        self.client
            .request(Method::DELETE, "/policy/encrypts")
            .header("PI-Authorization", &self.token)
            .send()
            .await
            .expect("an answer");
        self.policies().await;
        let mut watchdog = self.watchdog;
        drop(watchdog.stdin.take());
        watchdog.wait().expect("an end");
        WrittenDatabase {
            folder: self.folder,
            url: self.url,
            hotp_seed,
            totp_seed,
            totp_used,
            encrypted_pin_seed,
            off_seed,
        }
    }

    async fn resolvers(&self) {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        self.post(
            "/resolver/passwd1",
            json!({"type": "passwdresolver", "fileName": path("passwd")}),
        )
        .await;
        let map = r#"{"userid": "id", "username": "login", "password": "pw", "surname": "sn"}"#;
        let hr = json!({
            "type": "sqlresolver", "Driver": "sqlite", "Server": "/", "Database": path("hr.sqlite"), "Table": "users", "Limit": "50",
            "Map": map, "Where": "active == 1", "User": "", "Password": "", "Port": "", "Editable": "0",
        });
        self.post("/resolver/hr", hr).await;
        let ldap = json!({
            "type": "ldapresolver", "LDAPURI": "ldaps://ldap.example.org, ldap://other.example.org:1389",
            "LDAPBASE": "ou=people,dc=example,dc=org", "BINDDN": "cn=svc,dc=example,dc=org", "BINDPW": "l-s3cre7", "AUTHTYPE": "Simple",
            "LOGINNAMEATTRIBUTE": "uid, mail", "LDAPSEARCHFILTER": "(uid=*)(objectClass=inetOrgPerson)",
            "USERINFO": r#"{"username": "uid", "phone": "telephoneNumber"}"#, "UIDTYPE": "entryUUID", "START_TLS": "0", "TLS_VERIFY": "1",
        });
        self.post("/resolver/ldap1", ldap).await;
        self.post("/realm/realm1", json!({"resolvers": "passwd1", "priority.passwd1": 3}))
            .await;
        self.post("/realm/mixed", json!({"resolvers": "passwd1,hr", "priority.hr": 2}))
            .await;
        self.post("/realm/corp", json!({"resolvers": "ldap1"})).await;
        self.post("/defaultrealm/realm1", json!({})).await;
    }

    async fn policies(&self) {
        let session = json!({
            "scope": "webui", "action": "jwt_validity=600, logout_time=100", "realm": "realm1", "client": "10.0.0.0/8, -10.0.0.1",
            "time": "Mon-Fri: 8-17", "priority": 2, "active": true,
            "conditions": [["userinfo", "email", "equals", "a@b.c", true]],
        });
        self.post("/policy/session", session).await;
        let asks = json!({"scope": "authentication", "action": "challenge_response=hotp totp", "active": false, "user": "hans"});
        self.post("/policy/asks", asks).await;
        // Nothing here lets people register.
        let joins = json!({"scope": "register", "action": "realm=realm1", "active": true});
        self.post("/policy/joins", joins).await;
    }
}

/// The program's configuration, and the files that it stands on.
fn prepare(folder: &Path, url: &str) {
    let config = format!(
        "SQLALCHEMY_DATABASE_URI = '{url}'\nSECRET_KEY = 'a secret of thirty-two characters'\nPI_PEPPER = 'pepper'\n\
         PI_ENCFILE = '{0}/enckey'\nPI_AUDIT_NO_SIGN = True\nPI_NO_RESPONSE_SIGN = True\nPI_LOGFILE = '{0}/pi.log'\n",
        folder.display()
    );
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a file");
    write("pi.cfg", config.as_bytes());
    write("start.py", START.as_bytes());
    write("enckey", &(0..96).map(|byte| byte ^ 0x5a).collect::<Vec<u8>>());
    write("passwd", PASSWD.as_bytes());
    let hash = PASSWD.split(':').nth(1).expect("a hash");
    let mut fill = Command::new(program("python3"));
    fill.args(["-c", HR])
        .arg(folder.join("hr.sqlite"))
        .args(["dana", hash, "Dana", "gone", hash, "Gone"]);
    run(&mut fill);
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
