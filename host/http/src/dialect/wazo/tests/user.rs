//! Users, their passwords, addresses, groups and policies, and by which method they prove who they are.

use serde_json::{Value, json};

use super::directory::Caller;
use super::token;
use crate::testing::{Reply, ask};

const UNKNOWN: &str = "6f1d5d5e-0000-4000-8000-000000000000";

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

/// The status, the kind of the error and the resource.
fn error(reply: &Reply) -> (u16, String, String) {
    let body = reply.json();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (status(reply), text("error_id"), text("resource"))
}

fn error_of(status: u16, id: &str, resource: &str) -> (u16, String, String) {
    (status, id.to_owned(), resource.to_owned())
}

impl Caller {
    async fn add(&self, body: Value) -> Value {
        let reply = self.ask("POST", "/users", &body).await;
        assert_eq!(status(&reply), 200, "{body}: {}", reply.body);
        reply.json()
    }

    /// Adds a user, and answers its path.
    async fn add_named(&self, login: &str) -> String {
        path(&self.add(json!({"username": login})).await)
    }
}

fn path(user: &Value) -> String {
    format!("/users/{}", user["uuid"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_user_is_created_with_what_is_said_and_defaults() {
    let caller = Caller::with("#").await;
    let user = caller.add(json!({"username": "bob", "color": "red"})).await;
    let expected = json!({
        "uuid": user["uuid"],
        "tenant_uuid": user["tenant_uuid"],
        "username": "bob",
        "firstname": null,
        "lastname": null,
        "purpose": "user",
        "authentication_method": "default",
        "enabled": true,
        "emails": [],
    });
    assert_eq!(user, expected);
    assert_eq!(caller.ask("GET", &path(&user), &Value::Null).await.json(), user);

    let full = json!({
        "uuid": "fcf9724a-15aa-4dc5-af3c-a9acdb6a2ab9",
        "username": "carol",
        "password": "s3cr37",
        "email_address": "carol@example.org",
        "firstname": "Carol",
        "lastname": "C",
        "purpose": "external_api",
        "enabled": false,
    });
    let user = caller.add(full.clone()).await;
    for key in ["uuid", "username", "firstname", "lastname", "purpose", "enabled"] {
        assert_eq!(user[key], full[key], "{key}");
    }
    assert_eq!(user["authentication_method"], "native");
    let email = &user["emails"][0];
    assert_eq!(
        (&email["address"], &email["main"], &email["confirmed"]),
        (&json!("carol@example.org"), &json!(true), &json!(true))
    );
    assert_eq!(user.get("password"), None);
    let nobody = json!({"username": null, "password": null, "email_address": null, "firstname": null});
    assert_eq!(caller.add(nobody).await["username"], Value::Null);
}

#[tokio::test]
async fn a_user_belongs_to_the_tenant_that_the_request_names() {
    let caller = Caller::with("#").await;
    let directory = &caller.house.state.directory;
    let below = directory
        .add_tenant("below", None, None, &[])
        .await
        .expect("added")
        .id
        .to_string();
    let created = caller
        .ask_with(
            "POST",
            "/users",
            &[("wazo-tenant", &below)],
            &json!({"username": "bob"}),
        )
        .await;
    assert_eq!((status(&created), &created.json()["tenant_uuid"]), (200, &json!(below)));
}

#[tokio::test]
async fn a_body_that_is_not_what_it_should_be_is_refused() {
    let caller = Caller::with("#").await;
    let user = caller.add_named("bob").await;
    let wrong = [
        json!({"username": ""}),
        json!({"username": "x".repeat(257)}),
        json!({"username": "a\nb"}),
        json!({"username": 7}),
        json!({"firstname": "\u{0}"}),
        json!({"lastname": 1}),
        json!({"purpose": "fun"}),
        json!({"purpose": null}),
        json!({"enabled": "yes"}),
        json!({"enabled": null}),
        json!({"authentication_method": null}),
        json!({"authentication_method": true}),
        json!({"authentication_method": ["native"]}),
        json!({"authentication_method": "not-native"}),
        json!({"authentication_method": ""}),
    ];
    for body in wrong {
        for (method, path) in [("POST", "/users"), ("PUT", user.as_str())] {
            let reply = caller.ask(method, path, &body).await;
            assert_eq!(error(&reply), error_of(400, "invalid-data", "users"), "{method} {body}");
        }
    }
    for body in [
        json!({"uuid": "nope"}),
        json!({"password": ""}),
        json!({"password": 1}),
        json!({"password": "é".repeat(513)}),
        json!({"email_address": "nope"}),
        json!({"email_address": "a@b\r\nBcc: c@d"}),
    ] {
        let reply = caller.ask("POST", "/users", &body).await;
        assert_eq!(error(&reply), error_of(400, "invalid-data", "users"), "{body}");
    }
    for path in ["/users/me", "/users/nope"] {
        assert_eq!(status(&caller.ask("PUT", path, &json!({})).await), 404);
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_wherever_and_however() {
    let caller = Caller::with("#").await;
    let directory = &caller.house.state.directory;
    let below = directory
        .add_tenant("below", None, None, &[])
        .await
        .expect("added")
        .id
        .to_string();
    caller.add_named("user1@example.org").await;
    caller.add(json!({"email_address": "user2@example.org"})).await;
    let other = caller.add_named("other").await;
    for name in ["User1@Example.org", "USER2@example.org"] {
        for (method, path, field) in [
            ("POST", "/users", "username"),
            ("POST", "/users", "email_address"),
            ("PUT", other.as_str(), "username"),
        ] {
            let body = json!({ field: name });
            let headers = [("wazo-tenant", below.as_str())];
            let headers = if method == "POST" { &headers[..] } else { &[] };
            let reply = caller.ask_with(method, path, headers, &body).await;
            assert_eq!(error(&reply), error_of(409, "conflict", "users"), "{method} {body}");
            let details = &reply.json()["details"][field];
            assert_eq!(details["constraint_id"], "unique", "{details}");
        }
    }
    let id = other.strip_prefix("/users/").expect("a path");
    let reply = caller.ask("POST", "/users", &json!({ "uuid": id })).await;
    assert_eq!(error(&reply), error_of(409, "conflict", "users"));
}

#[tokio::test]
async fn a_put_replaces_the_user() {
    let caller = Caller::with("#").await;
    let user = caller
        .add(json!({"username": "foo", "firstname": "f", "lastname": "l", "email_address": "f@example.org"}))
        .await;
    let body = json!({"username": "foobaz", "firstname": "baz", "purpose": "external_api", "enabled": false});
    let changed = caller.ask("PUT", &path(&user), &body).await;
    assert_eq!(status(&changed), 200);
    let mut expected = user.clone();
    for (key, value) in body.as_object().expect("an object") {
        expected[key] = value.clone();
    }
    expected["lastname"] = Value::Null;
    expected["authentication_method"] = json!("native");
    assert_eq!(changed.json(), expected);
    assert_eq!(caller.ask("GET", &path(&user), &Value::Null).await.json(), expected);
    let changed = caller.ask("PUT", &path(&user), &json!({})).await.json();
    assert_eq!(
        (&changed["username"], &changed["purpose"], &changed["enabled"]),
        (&Value::Null, &json!("user"), &json!(true))
    );
    let unknown = caller.ask("PUT", &format!("/users/{UNKNOWN}"), &body).await;
    assert_eq!(error(&unknown), error_of(404, "unknown-user", "users"));
}

#[tokio::test]
async fn a_user_who_is_disabled_removed_or_gets_a_password_has_no_session_any_more() {
    for change in ["disable", "remove", "password"] {
        let caller = Caller::with("#").await;
        let alice = caller.house.state.directory.get_user("alice").await.expect("alice").id;
        let router = super::routes(&caller.house);
        let token = token(&router, "alice").await;
        let check = async || ask(&router, "HEAD", &format!("/0.1/token/{token}"), &[], "").await;
        assert_eq!(status(&check().await), 204);
        let path = format!("/users/{alice}");
        let (wanted, reply) = match change {
            "disable" => {
                let body = json!({"username": "alice", "enabled": false});
                (200, caller.ask("PUT", &path, &body).await)
            }
            "remove" => (204, caller.ask("DELETE", &path, &Value::Null).await),
            _ => {
                let body = json!({"old_password": "s3cre7", "new_password": "n3w"});
                (204, caller.ask("PUT", &format!("{path}/password"), &body).await)
            }
        };
        assert_eq!(status(&reply), wanted, "{change}: {}", reply.body);
        assert_eq!(status(&check().await), 404, "{change}");
    }
}

#[tokio::test]
async fn a_user_is_removed_once() {
    let caller = Caller::with("#").await;
    let user = caller.add_named("bob").await;
    assert_eq!(status(&caller.ask("DELETE", &user, &Value::Null).await), 204);
    for method in ["DELETE", "GET"] {
        let gone = caller.ask(method, &user, &Value::Null).await;
        assert_eq!(error(&gone), error_of(404, "unknown-user", "users"));
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let caller = Caller::with("#").await;
    let user = caller.add(json!({"username": "bob", "password": "old"})).await;
    let password = format!("{}/password", path(&user));
    let body = |old: &str| json!({"old_password": old, "new_password": "new"});
    for (body, status) in [
        (body("wrong"), 401),
        (body("old"), 204),
        (body("old"), 401),
        (body("new"), 204),
    ] {
        let reply = caller.ask("PUT", &password, &body).await;
        assert_eq!(reply.status.as_u16(), status, "{body}");
        if status == 401 {
            assert_eq!(reply.json()["reason"], json!(["Authentication Failed"]));
        }
    }
    let unknown = format!("/users/{UNKNOWN}/password");
    for body in [
        json!({"new_password": "new"}),
        json!({"old_password": "old"}),
        json!({"old_password": "old", "new_password": ""}),
        json!({"old_password": "old", "new_password": null}),
    ] {
        let reply = caller.ask("PUT", &unknown, &body).await;
        assert_eq!(error(&reply), error_of(400, "invalid-data", "users"), "{body}");
    }
    assert_eq!(status(&caller.ask("PUT", &unknown, &body("old")).await), 404);
    let external = caller
        .add(json!({"username": "eve", "password": "old", "authentication_method": "saml"}))
        .await;
    let reply = caller
        .ask("PUT", &format!("{}/password", path(&external)), &body("old"))
        .await;
    assert_eq!(error(&reply), error_of(405, "password-managed-externally", "users"));
}

#[tokio::test]
async fn addresses_are_set_by_the_user_and_by_an_administrator() {
    let caller = Caller::with("#").await;
    let user = caller
        .add(json!({"username": "bob", "email_address": "one@example.org"}))
        .await;
    let own = format!("{}/emails", path(&user));
    let admins = format!("/admin{own}");
    let one = json!({"address": "one@example.org", "main": true, "confirmed": false});
    let two = json!({"address": "two@example.org", "main": false, "confirmed": true});
    let set = async |path: &str, emails: Value| caller.ask("PUT", path, &json!({ "emails": emails })).await;

    let emails = set(&own, json!([one, two])).await.json();
    assert_eq!(emails[0], user["emails"][0], "a kept address stays what it is");
    let second = (&emails[1]["address"], &emails[1]["main"], &emails[1]["confirmed"]);
    assert_eq!(second, (&json!("two@example.org"), &json!(false), &json!(false)));
    let by_admin = set(&admins, json!([one, two])).await.json();
    assert_eq!(
        (&by_admin[0]["uuid"], &by_admin[1]["uuid"]),
        (&emails[0]["uuid"], &emails[1]["uuid"])
    );
    assert_eq!(
        (&by_admin[0]["confirmed"], &by_admin[1]["confirmed"]),
        (&json!(false), &json!(true))
    );
    let unsaid = json!([{"address": "two@example.org", "main": true, "confirmed": null}]);
    assert_eq!(set(&admins, unsaid).await.json()[0]["confirmed"], true);

    caller
        .add(json!({"username": "three@example.org", "email_address": "four@example.org"}))
        .await;
    for taken in ["THREE@example.org", "Four@example.org"] {
        let reply = set(&own, json!([{"address": taken, "main": true}])).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (409, &json!("conflict")),
            "{taken}"
        );
    }
    let cleared = set(&own, json!([])).await;
    assert_eq!((status(&cleared), cleared.json()), (200, json!([])));
    let unknown = set(&format!("/users/{UNKNOWN}/emails"), json!([])).await;
    assert_eq!(error(&unknown), error_of(404, "unknown-user", "users"));
}

#[tokio::test]
async fn addresses_that_do_not_go_together_are_refused() {
    let caller = Caller::with("#").await;
    let path = format!("{}/emails", caller.add_named("bob").await);
    let main = json!({"address": "one@example.org", "main": true});
    let minor = json!({"address": "two@example.org", "main": false});
    for body in [
        json!({}),
        json!({"emails": null}),
        json!({"emails": {}}),
        json!({"emails": ["one@example.org"]}),
        json!({"emails": [main, main]}),
        json!({"emails": [minor]}),
        json!({"emails": [{"address": "one@example.org"}]}),
        json!({"emails": [{"main": true}]}),
        json!({"emails": [{"address": "nope", "main": true}]}),
        json!({"emails": [{"address": "one@example.org", "main": "yes"}]}),
        json!({"emails": [main, {"address": "two@example.org", "main": true}]}),
        json!({"emails": [main, {"address": "ONE@example.org", "main": false}]}),
    ] {
        for path in [path.clone(), format!("/admin{path}")] {
            let reply = caller.ask("PUT", &path, &body).await;
            assert_eq!(error(&reply), error_of(400, "invalid-data", "emails"), "{path} {body}");
        }
    }
    let wrong = json!({"emails": [{"address": "one@example.org", "main": true, "confirmed": "yes"}]});
    assert_eq!(status(&caller.ask("PUT", &format!("/admin{path}"), &wrong).await), 400);
    assert_eq!(
        status(&caller.ask("PUT", &path, &wrong).await),
        200,
        "a user does not say it"
    );
}

#[tokio::test]
async fn a_users_groups_are_listed() {
    let caller = Caller::with("#").await;
    let user = caller.add(json!({"username": "bob"})).await;
    for name in ["b", "a", "c"] {
        let group = caller.ask("POST", "/groups", &json!({ "name": name })).await.json();
        if name != "c" {
            let member = format!("/groups/{}{}", group["uuid"].as_str().expect("an id"), path(&user));
            assert_eq!(status(&caller.ask("PUT", &member, &Value::Null).await), 204);
        }
    }
    let groups = format!("{}/groups", path(&user));
    let listed = caller
        .ask("GET", &format!("{groups}?limit=2"), &Value::Null)
        .await
        .json();
    assert_eq!((&listed["total"], &listed["filtered"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&listed["items"][0]["name"], &listed["items"][1]["name"]),
        (&json!("a"), &json!("b"))
    );
    let found = caller
        .ask("GET", &format!("{groups}?name=b"), &Value::Null)
        .await
        .json();
    assert_eq!((&found["total"], &found["filtered"]), (&json!(3), &json!(1)));
    let unknown = caller
        .ask("GET", &format!("/users/{UNKNOWN}/groups"), &Value::Null)
        .await;
    assert_eq!(error(&unknown), error_of(404, "unknown-user", "users"));
}

#[tokio::test]
async fn a_users_policies_come_and_go_by_id_and_slug() {
    let caller = Caller::with("#").await;
    let user = caller.add_named("bob").await;
    let policies = format!("{user}/policies");
    let policy = caller
        .ask("POST", "/policies", &json!({"name": "one", "acl": ["a.b"]}))
        .await
        .json();
    let id = policy["uuid"].as_str().expect("an id").to_owned();
    for name in [id.as_str(), "one"] {
        let path = format!("{policies}/{name}");
        assert_eq!(
            status(&caller.ask("DELETE", &path, &Value::Null).await),
            204,
            "none is there"
        );
        assert_eq!(status(&caller.ask("PUT", &path, &Value::Null).await), 204);
        let listed = caller.ask("GET", &policies, &Value::Null).await.json();
        assert_eq!((&listed["items"], &listed["total"]), (&json!([policy]), &json!(1)));
        let none = caller
            .ask("GET", &format!("{policies}?search=two"), &Value::Null)
            .await
            .json();
        assert_eq!(
            (&none["items"], &none["total"], &none["filtered"]),
            (&json!([]), &json!(1), &json!(0))
        );
        assert_eq!(status(&caller.ask("DELETE", &path, &Value::Null).await), 204);
    }
    for path in [
        format!("{policies}/{UNKNOWN}"),
        format!("{policies}/none"),
        format!("/users/{UNKNOWN}/policies/one"),
        "/users/nope/policies/one".to_owned(),
    ] {
        for method in ["PUT", "DELETE"] {
            assert_eq!(
                status(&caller.ask(method, &path, &Value::Null).await),
                404,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_gives_a_user_what_it_lacks_itself() {
    let caller = Caller::with("auth.#").await;
    let user = caller.add_named("bob").await;
    let directory = &caller.house.state.directory;
    directory.add_policy("all", vec!["#".to_owned()]).await.expect("added");
    let reply = caller.ask("PUT", &format!("{user}/policies/all"), &Value::Null).await;
    assert_eq!(error(&reply).0, 401);
}

#[tokio::test]
async fn identity_providers_are_listed_given_and_taken() {
    let caller = Caller::with("#").await;
    let listed = caller.ask("GET", "/idp", &Value::Null).await;
    let expected = json!({"items": ["default", "saml", "native", "ldap"], "total": 4, "filtered": 4});
    assert_eq!((status(&listed), listed.json()), (200, expected));
    let bob = caller.add_named("bob").await;
    for kind in ["saml", "native", "default", "ldap", "ldap"] {
        let reply = caller.ask("PUT", &format!("/idp/{kind}{bob}"), &Value::Null).await;
        assert_eq!((status(&reply), method(&caller, &bob).await.as_str()), (204, kind));
    }
    assert_eq!(
        status(&caller.ask("DELETE", &format!("/idp/saml{bob}"), &Value::Null).await),
        204
    );
    assert_eq!(
        method(&caller, &bob).await,
        "ldap",
        "what it does not have is not taken from it"
    );
    assert_eq!(
        status(&caller.ask("DELETE", &format!("/idp/ldap{bob}"), &Value::Null).await),
        204
    );
    assert_eq!(method(&caller, &bob).await, "default");
    for (method, path) in [
        ("PUT", format!("/idp/unknown{bob}")),
        ("DELETE", format!("/idp/unknown{bob}")),
    ] {
        let reply = caller.ask(method, &path, &Value::Null).await;
        assert_eq!(
            error(&reply),
            error_of(404, "unknown-idp-type", "idp"),
            "{method} {path}"
        );
    }
    assert_eq!(
        status(&caller.ask("PUT", "/idp/saml/users/nope", &Value::Null).await),
        404
    );
}

async fn method(caller: &Caller, user: &str) -> String {
    let user = caller.ask("GET", user, &Value::Null).await.json();
    user["authentication_method"].as_str().expect("a method").to_owned()
}

#[tokio::test]
async fn the_method_of_several_users_is_set_for_all_or_for_none() {
    let caller = Caller::with("#").await;
    let (bob, eve) = (caller.add_named("bob").await, caller.add_named("eve").await);
    let id = |user: &str| json!({"uuid": user.strip_prefix("/users/").expect("a path"), "username": "x"});
    let both = json!({"users": [id(&bob), id(&eve)]});
    assert_eq!(status(&caller.ask("PUT", "/idp/saml/users", &both).await), 204);
    assert_eq!(
        (method(&caller, &bob).await, method(&caller, &eve).await),
        ("saml".to_owned(), "saml".to_owned())
    );
    let partly = json!({"users": [id(&bob), {"uuid": UNKNOWN}]});
    let reply = caller.ask("PUT", "/idp/ldap/users", &partly).await;
    assert_eq!(error(&reply), error_of(404, "unknown-user", "users"));
    assert_eq!(method(&caller, &bob).await, "saml", "all or none");
    for wrong in [
        json!({}),
        json!({"users": null}),
        json!({"users": id(&bob)}),
        json!({"users": [UNKNOWN]}),
        json!({"users": [{}]}),
        json!({"users": [{"uuid": "nope"}]}),
    ] {
        let reply = caller.ask("PUT", "/idp/ldap/users", &wrong).await;
        assert_eq!(error(&reply), error_of(400, "invalid-data", "users"), "{wrong}");
    }
    let reply = caller.ask("PUT", "/idp/unknown/users", &both).await;
    assert_eq!(error(&reply), error_of(404, "unknown-idp-type", "idp"));
}

#[tokio::test]
async fn nobody_changes_a_user_who_may_more_at_this_server() {
    let caller = Caller::with("auth.#").await;
    let directory = &caller.house.state.directory;
    for (login, access) in [
        ("root", "#"),
        ("boss", "keyway.admin"),
        ("peer", "auth.#"),
        ("phone", "confd.#"),
    ] {
        caller.add_named(login).await;
        directory
            .add_policy(login, vec![access.to_owned()])
            .await
            .expect("a policy");
        directory.attach_policy(login, login).await.expect("attached");
    }
    let emails = json!({"emails": [{"address": "a@example.org", "main": true}]});
    let names = |login: &str| json!({"username": format!("{login}-2"), "purpose": "user", "enabled": true});
    for (login, lacks) in [
        ("root", Some("#")),
        ("boss", Some("keyway.admin")),
        ("peer", None),
        ("phone", None),
    ] {
        let user = directory.get_user(login).await.expect("there");
        let id = user.id;
        for (method, path, body) in [
            ("PUT", format!("/idp/native/users/{id}"), Value::Null),
            ("PUT", "/idp/native/users".to_owned(), json!({"users": [{"uuid": id}]})),
            ("DELETE", format!("/idp/ldap/users/{id}"), Value::Null),
            (
                "POST",
                format!("/users/password/reset?user_uuid={id}"),
                json!({"password": "taken"}),
            ),
            ("PUT", format!("/users/{id}"), names(login)),
            ("PUT", format!("/users/{id}/emails"), emails.clone()),
            ("PUT", format!("/admin/users/{id}/emails"), emails.clone()),
            ("DELETE", format!("/users/{id}"), Value::Null),
        ] {
            let reply = caller.ask(method, &path, &body).await;
            let what = format!("{login}: {method} {path}: {}", reply.body);
            match lacks {
                None => assert!(reply.status.is_success(), "{what}"),
                Some(access) => {
                    assert_eq!(status(&reply), 401, "{what}");
                    assert_eq!(reply.json()["details"]["required_access"], access, "{what}");
                }
            }
        }
        if lacks.is_some() {
            assert_eq!(directory.get_user(login).await.expect("still there"), user);
        }
    }
}

#[tokio::test]
async fn each_route_of_a_user_asks_for_its_own_access() {
    let caller = Caller::with("nothing").await;
    for (method, path, access) in [
        ("POST", "/users", "auth.users.create"),
        ("PUT", "/users/ID", "auth.users.ID.update"),
        ("DELETE", "/users/ID", "auth.users.ID.delete"),
        ("PUT", "/users/ID/password", "auth.users.ID.password.update"),
        ("PUT", "/users/ID/emails", "auth.users.ID.emails.update"),
        ("PUT", "/admin/users/ID/emails", "auth.admin.users.ID.emails.update"),
        ("GET", "/users/ID/groups", "auth.users.ID.groups.read"),
        ("GET", "/users/ID/policies", "auth.users.ID.policies.read"),
        ("PUT", "/users/ID/policies/a.b", "auth.users.ID.policies.a_b.create"),
        ("DELETE", "/users/ID/policies/a", "auth.users.ID.policies.a.delete"),
        ("GET", "/idp", "auth.idp.read"),
        ("PUT", "/idp/saml/users/ID", "auth.idp.saml.users.ID.create"),
        ("DELETE", "/idp/saml/users/ID", "auth.idp.saml.users.ID.delete"),
        ("PUT", "/idp/saml/users", "auth.idp.saml.users.update"),
    ] {
        let reply = caller.ask(method, &path.replace("ID", UNKNOWN), &json!({})).await;
        let required = &reply.json()["details"]["required_access"];
        let access = access.replace("ID", UNKNOWN);
        assert_eq!((status(&reply), required), (401, &json!(access)), "{method} {path}");
    }
}
