//! What is kept, and what is read again.

use super::*;
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
}

#[tokio::test]
async fn token_of_a_domain_is_read_as_it_was_written() {
    let book = Arc::new(Book::new(MemoryStore::new()));
    let everything = DomainToken {
        ceiling: Acl::everything([]),
        ..token()
    };
    let (one, two) = (Uuid::from_u128(7), Uuid::from_u128(8));
    book.put_token(one, &token()).await.expect("written");
    book.put_token(two, &everything).await.expect("written");
    let page = book.current().await.expect("a page");
    for (id, written) in [(one, token()), (two, everything)] {
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
