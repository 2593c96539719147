//! What is kept, and what is read again.

use super::*;
use crate::dialect::webitel::acl::Acl;
use keyway_core::model::{IdentityId, TenantId, UserId};
use keyway_core::port::DocumentStore as _;
use keyway_core::testing::MemoryStore;
use serde_json::json;

fn role(allows: &Value) -> Role {
    Role::parse(allows, &Value::Null).expect("a role")
}

fn token() -> DomainToken {
    DomainToken {
        tenant: TenantId(Uuid::from_u128(1)),
        role: "user".to_owned(),
        ceiling: Acl::parse(&json!({"book": ["r"]})).expect("an access list"),
        expires_at: Timestamp(5),
        maker: Maker::User(UserId(Uuid::from_u128(2))),
        created_by: "100@mydomain.com".to_owned(),
        created_at: Timestamp(4),
        enabled: true,
        revision: 0,
    }
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let book = Arc::new(Book::new(MemoryStore::new()));
    let page = book.current().await.expect("a page");
    let written = book.put_role(&page, "clerk", &role(&json!({"book": ["c"]}))).await;
    written.expect("written");
    let late = book.put_role(&page, "clerk", &role(&json!({"book": ["*"]}))).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    let page = book.current().await.expect("a page");
    assert_eq!(page.roles.acl("clerk").to_json(), json!({"book": ["c"]}));
    let again = book.put_role(&page, "clerk", &role(&json!({"book": ["r"]}))).await;
    again.expect("written");
    let late = book.remove_role(&page, "clerk").await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    let page = book.current().await.expect("a page");
    assert!(book.remove_role(&page, "clerk").await.expect("removed"));
    assert!(!book.remove_role(&page, "clerk").await.expect("nothing to remove"));
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_reads() {
    let book = Arc::new(Book::new(MemoryStore::new()));
    for trusted in [true, false] {
        // Where nobody tells of changes, nothing is kept.
        book.state.lock().expect("a lock").trusted = trusted;
        book.forget();
        let before = book.begun.load(Ordering::SeqCst);
        let held = book.reading.lock().await;
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let book = Arc::clone(&book);
                tokio::spawn(async move { book.current().await })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(held);
        for asked in asking {
            asked.await.expect("no panic").expect("a page");
        }
        let readings = || book.begun.load(Ordering::SeqCst) - before;
        assert_eq!(readings(), 1, "{trusted}");
        book.current().await.expect("a page");
        assert_eq!(readings(), if trusted { 1 } else { 2 });
    }
}

#[tokio::test]
async fn failure_of_the_reader_is_that_of_all_who_wait() {
    let store = MemoryStore::new();
    let book = Arc::new(Book::new(store.clone()));
    store.set_down(true);
    let held = book.reading.lock().await;
    let asking = [(); 2].map(|()| {
        let book = Arc::clone(&book);
        tokio::spawn(async move { book.current().await })
    });
    tokio::task::yield_now().await;
    drop(held);
    for asked in asking {
        let error = asked.await.expect("no panic").expect_err("no page");
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }
    assert_eq!(book.begun.load(Ordering::SeqCst), 1);
    store.set_down(false);
    book.current().await.expect("a page");
}

#[tokio::test]
async fn who_waits_for_a_reader_that_goes_away_reads() {
    let book = Arc::new(Book::new(MemoryStore::new()));
    let mut held = book.reading.lock().await;
    let waiting = tokio::spawn({
        let book = Arc::clone(&book);
        async move { book.current().await }
    });
    tokio::task::yield_now().await;
    *held = Reading {
        number: book.begun.fetch_add(1, Ordering::SeqCst) + 1,
        outcome: None,
    };
    drop(held);
    waiting.await.expect("no panic").expect("a page");
}

#[tokio::test]
async fn token_of_a_domain_is_read_as_it_was_written() {
    let book = Arc::new(Book::new(MemoryStore::new()));
    let everything = DomainToken {
        ceiling: Acl::everything([]),
        maker: Maker::Subject(IdentityId(Uuid::from_u128(3))),
        ..token()
    };
    let of_key = DomainToken {
        maker: Maker::Key {
            tenant: TenantId(Uuid::from_u128(1)),
            number: 4,
        },
        ..token()
    };
    let [one, two, three] = [7, 8, 9].map(Uuid::from_u128);
    book.put_token(one, &token()).await.expect("written");
    book.put_token(two, &everything).await.expect("written");
    book.put_token(three, &of_key).await.expect("written");
    let page = book.current().await.expect("a page");
    for (id, written) in [(one, token()), (two, everything), (three, of_key)] {
        let read = page.tokens.get(&id).expect("a token");
        let revision = read.revision;
        assert_eq!(*read, DomainToken { revision, ..written });
    }
    assert!(book.remove_token(one).await.expect("removed"));
    assert!(!book.remove_token(one).await.expect("nothing to remove"));
    assert!(!book.current().await.expect("a page").tokens.contains_key(&one));
}

#[tokio::test]
async fn nobody_is_let_in_past_what_cannot_be_read() {
    let store = MemoryStore::new();
    let bad = NewDocument {
        name: "clerk".to_owned(),
        document: json!({"allows": {"book": ["x"]}}).to_string(),
        sealed: None,
        replaces: None,
    };
    store
        .put_document(DocumentKind::WebitelRole, &bad)
        .await
        .expect("written");
    let error = Book::new(store).current().await.expect_err("a role that is none");
    assert!(error.to_string().contains("`clerk`"), "{error}");
}
