//! Roles, and what they allow.

use reqwest::Method;
use serde_json::json;

use super::seed::house;

const ROLES: &str = "/api/v2/acl/roles";

#[tokio::test]
async fn roles_are_read_by_all_and_changed_by_who_may() {
    let (_host, webitel) = house("");
    let root = webitel.pair("root", "r00t-pw").await;
    let user = webitel.pair("100@mydomain.com", "secret").await;
    let listed = webitel.send_as(&user, Method::GET, ROLES, None).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    for role in ["root", "admin", "user"] {
        assert!(listed.body.to_string().contains(role), "{listed:?}");
    }
    let clerk = json!({ "roles": "clerk", "allows": { "book": ["c", "r"], "cdr": ["ro"] }, "parents": "user" });
    let refused = webitel.send_as(&user, Method::POST, ROLES, Some(clerk.clone())).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let made = webitel.send_as(&root, Method::POST, ROLES, Some(clerk)).await;
    assert_eq!(made.status, 200, "{made:?}");
    let one = webitel
        .send_as(&root, Method::GET, &format!("{ROLES}/clerk"), None)
        .await;
    assert_eq!(one.status, 200, "{one:?}");
    assert!(one.body.to_string().contains("book"), "{one:?}");
    for (method, body) in [
        (Method::PUT, Some(json!({ "allows": { "book": ["r"] } }))),
        (Method::DELETE, None),
    ] {
        let root_role = webitel.send_as(&root, method, &format!("{ROLES}/root"), body).await;
        assert_eq!(root_role.status, 400, "{root_role:?}");
    }
    let gone = webitel
        .send_as(&root, Method::DELETE, &format!("{ROLES}/clerk"), None)
        .await;
    assert_eq!(gone.status, 200, "{gone:?}");
    let one = webitel
        .send_as(&root, Method::GET, &format!("{ROLES}/clerk"), None)
        .await;
    assert_eq!(one.status, 404, "{one:?}");
}

#[tokio::test]
async fn whoever_may_do_everything_in_a_domain_reads_roles_and_writes_none() {
    let (host, webitel) = house("");
    host.keyway(&["policy", "add", "everything", "--access", "#"]).ok();
    host.keyway(&["policy", "attach", "everything", "--user", "100"]).ok();
    let user = webitel.pair("100@mydomain.com", "secret").await;
    let role = json!({ "roles": "clerk", "allows": {} });
    for (method, path, body, status) in [
        (Method::GET, ROLES.to_owned(), None, 200),
        (Method::POST, ROLES.to_owned(), Some(role), 403),
        (Method::PUT, format!("{ROLES}/user"), Some(json!({ "allows": {} })), 403),
    ] {
        let answer = webitel.send_as(&user, method, &path, body).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_operators_table_says_who_has_which_role() {
    let table = "[[rights]]\naccess = \"keyway.root\"\nkazoo = \"admin\"\nwebitel = \"root\"\n\
        [[rights]]\naccess = \"calls.supervise\"\nkazoo = \"user\"\nwebitel = \"supervisor\"\n\
        [[rights]]\nkazoo = \"user\"\nwebitel = \"user\"\n\
        [directory.policies]\nsupervisors = { acl = [\"calls.supervise\"] }\naccount_admin = { acl = [\"keyway.admin\"] }\n";
    let (host, webitel) = house(table);
    host.keyway(&["policy", "attach", "supervisors", "--user", "100"]).ok();
    let root = webitel.pair("root", "r00t-pw").await;
    let role = json!({ "roles": "supervisor", "allows": { "channels": ["*"] }, "parents": "user" });
    let made = webitel.send_as(&root, Method::POST, ROLES, Some(role)).await;
    assert_eq!(made.status, 200, "{made:?}");
    let answer = webitel.login("100@mydomain.com", "secret").await;
    assert_eq!(
        (answer.status, &answer.body["roleName"], &answer.body["role"]),
        (200, &json!("supervisor"), &json!(-1)),
        "{answer:?}"
    );
    assert_eq!(answer.body["acl"]["channels"], json!(["*"]));
    assert_eq!(answer.body["acl"]["account"], json!(["r", "uo"]), "its parent's");
}
