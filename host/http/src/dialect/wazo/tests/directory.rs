//! The directory's routes: what all of them have in common, and groups.

use keyway_core::directory::AddUser;
use serde_json::{Value, json};

use super::{routes, token};
use crate::testing::{Reply, TestState, ask};

/// A house with its routes, and a caller's token.
pub(super) struct Caller {
    pub(super) house: TestState,
    router: axum::Router,
    token: String,
}

impl Caller {
    /// Alice, with this access.
    pub(super) async fn with(access: &str) -> Self {
        let house = TestState::new().await;
        house.grant_alice(access).await;
        Self::of(house).await
    }

    /// Alice, with what this house grants her.
    pub(super) async fn of(house: TestState) -> Self {
        let router = routes(&house);
        let token = token(&router, "alice").await;
        Self { house, router, token }
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.ask_with(method, path, &[], body).await
    }

    pub(super) async fn ask_with(&self, method: &str, path: &str, more: &[(&str, &str)], body: &Value) -> Reply {
        let mut headers = vec![("x-auth-token", self.token.as_str())];
        headers.extend(more);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        ask(&self.router, method, &format!("/0.1{path}"), &headers, &body).await
    }
}

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

#[tokio::test]
async fn a_route_of_the_directory_wants_a_token_with_its_access() {
    let caller = Caller::with("auth.groups.create").await;
    let router = routes(&caller.house);
    for headers in [
        &[][..],
        &[("x-auth-token", "nope")],
        &[("authorization", "Bearer nope")],
    ] {
        let reply = ask(&router, "GET", "/0.1/groups", headers, "").await;
        assert_eq!(status(&reply), 401);
        let body = reply.json();
        assert_eq!(body["error_id"], "unauthorized");
        assert_eq!(
            body["details"],
            json!({"invalid_token": "", "reason": "not_found_or_expired", "required_access": "auth.groups.read"})
        );
    }
    let reply = caller.ask("GET", "/groups", &Value::Null).await;
    assert_eq!(status(&reply), 401);
    assert_eq!(
        reply.json()["details"]["reason"],
        "missing_permission_or_invalid_tenant"
    );
    assert_eq!(reply.json()["details"]["required_access"], "auth.groups.read");
}

#[tokio::test]
async fn a_bearer_token_is_as_good_as_the_header_of_the_original() {
    let caller = Caller::with("#").await;
    let bearer = format!("Bearer {}", caller.token);
    let reply = ask(
        &caller.router,
        "GET",
        "/api/auth/0.1/groups",
        &[("authorization", &bearer)],
        "",
    )
    .await;
    assert_eq!(status(&reply), 200);
}

#[tokio::test]
async fn another_tenant_is_one_below_the_callers_or_refused() {
    let caller = Caller::with("#").await;
    let below = caller
        .house
        .state
        .directory
        .add_tenant("below", None, None, &[])
        .await
        .expect("added");
    let id = below.id.to_string();
    let reply = caller
        .ask_with("POST", "/groups", &[("wazo-tenant", &id)], &json!({"name": "a"}))
        .await;
    assert_eq!((status(&reply), &reply.json()["tenant_uuid"]), (200, &json!(id)));
    for unknown in ["6f1d5d5e-0000-4000-8000-000000000000", "nope"] {
        let reply = caller
            .ask_with("GET", "/groups", &[("wazo-tenant", unknown)], &Value::Null)
            .await;
        assert_eq!(status(&reply), 401);
        assert_eq!(reply.json()["error_id"], "unauthorized-tenant");
    }
    let names = |reply: &Reply| {
        let items = reply.json()["items"].as_array().expect("a list").clone();
        items.iter().filter(|group| group["system_managed"] == false).count()
    };
    assert_eq!(names(&caller.ask("GET", "/groups", &Value::Null).await), 0);
    assert_eq!(names(&caller.ask("GET", "/groups?recurse=true", &Value::Null).await), 1);
}

#[tokio::test]
async fn a_list_parameter_that_is_wrong_is_named() {
    let caller = Caller::with("#").await;
    for (query, field) in [
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("order=color", "order"),
        ("direction=up", "direction"),
        ("recurse=maybe", "recurse"),
    ] {
        let reply = caller.ask("GET", &format!("/groups?{query}"), &Value::Null).await;
        let body = reply.json();
        assert_eq!(
            (status(&reply), &body["error_id"]),
            (400, &json!("invalid-list-param")),
            "{query}"
        );
        assert_eq!(body["resource"], "users");
        assert!(body["message"][field].is_array(), "{query}: {body}");
    }
}

#[tokio::test]
async fn a_group_is_created_read_renamed_and_removed() {
    let caller = Caller::with("#").await;
    let created = caller
        .ask("POST", "/groups", &json!({"name": "Staff!", "color": "red"}))
        .await;
    assert_eq!(status(&created), 200);
    let group = created.json();
    assert_eq!((&group["name"], &group["slug"]), (&json!("Staff!"), &json!("Staff-")));
    assert_eq!(
        (&group["read_only"], &group["system_managed"]),
        (&json!(false), &json!(false))
    );
    let unnamed = caller.ask("POST", "/groups", &json!({"name": "b", "slug": null})).await;
    assert_eq!((status(&unnamed), &unnamed.json()["slug"]), (200, &json!("b")));
    let path = format!("/groups/{}", group["uuid"].as_str().expect("an id"));
    assert_eq!(caller.ask("GET", &path, &Value::Null).await.json(), group);
    let twice = caller.ask("POST", "/groups", &json!({"name": "staff!"})).await;
    assert_eq!(
        (status(&twice), &twice.json()["reason"]),
        (409, &json!(["Group \"staff!\" already exists"]))
    );
    let renamed = caller.ask("PUT", &path, &json!({"name": "Crew"})).await;
    assert_eq!((status(&renamed), &renamed.json()["name"]), (200, &json!("Crew")));
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": 1}),
        json!({"name": null}),
        json!({"name": "x".repeat(129)}),
    ] {
        let reply = caller.ask("PUT", &path, &body).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (400, &json!("invalid-data")),
            "{body}"
        );
    }
    assert_eq!(status(&caller.ask("DELETE", &path, &Value::Null).await), 204);
    let gone = caller.ask("GET", &path, &Value::Null).await;
    assert_eq!(
        (status(&gone), &gone.json()["error_id"]),
        (404, &json!("unknown-group"))
    );
    assert_eq!(status(&caller.ask("GET", "/groups/nope", &Value::Null).await), 404);
}

#[tokio::test]
async fn a_group_whose_name_or_slug_is_no_such_thing_is_refused_by_the_field() {
    let caller = Caller::with("#").await;
    for (body, field) in [
        (json!({"name": "a\u{7}"}), "name"),
        (json!({"name": "a", "slug": "no slug"}), "slug"),
    ] {
        let reply = caller.ask("POST", "/groups", &body).await;
        let answer = reply.json();
        assert_eq!(
            (status(&reply), &answer["error_id"], &answer["resource"]),
            (400, &json!("invalid-data"), &json!("groups")),
            "{body}"
        );
        assert!(answer["details"][field].is_object(), "{answer}");
    }
}

#[tokio::test]
async fn a_user_of_another_tenant_cannot_become_a_member() {
    let caller = Caller::with("#").await;
    let below = caller.ask("POST", "/tenants", &json!({"name": "below"})).await.json();
    let tenant = [("wazo-tenant", below["uuid"].as_str().expect("an id"))];
    let bob = caller
        .ask_with("POST", "/users", &tenant, &json!({"username": "bob"}))
        .await;
    let group = caller.ask("POST", "/groups", &json!({"name": "a"})).await.json();
    let path = format!(
        "/groups/{}/users/{}",
        group["uuid"].as_str().expect("an id"),
        bob.json()["uuid"].as_str().expect("an id")
    );
    let reply = caller.ask("PUT", &path, &Value::Null).await;
    let answer = reply.json();
    assert_eq!(
        (status(&reply), &answer["error_id"], &answer["resource"]),
        (400, &json!("missmatching-tenant"), &json!("groups"))
    );
}

#[tokio::test]
async fn members_are_added_listed_and_removed() {
    let caller = Caller::with("#").await;
    let directory = &caller.house.state.directory;
    let bob = AddUser {
        login: Some("bob".to_owned()),
        ..AddUser::default()
    };
    let bob = directory.add_user(bob).await.expect("added").id;
    let group = caller.ask("POST", "/groups", &json!({"name": "a"})).await.json();
    let path = format!("/groups/{}/users", group["uuid"].as_str().expect("an id"));
    assert_eq!(
        status(&caller.ask("PUT", &format!("{path}/{bob}"), &Value::Null).await),
        204
    );
    let members = caller.ask("GET", &path, &Value::Null).await.json();
    assert_eq!((&members["total"], &members["filtered"]), (&json!(1), &json!(1)));
    assert_eq!(members["items"][0]["username"], "bob");
    assert_eq!(
        status(&caller.ask("DELETE", &format!("{path}/{bob}"), &Value::Null).await),
        204
    );
    assert_eq!(caller.ask("GET", &path, &Value::Null).await.json()["items"], json!([]));
    let unknown = format!("{path}/6f1d5d5e-0000-4000-8000-000000000000");
    let reply = caller.ask("PUT", &unknown, &Value::Null).await;
    assert_eq!(
        (status(&reply), &reply.json()["error_id"]),
        (404, &json!("unknown-user"))
    );
}

/// The names of a list of groups, the host's own aside.
fn group_names(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let names = body["items"].as_array().expect("a list").iter();
    let names = names.map(|group| group["name"].as_str().expect("a name").to_owned());
    names.filter(|name| !name.starts_with("wazo-all-users")).collect()
}

#[tokio::test]
async fn groups_are_filtered_by_who_changes_them_and_by_a_policy() {
    let caller = Caller::with("#").await;
    let mut groups = Vec::new();
    for name in ["a", "b"] {
        groups.push(caller.ask("POST", "/groups", &json!({"name": name})).await.json());
    }
    let policy = caller.ask("POST", "/policies", &json!({"name": "p"})).await.json();
    let (id, slug) = (
        policy["uuid"].as_str().expect("an id"),
        policy["slug"].as_str().expect("a slug"),
    );
    let path = format!("/groups/{}/policies/{id}", groups[0]["uuid"].as_str().expect("an id"));
    assert_eq!(status(&caller.ask("PUT", &path, &Value::Null).await), 204);
    for (query, names, filtered) in [
        ("read_only=False".to_owned(), vec!["a", "b"], 2),
        ("read_only=true".to_owned(), vec![], 1),
        ("system_managed=false".to_owned(), vec!["a", "b"], 2),
        (format!("policy_uuid={id}"), vec!["a"], 1),
        (format!("policy_slug={slug}"), vec!["a"], 1),
        ("policy_uuid=nope".to_owned(), vec![], 0),
        ("policy_slug=nope".to_owned(), vec![], 0),
    ] {
        let reply = caller.ask("GET", &format!("/groups?{query}"), &Value::Null).await;
        assert_eq!(group_names(&reply), names, "{query}");
        let body = reply.json();
        assert_eq!(
            (&body["total"], &body["filtered"]),
            (&json!(3), &json!(filtered)),
            "{query}"
        );
    }
    let reply = caller.ask("GET", "/groups?read_only=maybe", &Value::Null).await;
    assert_eq!(
        (status(&reply), &reply.json()["error_id"]),
        (400, &json!("invalid-list-param"))
    );
}

#[tokio::test]
async fn who_may_not_see_a_group_hears_nothing_of_the_body() {
    let caller = Caller::with("#").await;
    let below = caller.ask("POST", "/tenants", &json!({"name": "below"})).await.json();
    let tenant = below["uuid"].as_str().expect("an id");
    let group = caller.ask("POST", "/groups", &json!({"name": "a"})).await.json();
    let path = format!("/groups/{}", group["uuid"].as_str().expect("an id"));
    let body = json!({"name": 42});
    assert_eq!(status(&caller.ask("PUT", &path, &body).await), 400);
    let reply = caller.ask_with("PUT", &path, &[("wazo-tenant", tenant)], &body).await;
    assert_eq!(
        (status(&reply), &reply.json()["error_id"]),
        (404, &json!("unknown-group"))
    );
}

#[tokio::test]
async fn to_a_tenant_a_stranger_is_like_one_who_is_no_member() {
    let caller = Caller::with("#").await;
    let below = caller.ask("POST", "/tenants", &json!({"name": "below"})).await.json();
    let tenant = [("wazo-tenant", below["uuid"].as_str().expect("an id"))];
    let group = caller.ask_with("POST", "/groups", &tenant, &json!({"name": "a"})).await;
    let path = format!("/groups/{}/users", group.json()["uuid"].as_str().expect("an id"));
    let stranger = caller.ask("POST", "/users", &json!({"username": "bob"})).await.json();
    let unknown = "6f1d5d5e-0000-4000-8000-000000000000";
    for id in [stranger["uuid"].as_str().expect("an id"), unknown] {
        let reply = caller
            .ask_with("DELETE", &format!("{path}/{id}"), &tenant, &Value::Null)
            .await;
        assert_eq!(status(&reply), 204);
    }
    let reply = caller.ask("DELETE", &format!("{path}/{unknown}"), &Value::Null).await;
    assert_eq!(
        (status(&reply), &reply.json()["error_id"]),
        (404, &json!("unknown-user"))
    );
}
