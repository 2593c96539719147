//! `file`: what a plugin gets of files, and what it does not.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyway_core::model::Outcome;
use keyway_core::port::BackendFault;
use keyway_runtime::{BackendSpec, FileSpec, Limits};

use crate::errand::{answer, error, host_of, hostile};
use crate::host::{PASSWORD, TestHost};

/// For so long after a look at a file its change may go unnoticed, and a little longer.
const STALE: Duration = Duration::from_millis(10);

/// A backend that is granted this file as `passwd`.
fn granted(path: &Path) -> BackendSpec {
    let mut spec = hostile("hostile");
    spec.grants
        .file
        .insert("passwd".to_owned(), FileSpec::new(path.to_owned()));
    spec
}

/// A file with these lines, with a secret file beside it and another one above.
struct Tree {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Tree {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("granted");
        fs::create_dir(&inner).unwrap();
        let path = inner.join("passwd");
        fs::write(&path, text).unwrap();
        fs::write(inner.join("shadow"), "root:secret\n").unwrap();
        fs::write(folder.path().join("above"), "root:secret\n").unwrap();
        Self { _folder: folder, path }
    }
}

async fn served(text: &str) -> (Tree, TestHost) {
    let tree = Tree::of(text);
    let host = host_of([granted(&tree.path)]).await;
    (tree, host)
}

#[tokio::test]
async fn a_granted_file_is_read_by_its_name() {
    let (_tree, host) = served("alice:1\nbob:2\n").await;
    assert_eq!(host.run("find_lines|passwd|:|0|bob").await, answer("bob:2"));
    assert_eq!(host.run("find_lines|passwd|:|1|1").await, answer("alice:1"));
    assert_eq!(host.run("find_lines|passwd|:|0|carol").await, answer(""));
    let page = host.run("list_lines|passwd|0|1").await;
    assert_eq!(page, answer("1 lines, 7 bytes, next Some(1)"));
}

/// Names are looked up among those that are granted; none of them is ever taken for a path.
#[tokio::test]
async fn no_other_name_leads_to_a_file() {
    let (tree, host) = served("alice:1\n").await;
    let absolute = tree.path.display().to_string();
    let names = [
        "shadow",
        "../above",
        "passwd/../shadow",
        "./passwd",
        "passwd\0",
        "Passwd",
        "",
        "*",
        &absolute,
        "/etc/passwd",
    ];
    for name in names {
        let refused = error(&format!("NotGranted({:?})", format!("grants.file.{name}")));
        assert_eq!(host.run(&format!("find_lines|{name}|:|0|root")).await, refused);
        assert_eq!(host.run(&format!("list_lines|{name}|0|9")).await, refused);
    }
}

#[tokio::test]
async fn what_another_backend_is_granted_is_not_granted() {
    let tree = Tree::of("alice:1\n");
    let owner = BackendSpec {
        name: hostile("owner").name,
        ..granted(&tree.path)
    };
    let host = host_of([owner, hostile("hostile")]).await;
    let refused = error("NotGranted(\"grants.file.passwd\")");
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, refused);
}

#[tokio::test]
async fn a_file_that_is_larger_than_it_may_be_is_unavailable() {
    let tree = Tree::of("alice:1\nbob:2\n");
    let mut spec = granted(&tree.path);
    spec.grants.file.get_mut("passwd").unwrap().max_size = 8;
    let host = host_of([spec]).await;
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, error("Unavailable"));
    fs::write(&tree.path, "alice:1\n").unwrap();
    tokio::time::sleep(STALE).await;
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, answer("alice:1"));
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_call() {
    let (tree, host) = served("alice:1\n").await;
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, answer("alice:1"));
    fs::write(&tree.path, "alice:2\nbob:1\n").unwrap();
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, answer("alice:2"));
    fs::remove_file(&tree.path).unwrap();
    tokio::time::sleep(STALE).await;
    assert_eq!(host.run("find_lines|passwd|:|0|alice").await, error("Unavailable"));
}

/// The host holds the file. A plugin pays for what it gets of it.
#[tokio::test]
async fn a_plugin_with_less_memory_than_a_file_reads_it() {
    let mut text = String::new();
    for number in 0..600_000 {
        writeln!(text, "user{number}:{}", "x".repeat(30)).unwrap();
    }
    let tree = Tree::of(&text);
    let memory = 4 << 20;
    assert!(u64::try_from(text.len()).unwrap() > 4 * memory);
    let spec = BackendSpec {
        limits: Limits {
            memory,
            ..Limits::default()
        },
        ..granted(&tree.path)
    };
    let host = host_of([spec]).await;
    let last = format!("user599999:{}", "x".repeat(30));
    assert_eq!(host.run("find_lines|passwd|:|0|user599999").await, answer(&last));
    let page = host.run("list_lines|passwd|599999|10").await;
    assert_eq!(page, answer("1 lines, 41 bytes, next None"));
}

#[tokio::test]
async fn a_call_gets_no_more_of_files_than_it_may_fetch() {
    let tree = Tree::of(&"x:1\n".repeat(2_000));
    let spec = BackendSpec {
        limits: Limits {
            fetched_bytes: 3_100,
            lookups: 3,
            ..Limits::default()
        },
        ..granted(&tree.path)
    };
    let host = host_of([spec]).await;
    let limit = || error("LimitReached");
    assert_ne!(host.run("repeat|3|find_lines|passwd|:|0|x").await, limit());
    assert_eq!(host.run("repeat|4|find_lines|passwd|:|0|x").await, limit());
    // A page of nothing costs, too.
    assert_ne!(host.run("repeat|3|list_lines|passwd|9000|9").await, limit());
    assert_eq!(host.run("repeat|4|list_lines|passwd|9000|9").await, limit());
    assert_eq!(host.run("list_lines|passwd|0|2000").await, limit());
    let after = host.login("hostile", "alice", PASSWORD).await;
    assert!(matches!(after, Ok(Outcome::Verified(_))), "{after:?}");
}

#[tokio::test]
async fn a_key_of_any_length_is_charged_to_the_call() {
    let tree = Tree::of("alice:1\n");
    let spec = BackendSpec {
        limits: Limits {
            host_call_bytes: 64 << 10,
            ..Limits::default()
        },
        ..granted(&tree.path)
    };
    let host = host_of([spec]).await;
    let errand = format!("repeat|100|find_lines|passwd|:|0|{}", "k".repeat(1_000));
    let over = host.login("hostile", &errand, PASSWORD).await;
    assert!(
        matches!(&over, Err(BackendFault::LimitExceeded(limit)) if limit == "host-call bytes"),
        "{over:?}"
    );
}
