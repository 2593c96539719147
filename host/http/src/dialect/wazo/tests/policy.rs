//! Policies, and those of groups.

use keyway_core::model::{Policy, PolicyId};
use keyway_core::port::PolicyStore as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::directory::Caller;
use crate::testing::{Reply, TestState};

const UNKNOWN: &str = "6f1d5d5e-0000-4000-8000-000000000000";

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

/// The reason of an error in the token service's shape.
fn reason(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!(body["status_code"], status(reply));
    assert!(body["timestamp"][0].is_f64());
    let reason = body["reason"][0].as_str();
    (status(reply), reason.expect("a reason").to_owned())
}

/// Whether the caller lacked this access.
fn lacks(reply: &Reply, access: &str) -> bool {
    let body = reply.json();
    status(reply) == 401 && body["error_id"] == "unauthorized" && body["details"]["required_access"] == access
}

fn id(row: &Value) -> &str {
    row["uuid"].as_str().expect("an id")
}

impl Caller {
    async fn policy(&self, body: Value) -> Value {
        let reply = self.ask("POST", "/policies", &body).await;
        assert_eq!(status(&reply), 200, "{}", reply.body);
        reply.json()
    }

    async fn in_tenant(&self, tenant: &str, method: &str, path: &str, body: &Value) -> Reply {
        self.ask_with(method, path, &[("wazo-tenant", tenant)], body).await
    }

    async fn child(&self, name: &str) -> String {
        let directory = &self.house.state.directory;
        let child = directory.add_tenant(name, None, None, &[]).await.expect("added");
        child.id.to_string()
    }

    /// The names in a list, and its total.
    async fn names(&self, path: &str, headers: &[(&str, &str)]) -> (String, u64) {
        let reply = self.ask_with("GET", path, headers, &Value::Null).await;
        assert_eq!(status(&reply), 200, "{path}: {}", reply.body);
        let body = reply.json();
        let items = body["items"].as_array().expect("a list").iter();
        let names: Vec<_> = items.filter_map(|policy| policy["name"].as_str()).collect();
        (names.join(" "), body["total"].as_u64().expect("a number"))
    }
}

#[tokio::test]
async fn a_policy_is_created_read_changed_and_removed() {
    let caller = Caller::with("#").await;
    let sent =
        json!({"name": "Größe", "slug": "Big", "description": "why", "acl": ["b", "a"], "shared": false, "color": 1});
    let policy = caller.policy(sent).await;
    let expected = json!({
        "uuid": policy["uuid"], "tenant_uuid": policy["tenant_uuid"], "name": "Größe", "slug": "Big", "description": "why",
        "acl": ["b", "a"], "read_only": false, "shared": false,
    });
    assert_eq!(policy, expected);
    let bare = caller.policy(json!({"name": "a b"})).await;
    assert_eq!((&bare["slug"], &bare["acl"]), (&json!("a-b"), &json!([])));
    assert_eq!(bare["description"], Value::Null);
    for selector in [id(&policy), "Big", "bIG"] {
        let path = format!("/policies/{selector}");
        assert_eq!(caller.ask("GET", &path, &Value::Null).await.json(), policy);
    }
    let mut changed = policy.clone();
    changed["slug"] = json!("ignored");
    changed["shared"] = json!(true);
    changed["acl"] = json!(["a", "c"]);
    let reply = caller.ask("PUT", "/policies/big", &changed).await;
    let expected = json!({"slug": "Big", "shared": false, "acl": ["a", "c"], "description": "why"});
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&reply.json()[key], value, "{key}");
    }
    let reply = caller.ask("PUT", "/policies/big", &json!({"name": "bare"})).await;
    assert_eq!(
        (&reply.json()["acl"], &reply.json()["description"]),
        (&json!([]), &Value::Null)
    );
    let path = format!("/policies/{}", id(&policy));
    assert_eq!(status(&caller.ask("DELETE", &path, &Value::Null).await), 204);
    assert_eq!(
        reason(&caller.ask("DELETE", &path, &Value::Null).await),
        (404, format!("No such policy {{'uuid': '{}'}}", id(&policy)))
    );
}

#[tokio::test]
async fn a_body_that_is_wrong_names_the_field_alone() {
    let caller = Caller::with("#").await;
    let policy = caller.policy(json!({"name": "p"})).await;
    let path = format!("/policies/{}", id(&policy));
    let table = [
        (json!({}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": true}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(81)}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "q", "description": 42}), "description"),
        (json!({"name": "q", "description": "\0"}), "description"),
        (json!({"name": "q", "acl": "#"}), "acl"),
        (json!({"name": "q", "acl": [1]}), "acl"),
        (json!({"name": "q", "acl": null}), "acl"),
        (json!({"name": "q", "acl": [""]}), "acl"),
        (json!({"name": "q", "acl": ["x".repeat(1025)]}), "acl"),
        (json!([1]), "_schema"),
        (json!("text"), "_schema"),
    ];
    for (body, field) in &table {
        let expected = (400, format!("Invalid value supplied for field: {field}"));
        for (method, path) in [("POST", "/policies"), ("PUT", path.as_str())] {
            assert_eq!(
                reason(&caller.ask(method, path, body).await),
                expected,
                "{method} {body}"
            );
        }
    }
    for body in [
        json!({"name": "q", "slug": "a b"}),
        json!({"name": "q", "slug": ""}),
        json!({"name": "q", "slug": 1}),
        json!({"name": "q", "slug": "x".repeat(81)}),
    ] {
        let reply = caller.ask("POST", "/policies", &body).await;
        let expected = (400, "Invalid value supplied for field: slug".to_owned());
        assert_eq!(reason(&reply), expected, "{body}");
    }
    let reply = caller
        .ask("POST", "/policies", &json!({"name": "q", "shared": "maybe"}))
        .await;
    assert_eq!(reason(&reply).1, "Invalid value supplied for field: shared");
}

#[tokio::test]
async fn a_name_or_slug_that_is_taken_is_409() {
    let caller = Caller::with("#").await;
    let child = caller.child("child").await;
    caller.policy(json!({"name": "first", "slug": "one"})).await;
    caller.policy(json!({"name": "top", "shared": true})).await;
    let taken = |name: &str| (409, format!("Policy \"{name}\" already exists"));
    for body in [json!({"name": "FIRST"}), json!({"name": "other", "slug": "ONE"})] {
        let reply = caller.ask("POST", "/policies", &body).await;
        assert_eq!(reason(&reply), taken(body["name"].as_str().expect("a name")));
    }
    let reply = caller
        .in_tenant(&child, "POST", "/policies", &json!({"name": "top"}))
        .await;
    assert_eq!(reason(&reply), taken("top"));
    let body = json!({"name": "child"});
    assert_eq!(status(&caller.in_tenant(&child, "POST", "/policies", &body).await), 200);
    let shared = json!({"name": "child", "shared": true});
    assert_eq!(reason(&caller.ask("POST", "/policies", &shared).await), taken("child"));
    assert_eq!(status(&caller.ask("POST", "/policies", &body).await), 200);
    let reply = caller.ask("PUT", "/policies/top", &json!({"name": "first"})).await;
    assert_eq!(reason(&reply), taken("first"));
}

#[tokio::test]
async fn an_unknown_policy_is_named_as_python_writes_it() {
    let caller = Caller::with("#").await;
    let child = caller.child("child").await;
    let theirs = caller
        .in_tenant(&child, "POST", "/policies", &json!({"name": "theirs"}))
        .await
        .json();
    let own = caller.policy(json!({"name": "own"})).await;
    let table = [
        (UNKNOWN, format!("{{'uuid': '{UNKNOWN}'}}")),
        ("nope", "{'slug': 'nope'}".to_owned()),
        ("it%27s", "{'slug': \"it's\"}".to_owned()),
        ("a%27b%22%5C", r#"{'slug': 'a\'b"\\'}"#.to_owned()),
        ("%00%09", r"{'slug': '\x00\t'}".to_owned()),
        // A slug of a tenant below may be anybody's there.
        ("theirs", "{'slug': 'theirs'}".to_owned()),
    ];
    let body = json!({"name": "x"});
    for (selector, repr) in &table {
        let expected = (404, format!("No such policy {repr}"));
        for (method, path) in [
            ("GET", format!("/policies/{selector}")),
            ("PUT", format!("/policies/{selector}")),
            ("DELETE", format!("/policies/{selector}")),
            ("PUT", format!("/policies/{selector}/acl/x")),
            ("DELETE", format!("/policies/{selector}/acl/x")),
        ] {
            assert_eq!(
                reason(&caller.ask(method, &path, &body).await),
                expected,
                "{method} {path}"
            );
        }
    }
    let path = format!("/policies/{}", id(&theirs));
    assert_eq!(caller.ask("GET", &path, &Value::Null).await.json(), theirs);
    let path = format!("/policies/{}", id(&own));
    assert_eq!(status(&caller.in_tenant(&child, "GET", &path, &Value::Null).await), 404);
}

#[tokio::test]
async fn what_is_shared_looks_like_a_tenants_own_that_it_cannot_change() {
    let caller = Caller::with("#").await;
    let child = caller.child("child").await;
    let shared = caller
        .policy(json!({"name": "shared", "shared": true, "acl": ["a"]}))
        .await;
    assert_eq!((&shared["read_only"], &shared["shared"]), (&json!(false), &json!(true)));
    let path = format!("/policies/{}", id(&shared));
    let seen = caller.in_tenant(&child, "GET", &path, &Value::Null).await.json();
    let expected = json!({
        "uuid": shared["uuid"], "tenant_uuid": child, "name": "shared", "slug": "shared", "description": null, "acl": ["a"],
        "read_only": true, "shared": false,
    });
    assert_eq!(seen, expected);
    let forbidden = (403, format!("Forbidden policy deletion: \"{}\"", id(&shared)));
    let body = json!({"name": "x"});
    for (method, path) in [
        ("PUT", path.clone()),
        ("DELETE", path.clone()),
        ("PUT", format!("{path}/acl/b")),
        ("DELETE", format!("{path}/acl/a")),
    ] {
        assert_eq!(reason(&caller.in_tenant(&child, method, &path, &body).await), forbidden);
    }
    assert_eq!(status(&caller.ask("DELETE", &path, &Value::Null).await), 204);
}

#[tokio::test]
async fn what_the_configuration_defines_is_read_only_everywhere() {
    let caller = Caller::with("#").await;
    let master = caller
        .house
        .state
        .directory
        .tenant_tree()
        .await
        .expect("a tree")
        .master();
    let managed = Policy {
        managed: true,
        shared: true,
        ..Policy::new(
            PolicyId(Uuid::from_u128(3)),
            master.expect("the top tenant"),
            "managed",
            vec!["a".to_owned()],
        )
    };
    caller.house.store.add_policy(&managed).await.expect("added");
    let seen = caller.ask("GET", "/policies/managed", &Value::Null).await.json();
    assert_eq!((&seen["read_only"], &seen["shared"]), (&json!(true), &json!(true)));
    for (method, path) in [
        ("PUT", "/policies/managed"),
        ("DELETE", "/policies/managed"),
        ("PUT", "/policies/managed/acl/b"),
        ("DELETE", "/policies/managed/acl/a"),
    ] {
        let reply = caller.ask(method, path, &json!({"name": "x"})).await;
        let forbidden = format!("Forbidden policy deletion: \"{}\"", managed.id);
        assert_eq!(reason(&reply), (403, forbidden), "{method} {path}");
    }
    let top = &[][..];
    assert_eq!(
        caller.names("/policies?read_only=true", top).await,
        ("managed".to_owned(), 2)
    );
    assert_eq!(
        caller.names("/policies?read_only=false", top).await,
        ("alice".to_owned(), 2)
    );
}

#[tokio::test]
async fn policies_are_listed_without_a_count_of_what_fits() {
    let caller = Caller::with("#").await;
    let child = caller.child("child").await;
    let below = [("wazo-tenant", child.as_str())];
    for name in ["one", "two", "three"] {
        let body = json!({"name": name, "description": format!("number {name}")});
        assert_eq!(status(&caller.in_tenant(&child, "POST", "/policies", &body).await), 200);
    }
    let reply = caller.ask_with("GET", "/policies", &below, &Value::Null).await;
    assert!(reply.json().get("filtered").is_none());
    for (query, names) in [
        ("", "one three two"),
        ("?direction=desc", "two three one"),
        ("?order=slug&limit=1", "one"),
        ("?order=description&offset=1", "three two"),
        ("?search=NUMBER%20T", "three two"),
        ("?name=one", "one"),
        ("?slug=two", "two"),
        ("?uuid=nope", ""),
    ] {
        let path = format!("/policies{query}");
        assert_eq!(caller.names(&path, &below).await, (names.to_owned(), 3), "{query}");
    }
    let (top, all) = (
        caller.names("/policies", &[]).await,
        caller.names("/policies?recurse=true", &[]).await,
    );
    assert_eq!((top.0.as_str(), all.0.as_str()), ("alice", "alice one three two"));
    for (query, field) in [
        ("order=color", "order"),
        ("read_only=maybe", "read_only"),
        ("limit=-1", "limit"),
    ] {
        let reply = caller.ask("GET", &format!("/policies?{query}"), &Value::Null).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (400, &json!("invalid-list-param"))
        );
        assert!(reply.json()["message"][field].is_array(), "{query}");
    }
}

#[tokio::test]
async fn an_access_in_the_path_is_decoded_and_needs_the_callers_own() {
    let house = TestState::new().await;
    house.grant_alice("auth.#").await;
    let directory = &house.state.directory;
    let accesses = vec!["a.#".to_owned(), "!a.secret".to_owned()];
    directory.add_policy("more", accesses).await.expect("added");
    directory.attach_policy("more", "alice").await.expect("attached");
    let caller = Caller::of(house).await;
    assert!(lacks(
        &caller
            .ask("POST", "/policies", &json!({"name": "p", "acl": ["a.x", "b"]}))
            .await,
        "b"
    ));
    let policy = caller.policy(json!({"name": "p", "acl": ["a.x", "!b"]})).await;
    let path = format!("/policies/{}/acl", id(&policy));
    // A wildcard that reaches over a denial of the caller's is passed on only together with the denial.
    assert!(lacks(
        &caller.ask("PUT", &format!("{path}/a.%23"), &Value::Null).await,
        "a.#"
    ));
    for access in ["!a.secret", "a.%23", "a.%2A", "a%2Fb", "!z"] {
        let reply = caller.ask("PUT", &format!("{path}/{access}"), &Value::Null).await;
        // What has a slash is no access of the caller's.
        if access == "a%2Fb" {
            assert!(lacks(&reply, "a/b"), "{}", reply.body);
        } else {
            assert_eq!(status(&reply), 204, "{access}: {}", reply.body);
        }
    }
    assert!(lacks(
        &caller.ask("PUT", &format!("{path}/a.secret"), &Value::Null).await,
        "a.secret"
    ));
    assert!(lacks(
        &caller.ask("DELETE", &format!("{path}/!z"), &Value::Null).await,
        "!z"
    ));
    let twice = caller.ask("PUT", &format!("{path}/a.%23"), &Value::Null).await;
    assert_eq!(reason(&twice), (409, "Policy already associated to a.#".to_owned()));
    let wrong = caller.ask("PUT", &format!("{path}/%0A"), &Value::Null).await;
    assert_eq!(reason(&wrong).1, "Invalid value supplied for field: acl");
    for _ in 0..2 {
        assert_eq!(
            status(&caller.ask("DELETE", &format!("{path}/a.x"), &Value::Null).await),
            204
        );
    }
    let own = format!("/policies/{}", id(&policy));
    let present = caller.ask("GET", &own, &Value::Null).await.json();
    assert_eq!(present["acl"], json!(["!b", "!a.secret", "a.#", "a.*", "!z"]));
    let change = json!({"name": "p", "acl": ["!b", "!a.secret", "a.*", "!z", "b"]});
    assert!(lacks(&caller.ask("PUT", &own, &change).await, "b"));
    let change = json!({"name": "p", "acl": ["!a.secret", "a.*", "!z"]});
    assert!(lacks(&caller.ask("PUT", &own, &change).await, "!b"));
    let change = json!({"name": "p", "acl": ["!z", "!b", "!a.secret"]});
    assert_eq!(status(&caller.ask("PUT", &own, &change).await), 200);
}

#[tokio::test]
async fn each_route_wants_its_access_with_dots_made_harmless() {
    let caller = Caller::with("nothing").await;
    let group = UNKNOWN;
    for (method, path, access) in [
        ("GET", "/policies".to_owned(), "auth.policies.read".to_owned()),
        ("POST", "/policies".to_owned(), "auth.policies.create".to_owned()),
        ("GET", "/policies/a.b".to_owned(), "auth.policies.a_b.read".to_owned()),
        ("PUT", "/policies/p".to_owned(), "auth.policies.p.update".to_owned()),
        ("DELETE", "/policies/p".to_owned(), "auth.policies.p.delete".to_owned()),
        (
            "PUT",
            "/policies/p/acl/x".to_owned(),
            "auth.policies.p.update".to_owned(),
        ),
        (
            "DELETE",
            "/policies/p/acl/x".to_owned(),
            "auth.policies.p.update".to_owned(),
        ),
        (
            "GET",
            format!("/groups/{group}/policies"),
            format!("auth.groups.{group}.policies.read"),
        ),
        (
            "PUT",
            format!("/groups/{group}/policies/a.b"),
            format!("auth.groups.{group}.policies.a_b.create"),
        ),
        (
            "DELETE",
            format!("/groups/{group}/policies/p"),
            format!("auth.groups.{group}.policies.p.delete"),
        ),
    ] {
        let reply = caller.ask(method, &path, &json!({"name": "x"})).await;
        assert!(lacks(&reply, &access), "{method} {path}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_groups_policies_are_attached_listed_and_detached() {
    let caller = Caller::with("#").await;
    let child = caller.child("child").await;
    let group = caller
        .in_tenant(&child, "POST", "/groups", &json!({"name": "g"}))
        .await
        .json();
    let base = format!("/groups/{}/policies", id(&group));
    let own = caller
        .in_tenant(&child, "POST", "/policies", &json!({"name": "own"}))
        .await
        .json();
    caller.policy(json!({"name": "shared", "shared": true})).await;
    let private = caller.policy(json!({"name": "private"})).await;
    let below = [("wazo-tenant", child.as_str())];
    for name in ["own", "shared", id(&own)] {
        let reply = caller
            .ask_with("PUT", &format!("{base}/{name}"), &below, &Value::Null)
            .await;
        assert_eq!(status(&reply), 204, "{name}: {}", reply.body);
    }
    let hidden = caller
        .ask_with("PUT", &format!("{base}/{}", id(&private)), &below, &Value::Null)
        .await;
    assert_eq!(status(&hidden), 404);
    let list = caller.ask_with("GET", &base, &below, &Value::Null).await.json();
    assert_eq!((&list["total"], &list["filtered"]), (&json!(2), &json!(2)));
    let seen: Vec<_> = list["items"].as_array().expect("a list").iter().collect();
    assert_eq!(
        (&seen[0]["read_only"], &seen[1]["read_only"]),
        (&json!(false), &json!(true))
    );
    assert!(seen.iter().all(|policy| policy["tenant_uuid"] == json!(child)));
    let found = caller
        .ask_with("GET", &format!("{base}?search=OW"), &below, &Value::Null)
        .await
        .json();
    assert_eq!((&found["total"], &found["filtered"]), (&json!(2), &json!(1)));
    // Who sees the other tenant may attach its policies.
    let attach = format!("{base}/{}", id(&private));
    assert_eq!(status(&caller.ask("PUT", &attach, &Value::Null).await), 204);
    assert_eq!(caller.names(&base, &[]).await, ("own private shared".to_owned(), 3));
    for _ in 0..2 {
        assert_eq!(status(&caller.ask("DELETE", &attach, &Value::Null).await), 204);
    }
    for path in [format!("{base}/nope"), format!("{base}/{UNKNOWN}")] {
        assert_eq!(reason(&caller.ask("DELETE", &path, &Value::Null).await).0, 404);
    }
    let unknown = caller
        .ask("PUT", &format!("/groups/{UNKNOWN}/policies/shared"), &Value::Null)
        .await;
    assert_eq!(
        (status(&unknown), &unknown.json()["error_id"]),
        (404, &json!("unknown-group"))
    );
}

#[tokio::test]
async fn nobody_attaches_what_it_lacks_itself() {
    let caller = Caller::with("auth.#").await;
    let directory = &caller.house.state.directory;
    let strong = vec!["auth.x".to_owned(), "confd.#".to_owned()];
    directory.add_policy("strong", strong).await.expect("added");
    directory
        .add_policy("bound", vec!["!confd.x".to_owned()])
        .await
        .expect("added");
    let group = caller.ask("POST", "/groups", &json!({"name": "g"})).await.json();
    let base = format!("/groups/{}/policies", id(&group));
    assert!(lacks(
        &caller.ask("PUT", &format!("{base}/strong"), &Value::Null).await,
        "confd.#"
    ));
    assert_eq!(
        status(&caller.ask("PUT", &format!("{base}/bound"), &Value::Null).await),
        204
    );
    assert!(lacks(
        &caller.ask("DELETE", &format!("{base}/bound"), &Value::Null).await,
        "!confd.x"
    ));
    assert!(lacks(
        &caller.ask("DELETE", "/policies/bound", &Value::Null).await,
        "!confd.x"
    ));
    assert_eq!(
        status(&caller.ask("DELETE", "/policies/strong", &Value::Null).await),
        204
    );
}
