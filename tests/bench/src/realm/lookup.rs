//! The realm plugin in a runtime of this process, over passwords that are judged at once: what five resolvers cost beyond one, and somebody among 100,000.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use keyway_core::Secret;
use keyway_core::model::{BackendName, Credential, Outcome};
use keyway_core::port::{BackendSlot, Backends as _, RequestContext, Step, SystemClock, VerifyRequest};
use keyway_runtime::{BackendSpec, FileSpec, HostServices, NoDatabases, Runtime, RuntimeSettings};
use keyway_tests::artefact;
use serde_json::json;

use super::SHA512CRYPT;
use crate::instance::AtOnce;
use crate::table::{Bound, Table, median};

const CALLS: usize = 5000;
const LINES: usize = 100_000;

pub(super) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins)?;
    for name in ["realm", "hello_backend"] {
        std::fs::write(plugins.join(format!("{name}.wasm")), artefact(name))?;
    }
    for file in 0..5 {
        std::fs::write(
            folder.path().join(format!("flat{file}")),
            line(&format!("user{file}"), 1000 + file),
        )?;
    }
    let large = folder.path().join("large");
    std::fs::write(&large, large_file("user"))?;
    let mut settings = RuntimeSettings::new(plugins, folder.path().join("var"), Secret::new([7; 32]));
    settings.watch = false;
    let services = HostServices {
        directory: Arc::new(AtOnce),
        passwords: Arc::new(AtOnce),
        databases: Arc::new(NoDatabases),
    };
    let runtime = Runtime::start(settings, services, Arc::new(SystemClock)).await?;
    let statuses = runtime.set_desired(backends(folder.path())?).await;
    let find = |name: &str| runtime.find(name).with_context(|| format!("{statuses:?}"));
    measure_resolvers(table, &find("hello")?, &find("one")?, &find("five")?).await?;
    measure_large(table, &find("large")?, &large).await?;
    runtime.shutdown().await;
    Ok(())
}

fn backends(folder: &Path) -> anyhow::Result<Vec<BackendSpec>> {
    let mut hello = BackendSpec::new(BackendName::parse("hello")?, "hello_backend");
    hello.config = json!({"users": {"alice": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA"}});
    Ok(vec![
        hello,
        realm("one", folder, &["flat4"])?,
        realm("five", folder, &["flat0", "flat1", "flat2", "flat3", "flat4"])?,
        realm("large", folder, &["large"])?,
    ])
}

async fn measure_resolvers(
    table: &mut Table,
    hello: &BackendSlot,
    one: &BackendSlot,
    five: &BackendSlot,
) -> anyhow::Result<()> {
    let instance = p50(hello, "alice").await?;
    let (one, five) = (p50(one, "user4").await?, p50(five, "user4").await?);
    table.note("realm: one instance call of a small plugin, p50", instance, "us");
    table.note("realm: login in a realm of one resolver, p50", one, "us");
    table.note("realm: login by the last of five resolvers, p50", five, "us");
    table.figure(
        "realm: five resolvers beyond one, in instance calls",
        (five - one) / instance,
        "",
        Bound::AtMost(5.0),
    );
    Ok(())
}

async fn measure_large(table: &mut Table, slot: &BackendSlot, large: &Path) -> anyhow::Result<()> {
    let begun = Instant::now();
    login(slot, "user1").await?;
    table.note(
        "realm: the first look-up in a file of 100,000",
        millis(begun.elapsed()),
        "ms",
    );
    let found = p50(slot, "user99999").await? / 1000.0;
    table.figure("realm: a look-up among 100,000, p50", found, "ms", Bound::AtMost(1.0));
    // The index follows the file: who is new is found, and who is gone is not.
    std::fs::write(large, large_file("other"))?;
    let begun = Instant::now();
    while login(slot, "other99999").await.is_err() {
        ensure!(
            begun.elapsed() < Duration::from_secs(10),
            "the index does not follow the file"
        );
    }
    table.note(
        "realm: until an edit of a file of 100,000 is live",
        millis(begun.elapsed()),
        "ms",
    );
    ensure!(login(slot, "user99999").await.is_err(), "who is gone is still found");
    Ok(())
}

fn realm(name: &str, folder: &Path, files: &[&str]) -> anyhow::Result<BackendSpec> {
    let mut spec = BackendSpec::new(BackendName::parse(name)?, "realm");
    let resolvers: serde_json::Map<_, _> = files
        .iter()
        .map(|file| ((*file).to_owned(), json!({"type": "passwd", "file": file})))
        .collect();
    let order: Vec<_> = files.iter().map(|file| json!({ "name": file })).collect();
    spec.config = json!({"default_realm": "r", "realms": {"r": {"resolvers": order}}, "resolvers": resolvers});
    for file in files {
        spec.grants
            .file
            .insert((*file).to_owned(), FileSpec::new(folder.join(file)));
    }
    Ok(spec)
}

fn line(user: &str, id: usize) -> String {
    format!("{user}:{SHA512CRYPT}:{id}:100::/:/bin/sh\n")
}

fn large_file(prefix: &str) -> String {
    let mut text = String::new();
    for user in 0..LINES {
        let _ = write!(text, "{}", line(&format!("{prefix}{user}"), user));
    }
    text
}

/// Microseconds.
async fn p50(slot: &BackendSlot, user: &str) -> anyhow::Result<f64> {
    for _ in 0..CALLS / 10 {
        login(slot, user).await?;
    }
    let mut spans = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        login(slot, user).await?;
        spans.push(begun.elapsed().as_secs_f64() * 1_000_000.0);
    }
    Ok(median(spans))
}

async fn login(slot: &BackendSlot, user: &str) -> anyhow::Result<()> {
    let request = VerifyRequest {
        context: RequestContext {
            request_id: "bench".to_owned(),
            dialect: "privacyidea",
            ..RequestContext::default()
        },
        step: Step::Start {
            identifier: user.to_owned(),
            credential: Credential::Password("s3cre7".into()),
        },
        deadline: Instant::now() + Duration::from_secs(10),
    };
    let answer = slot.backend.verify(request).await?;
    ensure!(matches!(answer.outcome, Outcome::Verified(_)), "{answer:?}");
    Ok(())
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
