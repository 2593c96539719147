//! What an administrator does with tenants, users, groups and policies, and what an administrator of a tenant below may do of that.

use keyway_tests::TestHost;
use keyway_tests::wazo::{Answer, WazoClient, send};
use reqwest::Method;
use serde_json::{Value, json};

const PROVISIONS: &str = r#"
[directory]
max_sessions = 2
default_user_policy = "everybody"
[directory.policies]
everybody = { acl = ["calls.me.#"] }
members = { acl = ["chats.me.#"] }
helpers = { acl = ["help.#"] }
[directory.all_users_policies]
members = true
[directory.groups.helpers]
policies = { helpers = true }
[directory.bootstrap_user]
username = "root"
password = { file = "root.pass" }
purpose = "internal"
policy = "admin"
[dialect.wazo]
xivo_uuid = "the-first-installation"
"#;

/// Who asks, and where.
struct Administrator {
    wazo: WazoClient,
    token: String,
}

impl Administrator {
    async fn log_in(host: &TestHost, login: &str, password: &str) -> Self {
        let wazo = host.wazo();
        let token = wazo.login(login, password, json!({})).await.token();
        Self { wazo, token }
    }

    async fn ask(&self, method: Method, path: &str, tenant: Option<&Value>, body: &Value) -> Answer {
        let mut request = self.wazo.request(method, path).header("X-Auth-Token", &self.token);
        if let Some(tenant) = tenant {
            request = request.header("Wazo-Tenant", text(tenant));
        }
        if !body.is_null() {
            request = request.json(body);
        }
        send(request).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path, None, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    async fn add(&self, path: &str, tenant: Option<&Value>, body: Value) -> Value {
        let answer = self.ask(Method::POST, path, tenant, &body).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    async fn status(&self, method: Method, path: &str) -> u16 {
        self.ask(method, path, None, &Value::Null).await.status
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn all<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| text(&item[key])).collect()
}

fn open() -> TestHost {
    TestHost::builder()
        .file("root.pass", b"r00t\n")
        .config(PROVISIONS)
        .start()
}

/// A tenant below the top one with an administrator of its own, who may do everything there.
async fn below(host: &TestHost, root: &Administrator, login: &str) -> (Value, Administrator) {
    let tenant = root.add("/tenants", None, json!({"name": login})).await["uuid"].clone();
    let body = json!({"username": login, "password": "s3cre7"});
    let user = root.add("/users", Some(&tenant), body).await;
    let policy = root.add("/policies", None, json!({"name": login, "acl": ["#"]})).await;
    let path = format!("/users/{}/policies/{}", text(&user["uuid"]), text(&policy["uuid"]));
    assert_eq!(root.status(Method::PUT, &path).await, 204);
    (tenant, Administrator::log_in(host, login, "s3cre7").await)
}

#[tokio::test]
async fn a_tenant_starts_with_what_the_configuration_provides() {
    let host = open();
    let root = Administrator::log_in(&host, "root", "r00t").await;
    let (tenant, admin) = below(&host, &root, "below").await;
    let token = admin.wazo.get(&admin.token, "").await.body;
    assert_eq!(token["data"]["acl"], json!(["calls.me.#", "chats.me.#", "#"]));
    assert_eq!(token["data"]["xivo_uuid"], "the-first-installation");
    let policies = admin.get("/policies").await;
    assert_eq!(
        all(&policies, "slug"),
        ["account_admin", "everybody", "helpers", "members"]
    );
    for policy in policies["items"].as_array().expect("a list") {
        assert_eq!((&policy["tenant_uuid"], &policy["read_only"]), (&tenant, &json!(true)));
        let path = format!("/policies/{}", text(&policy["uuid"]));
        assert_eq!(admin.status(Method::DELETE, &path).await, 403);
        assert_eq!(root.status(Method::DELETE, &path).await, 403);
    }
    let groups = admin.get("/groups").await;
    let all_users = format!("wazo-all-users-tenant-{}", text(&tenant));
    assert_eq!(all(&groups, "slug"), ["helpers", all_users.as_str()]);
    let members = format!("/groups/{}/users", text(&groups["items"][1]["uuid"]));
    assert_eq!(all(&admin.get(&members).await, "username"), ["below"]);
    assert_eq!(
        admin.status(Method::DELETE, members.trim_end_matches("/users")).await,
        403
    );
}

#[tokio::test]
async fn nobody_reaches_above_or_beside_the_own_tenant() {
    let host = open();
    let root = Administrator::log_in(&host, "root", "r00t").await;
    let (one, first) = below(&host, &root, "one").await;
    let (two, _) = below(&host, &root, "two").await;
    let top = root.get("/tenants?name=master").await["items"][0]["uuid"].clone();
    for foreign in [&top, &two] {
        let answer = first.ask(Method::GET, "/users", Some(foreign), &Value::Null).await;
        assert_eq!(
            (answer.status, &answer.body["error_id"]),
            (401, &json!("unauthorized-tenant"))
        );
        let path = format!("/tenants/{}", text(foreign));
        assert_eq!(first.status(Method::GET, &path).await, 404);
    }
    assert_eq!(all(&first.get("/users?recurse=true").await, "username"), ["one"]);
    let users = root.get("/users?recurse=true&search=o").await;
    assert_eq!(all(&users, "username"), ["one", "root", "two"]);
    assert_eq!((&users["total"], &users["filtered"]), (&json!(3), &json!(3)));
    let path = format!("/users/{}", text(&users["items"][2]["uuid"]));
    assert_eq!(first.status(Method::GET, &path).await, 404);
    assert_eq!(first.status(Method::DELETE, &path).await, 404);
    assert_eq!(
        first.status(Method::DELETE, &format!("/tenants/{}", text(&one))).await,
        403
    );
    assert_eq!(
        root.status(Method::DELETE, &format!("/tenants/{}", text(&one))).await,
        204
    );
    assert_eq!(first.wazo.check(&first.token, "").await, 404);
}

#[tokio::test]
async fn nobody_grants_what_the_own_token_lacks() {
    let host = open();
    let root = Administrator::log_in(&host, "root", "r00t").await;
    let user = root
        .add("/users", None, json!({"username": "clerk", "password": "s3cre7"}))
        .await;
    let acl = json!(["auth.#", "doors.open", "!doors.break"]);
    let policy = root.add("/policies", None, json!({"name": "clerks", "acl": acl})).await;
    let path = format!("/users/{}/policies/{}", text(&user["uuid"]), text(&policy["slug"]));
    assert_eq!(root.status(Method::PUT, &path).await, 204);
    let clerk = Administrator::log_in(&host, "clerk", "s3cre7").await;
    let created = clerk
        .add(
            "/policies",
            None,
            json!({"name": "doors", "acl": ["doors.open", "!doors.close"]}),
        )
        .await;
    let body = json!({"name": "axes", "acl": ["doors.open", "doors.break"]});
    let answer = clerk.ask(Method::POST, "/policies", None, &body).await;
    assert_eq!(
        (answer.status, &answer.body["details"]["required_access"]),
        (401, &json!("doors.break"))
    );
    let path = format!("/policies/{}/acl", text(&created["uuid"]));
    assert_eq!(clerk.status(Method::PUT, &format!("{path}/doors.break")).await, 401);
    assert_eq!(clerk.status(Method::PUT, &format!("{path}/doors.open")).await, 409);
    assert_eq!(
        clerk.status(Method::DELETE, &format!("{path}/%21doors.close")).await,
        401
    );
    assert_eq!(clerk.status(Method::DELETE, &format!("{path}/doors.open")).await, 204);
}

#[tokio::test]
async fn a_user_has_no_more_sessions_than_the_configuration_allows() {
    let host = open();
    let root = Administrator::log_in(&host, "root", "r00t").await;
    root.add("/users", None, json!({"username": "bob", "password": "s3cre7"}))
        .await;
    let wazo = host.wazo();
    for _ in 0..2 {
        assert_eq!(wazo.login("bob", "s3cre7", json!({})).await.status, 200);
        assert_eq!(wazo.login("root", "r00t", json!({})).await.status, 200);
    }
    assert_eq!(wazo.login("bob", "s3cre7", json!({})).await.status, 429);
    assert_eq!(wazo.login("root", "r00t", json!({})).await.status, 200);
}
