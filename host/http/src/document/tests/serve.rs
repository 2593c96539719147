//! How the document is served.

use std::fmt::Write as _;

use super::{house, told};
use crate::dialect::{Dialect, router};
use crate::testing::{TestState, ask};

#[tokio::test]
async fn each_form_of_the_document_has_a_version() {
    let (_house, router) = house().await;
    for (path, kind) in [
        ("/api/openapi.json", "application/json"),
        ("/api", "text/html; charset=utf-8"),
        ("/0.1/api/api.yml", "application/x-yaml"),
        ("/api/auth/0.1/api/api.yml", "application/x-yaml"),
    ] {
        let reply = ask(&router, "GET", path, &[], "").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{path}");
        let version = reply.header("etag").expect("a version").to_owned();
        for list in [version.clone(), format!("\"0\", W/{version}")] {
            let known = ask(&router, "GET", path, &[("if-none-match", &list)], "").await;
            assert_eq!((known.status.as_u16(), known.body.as_str()), (304, ""), "{path}");
            assert_eq!(known.header("etag"), Some(version.as_str()), "{path}");
        }
        let other = ask(&router, "GET", path, &[("if-none-match", "\"0\"")], "").await;
        assert_eq!(other.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_page_tells_of_each_operation_and_runs_nothing() {
    let (_house, router) = house().await;
    let reply = ask(&router, "GET", "/api", &[], "").await;
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    for wrong in [
        "<script",
        "javascript:",
        "http://",
        "https://",
        " style=",
        "onclick",
        "undefined",
    ] {
        assert!(!reply.body.contains(wrong), "{wrong}");
    }
    for (_, found) in told(&router).await.operations() {
        let (id, method) = (&found.operation["operationId"], found.method.to_lowercase());
        let id = id.as_str().expect("an id");
        let mut wanted = format!("<details id=\"{id}\">\n<summary><span class=\"{method}\">{method}</span> ");
        write!(wanted, "<code>{}</code>", found.path).expect("a text");
        assert!(reply.body.contains(&wanted), "{wanted}");
    }
}

#[tokio::test]
async fn each_reference_of_the_page_leads_somewhere() {
    let (_house, router) = house().await;
    let page = ask(&router, "GET", "/api", &[], "").await.body;
    let parts = |begin: &str| -> Vec<String> {
        let parts = page.split(begin).skip(1);
        parts
            .map(|part| part.split('"').next().expect("a part").to_owned())
            .collect()
    };
    let ids = parts(" id=\"");
    let mut links = parts("href=\"#");
    assert!(links.len() > 100, "{links:?}");
    links.retain(|link| !ids.contains(link));
    assert!(links.is_empty(), "{links:?}");
    assert!(ids.iter().all(|id| !id.contains(' ')), "{ids:?}");
}

#[tokio::test]
async fn what_is_closed_is_not_told_of() {
    let house = TestState::new().await;
    let router = router(&[Dialect::Wazo], &house.state);
    let told = told(&router).await;
    assert!(told.operations().all(|(_, found)| found.path != "/0.1/users/register"));
}

#[tokio::test]
async fn a_listener_without_dialects_tells_nothing() {
    let house = TestState::new().await;
    let router = router(&[], &house.state);
    for path in ["/api", "/api/openapi.json", "/0.1/api/api.yml"] {
        assert_eq!(ask(&router, "GET", path, &[], "").await.status, 404, "{path}");
    }
}
