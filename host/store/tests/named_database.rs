//! Databases of others: what is read of them, and that nothing else is done to them.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway_core::port::{NamedDatabase, NamedDatabaseError, NamedDatabaseSpec, NamedDatabases as _, NamedRow};
use keyway_store::SqlDatabases;
use keyway_tests::mariadb::{MariaDatabase, MariaServer};
use keyway_tests::postgres::{PostgresDatabase, shared};
use sqlx::Connection as _;

/// The same table in each of them.
const TABLE: &str = "CREATE TABLE person (id INTEGER PRIMARY KEY, login VARCHAR(40), active BOOLEAN, score DOUBLE PRECISION, note TEXT)";
const PEOPLE: &str = "INSERT INTO person VALUES (1, 'alice', TRUE, 1.5, NULL), (2, 'bob', FALSE, -2, 'Bröd'), (3, 'o''hara', TRUE, 0.25, '')";

fn open(spec: &NamedDatabaseSpec) -> Arc<dyn NamedDatabase> {
    SqlDatabases.open(spec).expect("a database")
}

async fn ask(database: &dyn NamedDatabase, statement: &str, parameters: &[&str]) -> Vec<NamedRow> {
    let parameters: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    let answered = database.query(statement, &parameters, 100).await;
    answered.unwrap_or_else(|error| panic!("{statement}: {error}"))
}

async fn refusal(database: &dyn NamedDatabase, statement: &str, parameters: &[&str]) -> NamedDatabaseError {
    let parameters: Vec<String> = parameters.iter().map(ToString::to_string).collect();
    let answered = database.query(statement, &parameters, 100).await;
    answered.expect_err(statement)
}

fn values(row: &NamedRow) -> Vec<Option<&str>> {
    row.iter().map(|(_, value)| value.as_deref()).collect()
}

/// What holds of each database. `$` stands for a place of a parameter.
async fn check_reads(database: &dyn NamedDatabase, placed: impl Fn(&str) -> String, yes: &str) {
    let select = placed("SELECT id, login, active, score, note FROM person WHERE login = $ ORDER BY id");
    let rows = ask(database, &select, &["alice"]).await;
    assert_eq!(rows.len(), 1);
    let names: Vec<&str> = rows[0].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "login", "active", "score", "note"]);
    assert_eq!(
        values(&rows[0]),
        [Some("1"), Some("alice"), Some(yes), Some("1.5"), None]
    );
    // Bound, and never pasted.
    assert_eq!(ask(database, &select, &["o'hara"]).await.len(), 1);
    assert_eq!(ask(database, &select, &["x' OR '1' = '1"]).await.len(), 0);
    // A text finds a number.
    let by_id = placed("SELECT login, note FROM person WHERE id = $");
    let bob = ask(database, &by_id, &["2"]).await;
    assert_eq!(values(&bob[0]), [Some("bob"), Some("Bröd")]);
    let two = placed("SELECT id FROM person WHERE login = $ OR id = $ ORDER BY id;");
    assert_eq!(ask(database, &two, &["alice", "3"]).await.len(), 2);
    // No more than are asked for, whatever comes after them.
    let all = "SELECT id FROM person ORDER BY id";
    for _ in 0..3 {
        let some = database.query(all, &[], 2).await.expect("rows");
        assert_eq!(some.len(), 2);
        assert_eq!(database.query(all, &[], 0).await.expect("rows").len(), 0);
    }
    assert_eq!(ask(database, all, &[]).await.len(), 3);
}

/// What none of them does.
async fn check_refusals(database: &dyn NamedDatabase, more: &[&str]) {
    let common = [
        "INSERT INTO person VALUES (9, 'mallory', TRUE, 0, NULL)",
        "DELETE FROM person",
        "DROP TABLE person",
        "SELECT 1; DELETE FROM person",
        "SELECT nothing FROM person",
        "SELECT * FROM nobody",
        "SELECT ((",
    ];
    for statement in common.iter().chain(more) {
        let refused = refusal(database, statement, &[]).await;
        assert!(
            matches!(refused, NamedDatabaseError::Refused { .. }),
            "{statement}: {refused}"
        );
    }
    assert_eq!(ask(database, "SELECT id FROM person", &[]).await.len(), 3);
}

/// An answer that is larger than it may be.
async fn check_bounds(spec: &NamedDatabaseSpec, long: &str) {
    let small = open(&NamedDatabaseSpec {
        max_rows: 2,
        max_bytes: 200,
        ..spec.clone()
    });
    let all = "SELECT id FROM person ORDER BY id";
    assert_eq!(small.query(all, &[], 2).await.expect("rows").len(), 2);
    for statement in [all, long] {
        let refused = small.query(statement, &[], 100).await;
        assert!(matches!(refused, Err(NamedDatabaseError::TooLarge(_))), "{refused:?}");
    }
}

/// A query that does not end by itself.
async fn check_time(spec: &NamedDatabaseSpec, endless: &str) {
    let quick = open(&NamedDatabaseSpec {
        timeout: Duration::from_millis(300),
        connections: 1,
        ..spec.clone()
    });
    assert_eq!(ask(&*quick, "SELECT id FROM person", &[]).await.len(), 3);
    let began = Instant::now();
    let late = refusal(&*quick, endless, &[]).await;
    assert!(
        matches!(
            late,
            NamedDatabaseError::Unavailable(_) | NamedDatabaseError::Refused { .. }
        ),
        "{late}"
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    // The only connection is not lost with it.
    let patient = async {
        while quick.query("SELECT id FROM person", &[], 9).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), patient)
        .await
        .expect("it answers again");
}

/// Waits until it is so: a server notices a moment later that a connection was closed.
async fn soon(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("it is so soon");
}

async fn sqlite_file(path: &Path) -> NamedDatabaseSpec {
    let url = format!("sqlite:{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc"))
        .await
        .expect("a file");
    for statement in [TABLE, PEOPLE] {
        sqlx::query(statement).execute(&mut connection).await.expect(statement);
    }
    connection.close().await.expect("closed");
    NamedDatabaseSpec::new(&url)
}

#[tokio::test]
async fn a_file_of_sqlites_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = sqlite_file(&folder.path().join("hr.db")).await;
    let before = std::fs::read(folder.path().join("hr.db")).expect("the file");
    let database = open(&spec);
    check_reads(&*database, |statement| statement.replacen('$', "?", 9), "1").await;
    let numbered = ask(
        &*database,
        "SELECT login FROM person WHERE id = $2 OR login = $1",
        &["alice", "2"],
    )
    .await;
    assert_eq!(numbered.len(), 2);
    check_refusals(
        &*database,
        &[
            "WITH x AS (SELECT 1) INSERT INTO person SELECT 9, 'mallory', 1, 0, NULL FROM x",
            "SELECT x'00ff'",
            "SELECT load_extension('/tmp/x')",
            "SELECT zeroblob(1000000000)",
        ],
    )
    .await;
    check_bounds(&spec, "SELECT hex(zeroblob(20000))").await;
    let forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    check_time(&spec, forever).await;
    assert_eq!(std::fs::read(folder.path().join("hr.db")).expect("the file"), before);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

#[tokio::test]
async fn a_query_of_sqlites_makes_no_value_of_a_gigabyte() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = open(&sqlite_file(&folder.path().join("hr.db")).await);
    let refused = refusal(&*database, "SELECT hex(randomblob(400000000))", &[]).await;
    assert!(
        matches!(&refused, NamedDatabaseError::Refused { code, .. } if code == "18"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_file_that_is_not_there_is_unavailable_and_is_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("absent.db");
    let database = open(&NamedDatabaseSpec::new(&format!("sqlite:{}", path.display())));
    let refused = refusal(&*database, "SELECT 1", &[]).await;
    assert!(matches!(refused, NamedDatabaseError::Unavailable(_)), "{refused}");
    assert!(!path.exists());
}

fn postgres_database() -> (PostgresDatabase, NamedDatabaseSpec) {
    let database = shared().database();
    database.execute(&format!("{TABLE}; {PEOPLE}"));
    let spec = NamedDatabaseSpec::new(&database.url());
    (database, spec)
}

/// `$1`, `$2` and so on in the places of `$`.
fn numbered(statement: &str) -> String {
    let parts = statement.split('$').enumerate();
    let placed = parts.map(|(number, part)| {
        if number == 0 {
            part.to_owned()
        } else {
            format!("${number}{part}")
        }
    });
    placed.collect()
}

#[tokio::test]
async fn a_database_of_postgresqls_is_read() {
    let (kept, spec) = postgres_database();
    kept.execute("CREATE SEQUENCE counter; CREATE FUNCTION grab() RETURNS text LANGUAGE sql AS 'DELETE FROM person RETURNING login'");
    let before = kept.content();
    let database = open(&spec);
    check_reads(&*database, numbered, "true").await;
    check_refusals(
        &*database,
        &[
            "WITH x AS (DELETE FROM person RETURNING id) SELECT * FROM x",
            "SELECT * INTO copy FROM person",
            "SELECT set_config('transaction_read_only', 'off', true)",
            "SELECT set_config('transaction_read_only', 'off', true), grab()",
            "SELECT grab()",
            "SELECT query_to_xml('DELETE FROM person', true, true, '')::text",
            "SELECT nextval('counter')",
            "SELECT setval('counter', 9)",
            "SELECT id FROM person FOR UPDATE",
            "SELECT 'a'::bytea",
            "SELECT now()",
            "SELECT id FROM person WHERE id = $1",
        ],
    )
    .await;
    check_bounds(&spec, "SELECT repeat('x', 100000)").await;
    check_time(&spec, "SELECT pg_sleep(60)::text").await;
    assert_eq!(kept.content(), before);
    assert_eq!(kept.query("SELECT is_called FROM counter"), "f");
}

#[tokio::test]
async fn a_text_is_bound_as_what_postgresql_expects() {
    let (kept, spec) = postgres_database();
    kept.execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN shorty AS varchar(9); \
         CREATE TABLE kinds (s smallint, l bigint, u uuid, b boolean, e mood, d shorty, c char(4), n numeric); \
         INSERT INTO kinds VALUES (1, 2, '8d1c0f9e-0000-4000-8000-000000000001', true, 'good', 'abc', 'xy', 1.5)",
    );
    let database = open(&spec);
    for (column, text) in [
        ("s", "1"),
        ("l", "2"),
        ("u", "8D1C0F9E-0000-4000-8000-000000000001"),
        ("b", "t"),
        ("e", "good"),
        ("d", "abc"),
        ("c", "xy"),
        ("n::text", "1.5"),
    ] {
        let rows = ask(
            &*database,
            &format!("SELECT s, e, u FROM kinds WHERE {column} = $1"),
            &[text],
        )
        .await;
        assert_eq!(rows.len(), 1, "{column}");
        let uuid = Some("8d1c0f9e-0000-4000-8000-000000000001");
        assert_eq!(values(&rows[0]), [Some("1"), Some("good"), uuid]);
    }
    for (column, text, expected) in [("s", "bob", "22P02"), ("u", "bob", "22P02"), ("n", "1.5", "42804")] {
        let refused = refusal(&*database, &format!("SELECT 1 FROM kinds WHERE {column} = $1"), &[text]).await;
        assert!(
            matches!(&refused, NamedDatabaseError::Refused { code, .. } if code == expected),
            "{column}: {refused:?}"
        );
        assert!(!refused.to_string().contains("bob"));
    }
}

#[tokio::test]
async fn what_a_query_sets_for_its_session_ends_with_it() {
    let (_kept, spec) = postgres_database();
    let database = open(&NamedDatabaseSpec { connections: 1, ..spec });
    ask(&*database, "SELECT set_config('search_path', 'elsewhere', false)", &[]).await;
    assert_eq!(ask(&*database, "SELECT id FROM person", &[]).await.len(), 3);
}

#[tokio::test]
async fn what_a_query_locks_is_free_after_it() {
    let (kept, spec) = postgres_database();
    let database = open(&NamedDatabaseSpec { connections: 1, ..spec });
    let hidden = "SELECT query_to_xml('SELECT pg_advi' || 'sory_lock(7)', true, true, '')::text AS x";
    for statement in ["SELECT pg_advisory_lock(7) IS NULL AS x", hidden] {
        let rows = database.query(statement, &[], 1).await;
        assert!(rows.is_ok() || statement == hidden, "{rows:?}");
        assert_eq!(ask(&*database, "SELECT id FROM person", &[]).await.len(), 3);
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        soon(|| kept.query(held) == "0").await;
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_is_unavailable_and_its_password_untold() {
    let mut spec = NamedDatabaseSpec::new("postgres://nobody@127.0.0.1:1/x");
    spec.password = Some("s3cre7".into());
    let refused = refusal(&*open(&spec), "SELECT 1", &[]).await;
    assert!(matches!(refused, NamedDatabaseError::Unavailable(_)), "{refused}");
    assert!(!format!("{refused:?} {spec:?}").contains("s3cre7"));
}

fn mariadb() -> (MariaServer, MariaDatabase, NamedDatabaseSpec) {
    let server = MariaServer::start();
    let database = server.database();
    database.execute(&format!("{TABLE}; {PEOPLE}"));
    let mut spec = NamedDatabaseSpec::new(&database.url());
    spec.password = Some("s3cre7".into());
    (server, database, spec)
}

#[tokio::test]
async fn a_database_of_mariadbs_is_read() {
    let (server, kept, spec) = mariadb();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out");
    kept.execute("CREATE SEQUENCE counter");
    kept.execute(
        "DELIMITER //\nCREATE FUNCTION grab() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM person; RETURN 1; END//",
    );
    let database = open(&spec);
    check_reads(&*database, |statement| statement.replacen('$', "?", 9), "1").await;
    check_refusals(
        &*database,
        &[
            "SELECT grab()",
            "SELECT nextval(counter)",
            "SELECT setval(counter, 9)",
            &format!("SELECT 1 INTO OUTFILE '{}'", file.display()),
            &format!("SELECT 1 /*!INTO DUMPFILE '{}'*/", file.display()),
            "SELECT x'00ff'",
            "SELECT now()",
        ],
    )
    .await;
    kept.execute("CREATE TABLE kinds (u BIGINT UNSIGNED, d DECIMAL(9,2), e ENUM('a', 'b'), j JSON, b VARCHAR(9) COLLATE utf8mb4_bin)");
    kept.execute("INSERT INTO kinds VALUES (18446744073709551615, 1.50, 'b', '{}', 'Bröd')");
    let kinds = ask(&*database, "SELECT u, d, e, j, b FROM kinds WHERE b = ?", &["Bröd"]).await;
    assert_eq!(
        values(&kinds[0]),
        [
            Some("18446744073709551615"),
            Some("1.50"),
            Some("b"),
            Some("{}"),
            Some("Bröd")
        ]
    );
    check_bounds(&spec, "SELECT repeat('x', 100000)").await;
    check_time(&spec, "SELECT sleep(60) FROM person").await;
    assert_eq!(kept.query("SELECT count(*) FROM person"), "3");
    assert_eq!(kept.query("SELECT nextval(counter)"), "1");
    assert!(!file.exists());

    // Nothing of one query is left for the next one, or in anybody's way.
    let single = open(&NamedDatabaseSpec {
        connections: 1,
        ..spec.clone()
    });
    for statement in [
        "SELECT @x := 'kept' AS x",
        "SELECT 'kept' INTO @x",
        "SELECT last_insert_id(7) AS x",
    ] {
        single.query(statement, &[], 9).await.expect(statement);
        let left = ask(&*single, "SELECT concat(coalesce(@x, ''), last_insert_id()) AS x", &[]).await;
        assert_eq!(values(&left[0]), [Some("0")], "{statement}");
    }
    ask(&*single, "SELECT get_lock('x', 0) AS x", &[]).await;
    soon(|| kept.query("SELECT is_free_lock('x')") == "1").await;

    let mut wrong = spec.clone();
    wrong.password = Some("wrong".into());
    let refused = refusal(&*open(&wrong), "SELECT 1", &[]).await;
    assert!(matches!(refused, NamedDatabaseError::Unavailable(_)), "{refused:?}");
    drop(server);
}
