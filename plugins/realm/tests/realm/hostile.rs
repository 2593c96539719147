//! Names that are made to do harm, typed into a realm that has a resolver of every type.

use keyway_sdk::database::{DatabaseError, Row};
use keyway_sdk::testing::{MockBackend, MockHost, verifier};
use keyway_sdk::{Capability, Key, Outcome, Principal, Query, Refusal, json};
use proptest::prelude::*;
use realm::Realm;

use super::services::server;

fn host() -> MockHost {
    let (address, _) = server(|_, _| (404, json!(null)));
    let names = ["files", "hr", "web", "corp", "local"];
    let members: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    MockHost::new()
        .config(json!({
            "default_realm": "r",
            "realms": { "r": { "resolvers": members } },
            "resolvers": {
                "files": { "type": "passwd", "file": "f" },
                "hr": {
                    "type": "sql", "database": "hr", "query": "Q $1", "find_query": "F $1", "list_query": "L $1",
                    "map": { "userid": "id", "password": "hash" }
                },
                "web": {
                    "type": "http", "endpoint": "idp", "path": "/login", "body": ["{username}", "{password}"],
                    "find": { "path": "/users/{username}" }, "find_by_userid": { "path": "/ids/{userid}" }
                },
                "corp": { "type": "backend", "backend": "corp" },
                "local": { "type": "directory" }
            }
        }))
        .file("f", &format!("carol:{}:1:1::/:/\n", verifier("s3cre7")))
        // As the host does: nothing with a NUL is bound.
        .database("hr", |_, parameters| {
            let has_nul = parameters.iter().any(|text| text.contains('\0'));
            if has_nul {
                Err(DatabaseError::Refused(String::new()))
            } else {
                Ok(Vec::new())
            }
        })
        .endpoint("idp", address)
        .grant(Capability::CredentialExpose)
        .backend(
            "corp",
            MockBackend::new().user("bob", "s3cre7", Principal::own("1").login("bob")),
        )
        .user("alice", "s3cre7")
}

#[test]
fn no_name_finds_anybody_but_its_owner_or_stops_a_resolver() {
    let host = host();
    let (long, longer) = ("x".repeat(1024), "\u{20ac}'%*".repeat(1 << 18));
    for name in [
        "%",
        "_",
        "*",
        "c*",
        "caro_",
        "'",
        "''",
        "' OR 1=1 --",
        "\"; DROP TABLE staff; --",
        "$1",
        "?",
        "\\",
        "\0",
        "carol\0",
        "\0carol",
        "carol:x",
        ":",
        "#",
        "carol\n",
        "\r\ncarol",
        "..",
        "../..",
        "?name=carol",
        "%00",
        "%2e%2e",
        "{username}",
        "{password}",
        "\u{feff}carol",
        "\u{202e}lorac",
        "ｃarol",
        &long,
        &longer,
    ] {
        let refused = Ok(Refusal::UnknownIdentifier.into());
        assert_eq!(host.login::<Realm>(name, "s3cre7"), refused, "{name:.40}");
        let answer = host.lookup::<Realm>(Key::Identifier(name.to_owned()));
        assert_eq!(answer, Ok(Refusal::UnknownIdentifier.into()), "{name:.40}");
        for resolver in ["files", "hr", "web", "corp", "local", "r"] {
            let answer = host.lookup::<Realm>(Key::Subject(format!("{resolver}:{name}")));
            assert_eq!(answer, Ok(Refusal::UnknownIdentifier.into()), "{resolver} {name:.40}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_text_lets_anybody_in(name in any::<String>(), password in any::<String>(), realm in "r|R|[a-z]{0,3}|\\PC{0,5}") {
        let host = host().context(|context| {
            context.attributes.insert("realm".to_owned(), realm);
        });
        let outcome = host.login::<Realm>(&name, &password);
        prop_assert!(matches!(outcome, Ok(Outcome::Refused(_))), "{:?}", outcome);
    }

    #[test]
    fn no_pattern_stops_a_search(about in "login|email|subject|realm[.]userid|[a-z]{1,5}", pattern in "[*%_a-c\\\\\0]{0,8}|\\PC{0,20}") {
        prop_assert!(host().browse::<Realm>(Query::most(9).with(about, pattern)).is_ok());
    }

    #[test]
    fn no_row_is_a_fault_or_tells_a_hash(
        rows in proptest::collection::vec(proptest::array::uniform3(any::<Option<String>>()), 0..3),
        own in any::<bool>(),
    ) {
        let hash = verifier("s3cre7");
        let told = hash.clone();
        let config = json!({
            "default_realm": "r",
            "realms": { "r": { "resolvers": [{ "name": "hr" }] } },
            "resolvers": { "hr": {
                "type": "sql", "database": "hr", "query": "Q $1", "list_query": "L $1",
                "map": { "userid": "id", "username": "login", "password": "hash", "phone": "tel" }
            } }
        });
        let host = MockHost::new().config(config).database("hr", move |_, _| {
            let row = |[id, login, tel]: &[Option<String>; 3]| {
                let tel = if own { Some(told.as_str()) } else { tel.as_deref() };
                Row::from([("id", id.as_deref()), ("login", login.as_deref()), ("tel", tel), ("hash", Some(told.as_str()))])
            };
            Ok(rows.iter().map(row).collect())
        });
        let outcome = host.login::<Realm>("carol", "s3cre7");
        let listing = host.browse::<Realm>(Query::most(9));
        prop_assert!(outcome.is_ok() && listing.is_ok(), "{:?} {:?}", outcome, listing);
        let told = format!("{outcome:?} {listing:?} {:?}", host.lines());
        prop_assert!(!told.contains(&hash), "{}", told);
    }
}
