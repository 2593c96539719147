//! The reload transaction: what is right goes live, what is not changes nothing and says why.

use std::time::{Duration, Instant};

use keyway_core::model::{BackendName, Outcome, PluginState};
use keyway_core::port::{BackendFault, PluginHost as _};
use keyway_runtime::Grants;
use serde_json::json;

use crate::host::{PASSWORD, TestHost, built, spec, variant};

#[tokio::test]
async fn a_new_file_goes_live_by_itself_and_soon() {
    let host = TestHost::start().await;
    let first = host.serve("wazo_user").await;
    assert_eq!(first.generation, 1);

    host.install("wazo_user", &variant("wazo_user", 1));
    let second = host.status_when(|status| status.generation == 2).await;
    assert_ne!(second.digest, first.digest);
    assert_eq!(second.state, PluginState::Serving);
    assert!(matches!(
        host.login("wazo_user", "alice", PASSWORD).await,
        Ok(Outcome::Verified(_))
    ));
}

#[tokio::test]
async fn a_swap_every_moment_fails_no_login() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let variants = [variant("wazo_user", 1), variant("wazo_user", 2)];
    let logins = async {
        let mut generations = std::collections::BTreeSet::new();
        while generations.len() < 4 {
            let outcome = host.login("wazo_user", "alice", PASSWORD).await;
            assert!(matches!(outcome, Ok(Outcome::Verified(_))), "{outcome:?}");
            generations.insert(host.status().await.generation);
            tokio::task::yield_now().await;
        }
    };
    let swaps = async {
        for bytes in variants.iter().cycle() {
            host.install("wazo_user", bytes);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = logins => {}
        () = swaps => unreachable!("the swaps have no end"),
        () = tokio::time::sleep(Duration::from_mins(1)) => panic!("four generations took a minute"),
    }
}

/// Puts a bad file in place of a good one, and expects the good one to serve, with the reason shown.
async fn check_refused(bytes: &[u8], reason: &str) {
    let host = TestHost::start().await;
    let good = host.serve("wazo_user").await;
    host.install("wazo_user", bytes);
    let status = host.status_when(|status| status.state != PluginState::Serving).await;
    assert_eq!(status.state, PluginState::Degraded);
    assert_eq!((status.digest, status.generation), (good.digest, 1));
    let found = status.reason.unwrap();
    assert!(found.contains(reason), "the reason is: {found}");
    assert!(matches!(
        host.login("wazo_user", "alice", PASSWORD).await,
        Ok(Outcome::Verified(_))
    ));

    // What served serves after a restart, too: the bad file has never been live.
    let host = host.restart().await;
    let status = host.desire(spec("wazo_user")).await;
    assert_eq!((status.digest, status.state), (good.digest, PluginState::Degraded));
    assert!(host.login("wazo_user", "alice", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_no_plugin_changes_nothing() {
    let whole = std::fs::read(built("wazo_user")).unwrap();
    check_refused(&whole[..whole.len() / 2], "no WebAssembly component").await;
    check_refused(b"", "no WebAssembly component").await;
    check_refused(&[0; 64], "no WebAssembly component").await;
}

#[tokio::test]
async fn a_component_of_another_world_is_refused_in_words() {
    let read = |plugin| std::fs::read(built(plugin)).unwrap();
    check_refused(&read("forbidden_import"), "`wasi:sockets/").await;
    check_refused(&read("future_world"), "`keyway:backend/authenticator@0.2.0`").await;
    check_refused(
        &read("wrong_world"),
        "does not export `keyway:backend/authenticator@0.1.0`",
    )
    .await;
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_unread() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let path = host.plugin_path("wazo_user");
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let status = host.status_when(|status| status.state == PluginState::Degraded).await;
    assert!(status.reason.unwrap().contains("at most 33554432 are allowed"));
}

#[tokio::test]
async fn a_file_that_is_removed_leaves_its_generation_serving() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    std::fs::remove_file(host.plugin_path("wazo_user")).unwrap();
    let status = host.status_when(|status| status.state == PluginState::Degraded).await;
    assert!(status.reason.unwrap().contains("does not exist"));
    assert!(host.login("wazo_user", "alice", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_backend_without_a_file_is_not_loaded_until_there_is_one() {
    let host = TestHost::start().await;
    let status = host.desire(spec("wazo_user")).await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 0));
    let fault = host.login("wazo_user", "alice", PASSWORD).await;
    assert_eq!(fault, Err(BackendFault::NotLoaded));
    host.install_built("wazo_user", "wazo_user");
    host.status_when(|status| status.state == PluginState::Serving).await;
}

#[tokio::test]
async fn a_configuration_that_the_plugin_does_not_accept_leaves_the_old_one() {
    let host = TestHost::start().await;
    host.serve("hello_backend").await;
    let mut bad = spec("hello_backend");
    bad.config = json!({ "users": 7 });
    let status = host.desire(bad).await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 1));
    assert!(status.reason.unwrap().contains("`/users`"));
    assert!(matches!(
        host.login("hello_backend", "alice", PASSWORD).await,
        Ok(Outcome::Verified(_))
    ));

    let mut good = spec("hello_backend");
    good.config["greeting"] = json!("hello");
    let status = host.desire(good).await;
    assert_eq!((status.state, status.generation), (PluginState::Serving, 2));
}

#[tokio::test]
async fn a_want_that_is_not_granted_is_refused_and_names_the_line() {
    let host = TestHost::start().await;
    host.install_built("wants_expose", "wants_expose");
    let status = host.desire(spec("wants_expose")).await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 0));
    assert!(status.reason.unwrap().contains(r#"grants.credential = ["expose"]"#));

    let mut granted = spec("wants_expose");
    granted.grants.credential_expose = true;
    assert_eq!(host.desire(granted).await.state, PluginState::Serving);
    // What the guest has seen is not in its fault.
    let fault = host.login("wants_expose", "fault", PASSWORD).await;
    assert_eq!(
        fault,
        Err(BackendFault::Internal("the password is [secret]".to_owned()))
    );
}

#[tokio::test]
async fn a_grant_that_is_narrowed_leaves_the_old_generation_until_the_plugin_fits() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let mut narrowed = spec("wazo_user");
    narrowed.grants = Grants {
        directory_verify: false,
        ..Grants::default()
    };
    let status = host.desire(narrowed).await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 1));
    assert!(status.reason.unwrap().contains("`directory.verify`"));

    let mut silent = spec("wazo_user");
    silent.grants.log = false;
    assert_eq!(host.desire(silent).await.state, PluginState::Serving);
}

#[tokio::test]
async fn a_plugin_other_than_the_pinned_one_is_refused() {
    let host = TestHost::start().await;
    let served = host.serve("wazo_user").await;
    let mut pinned = spec("wazo_user");
    pinned.pin = served.digest;
    assert_eq!(host.desire(pinned).await.state, PluginState::Serving);
    host.install("wazo_user", &variant("wazo_user", 1));
    let status = host.status_when(|status| status.state == PluginState::Degraded).await;
    assert!(status.reason.unwrap().contains("pinned"));
    assert_eq!(status.digest, served.digest);
}

#[tokio::test]
async fn a_backend_that_is_no_longer_desired_is_gone() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    assert!(host.runtime.set_desired(Vec::new()).await.is_empty());
    assert!(keyway_core::port::Backends::find(&*host.runtime, "wazo_user").is_none());
    assert!(host.runtime.list().await.is_empty());
}

#[tokio::test]
async fn a_plugin_name_cannot_leave_the_folder() {
    let host = TestHost::start().await;
    let mut outside = spec("wazo_user");
    outside.plugin = "../wazo_user".to_owned();
    let status = host.desire(outside).await;
    assert!(status.reason.unwrap().contains("no plain file name"));
}

#[tokio::test]
async fn an_unhealthy_plugin_does_not_replace_a_healthy_one() {
    let host = TestHost::start().await;
    host.serve("hostile").await;
    let mut unhealthy = spec("hostile");
    unhealthy.config = json!({ "health": "unavailable" });
    let status = host.desire(unhealthy).await;
    assert_eq!((status.state, status.generation), (PluginState::Degraded, 1));
    assert!(status.reason.unwrap().contains("health check failed"));
}

#[tokio::test]
async fn compiled_code_that_was_altered_is_compiled_anew() {
    let host = TestHost::start().await;
    host.serve("wazo_user").await;
    let folder = host.folder.path().join("var/cache");
    let artefact = wait_for_artefact(&folder).await;
    let original = std::fs::read(&artefact).unwrap();
    let mut altered = original.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&artefact, &altered).unwrap();

    let host = host.restart().await;
    assert_eq!(host.desire(spec("wazo_user")).await.state, PluginState::Serving);
    assert!(host.login("wazo_user", "alice", PASSWORD).await.is_ok());
    // Written again, because it was compiled again.
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::fs::read(&artefact).unwrap() == altered {
        assert!(Instant::now() < deadline, "the altered artefact was used");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn two_backends_can_share_a_plugin() {
    let host = TestHost::start().await;
    host.install_built("wazo_user", "wazo_user");
    let other = keyway_runtime::BackendSpec::new(BackendName::parse("other").unwrap(), "wazo_user");
    let statuses = host.runtime.set_desired(vec![spec("wazo_user"), other]).await;
    assert!(statuses.iter().all(|status| status.state == PluginState::Serving));
    assert!(host.login("other", "alice", PASSWORD).await.is_ok());
}

async fn wait_for_artefact(folder: &std::path::Path) -> std::path::PathBuf {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let subfolders = std::fs::read_dir(folder).unwrap().flatten();
        let files = subfolders.flat_map(|entry| std::fs::read_dir(entry.path()).unwrap().flatten());
        let mut artefacts = files
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "cwasm"));
        if let Some(artefact) = artefacts.next() {
            return artefact;
        }
        assert!(Instant::now() < deadline, "no compiled code was kept");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
