//! The command line: a contract.

use std::io::{Read as _, Write as _};

use keyway_tests::{TestHost, artefact};
use nix::sys::signal::Signal;
use serde_json::json;

#[tokio::test]
async fn user_commands_work_with_the_server_up_and_down() {
    let mut host = TestHost::builder().start();
    for round in ["up", "down"] {
        let name = format!("user-{round}");
        let added = host
            .keyway_with_input(
                &[
                    "user",
                    "add",
                    &name,
                    "--password-stdin",
                    "--email",
                    &format!("{round}@example.org"),
                ],
                "s3cre7",
            )
            .ok();
        let id = added.stdout.trim().to_owned();
        assert!(
            uuid::Uuid::try_parse(&id).is_ok(),
            "`user add` prints the uuid: {added:?}"
        );
        let shown = host.keyway(&["user", "show", &name, "--json"]).ok().json();
        assert_eq!(shown["id"], json!(id));
        let list = host.keyway(&["user", "list", "--json"]).ok().json();
        assert!(list.to_string().contains(&id), "{list}");
        let twice = host.keyway_with_input(&["user", "add", &name, "--password-stdin"], "s3cre7");
        assert_eq!(twice.status, 1, "{twice:?}");
        assert!(twice.stderr.contains("exists"), "{twice:?}");
        let missing = host.keyway(&["user", "show", "nobody"]);
        assert_eq!(missing.status, 1, "{missing:?}");
        if round == "up" {
            host.kill();
        }
    }
    host.launch();
    for round in ["up", "down"] {
        let answer = host.wazo().login(&format!("user-{round}"), "s3cre7", json!({})).await;
        assert_eq!(answer.status, 200, "{round}");
    }
}

#[tokio::test]
async fn an_administrator_may_do_anything_and_a_plain_user_nothing() {
    let host = TestHost::builder()
        .user("alice", "s3cre7")
        .user_with("root", "s3cre7", &["--admin"])
        .start();
    let root = host.wazo().token("wazo_user", "root", "s3cre7").await;
    let alice = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    assert_eq!(host.wazo().check(&root, "?scope=auth.users.read").await, 204);
    assert_eq!(host.wazo().check(&alice, "?scope=auth.users.read").await, 403);
    let checked = host.keyway(&["token", "check", &root, "--scope", "auth.users.read", "--json"]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let denied = host.keyway(&["token", "check", &alice, "--scope", "auth.users.read"]);
    assert_eq!(denied.status, 1, "{denied:?}");
}

#[test]
fn a_plugin_is_read_once_and_installed_as_it_was_checked() {
    let host = TestHost::bare().start();
    let plugin = artefact("hello_backend");
    host.keyway_with_input(&["plugin", "install", "/dev/stdin", "--as", "hello"], &plugin)
        .ok();
    let installed = std::fs::read(host.plugin_path("hello.wasm")).expect("it is there");
    assert!(
        installed == plugin,
        "{} bytes instead of {}",
        installed.len(),
        plugin.len()
    );
    let bad = host.keyway_with_input(&["plugin", "install", "/dev/stdin", "--as", "bad"], "no plugin");
    assert_eq!(bad.status, 1, "{bad:?}");
    assert!(!host.plugin_path("bad.wasm").exists());
    let files = std::fs::read_dir(host.plugin_path("")).expect("the folder");
    assert_eq!(files.count(), 1, "nothing unfinished is left");
}

#[test]
fn a_plugin_that_the_running_server_refuses_to_take_up_is_a_failure() {
    let mut host = TestHost::bare().start();
    host.kill();
    let path = host.plugin_path("hello_backend.wasm");
    let source = host.folder().join("hello_backend.wasm");
    std::fs::write(&source, artefact("hello_backend")).expect("a plugin file");
    let install = |host: &TestHost| host.keyway(&["plugin", "install", source.to_str().expect("a path")]);
    // Nobody to tell is no failure: a server takes the file up when it starts.
    install(&host).ok();

    let socket = host.folder().join("var/admin.sock");
    let _ = std::fs::remove_file(&socket);
    let listener = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a command");
        let _ = stream.read(&mut [0; 4096]);
        stream
            .write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
            .expect("it listens");
    });
    let refused = install(&host);
    answering.join().expect("an answer");
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(refused.stderr.contains("503"), "{refused:?}");
    assert!(path.exists());
}

#[tokio::test]
async fn local_dates_are_of_the_zone_that_is_configured() {
    let host = TestHost::builder()
        .variable("KEYWAY__TIME_ZONE", "Asia/Kathmandu")
        .user("alice", "s3cre7")
        .start();
    let data = host.wazo().login("alice", "s3cre7", json!({})).await.body["data"].take();
    let minutes = |key: &str| {
        let text = data[key].as_str().expect("a date");
        let number = |range: std::ops::Range<usize>| text[range].parse::<i32>().expect("a number");
        number(11..13) * 60 + number(14..16)
    };
    // 5 hours and 45 minutes ahead all the year round.
    let ahead = (minutes("issued_at") - minutes("utc_issued_at")).rem_euclid(24 * 60);
    assert_eq!(ahead, 345, "{data}");
}

#[test]
fn exit_statuses_are_0_1_and_2() {
    let host = TestHost::bare().start();
    assert_eq!(host.keyway(&["--help"]).status, 0);
    assert_eq!(host.keyway(&["config", "check"]).status, 0);
    assert_eq!(host.keyway(&["no-such-command"]).status, 2);
    assert_eq!(host.keyway(&["user", "add"]).status, 2);
    assert_eq!(host.keyway(&["token", "revoke", "not-a-token"]).status, 1);
    assert_eq!(host.keyway(&["plugin", "history", "no-such-backend"]).status, 1);
}

#[test]
fn a_configuration_error_names_the_key_the_file_and_the_line() {
    let host = TestHost::bare().start();
    let path = host.folder().join("keyway.toml");
    let good = std::fs::read_to_string(&path).expect("the configuration");
    let good = good.trim_end();
    // The second line of what is appended is the bad one in each case.
    let line = format!(":{}", good.lines().count() + 2);
    let cases = [
        ("colour = \"red\"", "colour", "[token]\ncolour = \"red\""),
        ("a duration", "default_ttl", "[token]\ndefault_ttl = \"soon\""),
        ("a type", "max_ttl", "[token]\nmax_ttl = []"),
        ("syntax", "keyway.toml", "[token]\n= = ="),
        (
            "a backend's key",
            "plugins",
            "[[backend]]\nplugins = \"x\"\nname = \"x\"\nplugin = \"x\"",
        ),
    ];
    for (what, key, bad) in cases {
        std::fs::write(&path, format!("{good}\n{bad}\n")).expect("a bad configuration");
        let checked = host.keyway(&["config", "check"]);
        assert_eq!(checked.status, 2, "{what}: {checked:?}");
        for part in [key, "keyway.toml", &line] {
            assert!(checked.stderr.contains(part), "{what}: `{part}` is not in {checked:?}");
        }
    }
}

/// A certificate and its key, of another server.
fn pair() -> [Vec<u8>; 2] {
    let host = TestHost::bare().tls().start();
    ["crt", "key"].map(|kind| std::fs::read(host.folder().join(format!("var/self-signed.{kind}"))).expect("a file"))
}

#[test]
fn a_bad_certificate_is_a_configuration_error_at_start_and_at_reload() {
    let ([cert, key], [_, other]) = (pair(), pair());
    let host = TestHost::bare()
        .tls_from("cert.pem", "key.pem")
        .file("cert.pem", &cert)
        .file("key.pem", &key)
        .start();
    let cases: [(&str, &str, &[u8], &str); 4] = [
        ("cert.pem", "listen.tls.cert", b"no certificate", "holds no certificate"),
        ("key.pem", "listen.tls.key", b"no key", "holds no private key"),
        ("key.pem", "listen.tls.key", &cert, "holds no private key"),
        ("key.pem", "listen.tls.key", &other, "cannot be used together"),
    ];
    for (file, named, bad, reason) in cases {
        let path = host.folder().join(file);
        let good = std::fs::read(&path).expect("a file");
        std::fs::write(&path, bad).expect("a bad file");
        let checked = host.keyway(&["config", "check"]);
        let served = host.refusal(&[]);
        for ended in [&checked, &served] {
            assert_eq!(ended.status, 2, "{ended:?}");
            for part in ["keyway.toml:5: ", named, reason] {
                assert!(ended.stderr.contains(part), "`{part}` is not in {ended:?}");
            }
        }
        let mark = host.log().mark();
        host.signal(Signal::SIGHUP);
        let refused = host.log().wait_for(mark, "the error", |line| {
            let text = line.to_string();
            text.contains("the running one stays in place").then_some(text)
        });
        assert!(refused.contains(named) && refused.contains(reason), "{refused}");
        std::fs::write(&path, good).expect("the good file");
    }
    host.keyway(&["config", "check"]).ok();
}

#[tokio::test]
async fn a_bad_configuration_leaves_the_running_server_as_it_was() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let path = host.folder().join("keyway.toml");
    let good = std::fs::read_to_string(&path).expect("the configuration");
    let mark = host.log().mark();
    std::fs::write(&path, format!("{good}\ncolour = \"red\"\n")).expect("a bad configuration");
    host.signal(Signal::SIGHUP);
    host.log().wait_for(mark, "the error", |line| {
        line.to_string().contains("colour").then_some(())
    });
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_what_was_accepted() {
    let mut host = TestHost::builder()
        .hostile("{ deadline = \"10s\" }")
        .user("alice", "s3cre7")
        .start();
    let wazo = host.wazo();
    let slow = tokio::spawn(async move { wazo.login("slow=1500", "s3cre7", json!({"backend": "hostile"})).await });
    // The request is under way once the guest has said so.
    host.log().wait_for(0, "the slow login", |line| {
        line.to_string().contains("slow").then_some(())
    });
    host.signal(Signal::SIGTERM);
    let answer = slow.await.expect("no panic");
    assert!(answer.status == 200 || answer.status == 401, "{answer:?}");
    assert_eq!(host.wait(), Some(0));
}

#[test]
fn the_admin_socket_and_the_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = TestHost::builder().start();
    let mode = |path: &str| {
        std::fs::metadata(host.folder().join(path))
            .expect(path)
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("var") & 0o077, 0);
    for file in ["var/admin.sock", "var/keyway.db", "var/master.key"] {
        assert_eq!(mode(file) & 0o077, 0, "{file}");
    }
}
