//! Who there is.

use std::fmt::Write as _;

use keyway_sdk::database::{DatabaseError, Row};
use keyway_sdk::testing::{MockBackend, MockHost};
use keyway_sdk::{Fault, Listing, Principal, Query, json};
use realm::Realm;

use super::{attribute, warned};

fn host() -> MockHost {
    let corp = MockBackend::new()
        .user("carol", "", Principal::own("c").login("carol").attribute("phone", "5"))
        .user("zoe", "", Principal::own("z").login("zoe").email("zoe@example.org"));
    MockHost::new()
        .config(json!({
            "realms": {
                "a": { "resolvers": [{ "name": "files", "priority": 1 }, { "name": "corp", "priority": 2 }] },
                "b": { "resolvers": [{ "name": "corp", "priority": 1 }, { "name": "files", "priority": 2 }] },
                "db": { "resolvers": [{ "name": "hr" }] },
                "own": { "resolvers": [{ "name": "local" }] },
                "dark": { "resolvers": [{ "name": "mute" }, { "name": "gone" }] }
            },
            "resolvers": {
                "files": { "type": "passwd", "file": "f" },
                "corp": { "type": "backend", "backend": "corp" },
                "mute": { "type": "backend", "backend": "mute" },
                "gone": { "type": "passwd", "file": "gone", "on_error": "skip" },
                "local": { "type": "directory" },
                "loose": { "type": "passwd", "file": "f" },
                "hr": {
                    "type": "sql", "database": "hr", "query": "Q $1", "list_query": "L $1",
                    "map": { "userid": "id", "username": "login", "password": "hash" }
                }
            }
        }))
        .file("f", "carol:$6$h:1:1:Carol Danvers,,4:/:/\nbob:!:2:1:Bob:/:/\nbroken\n")
        .missing_file("gone")
        .backend("corp", corp)
        .backend("mute", MockBackend::new().cannot_list())
        .user("alice", "s3cre7")
        .database("hr", |statement, parameters| {
            assert_eq!((statement, parameters), ("L $1", ["d%"].as_slice()));
            Ok(vec![Row::from([
                ("id", Some("7")),
                ("login", Some("dave")),
                ("hash", Some("$6$h")),
            ])])
        })
}

/// Those who are listed, as `login@realm/resolver`, and whether they are all.
#[track_caller]
fn check(query: &Query, expected: &[&str], complete: bool) {
    let listing = host().browse::<Realm>(query.clone()).unwrap_or_default();
    let told = |principal: &Principal| {
        let of = |name| attribute(principal, name).to_owned();
        format!("{}@{}/{}", principal.login, of("realm.name"), of("realm.resolver"))
    };
    let told: Vec<String> = listing.principals.iter().map(told).collect();
    assert_eq!(
        (
            told.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            listing.complete
        ),
        (expected, complete),
        "{query:?}"
    );
    assert!(!format!("{listing:?}").contains("$6$"));
}

#[test]
fn of_several_with_one_login_only_the_first_resolvers_is_told_of() {
    check(
        &Query::most(9).realm("a"),
        &["carol@a/files", "bob@a/files", "zoe@a/corp"],
        true,
    );
    check(
        &Query::most(9).realm("B"),
        &["carol@b/corp", "zoe@b/corp", "bob@b/files"],
        true,
    );
}

#[test]
fn whom_a_login_would_not_mean_is_not_told_of_by_another_pattern() {
    // This phone is that of the other `carol`, who is behind.
    check(&Query::most(9).realm("a").with("phone", "5"), &[], true);
    check(&Query::most(9).realm("b").with("phone", "5"), &["carol@b/corp"], true);
    check(&Query::most(9).realm("a").with("phone", "4"), &["carol@a/files"], true);
}

#[test]
fn patterns_narrow_without_regard_to_case() {
    check(
        &Query::most(9).realm("a").with("login", "*O*"),
        &["carol@a/files", "bob@a/files", "zoe@a/corp"],
        true,
    );
    check(&Query::most(9).realm("a").with("login", "c*"), &["carol@a/files"], true);
    check(
        &Query::most(9).realm("a").with("surname", "dan*"),
        &["carol@a/files"],
        true,
    );
    check(
        &Query::most(9).realm("a").with("email", "*@EXAMPLE.org"),
        &["zoe@a/corp"],
        true,
    );
    check(
        &Query::most(9).realm("a").with("subject", "files:2"),
        &["bob@a/files"],
        true,
    );
    check(
        &Query::most(9).realm("a").with("realm.userid", "2"),
        &["bob@a/files"],
        true,
    );
    check(&Query::most(9).realm("a").with("nosuch", "*"), &[], true);
    check(&Query::most(9).realm("db").with("login", "d*"), &["dave@db/hr"], true);
    check(
        &Query::most(9).realm("own").with("login", "ali*"),
        &["alice@own/local"],
        true,
    );
}

#[test]
fn a_login_name_without_a_star_is_found_by_the_index() {
    check(&Query::most(9).realm("a").with("login", "bob"), &["bob@a/files"], true);
    check(&Query::most(9).realm("a").with("login", "BOB"), &["bob@a/files"], true);
    check(&Query::most(9).realm("a").with("login", "bo"), &[], true);
}

#[test]
fn a_resolver_narrows_and_may_be_in_no_realm() {
    check(
        &Query::most(9).realm("a").resolver("corp"),
        &["carol@a/corp", "zoe@a/corp"],
        true,
    );
    check(
        &Query::most(9).resolver("files"),
        &["carol@a/files", "bob@a/files", "carol@b/files", "bob@b/files"],
        true,
    );
    check(&Query::most(9).resolver("loose"), &["carol@/loose", "bob@/loose"], true);
    check(&Query::most(9).realm("a").resolver("loose"), &[], true);
    check(&Query::most(9).resolver("nosuch"), &[], true);
    check(&Query::most(9).realm("nosuch"), &[], true);
}

#[test]
fn no_more_are_told_of_than_are_wanted() {
    check(&Query::most(2).realm("a"), &["carol@a/files", "bob@a/files"], false);
    check(
        &Query::most(3).realm("a"),
        &["carol@a/files", "bob@a/files", "zoe@a/corp"],
        true,
    );
    check(&Query::most(0).realm("a"), &[], false);
}

#[test]
fn who_cannot_be_listed_makes_it_incomplete() {
    check(&Query::most(9).realm("dark"), &[], false);
    let dark = host();
    assert_eq!(
        dark.browse::<Realm>(Query::most(9).realm("dark")),
        Ok(Listing::default())
    );
    assert_eq!(warned(&dark, "gone").as_deref(), Some("a resolver does not work"));
    let endless = host().database("hr", |_, _| Err(DatabaseError::LimitReached));
    assert_eq!(
        endless.browse::<Realm>(Query::most(9).realm("db")),
        Ok(Listing::default())
    );
    let broken = host().missing_file("f").browse::<Realm>(Query::most(9).realm("a"));
    assert_eq!(
        broken,
        Err(Fault::unavailable("resolver `files`: the file cannot be read"))
    );
}

#[test]
fn a_list_is_no_longer_than_the_host_takes() {
    let mut lines = String::new();
    for number in 0..400 {
        writeln!(
            lines,
            "u{number}:x:{number}:1:{},{}:/:/",
            "g".repeat(1000),
            "r".repeat(1000)
        )
        .unwrap();
    }
    writeln!(lines, "{}:x:1:1::/:/", "l".repeat(2000)).unwrap();
    let listing = host()
        .file("f", &lines)
        .browse::<Realm>(Query::most(1000).resolver("loose"))
        .unwrap();
    let bytes = format!("{:?}", listing.principals).len();
    assert!(
        bytes < 2 << 20 && listing.principals.len() > 200 && !listing.complete,
        "{bytes}"
    );
}

#[test]
fn whether_somebody_is_hidden_may_be_unknown() {
    let config = json!({
        "realms": { "a": { "resolvers": [{ "name": "hr", "priority": 1 }, { "name": "corp", "priority": 2 }] } },
        "resolvers": {
            "hr": { "type": "sql", "database": "hr", "query": "Q $1", "list_query": "L $1", "map": { "userid": "id" } },
            "corp": { "type": "backend", "backend": "corp" }
        }
    });
    for (reachable, complete) in [(true, true), (false, false)] {
        let host = host().config(config.clone()).database("hr", move |statement, _| {
            let is_asked = reachable || statement.starts_with('L');
            if is_asked {
                Ok(Vec::new())
            } else {
                Err(DatabaseError::LimitReached)
            }
        });
        let listing = host.browse::<Realm>(Query::most(9).with("phone", "5")).unwrap();
        assert_eq!((listing.principals.len(), listing.complete), (1, complete));
    }
}

#[test]
fn a_long_file_is_listed_page_by_page() {
    let mut lines = String::new();
    for number in 0..9_000 {
        writeln!(lines, "u{number}:x:{number}:1:G{}:/:/", number % 1000).unwrap();
    }
    let host = host().file("f", &lines);
    let listing = host
        .browse::<Realm>(Query::most(100).resolver("loose").with("givenname", "g7"))
        .unwrap();
    let logins: Vec<&str> = listing
        .principals
        .iter()
        .map(|principal| principal.login.as_str())
        .collect();
    assert_eq!(
        logins,
        [
            "u7", "u1007", "u2007", "u3007", "u4007", "u5007", "u6007", "u7007", "u8007"
        ]
    );
    assert!(listing.complete);
}

#[test]
fn a_line_that_no_page_has_room_for_is_in_no_list() {
    let text = format!("a:x:1:1::/:/\nhuge:x:2:1:{}:/:/\nz:x:3:1::/:/\n", "g".repeat(70_000));
    let listing = host()
        .file("f", &text)
        .browse::<Realm>(Query::most(9).resolver("loose"))
        .unwrap();
    let logins: Vec<&str> = listing
        .principals
        .iter()
        .map(|principal| principal.login.as_str())
        .collect();
    assert_eq!((logins.as_slice(), listing.complete), (["a", "z"].as_slice(), true));
}
