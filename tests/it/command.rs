//! The command line: a contract.

use keyway_tests::TestHost;
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
