//! `-u`: the server gives root up, and finds out at once what it could not read again without it.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;

use keyway_tests::{Finished, TestHost, TestHostBuilder};
use nix::sys::signal::Signal;
use nix::unistd::{Uid, User};
use serde_json::json;

/// Whom to become: an account that every machine has.
const USER: &str = "nobody";

/// Whether root runs this test. Where not, it makes sure that `-u` is refused with a reason, and that nothing is touched.
fn is_root() -> bool {
    if Uid::effective().is_root() {
        return true;
    }
    let mut host = TestHost::bare().start();
    host.kill();
    let refused = host.refusal(&["-u", USER]);
    assert_eq!(refused.status, 1, "{refused:?}");
    let reason = "only root can run as another user";
    assert!(refused.stderr.contains(reason), "{refused:?}");
    false
}

fn user() -> User {
    User::from_name(USER).expect("a look-up").expect("an account")
}

fn owner(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).expect("it exists").uid()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of this user");
}

/// A server that reads one file of each kind.
fn with_every_kind_of_file() -> TestHostBuilder {
    let certified = TestHost::bare().tls().start();
    let [cert, key] = ["crt", "key"].map(|kind| {
        std::fs::read(certified.folder().join(format!("var/self-signed.{kind}"))).expect("a self-signed certificate")
    });
    TestHost::builder()
        .tls_from("cert.pem", "key.pem")
        .file("cert.pem", &cert)
        .file("key.pem", &key)
        .file("master", "0f".repeat(32).as_bytes())
        .config("[keys]\nmaster_key = { file = \"master\" }")
        .file("hello.pass", b"s3cret")
        .backend("name = \"hello\"\nplugin = \"hello_backend\"\nsecrets.pass = { file = \"hello.pass\" }")
}

#[tokio::test]
async fn the_server_becomes_the_user_and_serves() {
    if !is_root() {
        return;
    }
    // Only root may bind this one; no other process of these tests has the address.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.{}.{low}.1:87", high.clamp(1, 254));
    // The first user is added by root in a data folder that is root's, which the server hands over.
    let mut host = with_every_kind_of_file()
        .variable("KEYWAY__LISTEN__0__ADDRESS", &address)
        .run_as(USER)
        .user("alice", "s3cre7")
        .start();
    assert_eq!(host.address(), address);
    let uid = user().uid.to_string();
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.pid())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("Uid:")).expect("Linux");
    assert_eq!(line.split_whitespace().skip(1).collect::<Vec<_>>(), [uid.as_str(); 4]);
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);

    let mark = host.log().mark();
    host.signal(Signal::SIGHUP);
    host.log().wait_for_message(mark, "configuration reloaded");

    host.keyway_with_input(&["user", "add", "bob", "--password-stdin"], "s3cre7")
        .ok();
    host.kill();
    // What root adds while the server is down is the user's, too.
    host.keyway_with_input(&["user", "add", "carol", "--password-stdin"], "s3cre7")
        .ok();
    let data_dir = host.folder().join("var");
    assert_eq!(owner(&data_dir), user().uid.as_raw());
    for entry in std::fs::read_dir(&data_dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert_eq!(owner(&path), user().uid.as_raw(), "{}", path.display());
    }
    host.launch();
    for name in ["alice", "bob", "carol"] {
        assert_eq!(host.wazo().login(name, "s3cre7", json!({})).await.status, 200, "{name}");
    }
}

#[test]
fn a_data_folder_that_is_not_there_is_made_for_the_user() {
    if !is_root() {
        return;
    }
    let host = TestHost::bare()
        .variable("KEYWAY__DATA_DIR", "deep/down/var")
        .variable("KEYWAY__STORE__URL", "sqlite:deep/down/var/keyway.db")
        .run_as(USER)
        .start();
    assert_eq!(owner(&host.folder().join("deep")), 0);
    let data_dir = host.folder().join("deep/down/var");
    assert_eq!(owner(&data_dir), user().uid.as_raw());
    let mode = std::fs::metadata(&data_dir).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_the_user_could_not_read_again_is_refused_at_start() {
    if !is_root() {
        return;
    }
    let mut host = with_every_kind_of_file().run_as(USER).start();
    host.kill();
    let group = nix::unistd::Group::from_gid(user().gid)
        .expect("a look-up")
        .expect("a group")
        .name;
    for file in ["cert.pem", "key.pem", "master", "hello.pass", "keyway.toml", "plugins"] {
        let path = host.folder().join(file);
        let before = std::fs::metadata(&path).expect("it exists").permissions();
        set_mode(&path, 0o700);
        let refused = host.refusal(&["-u", USER]);
        assert_eq!(refused.status, 1, "{refused:?}");
        let named = format!("`{USER}` cannot read `{}`", path.display());
        let command = format!("chgrp {group} '{}' && chmod g+r", path.display());
        for part in [named, command] {
            assert!(refused.stderr.contains(&part), "{file}: `{part}` is not in {refused:?}");
        }
        std::fs::set_permissions(&path, before).expect("as before");
    }
    set_mode(host.folder(), 0o700);
    let refused = host.refusal(&["-u", USER]);
    let command = format!("chmod o+x '{}'", host.folder().display());
    assert!(refused.stderr.contains(&command), "{refused:?}");
    set_mode(host.folder(), 0o755);
    host.launch();
}

#[test]
fn what_the_user_has_planted_in_the_data_folder_gives_nothing_away() {
    if !is_root() {
        return;
    }
    let mut host = TestHost::bare().run_as(USER).start();
    host.kill();
    let data_dir = host.folder().join("var");
    let outside = tempfile::tempdir_in("/tmp").expect("a folder");
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "root's").expect("a file");
    set_mode(&secret, 0o600);
    let is_untouched = |when: &str| {
        for path in [outside.path(), &secret] {
            assert_eq!(owner(path), 0, "{when}: {}", path.display());
        }
        assert_eq!(std::fs::read_to_string(&secret).expect("a file"), "root's", "{when}");
        assert_eq!(
            std::fs::read_dir(outside.path()).expect("a folder").count(),
            1,
            "{when}"
        );
    };

    symlink(outside.path(), data_dir.join("folder")).expect("a link");
    symlink(&secret, data_dir.join("file")).expect("a link");
    host.launch();
    is_untouched("links");
    host.kill();

    std::fs::hard_link(&secret, data_dir.join("second")).expect("a second name");
    let refused = host.refusal(&["-u", USER]);
    let named = format!("`{}` belongs to `root`", data_dir.join("second").display());
    assert!(refused.status == 1 && refused.stderr.contains(&named), "{refused:?}");
    is_untouched("a second name");
    std::fs::remove_file(data_dir.join("second")).expect("it was there");

    let lock = data_dir.join("keyway.lock");
    std::fs::remove_file(&lock).expect("it was there");
    symlink(outside.path().join("new"), &lock).expect("a link");
    for ended in [host.refusal(&["-u", USER]), command(&host)] {
        assert_eq!(ended.status, 1, "{ended:?}");
    }
    is_untouched("a link where the lock was");
    std::fs::remove_file(&lock).expect("it was there");

    // The user owns the parent folder, and puts a link where the data folder was.
    chown(host.folder(), Some(user().uid.as_raw()), None).expect("root may");
    std::fs::rename(&data_dir, host.folder().join("away")).expect("a rename");
    symlink(outside.path(), &data_dir).expect("a link");
    lchown(&data_dir, Some(user().uid.as_raw()), None).expect("root may");
    for ended in [host.refusal(&["-u", USER]), command(&host)] {
        assert_eq!(ended.status, 1, "{ended:?}");
    }
    is_untouched("a link where the folder was");
}

/// A command of root's that opens the data folder itself.
fn command(host: &TestHost) -> Finished {
    host.keyway(&["user", "list"])
}
