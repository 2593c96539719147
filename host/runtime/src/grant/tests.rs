//! What is in effect of what is wanted and granted.

use super::*;
use crate::services::NoDatabases;

fn settle(wants: &[&str], grants: &Grants) -> Result<Capabilities, GrantError> {
    let wants: Vec<String> = wants.iter().map(ToString::to_string).collect();
    Capabilities::settle(&wants, grants, &NoDatabases)
}

fn refusal(wants: &[&str], grants: &Grants) -> String {
    match settle(wants, grants) {
        Ok(_) => panic!("{wants:?} are met"),
        Err(error) => error.to_string(),
    }
}

/// One of each that has a name.
fn named() -> Grants {
    let mut grants = Grants::default();
    let spec = FileSpec::new("passwd".into());
    grants.file.insert("passwd".to_owned(), spec);
    grants
        .sql
        .insert("hr".to_owned(), NamedDatabaseSpec::new("sqlite:/hr.db"));
    grants.delegate.insert("ldap".to_owned());
    grants
}

#[test]
fn only_what_is_wanted_and_granted_is_effective() {
    let effective = settle(&["directory.find"], &Grants::default()).unwrap();
    assert!(effective.has(Capability::DirectoryFind));
    assert!(!effective.has(Capability::DirectoryVerify));
    assert!(!effective.has(Capability::DirectoryList));
    assert!(!effective.has(Capability::Log));
    assert!(
        settle(&["directory.list"], &Grants::default())
            .unwrap()
            .has(Capability::DirectoryList)
    );
}

#[test]
fn a_want_that_is_not_granted_names_the_line_to_write() {
    let table = [
        ("credential.expose", r#"grants.credential = ["expose"]"#),
        ("net.ldap", "grants.net.ldap = { address"),
        ("file.passwd", "grants.file.passwd = { path"),
        ("sql.hr", "grants.sql.hr = { url"),
        ("delegate.ldap", r#"grants.delegate = ["ldap"]"#),
    ];
    for (want, line) in table {
        let refused = refusal(&[want], &Grants::default());
        assert!(refused.contains(line), "{refused}");
    }
    let grants = Grants {
        directory_list: false,
        ..Grants::default()
    };
    assert!(refusal(&["directory.list"], &grants).contains(r#""list"]"#));
}

#[test]
fn an_unknown_want_is_refused_by_its_name() {
    for want in ["teleport", "kv.cache", "otp"] {
        let refused = refusal(&[want], &Grants::default());
        assert!(refused.contains(&format!("`{want}`")), "{refused}");
    }
}

#[test]
fn what_a_plugin_can_do_without_is_effective_only_where_it_is_granted() {
    let wants = [
        "directory.link?",
        "net.directory?",
        "teleport?",
        "file.x?",
        "delegate.x?",
    ];
    assert!(
        !settle(&wants, &Grants::default())
            .unwrap()
            .has(Capability::DirectoryLink)
    );
    let grants = Grants {
        directory_link: true,
        ..Grants::default()
    };
    assert!(settle(&wants, &grants).unwrap().has(Capability::DirectoryLink));
    let refused = refusal(&["net.directory"], &grants);
    assert!(refused.contains("grants.net.directory"), "{refused}");
}

#[test]
fn a_star_stands_for_all_that_is_granted_which_may_be_nothing() {
    let wants = ["file.*", "sql.*", "delegate.*", "net.*"];
    let effective = settle(&wants, &Grants::default()).unwrap();
    assert!(effective.file("passwd").is_none() && !effective.may_ask("ldap"));
    let wants = ["file.*", "delegate.*"];
    let effective = settle(&wants, &named()).unwrap();
    assert!(effective.file("passwd").is_some() && effective.may_ask("ldap"));
    assert!(!effective.may_ask("*") && !effective.may_ask("other"));
    assert!(effective.database("hr").is_none());
}

#[test]
fn a_database_that_cannot_be_opened_is_said_so() {
    let refused = refusal(&["sql.*"], &named());
    assert!(refused.contains("`hr`"), "{refused}");
}

#[test]
fn another_password_of_a_database_makes_other_grants() {
    let with = |password: Option<&str>| {
        let mut grants = named();
        if let Some(spec) = grants.sql.get_mut("hr") {
            spec.password = password.map(Into::into);
        }
        grants
    };
    assert_eq!(format!("{:?}", with(Some("a"))), format!("{:?}", with(Some("b"))));
    assert_ne!(with(Some("a")).hidden(), with(Some("b")).hidden());
}

#[test]
fn a_plugin_whose_log_is_switched_off_still_loads() {
    let grants = Grants {
        log: false,
        ..Grants::default()
    };
    assert!(!settle(&["log"], &grants).unwrap().has(Capability::Log));
}
