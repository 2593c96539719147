//! Who somebody is without a password.

use keyway_sdk::database::Row;
use keyway_sdk::testing::{MockBackend, MockHost, MockUser};
use keyway_sdk::{Fault, Found, Key, Principal, Refusal, Subject, json};
use realm::Realm;

use super::{attribute, found};

fn host() -> MockHost {
    MockHost::new()
        .config(json!({
            "default_realm": "a",
            "realms": {
                "a": { "resolvers": [{ "name": "files", "priority": 1 }, { "name": "local", "priority": 2 }, { "name": "corp", "priority": 3 }] },
                "b": { "resolvers": [{ "name": "hr" }, { "name": "files" }] },
                "c": { "resolvers": [{ "name": "mute" }] }
            },
            "resolvers": {
                "files": { "type": "passwd", "file": "f" },
                "local": { "type": "directory" },
                "corp": { "type": "backend", "backend": "corp" },
                "mute": { "type": "backend", "backend": "mute" },
                "hr": {
                    "type": "sql", "database": "hr", "query": "BY LOGIN $1", "find_query": "BY ID $1",
                    "map": { "userid": "id", "username": "login", "password": "hash" }
                },
                "loose": { "type": "passwd", "file": "f" }
            }
        }))
        .file("f", "carol:x:1000:1:Carol:/:/\nlocked:!$6$a$b:1001:1::/:/\ntwin:x:7:1::/:/\nother:x:7:1::/:/\n")
        .user("alice", "s3cre7")
        .add_user(MockUser::new("mallory").disabled())
        .backend("corp", MockBackend::new().user("bob", "s3cre7", Principal::own("4711").login("bob")).refuses("eve", Refusal::Expired))
        .backend("mute", MockBackend::new().cannot_tell())
        .database("hr", |statement, parameters| {
            let dave = || vec![Row::from([("id", Some("D7")), ("login", Some("dave")), ("hash", Some("$6$"))])];
            Ok(match (statement, parameters) {
                ("BY LOGIN $1", ["dave"]) | ("BY ID $1", ["D7" | "d7"]) => dave(),
                _ => Vec::new(),
            })
        })
}

#[test]
fn a_login_name_finds_whom_a_login_would_mean() {
    for (identifier, subject, realm, resolver) in [
        ("carol", Subject::Own("files:1000".to_owned()), "a", "files"),
        ("carol@b", Subject::Own("files:1000".to_owned()), "b", "files"),
        ("b\\dave", Subject::Own("hr:D7".to_owned()), "b", "hr"),
        (
            "Alice",
            Subject::Directory("user-alice-master".to_owned()),
            "a",
            "local",
        ),
        (
            "bob",
            Subject::Delegated {
                backend: "corp".to_owned(),
                subject: "4711".to_owned(),
            },
            "a",
            "corp",
        ),
    ] {
        let host = host();
        let somebody = found(host.lookup::<Realm>(Key::Identifier(identifier.to_owned())));
        assert_eq!(somebody.subject, subject, "{identifier}");
        assert_eq!(
            (
                attribute(&somebody, "realm.name"),
                attribute(&somebody, "realm.resolver")
            ),
            (realm, resolver)
        );
        assert!(!format!("{somebody:?}").contains("$6$"));
        assert_eq!(host.comparisons(), 0);
    }
}

#[test]
fn whom_no_password_would_let_in_is_refused() {
    for (identifier, refusal) in [
        ("nobody", Refusal::UnknownIdentifier),
        ("nosuch\\carol", Refusal::UnknownIdentifier),
        ("locked", Refusal::Disabled),
        ("mallory", Refusal::Disabled),
        ("twin", Refusal::Ambiguous),
        ("eve", Refusal::Expired),
    ] {
        let answer = host().lookup::<Realm>(Key::Identifier(identifier.to_owned()));
        assert_eq!(answer, Ok(refusal.into()), "{identifier}");
    }
    let answer = host().lookup::<Realm>(Key::Identifier("carol@c".to_owned()));
    assert_eq!(answer, Ok(Found::CannotTell));
}

#[test]
fn a_subject_finds_that_very_user_of_that_resolver() {
    let by = |subject: &str| host().lookup::<Realm>(Key::Subject(subject.to_owned()));
    let carol = found(by("files:1000"));
    assert_eq!((carol.login.as_str(), attribute(&carol, "realm.name")), ("carol", "a"));
    assert_eq!(attribute(&found(by("hr:D7")), "realm.name"), "b");
    for (subject, refusal) in [
        ("files:1001", Refusal::Disabled),
        ("files:7", Refusal::Ambiguous),
        ("files:carol", Refusal::UnknownIdentifier),
        ("files:", Refusal::UnknownIdentifier),
        ("files", Refusal::UnknownIdentifier),
        ("gone:1000", Refusal::UnknownIdentifier),
        // Found by a database that does not look at case, and somebody else.
        ("hr:d7", Refusal::UnknownIdentifier),
        // In no realm any more.
        ("loose:1000", Refusal::UnknownIdentifier),
        ("corp:4711", Refusal::UnknownIdentifier),
    ] {
        assert_eq!(by(subject), Ok(refusal.into()), "{subject}");
    }
}

#[test]
fn a_realm_that_is_asked_for_is_the_one_to_say() {
    let host = host().context(|context| {
        context.attributes.insert("realm".to_owned(), "B".to_owned());
    });
    let carol = found(host.lookup::<Realm>(Key::Subject("files:1000".to_owned())));
    assert_eq!(attribute(&carol, "realm.name"), "b");
}

#[test]
fn a_resolver_that_does_not_work_is_a_fault() {
    let answer = host()
        .missing_file("f")
        .lookup::<Realm>(Key::Subject("files:1000".to_owned()));
    let fault = Fault::unavailable("resolver `files`: the file cannot be read");
    assert_eq!(answer, Err(fault));
}
