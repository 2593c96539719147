//! The document of the whole API, for programs and for people.

use keyway_tests::TestHost;
use keyway_tests::wazo::{Answer, send};
use reqwest::Method;

async fn get(host: &TestHost, path: &str) -> Answer {
    send(host.wazo().at(host.url("")).request(Method::GET, path)).await
}

#[tokio::test]
async fn the_document_tells_of_what_this_listener_answers() {
    let host = TestHost::builder().start();
    let told = get(&host, "/api/openapi.json").await;
    assert_eq!((told.status, &told.body["openapi"]), (200, &"3.1.0".into()));
    let paths = &told.body["paths"];
    let access = &paths["/0.1/users/{user}"]["get"]["x-required-access"];
    assert_eq!(access, "auth.users.{user}.read");
    assert!(paths.get("/0.1/users/register").is_none(), "registration is off");
    for path in ["/livez", "/readyz", "/0.1/backends", "/api", "/0.1/api/api.yml"] {
        let answer = get(&host, path).await;
        assert_eq!(answer.status, 200, "{path}");
        let told = &paths[path]["get"]["responses"]["200"]["content"];
        let kind = answer.headers["content-type"].to_str().expect("a text");
        let kind = kind.split(';').next().expect("a part");
        assert!(told.get(kind).is_some(), "{path}: {kind}");
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let host = TestHost::builder().start();
    let page = get(&host, "/api").await;
    let policy = page.headers["content-security-policy"].to_str().expect("a text");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = page.body.as_str().expect("a page");
    assert!(page.contains("<code>/0.1/token/{token}</code>"));
    assert!(!page.contains("<script") && !page.contains("://"));
}
