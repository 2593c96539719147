//! Resolvers of the type `sql`.

use std::cell::RefCell;
use std::rc::Rc;

use keyway_sdk::database::{DatabaseError, Row};
use keyway_sdk::testing::{MockHost, verifier};
use keyway_sdk::{Fault, Query, Refusal, Subject, json};
use realm::Realm;

use super::{attribute, check_refused, verified, warned};

type Columns = [(&'static str, Option<&'static str>); 3];

/// `carol` (whose stored login is `Carol`), `twin` twice, `none` without a password, `anonymous` without a user id.
fn rows(hash: &str, parameters: &[&str]) -> Vec<Row> {
    let row = |columns: Columns, hash: Option<&str>| {
        let [id, login, phone] = columns;
        Row::from([id, login, phone, ("hash", hash), ("unmapped", Some("u"))])
    };
    match parameters {
        ["carol"] => vec![row(
            [("id", Some("7")), ("login", Some("Carol")), ("tel", Some("+49 1"))],
            Some(hash),
        )],
        ["twin"] => {
            let twin = || row([("id", Some("8")), ("login", Some("twin")), ("tel", None)], Some(hash));
            vec![twin(), twin()]
        }
        ["none"] => vec![row([("id", Some("9")), ("login", Some("none")), ("tel", None)], None)],
        ["anonymous"] => vec![row(
            [("id", None), ("login", Some("anonymous")), ("tel", None)],
            Some(hash),
        )],
        ["%"] => vec![row(
            [("id", Some("1")), ("login", Some("first")), ("tel", None)],
            Some(hash),
        )],
        _ => Vec::new(),
    }
}

fn host() -> MockHost {
    let hash = verifier("s3cre7");
    MockHost::new()
        .config(json!({
            "default_realm": "r",
            "realms": { "r": { "resolvers": [{ "name": "hr" }] } },
            "resolvers": { "hr": {
                "type": "sql", "database": "hr", "query": "SELECT * FROM staff WHERE login = $1",
                "list_query": "SELECT * FROM staff WHERE login LIKE $1 -- all\n ; ",
                "map": { "userid": "id", "username": "login", "password": "hash", "phone": "tel" }
            } }
        }))
        .database("hr", move |_, parameters| Ok(rows(&hash, parameters)))
}

#[test]
fn a_row_is_somebody_without_the_hash() {
    let host = host();
    let carol = verified(host.login::<Realm>("carol", "s3cre7"));
    assert_eq!(carol.subject, Subject::Own("hr:7".to_owned()));
    assert_eq!((carol.login.as_str(), attribute(&carol, "phone")), ("Carol", "+49 1"));
    let names: Vec<&str> = carol.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["phone", "realm.name", "realm.resolver", "realm.userid"]);
    assert!(!format!("{carol:?}").contains("argon2"));
}

#[test]
fn an_unknown_login_costs_what_a_wrong_password_costs() {
    check_refused(&host(), "carol", "wrong", Refusal::WrongCredential);
    check_refused(&host(), "erin", "s3cre7", Refusal::UnknownIdentifier);
    check_refused(&host(), "none", "s3cre7", Refusal::WrongCredential);
}

#[test]
fn a_stranger_asks_for_a_few_rows_of_the_list_and_not_for_all() {
    // What is left unread of an answer costs its connection, and sorting a table for every stranger would cost more.
    let asked = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&asked);
    let host = host().database("hr", move |statement, _| {
        seen.borrow_mut().push(statement.to_owned());
        Ok(Vec::new())
    });
    check_refused(&host, "erin", "s3cre7", Refusal::UnknownIdentifier);
    assert_eq!(
        *asked.borrow(),
        [
            "SELECT * FROM staff WHERE login = $1",
            "SELECT * FROM (SELECT * FROM staff WHERE login LIKE $1 -- all\n) AS strangers LIMIT 8"
        ]
    );
}

#[test]
fn several_rows_are_nobodys() {
    let host = host();
    check_refused(&host, "twin", "s3cre7", Refusal::Ambiguous);
    assert_eq!(
        warned(&host, "hr").as_deref(),
        Some("a query finds several users for one name")
    );
}

#[test]
fn the_login_is_bound_and_never_pasted() {
    let config = json!({
        "default_realm": "r",
        "realms": { "r": { "resolvers": [{ "name": "hr" }] } },
        "resolvers": { "hr": {
            "type": "sql", "database": "hr", "query": "SELECT id FROM staff WHERE login = ? OR email = ?", "map": { "userid": "id" }
        } }
    });
    let login = "' OR 1=1; --";
    let host = MockHost::new()
        .config(config)
        .database("hr", move |statement, parameters| {
            assert_eq!(statement, "SELECT id FROM staff WHERE login = ? OR email = ?");
            assert_eq!(parameters, [login, login]);
            Ok(Vec::new())
        });
    check_refused(&host, login, "s3cre7", Refusal::UnknownIdentifier);
}

#[test]
fn a_row_without_a_user_id_is_nobodys() {
    // No fault: whoever knows the login could stop the backend for everybody.
    let host = host();
    check_refused(&host, "anonymous", "s3cre7", Refusal::Ambiguous);
    let message = "a user has no login or no user id that the host takes";
    assert_eq!(warned(&host, "hr").as_deref(), Some(message));
}

#[test]
fn rows_without_a_user_id_are_left_out_of_a_list() {
    let host = host().database("hr", |_, _| {
        let row = |id, login| Row::from([("id", id), ("login", login), ("hash", None)]);
        Ok(vec![
            row(None, Some("anonymous")),
            row(Some("7\0"), Some("nul")),
            row(Some("8"), Some("")),
            row(Some("9"), None),
        ])
    });
    let listing = host.browse::<Realm>(Query::most(9)).unwrap();
    let logins: Vec<&str> = listing.principals.iter().map(|one| one.login.as_str()).collect();
    assert_eq!(logins, ["8", "9"], "without a login name the user id is one");
    assert!(warned(&host, "hr").is_some());
}

#[test]
fn a_login_name_that_is_null_or_empty_is_the_one_that_was_typed() {
    for login in [None, Some("")] {
        let hash = verifier("s3cre7");
        let host = host().database("hr", move |_, _| {
            Ok(vec![Row::from([
                ("id", Some("7")),
                ("login", login),
                ("hash", Some(hash.as_str())),
            ])])
        });
        assert_eq!(verified(host.login::<Realm>("carol", "s3cre7")).login, "carol");
    }
}

#[test]
fn a_hash_under_another_name_is_not_told_of() {
    // `hash` again under another name, and a hash of something else.
    for (hash, password) in [
        (verifier("s3cre7"), "s3cre7"),
        (
            "ad5759b6182dad6e52a4d5ea9f862415486e3c5a7c78d2dfbcdcbd7a8b6da2cf".to_owned(),
            "s3cre7 pässword",
        ),
    ] {
        let host = host().database("hr", move |_, _| {
            let columns = [("id", "7"), ("hash", &hash), ("tel", &hash), ("login", "carol")];
            Ok(vec![Row::from(columns.map(|(name, value)| (name, Some(value))))])
        });
        let carol = verified(host.login::<Realm>("carol", password));
        assert!(!carol.attributes.contains_key("phone"), "{carol:?}");
        let listing = host.browse::<Realm>(Query::most(9)).unwrap();
        assert!(!listing.principals.is_empty() && !format!("{listing:?}").contains("phone"));
    }
}

#[test]
fn an_answer_without_a_column_is_a_fault() {
    let other = host().database("hr", |_, _| Ok(vec![Row::from([("id", Some("7"))])]));
    let fault = Fault::misconfigured("resolver `hr`: the query's answer has no column `hash`");
    assert_eq!(other.login::<Realm>("carol", "s3cre7"), Err(fault));
}

#[test]
fn a_database_that_does_not_answer_is_named() {
    for (error, is_misconfigured) in [
        (DatabaseError::Unavailable, false),
        (DatabaseError::Refused("42P01".to_owned()), true),
        (DatabaseError::LimitReached, false),
    ] {
        let host = host().database("hr", move |_, _| Err(error.clone()));
        let Err(fault) = host.login::<Realm>("carol", "s3cre7") else {
            panic!("decided")
        };
        assert!(fault.to_string().starts_with("resolver `hr`: "), "{fault}");
        assert_eq!(matches!(fault, Fault::Misconfigured(_)), is_misconfigured, "{fault}");
    }
}
