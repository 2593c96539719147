//! `/api/v2/acl/roles`.

use serde_json::{Value, json};

use super::{House, told};

const ROLES: &str = "/api/v2/acl/roles";

async fn acl(house: &House, pair: &super::Pair) -> Value {
    house.as_pair(pair, "GET", "/api/v2/whoami", Value::Null).await.json()["acl"].take()
}

#[tokio::test]
async fn change_of_a_role_counts_from_the_next_request_on() {
    let house = House::new().await;
    let (root, user) = (house.root().await, house.user().await);
    assert_eq!(acl(&house, &user).await["cdr"], json!(["ro"]));
    let change = json!({"allows": {"cdr": ["r"]}});
    let changed = house.as_pair(&root, "PUT", "/api/v2/acl/roles/user", change).await;
    assert_eq!(
        changed.json(),
        json!({"status": "OK", "info": {"roles": "user", "parents": null, "allows": {"cdr": ["r"]}}})
    );
    assert_eq!(acl(&house, &user).await, json!({"cdr": ["r"]}));
    let removed = house
        .as_pair(&root, "DELETE", "/api/v2/acl/roles/user", Value::Null)
        .await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(acl(&house, &user).await["cdr"], json!(["ro"]), "as it was");
}

#[tokio::test]
async fn bad_roles_are_refused_and_say_why() {
    let house = House::new().await;
    let root = house.root().await;
    let clerk = json!({"roles": "clerk", "allows": {"book": ["c"]}, "parents": ["user"]});
    assert_eq!(house.as_pair(&root, "POST", ROLES, clerk.clone()).await.status, 200);
    let boss = json!({"roles": "boss", "parents": "clerk"});
    assert_eq!(house.as_pair(&root, "POST", ROLES, boss).await.status, 200);
    let mut lines = Vec::new();
    for (method, path, body) in [
        ("POST", "", clerk),
        ("POST", "", json!({"roles": "root"})),
        ("POST", "", json!({"allows": {}})),
        ("POST", "", json!({"roles": ""})),
        ("POST", "", json!({"roles": "a", "parents": "nosuch"})),
        ("POST", "", json!({"roles": "a", "parents": 5})),
        ("POST", "", json!({"roles": "a", "allows": {"book": ["x"]}})),
        ("POST", "", json!({"roles": "a", "allows": []})),
        ("PUT", "/root", json!({"allows": {}})),
        ("PUT", "/nosuch", json!({"allows": {}})),
        ("PUT", "/clerk", json!({"parents": "boss"})),
        ("DELETE", "/root", json!(null)),
        ("DELETE", "/admin", json!(null)),
        ("DELETE", "/clerk", json!(null)),
        ("DELETE", "/nosuch", json!(null)),
        ("GET", "/nosuch", json!(null)),
    ] {
        let reply = house
            .as_pair(&root, method, &format!("{ROLES}{path}"), body.clone())
            .await;
        lines.push(format!("{method} {path} {body}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    POST  {"roles":"clerk","allows":{"book":["c"]},"parents":["user"]}: 409 "There is a role of this name."
    POST  {"roles":"root"}: 409 "There is a role of this name."
    POST  {"allows":{}}: 400 "The name of a role is 1 to 64 bytes without control characters."
    POST  {"roles":""}: 400 "The name of a role is 1 to 64 bytes without control characters."
    POST  {"roles":"a","parents":"nosuch"}: 400 "The parents of a role are other roles, at most 16, none of which is below it."
    POST  {"roles":"a","parents":5}: 400 "The parents of a role are other roles, at most 16, none of which is below it."
    POST  {"roles":"a","allows":{"book":["x"]}}: 400 "A permission is one of *, c, co, r, ro, u, uo, d, do."
    POST  {"roles":"a","allows":[]}: 400 "`allows` is to be an object of lists."
    PUT /root {"allows":{}}: 400 "The role root cannot be changed or removed."
    PUT /nosuch {"allows":{}}: 404 "Role not found."
    PUT /clerk {"parents":"boss"}: 400 "The parents of a role are other roles, at most 16, none of which is below it."
    DELETE /root null: 400 "The role root cannot be changed or removed."
    DELETE /admin null: 400 "A role that is there by itself cannot be removed."
    DELETE /clerk null: 400 "Another role has this one as a parent."
    DELETE /nosuch null: 404 "Role not found."
    GET /nosuch null: 404 "Role not found."
    "#);
}

#[tokio::test]
async fn nobody_gives_or_takes_what_the_own_role_does_not_allow() {
    let house = House::new().await;
    let root = house.root().await;
    // From now on everybody of the top tenant writes roles.
    let change = json!({"allows": {"acl/roles": ["*"], "book": ["r"]}});
    for role in ["user", "admin"] {
        let path = format!("{ROLES}/{role}");
        let body = json!({"allows": change["allows"], "parents": null});
        assert_eq!(house.as_pair(&root, "PUT", &path, body).await.status, 200);
    }
    let strong = json!({"roles": "strong", "allows": {"license": ["*"]}});
    assert_eq!(house.as_pair(&root, "POST", ROLES, strong).await.status, 200);
    let somebody = house.pair("stranger", "x").await;
    for (method, path, body, status) in [
        ("POST", "", json!({"roles": "a", "allows": {"book": ["ro"]}}), 200),
        ("POST", "", json!({"roles": "b", "allows": {"book": ["c"]}}), 403),
        ("POST", "", json!({"roles": "b", "parents": "root"}), 403),
        (
            "POST",
            "",
            json!({"roles": "b", "allows": {"what/nobody/named": ["r"]}}),
            403,
        ),
        (
            "PUT",
            "/admin",
            json!({"allows": {"acl/roles": ["*"], "license": ["*"]}}),
            403,
        ),
        ("PUT", "/strong", json!({"allows": {}}), 403),
        ("DELETE", "/strong", json!(null), 403),
        ("DELETE", "/a", json!(null), 200),
        // What comes back allows more.
        ("DELETE", "/user", json!(null), 403),
        ("DELETE", "/admin", json!(null), 403),
    ] {
        let reply = house
            .as_pair(&somebody, method, &format!("{ROLES}{path}"), body.clone())
            .await;
        assert_eq!(reply.status, status, "{method} {path} {body}: {reply:?}");
    }
}

#[tokio::test]
async fn who_is_confined_to_a_domain_writes_no_roles_whatever_its_own_allows() {
    let house = House::new().await;
    let directory = &house.state.state.directory;
    directory
        .add_policy("everything", vec!["#".to_owned()])
        .await
        .expect("a policy");
    directory.attach_policy("everything", "100").await.expect("attached");
    let root = house.root().await;
    let made = json!({"roles": "clerk", "allows": {}});
    assert_eq!(house.as_pair(&root, "POST", ROLES, made).await.status, 200);
    let user = house.user().await;
    assert_eq!(acl(&house, &user).await["license"], json!(["*"]), "it is root at home");
    for (method, path, body) in [
        ("POST", "", json!({"roles": "a"})),
        ("PUT", "/user", json!({"allows": {}})),
        ("DELETE", "/clerk", json!(null)),
    ] {
        let reply = house.as_pair(&user, method, &format!("{ROLES}{path}"), body).await;
        assert_eq!(told(&reply), "403 \"Permission denied!\"", "{method} {path}");
    }
    for path in ["", "/user"] {
        let reply = house
            .as_pair(&user, "GET", &format!("{ROLES}{path}"), Value::Null)
            .await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let house = House::new().await;
    let user = house.user().await;
    for (method, path) in [("POST", ""), ("PUT", "/user"), ("DELETE", "/user")] {
        let reply = house.as_pair(&user, method, &format!("{ROLES}{path}"), json!({})).await;
        assert_eq!(told(&reply), "403 \"Permission denied!\"", "{method} {path}");
    }
    assert_eq!(house.as_pair(&user, "GET", ROLES, Value::Null).await.status, 200);
}
