//! What is configured through APIs and belongs to the whole installation.

use std::sync::Arc;

use keyway_core::port::{DocumentKind, NewDocument, Store, StoreError, StoredDocument};

const KIND: DocumentKind = DocumentKind::PrivacyideaPolicy;

pub(crate) fn document(name: &str, content: &str, replaces: Option<i64>) -> NewDocument {
    NewDocument {
        name: name.to_owned(),
        document: content.to_owned(),
        sealed: None,
        replaces,
    }
}

async fn put(store: &dyn Store, new: &NewDocument) -> StoredDocument {
    store.put_document(KIND, new).await.expect("put")
}

async fn refused(store: &dyn Store, new: &NewDocument) {
    let error = store.put_document(KIND, new).await.expect_err("another revision");
    assert!(matches!(error, StoreError::Conflict { what: "document" }), "{error:?}");
}

pub(crate) async fn a_document_is_found_as_it_was_put(store: Arc<dyn Store>) {
    let find = async |name: &'static str| store.find_document(KIND, name).await.expect("an answer");
    assert_eq!(find("Été").await, None);
    let mut new = document("Été", "{\"é\":1}", None);
    new.sealed = Some(vec![0, 255, 7]);
    let first = put(&*store, &new).await;
    assert_eq!(
        (&first.name, &first.document, &first.sealed),
        (&new.name, &new.document, &new.sealed)
    );
    assert!(first.revision > 0);
    assert_eq!(find("Été").await.as_ref(), Some(&first));
    let second = put(&*store, &document("Été", "{}", None)).await;
    assert_eq!(
        (second.id, second.document.as_str(), second.sealed.as_ref()),
        (first.id, "{}", None)
    );
    assert!(second.revision > first.revision);
    assert_eq!(find("Été").await.as_ref(), Some(&second));
    for other in ["été", "Ét", "Été\0", ""] {
        assert_eq!(find(other).await, None, "{other:?}");
    }
    let elsewhere = store.find_document(DocumentKind::PrivacyideaSetting, "Été").await;
    assert_eq!(elsewhere.expect("an answer"), None);
}

pub(crate) async fn documents_are_listed_by_name_within_their_kind(store: Arc<dyn Store>) {
    for name in ["b", "a", "B", "é", "a b"] {
        put(&*store, &document(name, name, Some(0))).await;
    }
    let elsewhere = document("c", "{}", None);
    store
        .put_document(DocumentKind::SigningKey, &elsewhere)
        .await
        .expect("put");
    let listed = store.list_documents(KIND).await.expect("a list");
    let names: Vec<_> = listed.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names, ["B", "a", "a b", "b", "é"]);
    for document in &listed {
        let found = store.find_document(KIND, &document.name).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(document));
    }
    let none = store.list_documents(DocumentKind::BackendConfig).await;
    assert_eq!(none.expect("a list"), []);
}

pub(crate) async fn a_document_is_replaced_only_as_it_was_read(store: Arc<dyn Store>) {
    refused(&*store, &document("a", "1", Some(1))).await;
    let first = put(&*store, &document("a", "1", Some(0))).await;
    refused(&*store, &document("a", "2", Some(0))).await;
    let second = put(&*store, &document("a", "2", Some(first.revision))).await;
    refused(&*store, &document("a", "3", Some(first.revision))).await;
    refused(&*store, &document("a", "3", Some(second.revision + 1))).await;
    assert_eq!(
        store.find_document(KIND, "a").await.expect("an answer"),
        Some(second.clone()),
        "what is refused changes nothing"
    );
    // One that went and came again is another one.
    store.remove_document(KIND, "a").await.expect("removed");
    let third = put(&*store, &document("a", "x", Some(0))).await;
    assert!(third.revision > second.revision);
    refused(&*store, &document("a", "3", Some(first.revision))).await;
    refused(&*store, &document("a", "3", Some(second.revision))).await;
}

pub(crate) async fn a_document_is_removed_only_as_it_was_read(store: Arc<dyn Store>) {
    let removed = async |revision| store.remove_document_as_read(KIND, "a", revision).await;
    assert_eq!(removed(1).await.expect("an answer"), None);
    let first = put(&*store, &document("a", "1", None)).await;
    let second = put(&*store, &document("a", "2", None)).await;
    for revision in [0, first.revision, second.revision + 1] {
        let refused = removed(revision).await;
        assert!(
            matches!(refused, Err(StoreError::Conflict { what: "document" })),
            "{refused:?}"
        );
    }
    let found = store.find_document(KIND, "a").await.expect("an answer");
    assert_eq!(found.as_ref(), Some(&second), "what is refused changes nothing");
    assert_eq!(removed(second.revision).await.expect("an answer"), Some(second.id));
    assert_eq!(removed(second.revision).await.expect("an answer"), None);
}

pub(crate) async fn of_all_who_replace_a_document_at_once_one_does(store: Arc<dyn Store>) {
    for replaced in [None, Some("1")] {
        let name = replaced.unwrap_or("new");
        let revision = match replaced {
            Some(content) => put(&*store, &document(name, content, None)).await.revision,
            None => 0,
        };
        let tasks: Vec<_> = (0..32)
            .map(|number| {
                let store = Arc::clone(&store);
                let new = document(name, &format!("{number}"), Some(revision));
                tokio::spawn(async move { store.put_document(KIND, &new).await })
            })
            .collect();
        let mut put = Vec::new();
        for task in tasks {
            match task.await.expect("no panic") {
                Ok(stored) => put.push(stored),
                Err(StoreError::Conflict { what: "document" }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let [winner] = put.as_slice() else {
            panic!("one: {put:?}");
        };
        let found = store.find_document(KIND, name).await.expect("an answer");
        assert_eq!(found.as_ref(), Some(winner));
    }
}

pub(crate) async fn a_documents_id_is_not_given_again(store: Arc<dyn Store>) {
    let first = put(&*store, &document("a", "{}", None)).await;
    let second = put(&*store, &document("b", "{}", None)).await;
    assert!(second.id > first.id);
    let removed = async |name: &'static str| store.remove_document(KIND, name).await.expect("an answer");
    assert_eq!(removed("b").await, Some(second.id));
    assert_eq!(removed("b").await, None);
    assert_eq!(removed("b\0").await, None);
    assert_eq!(store.find_document(KIND, "b").await.expect("an answer"), None);
    let third = put(&*store, &document("b", "{}", None)).await;
    assert!(third.id > second.id);
    let fourth = store
        .put_document(DocumentKind::BackendConfig, &document("b", "{}", None))
        .await;
    assert!(fourth.expect("put").id > third.id, "whatever its kind");
    assert_eq!(removed("b").await, Some(third.id));
    assert!(store.find_document(KIND, "a").await.expect("an answer").is_some());
    assert!(
        store
            .find_document(DocumentKind::BackendConfig, "b")
            .await
            .expect("an answer")
            .is_some()
    );
}
