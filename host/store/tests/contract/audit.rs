//! The audit: who asked for what, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use keyway_core::model::Timestamp;
use keyway_core::port::{AuditCount, AuditEntry, AuditFilter, NewAuditEntry, Store};

const HOUR: Duration = Duration::from_hours(1);

fn entry(user: &str) -> NewAuditEntry {
    NewAuditEntry {
        action: "POST /validate/check".to_owned(),
        authentication: "REJECT".to_owned(),
        user: user.to_owned(),
        realm: "corp".to_owned(),
        ..NewAuditEntry::default()
    }
}

/// Each text is another one.
fn full() -> NewAuditEntry {
    NewAuditEntry {
        action: "POST /Auth".to_owned(),
        success: true,
        authentication: "ACCEPT".to_owned(),
        user: "Ana María".to_owned(),
        realm: "CORP".to_owned(),
        resolver: "ÜBER".to_owned(),
        administrator: "Ädmin".to_owned(),
        serial: "TOTP1_A".to_owned(),
        token_type: "totp".to_owned(),
        policies: "p1,p2".to_owned(),
        info: "100 % \\ \"été\"\n".to_owned(),
        client: "2001:db8::1".to_owned(),
        user_agent: "curl/8".to_owned(),
        request_id: "0a0b".to_owned(),
        duration: Duration::from_micros(1_234_567),
    }
}

async fn record(store: &dyn Store, entry: &NewAuditEntry) {
    store.record_audit(entry).await.expect("recorded");
}

async fn all(store: &dyn Store, ascending: bool) -> Vec<AuditEntry> {
    let list = store.list_audit(&AuditFilter::default(), ascending, 10_000, 0).await;
    list.expect("a list").items
}

/// The users of the entries that fit.
async fn fitting(store: &dyn Store, filter: &AuditFilter) -> String {
    let list = store.list_audit(filter, true, 100, 0).await.expect("a list");
    assert_eq!(list.filtered, list.items.len() as u64);
    let users: Vec<_> = list.items.iter().map(|found| found.entry.user.as_str()).collect();
    users.join(" ")
}

fn by(column: &str, pattern: &str) -> AuditFilter {
    AuditFilter {
        patterns: vec![(column.to_owned(), pattern.to_owned())],
        ..AuditFilter::default()
    }
}

pub(crate) async fn an_entry_is_found_as_it_was_recorded(store: Arc<dyn Store>) {
    record(&*store, &full()).await;
    record(&*store, &NewAuditEntry::default()).await;
    let entries = all(&*store, true).await;
    let [first, second] = entries.as_slice() else {
        panic!("two: {entries:?}");
    };
    assert_eq!((&first.entry, &second.entry), (&full(), &NewAuditEntry::default()));
    assert!(first.id < second.id && first.at <= second.at);
    assert!(
        first.at > Timestamp(1_700_000_000_000_000),
        "a time of these days: {:?}",
        first.at
    );
}

pub(crate) async fn no_text_of_a_stranger_keeps_an_entry_out(store: Arc<dyn Store>) {
    let long = "x".repeat(100_000);
    for user in ["a\0b", &long] {
        let mut entry = entry(user);
        entry.info = user.to_owned();
        record(&*store, &entry).await;
        let actions = [entry.action.as_str()];
        let counted = AuditCount {
            actions: &actions,
            user,
            realm: "corp",
            authentication: "REJECT",
            within: HOUR,
        };
        assert_eq!(store.count_audit(&counted).await.expect("a number"), 1);
    }
    assert_eq!(all(&*store, true).await.len(), 2);
}

pub(crate) async fn the_audit_is_read_in_pages_from_either_end(store: Arc<dyn Store>) {
    for user in ["a", "b", "c", "d", "e"] {
        record(&*store, &entry(user)).await;
    }
    let pages = [
        (false, 10, 0, "e d c b a"),
        (true, 10, 0, "a b c d e"),
        (false, 2, 0, "e d"),
        (false, 2, 4, "a"),
        (true, 2, 1, "b c"),
        (true, 2, 5, ""),
        (true, 0, 0, ""),
    ];
    for (ascending, limit, offset, expected) in pages {
        let list = store
            .list_audit(&AuditFilter::default(), ascending, limit, offset)
            .await;
        let list = list.expect("a list");
        let users: Vec<_> = list.items.iter().map(|found| found.entry.user.as_str()).collect();
        assert_eq!((users.join(" ").as_str(), list.total, list.filtered), (expected, 5, 5));
    }
    let list = store.list_audit(&by("user", "*"), false, 1, 0).await.expect("a list");
    assert_eq!((list.items.len(), list.total, list.filtered), (1, 5, 5));
    let list = store.list_audit(&by("user", "c"), false, 9, 0).await.expect("a list");
    assert_eq!((list.items.len(), list.total, list.filtered), (1, 5, 1));
}

pub(crate) async fn entries_fit_by_any_column_without_regard_to_case(store: Arc<dyn Store>) {
    record(&*store, &entry("other")).await;
    record(&*store, &full()).await;
    let columns = [
        ("action", "post /AUTH"),
        ("authentication", "acc*"),
        ("user", "aNA mARÍA"),
        ("user", "*MARÍ*"),
        ("resolver", "über"),
        ("resolver", "*Ber"),
        ("administrator", "äDMIN"),
        ("administrator", "*DM*"),
        ("serial", "totp1_*"),
        ("token_type", "T*P"),
        ("policies", "*P2*"),
        ("info", "100 %*ÉTÉ*"),
        ("info", "*\\*"),
        ("client", "2001:DB8:*"),
        ("user_agent", "CURL*"),
        ("request_id", "0A0B"),
    ];
    for (column, pattern) in columns {
        assert_eq!(
            fitting(&*store, &by(column, pattern)).await,
            "Ana María",
            "{column} {pattern}"
        );
    }
    assert_eq!(fitting(&*store, &by("realm", "Corp")).await, "other Ana María");
    for (column, pattern) in [
        ("action", "/auth"),
        ("serial", "totp1_"),
        ("serial", "totp1%a"),
        ("info", "*_*"),
        ("duration", "*"),
        ("login", "*"),
        ("", "*"),
        ("user\"; --", "*"),
    ] {
        assert_eq!(fitting(&*store, &by(column, pattern)).await, "", "{column} {pattern}");
    }
    let mut both = by("realm", "corp");
    both.patterns.push(("user".to_owned(), "o*".to_owned()));
    assert_eq!(fitting(&*store, &both).await, "other");
}

pub(crate) async fn entries_fit_by_their_end_and_their_time(store: Arc<dyn Store>) {
    record(&*store, &entry("failed")).await;
    // So that the two have not the same time.
    let first = all(&*store, true).await[0].at;
    let mut done = NewAuditEntry {
        success: true,
        ..entry("done")
    };
    while all(&*store, false).await[0].at == first {
        record(&*store, &done).await;
    }
    "last".clone_into(&mut done.user);
    record(&*store, &done).await;
    let success = |success| AuditFilter {
        success: Some(success),
        ..AuditFilter::default()
    };
    assert_eq!(fitting(&*store, &success(false)).await, "failed");
    assert!(fitting(&*store, &success(true)).await.ends_with("done last"));
    let since = |at: i64| AuditFilter {
        since: Some(Timestamp(at)),
        ..AuditFilter::default()
    };
    let last = all(&*store, false).await[0].at;
    assert!(fitting(&*store, &since(first.0)).await.starts_with("failed"));
    assert!(fitting(&*store, &since(first.0 + 1)).await.starts_with("done"));
    assert!(fitting(&*store, &since(last.0)).await.ends_with("last"));
    assert_eq!(fitting(&*store, &since(last.0 + 1)).await, "");
}

/// Actions, user, realm, end, how far back, and how many there are.
type Counted<'a> = (&'a [&'a str], &'a str, &'a str, &'a str, Duration, u64);

pub(crate) async fn what_is_counted_is_exact(store: Arc<dyn Store>) {
    let long = "a".repeat(80);
    let longer = format!("{long}b");
    let entries = [
        entry("ana"),
        entry("ana"),
        entry("Ana"),
        entry("ana*"),
        entry(&long),
        entry(&longer),
        entry(&longer),
        NewAuditEntry {
            realm: "lab".to_owned(),
            ..entry("ana")
        },
        NewAuditEntry {
            authentication: "ACCEPT".to_owned(),
            ..entry("ana")
        },
        NewAuditEntry {
            action: "POST /auth".to_owned(),
            ..entry("ana")
        },
        NewAuditEntry {
            action: "GET /auth".to_owned(),
            ..entry("ana")
        },
    ];
    join_all(entries.iter().map(|entry| record(&*store, entry))).await;
    let check = ["POST /validate/check"];
    let logins = ["POST /validate/check", "POST /auth"];
    let counts: [Counted; 10] = [
        (&check, "ana", "corp", "REJECT", HOUR, 2),
        (&logins, "ana", "corp", "REJECT", HOUR, 3),
        (&[], "ana", "corp", "REJECT", HOUR, 0),
        (&check, "Ana", "corp", "REJECT", HOUR, 1),
        (&check, "ana*", "corp", "REJECT", HOUR, 1),
        (&check, "*", "corp", "REJECT", HOUR, 0),
        (&check, &long, "corp", "REJECT", HOUR, 1),
        (&check, &longer, "corp", "REJECT", HOUR, 2),
        (&check, "ana", "lab", "REJECT", Duration::MAX, 1),
        (&check, "ana", "corp", "ACCEPT", HOUR, 1),
    ];
    for (actions, user, realm, authentication, within, expected) in counts {
        let counted = AuditCount {
            actions,
            user,
            realm,
            authentication,
            within,
        };
        let found = store.count_audit(&counted).await.expect("a number");
        assert_eq!(found, expected, "{counted:?}");
    }
}

pub(crate) async fn what_is_long_past_does_not_count(store: Arc<dyn Store>) {
    record(&*store, &entry("ana")).await;
    let written = all(&*store, true).await[0].at;
    let actions = ["POST /validate/check"];
    let count = async |within: Duration| {
        let counted = AuditCount {
            actions: &actions,
            user: "ana",
            realm: "corp",
            authentication: "REJECT",
            within,
        };
        store.count_audit(&counted).await.expect("a number")
    };
    assert_eq!(count(HOUR).await, 1);
    // The store's clock goes on with every entry that is later than the first.
    loop {
        record(&*store, &entry("bob")).await;
        if all(&*store, false).await[0].at > written.plus(Duration::from_millis(20)) {
            break;
        }
    }
    assert_eq!(count(Duration::from_millis(1)).await, 0);
    assert_eq!(count(HOUR).await, 1);
}

pub(crate) async fn old_entries_are_swept_in_batches(store: Arc<dyn Store>) {
    for user in ["a", "b", "c"] {
        record(&*store, &entry(user)).await;
    }
    let sweep = async |before, batch| store.sweep_audit(before, batch).await.expect("swept");
    let entries = all(&*store, true).await;
    assert_eq!(sweep(entries[0].at, 10).await, 0);
    assert_eq!(sweep(Timestamp(i64::MAX), 2).await, 2);
    assert_eq!(all(&*store, true).await, entries[2..]);
    assert_eq!(sweep(Timestamp(i64::MAX), 2).await, 1);
    assert_eq!(sweep(Timestamp(i64::MAX), 2).await, 0);
    record(&*store, &entry("d")).await;
    let next = all(&*store, true).await;
    assert!(next[0].id > entries[2].id, "numbers are not given out twice");
}
