//! What does not work, by the resolver's name.

use keyway_sdk::database::DatabaseError;
use keyway_sdk::testing::{MockBackend, MockHost};
use keyway_sdk::{Capability, Fault, json};
use realm::Realm;

fn host() -> MockHost {
    MockHost::new().config(json!({
        "resolvers": {
            "a": { "type": "passwd", "file": "f" },
            "b": { "type": "sql", "database": "hr", "query": "Q $1", "map": { "userid": "id" } },
            "c": { "type": "backend", "backend": "corp" },
            "d": { "type": "directory" }
        }
    }))
}

#[test]
fn all_is_well_where_each_resolver_works() {
    let host = host()
        .file("f", "")
        .database("hr", |_, _| Ok(Vec::new()))
        .backend("corp", MockBackend::new().cannot_list());
    assert_eq!(host.health::<Realm>(), Ok(()));
    assert_eq!(host.comparisons(), 0);
}

#[test]
fn each_resolver_that_does_not_work_is_named() {
    let down = host()
        .missing_file("f")
        .database("hr", |_, _| Err(DatabaseError::Unavailable))
        .backend("corp", MockBackend::new().unavailable())
        .deny(Capability::DirectoryFind);
    let message = "resolver `a`: the file cannot be read; resolver `b`: the database does not answer; resolver `c`: the other backend does not answer; \
                   resolver `d`: the capability `directory.find` is not granted";
    assert_eq!(down.health::<Realm>(), Err(Fault::unavailable(message)));
    let ungranted = host()
        .database("hr", |_, _| Ok(Vec::new()))
        .backend("corp", MockBackend::new());
    let message = "resolver `a`: `grants.file.f` is not granted";
    assert_eq!(ungranted.health::<Realm>(), Err(Fault::misconfigured(message)));
}
