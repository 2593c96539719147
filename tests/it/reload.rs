//! Reload is a transaction: a better plugin takes over without a lost login, a worse one changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use keyway_tests::{TestHost, artefact, variant};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Installs a file and waits until the reconcile loop has judged it; returns the backend's row of `plugin list`.
fn install(host: &TestHost, wasm: &[u8]) -> Value {
    let before = host.plugin_status("wazo_user");
    host.install("wazo_user", wasm);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let now = host.plugin_status("wazo_user");
        if now != before {
            return now;
        }
        assert!(std::time::Instant::now() < deadline, "the file was not judged: {now}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_lose_no_login_and_no_check() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let token = host.wazo().token("wazo_user", "alice", "s3cre7").await;
    let (stop, logins, checks) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
    );
    let mut workers = Vec::new();
    for _ in 0..3 {
        let (wazo, stop, logins) = (host.wazo(), Arc::clone(&stop), Arc::clone(&logins));
        workers.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let answer = wazo.login("alice", "s3cre7", json!({})).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                logins.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    let (wazo, watch, count) = (host.wazo(), Arc::clone(&stop), Arc::clone(&checks));
    workers.push(tokio::spawn(async move {
        while !watch.load(Ordering::Relaxed) {
            assert_eq!(wazo.check(&token, "").await, 204);
            count.fetch_add(1, Ordering::Relaxed);
        }
    }));
    let plugin = artefact("wazo_user");
    let mut generations = vec![1];
    for _ in 0..5 {
        let row = tokio::task::block_in_place(|| install(&host, &variant(&plugin)));
        assert_eq!(row["state"], "serving", "{row}");
        generations.push(row["generation"].as_u64().expect("a number"));
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.expect("every login and check succeeds");
    }
    assert!(generations.is_sorted_by(|a, b| a < b), "{generations:?}");
    assert!(logins.load(Ordering::Relaxed) > 0 && checks.load(Ordering::Relaxed) > 0);
}

#[tokio::test]
async fn a_bad_file_leaves_the_old_generation_serving_and_says_why() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let good = host.plugin_status("wazo_user");
    let plugin = artefact("wazo_user");
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("a truncated file", plugin[..plugin.len() / 2].to_vec(), ""),
        ("an empty file", Vec::new(), ""),
        ("no wasm at all", b"#!/bin/sh\n".to_vec(), ""),
        ("a huge file", vec![0; 40 * 1024 * 1024], "allowed"),
        ("a forbidden import", artefact("forbidden_import"), "wasi:sockets"),
        ("another world", artefact("wrong_world"), "authenticator"),
    ];
    for (what, wasm, named) in cases {
        let row = install(&host, &wasm);
        assert_eq!(row["state"], "degraded", "{what}: {row}");
        assert_eq!(row["digest"], good["digest"], "{what}: the old one serves");
        let reason = row["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty() && reason.contains(named), "{what}: {row}");
        assert_eq!(
            host.wazo().login("alice", "s3cre7", json!({})).await.status,
            200,
            "{what}"
        );
        // Back to the good one, so that the next case starts from `serving`.
        assert_eq!(install(&host, &plugin)["state"], "serving", "after {what}");
    }
}

#[tokio::test]
async fn a_file_that_wants_more_than_is_granted_waits_for_the_operator() {
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let row = install(&host, &artefact("wants_expose"));
    assert_eq!(row["state"], "degraded", "{row}");
    let reason = row["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains("credential.expose") && reason.contains("grants"),
        "{row}"
    );
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test]
async fn rollback_holds_over_a_restart_until_the_file_changes() {
    let mut host = TestHost::builder().user("alice", "s3cre7").start();
    let plugin = artefact("wazo_user");
    let first = host.plugin_status("wazo_user");
    let second = install(&host, &variant(&plugin));
    assert_ne!(first["digest"], second["digest"]);
    let history = host.keyway(&["plugin", "history", "wazo_user", "--json"]).ok().json();
    assert_eq!(history.as_array().map(Vec::len), Some(2), "{history}");
    host.keyway(&["plugin", "rollback", "wazo_user"]).ok();
    let back = host.plugin_status("wazo_user");
    assert_eq!(back["digest"], first["digest"], "{back}");
    assert_eq!(back["state"], "quarantined", "{back}");
    host.kill();
    host.launch();
    assert_eq!(
        host.plugin_status("wazo_user")["digest"],
        first["digest"],
        "after a restart"
    );
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
    host.keyway(&["plugin", "promote", "wazo_user"]).ok();
    let promoted = host.plugin_status("wazo_user");
    assert_eq!(
        (&promoted["digest"], &promoted["state"]),
        (&second["digest"], &json!("serving"))
    );
    let third = install(&host, &variant(&plugin));
    assert_eq!(third["state"], "serving", "{third}");
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_taken_once_it_is_whole() {
    use std::io::Write as _;
    let host = TestHost::builder().user("alice", "s3cre7").start();
    let fresh = variant(&artefact("wazo_user"));
    let before = host.plugin_status("wazo_user");
    let mut file = std::fs::File::create(host.plugin_path("wazo_user.wasm")).expect("a file");
    for chunk in fresh.chunks(fresh.len() / 8 + 1) {
        file.write_all(chunk).expect("a write");
        file.sync_all().expect("a sync");
        assert_eq!(
            host.wazo().login("alice", "s3cre7", json!({})).await.status,
            200,
            "while it is written"
        );
    }
    drop(file);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let row = host.plugin_status("wazo_user");
        if row["digest"] != before["digest"] {
            assert_eq!(row["state"], "serving", "{row}");
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the whole file was not taken: {row}"
        );
    }
}

#[tokio::test]
async fn a_backend_added_to_the_configuration_is_served_after_sighup() {
    let host = TestHost::builder()
        .plugin("hello_backend", artefact("hello_backend"))
        .user("alice", "s3cre7")
        .start();
    assert_eq!(
        host.wazo()
            .login("bob", "s3cre7", json!({"backend": "hello"}))
            .await
            .status,
        401
    );
    let path = host.folder().join("keyway.toml");
    let mut text = std::fs::read_to_string(&path).expect("the configuration");
    text.push_str("\n[[backend]]\nname = \"hello\"\nplugin = \"hello_backend\"\nconfig.users = {}\n");
    std::fs::write(&path, text).expect("the configuration");
    host.signal(Signal::SIGHUP);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let list = host.keyway(&["plugin", "list", "--json"]).ok().json();
        if list.as_array().is_some_and(|rows| {
            rows.iter()
                .any(|row| row["backend"] == "hello" && row["state"] == "serving")
        }) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{list}");
    }
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_plugin_that_hangs_while_it_is_loaded_delays_no_swap_no_login_and_no_stop() {
    let mut host = TestHost::builder().user("alice", "s3cre7").start();
    host.install("hostile", &artefact("hostile"));
    let path = host.folder().join("keyway.toml");
    let mut text = std::fs::read_to_string(&path).expect("the configuration");
    text.push_str(
        "\n[[backend]]\nname = \"stuck\"\nplugin = \"hostile\"\nlimits.deadline = \"120s\"\n\
         config = { configure = \"slow\", amount = 3600000 }\n",
    );
    std::fs::write(&path, text).expect("the configuration");
    host.signal(Signal::SIGHUP);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let is_being_loaded = |row: &Value| row["backend"] == "stuck" && row["reason"] == "it is being loaded";
    loop {
        let list = host.keyway(&["plugin", "list", "--json"]).ok().json();
        if list.as_array().is_some_and(|rows| rows.iter().any(is_being_loaded)) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{list}");
    }
    let row = install(&host, &variant(&artefact("wazo_user")));
    assert_eq!(row["state"], "serving", "{row}");
    assert_eq!(host.wazo().login("alice", "s3cre7", json!({})).await.status, 200);
    host.keyway(&["plugin", "rollback", "wazo_user"]).ok();

    let began = std::time::Instant::now();
    host.signal(Signal::SIGTERM);
    assert_eq!(host.wait(), Some(0));
    assert!(
        began.elapsed() < std::time::Duration::from_secs(30),
        "it took {:?}",
        began.elapsed()
    );
}
