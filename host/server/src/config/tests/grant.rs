//! `grants.file`, `grants.sql` and `grants.delegate`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::{backend_refusal, parse, refusal};

#[test]
fn files_and_databases_are_granted_by_name() {
    let config = parse(
        r#"
        [[backend]]
        name = "realms"
        plugin = "realm"
        [backend.grants.file]
        passwd1 = { path = "passwd1.txt", max_size = "1MiB" }
        passwd2 = { path = "/etc/passwd2" }
        [backend.grants.sql]
        hr = { url = "sqlite:hr.db", timeout = "500ms", max_rows = 7, max_bytes = "2KiB", connections = 1 }
        crm = { url = "mysql://keyway@192.0.2.7/crm" }
        erp = { url = "postgres://keyway@localhost:5433/erp?sslmode=disable" }
        "#,
    );
    let config = config.expect("it is correct");
    let grants = &config.backends.first().expect("one").grants;
    let file = |name: &str| {
        let spec = grants.file.get(name).expect("it is granted");
        (spec.path.clone(), spec.max_size)
    };
    assert_eq!(file("passwd1"), (PathBuf::from("/srv/passwd1.txt"), 1 << 20));
    assert_eq!(file("passwd2"), (PathBuf::from("/etc/passwd2"), 64 << 20));
    let hr = grants.sql.get("hr").expect("it is granted");
    assert_eq!(
        (hr.url.as_str(), hr.timeout),
        ("sqlite:/srv/hr.db", Duration::from_millis(500))
    );
    assert_eq!((hr.max_rows, hr.max_bytes, hr.connections), (7, 2048, 1));
    let crm = grants.sql.get("crm").expect("it is granted");
    assert_eq!((crm.timeout, crm.password.is_none()), (Duration::from_secs(2), true));
    assert_eq!(grants.sql.len(), 3);
    assert!(grants.directory_list && grants.delegate.is_empty());
}

#[test]
fn what_is_wrong_with_a_file_or_a_database_is_said_with_its_line() {
    let table = [
        (
            "grants.file.Passwd = { path = \"x\" }",
            "backend.grants.file.Passwd`: a file's name is of lower-case letters, digits, `_` and `-`",
        ),
        (
            "grants.file.a = { path = \"\" }",
            "backend.grants.file.a.path`: names no file",
        ),
        (
            "grants.file.a = { path = \"x\", max_size = \"2GiB\" }",
            "backend.grants.file.a.max_size`: must be at most `1024MiB`",
        ),
        (
            "grants.sql.a = { url = \"\" }",
            "backend.grants.sql.a.url`: cannot be read",
        ),
        (
            "grants.sql.a = { url = \"oracle://u@h/d\" }",
            "backend.grants.sql.a.url`: names no kind of database that there is",
        ),
        (
            "grants.sql.a = { url = \"sqlite::memory:\" }",
            "backend.grants.sql.a.url`: names no database file; write `sqlite:FILE`",
        ),
        (
            "grants.sql.a = { url = \"postgres://u:s3cre7@h/d\" }",
            "backend.grants.sql.a.url`: holds a password; write `password = { file = \"FILE\" }` beside it",
        ),
        (
            "grants.sql.a = { url = \"postgres://u@h/d?password=s3cre7\" }",
            "backend.grants.sql.a.url`: has the parameter `password`; there is only `sslmode`",
        ),
        (
            "grants.sql.a = { url = \"mysql://u@h/\" }",
            "backend.grants.sql.a.url`: names no user or no database; write `postgres://USER@HOST/DATABASE`",
        ),
        (
            "grants.sql.a = { url = \"postgres://u@h/d\", timeout = \"0s\" }",
            "backend.grants.sql.a.timeout`: must not be zero",
        ),
        (
            "grants.sql.a = { url = \"postgres://u@h/d\", ca = \"absent.pem\" }",
            "backend.grants.sql.a.ca`: cannot read the secret's file `/srv/absent.pem`: No such file or directory (os error 2)",
        ),
    ];
    for (lines, problem) in table {
        let refused = backend_refusal(lines);
        assert_eq!(refused, format!("/srv/keyway.toml:4: `{problem}"));
        assert!(!refused.contains("s3cre7"));
    }
}

/// Backends with those that each may ask.
fn asking(all: &[(&str, &str)]) -> String {
    let one = |(name, asked): &(&str, &str)| {
        format!(
            "[[backend]]\nname = \"{name}\"\naliases = [\"{name}_alias\"]\nplugin = \"p\"\ngrants.delegate = [{asked}]\n"
        )
    };
    all.iter().map(one).collect()
}

#[test]
fn a_backend_is_granted_by_any_of_its_names() {
    let config = parse(&asking(&[
        ("realms", "\"ldap_alias\", \"other\""),
        ("ldap", ""),
        ("other", "\"ldap\""),
    ]));
    let config = config.expect("it is correct");
    let granted = &config.backends.first().expect("one").grants.delegate;
    let names = ["ldap", "ldap_alias", "other"].map(str::to_owned);
    assert_eq!(*granted, BTreeSet::from(names));
}

#[test]
fn an_unknown_backend_cannot_be_asked() {
    let refused = refusal(&asking(&[("realms", "\"ldpa\""), ("ldap", "")]));
    assert_eq!(
        refused,
        "/srv/keyway.toml:5: `backend.grants.delegate`: no backend has the name `ldpa`"
    );
}

#[test]
fn backends_do_not_ask_each_other_in_a_circle() {
    let table = [
        (asking(&[("a", "\"a\"")]), "5", "`a` -> `a`"),
        (asking(&[("a", "\"a_alias\"")]), "5", "`a` -> `a`"),
        (
            asking(&[("a", "\"b\""), ("b", "\"c\""), ("c", "\"d\", \"a_alias\""), ("d", "")]),
            "15",
            "`a` -> `b` -> `c` -> `a`",
        ),
        (
            asking(&[("a", "\"b\""), ("b", "\"c\""), ("c", "\"b\"")]),
            "15",
            "`b` -> `c` -> `b`",
        ),
    ];
    for (text, line, circle) in table {
        let refused = refusal(&text);
        assert_eq!(
            refused,
            format!(
                "/srv/keyway.toml:{line}: `backend.grants.delegate`: backends ask each other in a circle: {circle}"
            )
        );
    }
    let diamond = asking(&[("a", "\"b\", \"c\""), ("b", "\"d\""), ("c", "\"d\""), ("d", "")]);
    assert!(parse(&diamond).is_ok());
}
