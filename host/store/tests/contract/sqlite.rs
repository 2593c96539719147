//! What `SQLite` promises beyond the contract: one private file that survives a kill, and other processes on it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use keyway_core::model::{KeyId, TokenDigest};
use keyway_core::port::{Store, StoreError, SystemRandom};
use keyway_store::{OpenError, StoreSettings, open};

use crate::fixture::{NOW, added_user, is_live, open_session, opened, own_opening};

/// Tells the process that is to be killed which file to write to.
const KILLED: &str = "KEYWAY_TEST_KILLED";

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

async fn opened_store(file: &Path) -> Arc<dyn Store> {
    let settings = StoreSettings {
        acquire_timeout: Duration::from_millis(300),
        ..StoreSettings::default()
    };
    open(&url(file), settings, &SystemRandom).await.expect("a store")
}

#[tokio::test]
async fn a_session_that_was_answered_is_in_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened_store(&folder.path().join("a.db")).await;
    let user = added_user(&*store, "alice").await;
    let opening = opened(&*store, &user).await;
    // What a power cut would leave behind, now.
    for suffix in ["", "-wal"] {
        let name = |stem: &str| folder.path().join(format!("{stem}.db{suffix}"));
        std::fs::copy(name("a"), name("b")).expect("a copy");
    }
    let copy = opened_store(&folder.path().join("b.db")).await;
    assert!(is_live(&*copy, &opening).await);
}

#[tokio::test]
async fn a_process_that_is_killed_has_kept_what_it_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("killed.db");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "sqlite::the_process_that_is_killed", "--nocapture"])
        .env(KILLED, &file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let answered = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| Some(line.strip_prefix("opened ")?.to_owned()));
    let answered: Vec<String> = answered.take(50).collect();
    child.kill().expect("killed");
    child.wait().expect("dead");
    assert_eq!(answered.len(), 50);
    let store = opened_store(&file).await;
    for line in answered {
        let hash: Vec<u8> = line.split(',').map(|byte| byte.parse().expect("a byte")).collect();
        let digest = TokenDigest {
            key: KeyId(1),
            hash: hash.try_into().expect("32 bytes"),
        };
        assert!(store.find_token(&digest).await.expect("an answer").is_some());
    }
}

/// Not a rule of its own: what the test above runs in a process of its own.
#[tokio::test]
async fn the_process_that_is_killed() {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how a test speaks to the process that it starts"
    )]
    let Some(file) = std::env::var_os(KILLED) else {
        return;
    };
    let store = opened_store(Path::new(&file)).await;
    loop {
        let openings = futures::future::join_all((0..5).map(|_| own_opening(&*store))).await;
        let opened = openings.iter().map(|opening| store.open_session(opening.clone()));
        for (opening, outcome) in openings.iter().zip(futures::future::join_all(opened).await) {
            assert!(outcome.expect("an answer").is_opened());
            let hash = opening.token.digest.hash.map(|byte| byte.to_string()).join(",");
            writeln!(std::io::stdout(), "opened {hash}").expect("a reader");
        }
    }
}

#[tokio::test]
async fn its_files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = opened_store(&folder.path().join("a.db")).await;
    added_user(&*store, "alice").await;
    for suffix in ["", "-wal", "-shm"] {
        let file = folder.path().join(format!("a.db{suffix}"));
        let mode = file.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_store_that_is_closed_leaves_one_file_and_opens_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let store = opened_store(&file).await;
    let user = added_user(&*store, "alice").await;
    let opening = opened(&*store, &user).await;
    let tenants = store.list_tenants().await.expect("the tenants");
    store.close().await;
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let store = opened_store(&file).await;
    assert!(is_live(&*store, &opening).await);
    assert_eq!(
        store.list_tenants().await.expect("the tenants"),
        tenants,
        "one top tenant, and the same"
    );
}

#[tokio::test]
async fn two_processes_can_open_a_new_file_at_once_and_both_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let stores = futures::future::join_all((0..4).map(|_| opened_store(&file))).await;
    for (number, store) in stores.iter().enumerate() {
        added_user(&**store, &format!("user{number}")).await;
    }
    for store in &stores {
        assert_eq!(store.list_tenants().await.expect("the tenants").len(), 1);
        assert_eq!(
            store
                .list_users(&keyway_core::model::Query::all(keyway_core::model::TenantScope::All))
                .await
                .expect("the users")
                .total,
            4
        );
    }
}

#[tokio::test]
async fn a_row_that_fits_nothing_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let store = opened_store(&file).await;
    let user = added_user(&*store, "alice").await;
    let opening = opened(&*store, &user).await;
    let mut other = connect(&file).await;
    sqlx::query("UPDATE session SET backend = '../x'")
        .execute(&mut other)
        .await
        .expect("altered");
    let error = store.find_token(&opening.token.digest).await.expect_err("inconsistent");
    let named = format!(
        "inconsistent row: `session.backend` of `{}` is no backend name",
        opening.session.id
    );
    assert_eq!(error.to_string(), named);
}

#[tokio::test]
async fn a_session_lives_until_its_last_token_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let store = opened_store(&file).await;
    let user = added_user(&*store, "alice").await;
    let first = opened(&*store, &user).await;
    let mut second = first.clone();
    second.token.digest.key = KeyId(2);
    let mut other = connect(&file).await;
    sqlx::query("INSERT INTO token SELECT hash, 2, session, issued_at, expires_at, accesses FROM token")
        .execute(&mut other)
        .await
        .expect("a second token");
    let revoke = async |digest| {
        store
            .revoke(&keyway_core::port::RevokeTarget::Token(digest), NOW)
            .await
            .expect("revoked")
    };
    assert_eq!(revoke(first.token.digest).await.sessions, []);
    assert!(is_live(&*store, &second).await);
    assert_eq!(revoke(second.token.digest).await.sessions, [first.session.id]);
}

async fn connect(file: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions as _;
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .expect("a connection")
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    opened_store(&file).await.close().await;
    let mut other = connect(&file).await;
    let newer = "INSERT INTO _sqlx_migrations SELECT 9999, 'later', installed_on, success, checksum, 0 FROM _sqlx_migrations LIMIT 1";
    sqlx::query(newer).execute(&mut other).await.expect("a later migration");
    let error = open(&url(&file), StoreSettings::default(), &SystemRandom)
        .await
        .err()
        .expect("refused");
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("none/a.db");
    let error = open(&url(&nowhere), StoreSettings::default(), &SystemRandom)
        .await
        .err()
        .expect("refused");
    assert!(
        matches!(&error, OpenError::File { path, .. } if *path == nowhere),
        "{error:?}"
    );

    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "this is no database, and long enough to be seen as none".repeat(100),
    )
    .expect("a file");
    let error = open(&url(&text), StoreSettings::default(), &SystemRandom)
        .await
        .err()
        .expect("refused");
    assert!(error.to_string().contains("text.db"), "{error}");

    for url in [
        "",
        "keyway.db",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a.db?mode=ro",
        "mysql://h/d",
    ] {
        let error = open(url, StoreSettings::default(), &SystemRandom)
            .await
            .err()
            .expect("refused");
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_bad_is_unavailable() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let store = opened_store(&file).await;
    let opening = own_opening(&*store).await;
    let mut other = connect(&file).await;
    sqlx::query("ALTER TABLE token RENAME TO other")
        .execute(&mut other)
        .await
        .expect("altered");
    for error in [
        store.open_session(opening.clone()).await.expect_err("no table"),
        store.find_token(&opening.token.digest).await.expect_err("no table"),
    ] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }
    sqlx::query("ALTER TABLE other RENAME TO token")
        .execute(&mut other)
        .await
        .expect("altered");
    // Nothing was half-written.
    open_session(&*store, &opening).await;
}
