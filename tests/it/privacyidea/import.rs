//! Bringing in a database that the real privacyIDEA has written.

use keyway_tests::postgres::{PostgresDatabase, shared as postgres};
use keyway_tests::privacyidea::{PrivacyideaClient, hotp, totp};
use keyway_tests::privacyidea_database::{CORNELIUS, ENCRYPTED_PIN, HANS, PIN, WrittenDatabase, shared};
use keyway_tests::wazo::Answer;
use keyway_tests::{Finished, TestHost, artefact};
use serde_json::{Value, json};

use super::house::client;

const REALMS: &str = "name = \"realms\"\nplugin = \"realm\"\n";
const DIALECT: &str = "[dialect.privacyidea]\nbackend = \"realms\"";
const ADMIN_PASSWORD: &str = "s3cre7";

/// A server that is down, over a database of its own, and what privacyIDEA has written.
struct Move {
    host: TestHost,
    store: PostgresDatabase,
    written: &'static WrittenDatabase,
}

impl Move {
    /// Nothing is granted to the realm backend yet.
    async fn new() -> Self {
        let (store, written) = (postgres().database(), shared().await);
        let mut host = TestHost::builder()
            .store(&store.url())
            .config(DIALECT)
            .plugin("realm", artefact("realm"))
            .plugin("ldap", artefact("ldap"))
            .file("ldap1.pass", b"l-s3cre7\n")
            .backend(REALMS)
            .user_with("admin", ADMIN_PASSWORD, &["--admin"])
            .start();
        host.kill();
        Self { host, store, written }
    }

    fn try_import(&self, options: &[&str]) -> Finished {
        let (url, keys) = (self.written.url(), self.written.key_file());
        let keys = keys.to_str().expect("a path");
        let arguments = ["import", "privacyidea", "--url", &url, "--enckey", keys];
        self.host.keyway(&[&arguments, options].concat())
    }

    fn import(&self, options: &[&str]) -> String {
        self.try_import(options).ok().stdout
    }

    fn report(&self, options: &[&str]) -> Value {
        self.try_import(&[options, &["--json"]].concat()).ok().json()
    }

    /// Writes what a dry run says that the configuration lacks, just as it says it.
    fn grant_what_is_wanted(&self) {
        let said = self.import(&["--dry-run"]);
        let begin = said.find("# in the [[backend]] `realms`").expect("what is lacking");
        let end = said.trim_end().rfind('\n').expect("a last line");
        let path = self.host.folder().join("keyway.toml");
        let config = std::fs::read_to_string(&path).expect("the configuration");
        std::fs::write(&path, config + &said[begin..end]).expect("the configuration is written");
        self.host.keyway(&["config", "check"]).ok();
    }

    fn refuse(&self, url: &str, keys: &str, options: &[&str], (status, said): (i32, &str)) {
        let arguments = ["import", "privacyidea", "--url", url, "--enckey", keys];
        let refused = self.host.keyway(&[&arguments, options].concat());
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.stderr.contains(said), "{said}: {refused:?}");
        let shows_nothing = !refused.stderr.contains("hidden7") && refused.stdout.is_empty();
        assert!(shows_nothing, "{refused:?}");
    }

    fn serve(&mut self) -> PrivacyideaClient {
        self.host.launch();
        client(&self.host)
    }
}

fn tally(report: &Value, kind: &str) -> [u64; 3] {
    let tallies = report["tallies"].as_array().expect("a list");
    let found = tallies.iter().find(|tally| tally["kind"] == kind).expect("a kind");
    ["added", "present", "skipped"].map(|key| found[key].as_u64().expect("a number"))
}

/// `KIND ID: REASON` of all that was left out, in order.
fn skipped(report: &Value) -> Vec<String> {
    let text = |row: &Value, key: &str| row[key].as_str().expect("a text").to_owned();
    let rows = report["skipped"].as_array().expect("a list").iter();
    let mut said: Vec<_> = rows
        .map(|row| format!("{} {}: {}", text(row, "kind"), text(row, "id"), text(row, "reason")))
        .collect();
    said.sort();
    said
}

fn value(answer: &Answer) -> &Value {
    &answer.body["result"]["value"]
}

#[tokio::test]
async fn a_dry_run_says_what_an_import_does_and_writes_nothing() {
    let it = Move::new().await;
    it.grant_what_is_wanted();
    let before = it.store.content();
    let dry = it.report(&["--dry-run"]);
    let text = it.import(&["--dry-run"]);
    assert_eq!(it.store.content(), before);
    assert!(text.trim_end().ends_with("a dry run: nothing was changed"), "{text}");

    let real = it.report(&[]);
    assert_ne!(it.store.content(), before);
    assert_eq!((&dry["tallies"], skipped(&dry)), (&real["tallies"], skipped(&real)));
    assert_eq!((&dry["dry_run"], &real["dry_run"]), (&json!(true), &json!(false)));
    for (kind, numbers) in [
        ("resolver", [2, 1, 0]),
        ("realm", [3, 0, 0]),
        ("setting", [1, 0, 0]),
        ("policy", [2, 0, 1]),
        ("factor", [6, 0, 2]),
        ("factor_owner", [3, 0, 0]),
    ] {
        assert_eq!(tally(&real, kind), numbers, "{kind}: {real}");
    }
    let left_out = skipped(&real);
    assert_eq!(
        left_out[..2],
        [
            "factor SMS1: tokens of the type `sms` are not brought in",
            "factor SPASS1: tokens of the type `spass` are not brought in",
        ]
    );
    assert!(left_out[2].starts_with("policy joins: "), "{left_out:?}");
    assert_eq!(real["notes"], json!([]), "all login names are known");
    let shown = real.to_string();
    assert!(!shown.contains("l-s3cre7") && !shown.contains("$6$"), "{shown}");
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_the_first_goes_as_far_as_the_configuration_does() {
    let it = Move::new().await;
    let first = it.report(&[]);
    assert_eq!(tally(&first, "resolver"), [0, 0, 3]);
    assert_eq!(tally(&first, "realm"), [0, 0, 3]);
    assert_eq!(
        (tally(&first, "factor"), tally(&first, "factor_owner")),
        ([6, 0, 2], [0, 0, 3])
    );
    let same = it.import(&[]);
    assert!(same.contains("nothing was added"), "{same}");

    it.grant_what_is_wanted();
    let second = it.report(&[]);
    assert_eq!(tally(&second, "resolver"), [2, 1, 0]);
    assert_eq!(
        (tally(&second, "factor"), tally(&second, "factor_owner")),
        ([0, 6, 2], [3, 0, 0])
    );
    let before = it.store.content();
    let third = it.import(&[]);
    let end = "nothing to do: all that can be brought in is here";
    assert!(third.trim_end().ends_with(end), "{third}");
    assert_eq!(it.store.content(), before);
}

#[tokio::test]
async fn imported_tokens_go_on_where_they_were() {
    let mut it = Move::new().await;
    it.grant_what_is_wanted();
    it.import(&[]);
    let pi = it.serve();
    let otp = |counter| format!("{PIN}{}", hotp(&it.written.hotp_seed, counter));
    for (pass, accepted) in [
        (otp(0), false),
        (format!("wrong{}", hotp(&it.written.hotp_seed, 1)), false),
        (otp(1), true),
        (otp(1), false),
        (otp(2), true),
    ] {
        let answer = pi.validate(CORNELIUS, &pass).await;
        assert_eq!(value(&answer), &json!(accepted), "{pass}: {answer:?}");
    }
    let used = pi.validate(HANS, &it.written.totp_used).await;
    assert_eq!(value(&used), &json!(false), "{used:?}");

    // The step after the one that is now, whatever the used one was.
    let password = |otp: &str| format!("hans-pw{otp}");
    let next = totp(&it.written.totp_seed, 1);
    let login = |pass: String| {
        let pi = pi.clone();
        async move { pi.auth(&[("username", HANS), ("password", &pass)]).await }
    };
    assert_eq!(login(password(&it.written.totp_used)).await.status, 401);
    let good = login(password(&next)).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert_eq!(value(&good)["realm"], "realm1");
    assert_eq!(login(password(&next)).await.status, 401, "it is good once");
    assert_eq!(login(format!("wrong{next}")).await.status, 401);

    let by_serial = |serial: &'static str, pass: String| {
        let pi = pi.clone();
        async move { pi.post("/validate/check", &[("serial", serial), ("pass", &pass)]).await }
    };
    let encrypted = format!("{ENCRYPTED_PIN}{}", hotp(&it.written.encrypted_pin_seed, 0));
    let answer = by_serial("HOTP2", encrypted).await;
    assert_eq!(value(&answer), &json!(true), "{answer:?}");
    let answer = by_serial("OFF", hotp(&it.written.off_seed, 0)).await;
    assert_eq!(value(&answer), &json!(false), "{answer:?}");
    let admin = pi.token("admin", ADMIN_PASSWORD).await;
    pi.post_as(&admin, "/token/enable", &[("serial", "OFF")]).await;
    let answer = by_serial("OFF", hotp(&it.written.off_seed, 0)).await;
    assert_eq!(value(&answer), &json!(true), "{answer:?}");
}

#[tokio::test]
async fn imported_realms_and_policies_are_served() {
    let mut it = Move::new().await;
    it.grant_what_is_wanted();
    it.import(&[]);
    let pi = it.serve();
    let admin = pi.token("admin", ADMIN_PASSWORD).await;
    let realms = pi.get_as(&admin, "/realm/").await;
    let realms = value(&realms);
    assert_eq!(
        (
            &realms["realm1"]["default"],
            &realms["realm1"]["resolver"][0]["name"],
            &realms["realm1"]["resolver"][0]["priority"]
        ),
        (&json!(true), &json!("passwd1"), &json!(3)),
        "{realms}"
    );
    assert!(realms["mixed"].is_object() && realms["corp"].is_object(), "{realms}");

    let policies = pi.get_as(&admin, "/policy/session").await;
    let session = &value(&policies)[0];
    assert_eq!(
        (
            &session["action"]["jwt_validity"],
            &session["realm"],
            &session["time"],
            &session["priority"]
        ),
        (&json!("600"), &json!(["realm1"]), &json!("Mon-Fri: 8-17"), &json!(2)),
        "{session}"
    );
    let asks = pi.get_as(&admin, "/policy/asks").await;
    assert_eq!(value(&asks)[0]["active"], json!(false), "{asks:?}");
}

#[tokio::test]
async fn imported_owners_are_asked_for_their_tokens_after_the_password_that_their_resolver_has() {
    let mut it = Move::new().await;
    it.grant_what_is_wanted();
    it.import(&[]);
    let pi = it.serve();
    let admin = pi.token("admin", ADMIN_PASSWORD).await;
    // Of the database, where everybody has this password.
    let login = |username: &'static str, password: &'static str| {
        let pi = pi.clone();
        async move { pi.auth(&[("username", username), ("password", password)]).await }
    };
    let asked = login("dana@mixed", "cornelius-pw").await;
    assert_eq!(asked.body["result"]["authentication"], "CHALLENGE", "{asked:?}");
    assert_eq!(login("dana@mixed", "wrong").await.status, 401);
    assert_eq!(
        login("gone@mixed", "cornelius-pw").await.status,
        401,
        "the condition holds on"
    );

    let tokens = pi.get_as(&admin, "/token/").await;
    let tokens = value(&tokens)["tokens"].as_array().expect("a list");
    let token = |serial: &str| tokens.iter().find(|token| token["serial"] == serial).expect("a token");
    let first = token("HOTP1");
    assert_eq!(
        (
            &first["username"],
            &first["description"],
            &first["failcount"],
            &first["count"]
        ),
        (&json!(CORNELIUS), &json!("the first"), &json!(1), &json!(1)),
        "{first}"
    );
    let other = token("TOTP2");
    assert_eq!(
        (&other["username"], &other["realms"], &other["otplen"]),
        (&json!("dana"), &json!(["mixed"]), &json!(8)),
        "{other}"
    );
    assert_eq!(
        [&token("OFF")["active"], &token("REVOKED")["revoked"]],
        [&json!(false), &json!(true)]
    );
}

#[tokio::test]
async fn a_key_file_that_is_not_the_databases_is_refused_before_anything_is_written() {
    let it = Move::new().await;
    it.grant_what_is_wanted();
    let before = it.store.content();
    let file = |name: &str, bytes: &[u8]| {
        let path = it.host.folder().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let encrypted = format!("{}:{}", "ab".repeat(16), "cd".repeat(112));
    for (keys, said) in [
        (
            file("other", &[7; 96]),
            "the key file does not open what the database holds",
        ),
        (file("short", &[7; 32]), "a key file has 96 bytes, and this one has 32"),
        (
            file("encrypted", encrypted.as_bytes()),
            "is itself encrypted with a password",
        ),
        ("/nowhere".to_owned(), "cannot read the key file `/nowhere`"),
    ] {
        it.refuse(&it.written.url(), &keys, &[], (1, said));
    }
    assert_eq!(it.store.content(), before);
}

#[tokio::test]
async fn a_database_that_is_not_there_and_a_backend_without_realms_are_refused() {
    let it = Move::new().await;
    let before = it.store.content();
    let keys = it.written.key_file().display().to_string();
    let empty = postgres().database().url();
    for (url, said) in [
        (&*empty, "lacks the table `config`"),
        ("sqlite:/nowhere/pi.db", "`/nowhere/pi.db`"),
        ("postgres://u:hidden7@127.0.0.1:1/x", "as `u`"),
        ("mssql://u:hidden7@h/x", "write `sqlite:FILE`, `postgres://"),
    ] {
        it.refuse(url, &keys, &[], (1, said));
    }
    for (backend, status, said) in [
        ("nobody", 2, "has no `[[backend]]` of the name or alias `nobody`"),
        ("wazo_user", 1, "name a backend on the plugin `realm`"),
    ] {
        it.refuse(&it.written.url(), &keys, &["--backend", backend], (status, said));
    }
    assert_eq!(it.store.content(), before);
}

#[tokio::test]
async fn no_seed_and_no_password_is_at_rest_in_clear_and_a_url_may_come_from_standard_input() {
    let written = shared().await;
    let mut host = TestHost::builder()
        .config(DIALECT)
        .plugin("realm", artefact("realm"))
        .backend(REALMS)
        .start();
    let keys = written.key_file();
    let arguments = [
        "import",
        "privacyidea",
        "--url",
        "-",
        "--enckey",
        keys.to_str().expect("a path"),
    ];
    let up = host.keyway_with_input(&arguments, written.url());
    assert_eq!(up.status, 1, "{up:?}");
    assert!(up.stderr.contains("a server is running"), "{up:?}");
    host.kill();
    host.keyway_with_input(&arguments, written.url()).ok();
    let mut at_rest = Vec::new();
    for file in std::fs::read_dir(host.folder().join("var")).expect("a folder") {
        at_rest.extend(std::fs::read(file.expect("a file").path()).unwrap_or_default());
    }
    let holds = |bytes: &[u8]| at_rest.windows(bytes.len()).any(|part| part == bytes);
    assert!(holds(b"HOTP1"), "the store is here");
    assert!(!holds(&written.hotp_seed) && !holds(&written.totp_seed));
    assert!(!holds(ENCRYPTED_PIN.as_bytes()) && !holds(b"l-s3cre7"));
}
