//! Tenants, and what they set for themselves.

use keyway_core::directory::AddUser;
use serde_json::{Value, json};

use super::directory::Caller;
use crate::testing::Reply;

const UNKNOWN: &str = "6f1d5d5e-0000-4000-8000-000000000000";

fn status(reply: &Reply) -> u16 {
    reply.status.as_u16()
}

impl Caller {
    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &Value::Null).await
    }

    /// A new tenant of alice's.
    async fn tenant(&self, body: Value) -> Value {
        let reply = self.ask("POST", "/tenants", &body).await;
        assert_eq!(status(&reply), 200, "{reply:?}");
        reply.json()
    }

    /// A new tenant below another one.
    async fn tenant_below(&self, parent: &Value, body: Value) -> Value {
        let headers = [("wazo-tenant", parent["uuid"].as_str().expect("an id"))];
        let reply = self.ask_with("POST", "/tenants", &headers, &body).await;
        assert_eq!(status(&reply), 200, "{reply:?}");
        reply.json()
    }

    async fn slugs(&self, query: &str) -> (Vec<String>, u64, u64) {
        let reply = self.get(&format!("/tenants?{query}")).await;
        assert_eq!(status(&reply), 200, "{query}");
        let body = reply.json();
        let items = body["items"].as_array().expect("a list").iter();
        let slugs = items.map(|tenant| tenant["slug"].as_str().expect("a slug").to_owned());
        let number = |key: &str| body[key].as_u64().expect("a number");
        (slugs.collect(), number("total"), number("filtered"))
    }
}

fn path(tenant: &Value) -> String {
    format!("/tenants/{}", tenant["uuid"].as_str().expect("an id"))
}

#[tokio::test]
async fn a_tenant_is_created_with_all_that_it_may_have() {
    let caller = Caller::with("#").await;
    let master = caller.get("/tenants?slug=master").await.json()["items"][0].clone();
    assert_eq!(
        (&master["name"], &master["parent_uuid"]),
        (&json!("master"), &master["uuid"])
    );
    let full = json!({
        "uuid": "6668ca15-6d9e-4000-b2ec-731bc7316767",
        "name": "My company",
        "slug": "slug1",
        "phone": "555-555-5555",
        "domain_names": ["wazo.io", "stack.dev.wazo.io", "Wazo.io"],
        "default_authentication_method": "ldap",
        "address": {"line_1": "Here", "city": "Québec", "zip_code": "H0H 0H0"},
        "parent_uuid": UNKNOWN,
        "color": "red",
    });
    let made = caller.tenant(full).await;
    assert_eq!(
        made,
        json!({
            "uuid": "6668ca15-6d9e-4000-b2ec-731bc7316767",
            "parent_uuid": master["uuid"],
            "name": "My company",
            "slug": "slug1",
            "contact": null,
            "phone": "555-555-5555",
            "default_authentication_method": "ldap",
            "domain_names": ["stack.dev.wazo.io", "wazo.io"],
            "address": {
                "line_1": "Here", "line_2": null, "city": "Québec", "state": null, "country": null, "zip_code": "H0H 0H0"
            },
        })
    );
    assert_eq!(caller.get(&path(&made)).await.json(), made);
    let bare = caller.tenant(json!({})).await;
    assert_eq!(
        (&bare["name"], &bare["default_authentication_method"]),
        (&json!(null), &json!("native"))
    );
    assert!(bare["slug"].as_str().is_some_and(|slug| (1..=10).contains(&slug.len())));
    let groups = caller.get("/groups?recurse=true&search=wazo-all-users").await.json();
    assert_eq!(groups["total"], 3, "each has its group of all users");
}

#[tokio::test]
async fn what_another_tenant_has_is_a_conflict() {
    let caller = Caller::with("#").await;
    let taken = caller
        .tenant(json!({"name": "a", "slug": "dup", "domain_names": ["wazo.io"]}))
        .await;
    for (body, column) in [
        (json!({"slug": "dup"}), "slug"),
        (json!({"domain_names": ["free.org", "WAZO.io"]}), "domain_names"),
        (json!({"uuid": taken["uuid"]}), "uuid"),
        (json!({"uuid": taken["parent_uuid"]}), "uuid"),
    ] {
        let reply = caller.ask("POST", "/tenants", &body).await;
        let answer = reply.json();
        assert_eq!(
            (status(&reply), &answer["error_id"], &answer["resource"]),
            (409, &json!("conflict"), &json!("tenants")),
            "{body}"
        );
        assert!(answer["details"][column].is_object(), "{answer}");
    }
    caller.tenant(json!({"name": "a"})).await;
    let other = caller.tenant(json!({"domain_names": ["free.org"]})).await;
    let reply = caller
        .ask("PUT", &path(&other), &json!({"domain_names": ["wazo.io"]}))
        .await;
    assert_eq!(status(&reply), 409);
}

#[tokio::test]
async fn a_body_that_is_no_tenant_is_refused() {
    let caller = Caller::with("#").await;
    let tenant = caller.tenant(json!({})).await;
    let mut bodies = vec![
        json!({"name": ""}),
        json!({"name": false}),
        json!({"name": "x".repeat(129)}),
        json!({"name": "a\nb"}),
        json!({"phone": ""}),
        json!({"phone": 5}),
        json!({"contact": "nobody"}),
        json!({"default_authentication_method": "default"}),
        json!({"default_authentication_method": null}),
        json!({"address": null}),
        json!({"address": "here"}),
        json!({"address": {"line_1": ""}}),
        json!({"address": {"zip_code": "x".repeat(17)}}),
    ];
    for domains in [
        json!(null),
        json!(true),
        json!("wazo.community"),
        json!(42),
        json!({"name": "wazo.io"}),
        json!([7]),
    ] {
        bodies.push(json!({ "domain_names": domains }));
    }
    for domain in [
        "-wazo.io", " wazo.io", "#", "123", "wazo", "wazo.io-", "_wazo.io", "wazo_io",
    ] {
        bodies.push(json!({ "domain_names": [domain] }));
    }
    for body in &bodies {
        for (method, path) in [("POST", "/tenants".to_owned()), ("PUT", path(&tenant))] {
            let reply = caller.ask(method, &path, body).await;
            let answer = reply.json();
            assert_eq!(
                (status(&reply), &answer["error_id"]),
                (400, &json!("invalid-data")),
                "{method} {body}"
            );
            assert_eq!(answer["resource"], "tenants", "{body}");
        }
    }
    for body in [
        json!({"slug": ""}),
        json!({"slug": "a-b"}),
        json!({"slug": "12345678901"}),
        json!({"uuid": "x"}),
    ] {
        assert_eq!(status(&caller.ask("POST", "/tenants", &body).await), 400, "{body}");
    }
    assert_eq!(caller.slugs("").await.1, 2, "nothing was added");
}

#[tokio::test]
async fn a_tenant_is_replaced_but_for_its_slug() {
    let caller = Caller::with("#").await;
    let bob = AddUser {
        login: Some("bob".to_owned()),
        ..AddUser::default()
    };
    let bob = caller.house.state.directory.add_user(bob).await.expect("added").id;
    let tenant = caller
        .tenant(json!({"name": "a", "slug": "ABC", "phone": "5", "domain_names": ["wazo.io", "gmail.com"]}))
        .await;
    let body = json!({"name": "b", "slug": "DEF", "uuid": UNKNOWN, "contact": bob, "domain_names": ["wazo.io"]});
    let reply = caller.ask("PUT", &path(&tenant), &body).await;
    let updated = reply.json();
    assert_eq!(
        (status(&reply), &updated["uuid"], &updated["slug"]),
        (200, &tenant["uuid"], &json!("ABC"))
    );
    assert_eq!((&updated["name"], &updated["contact"]), (&json!("b"), &json!(bob)));
    assert_eq!(
        (&updated["phone"], &updated["domain_names"]),
        (&json!(null), &json!(["wazo.io"]))
    );
    assert_eq!(caller.get(&path(&tenant)).await.json(), updated);
    for (path, contact, what) in [
        (path(&tenant), json!(UNKNOWN), "unknown-user"),
        (format!("/tenants/{UNKNOWN}"), json!(bob), "unknown-tenant"),
    ] {
        let reply = caller.ask("PUT", &path, &json!({ "contact": contact })).await;
        assert_eq!((status(&reply), &reply.json()["error_id"]), (404, &json!(what)));
    }
}

#[tokio::test]
async fn the_caller_sees_its_own_tenant_and_all_below() {
    let caller = Caller::with("#").await;
    let a = caller
        .tenant(json!({"name": "foobar", "slug": "aaa", "domain_names": ["wazo.io"]}))
        .await;
    let b = caller
        .tenant_below(
            &a,
            json!({"name": "foobaz", "slug": "bbb", "domain_names": ["mail.yahoo.fr"]}),
        )
        .await;
    caller
        .tenant(json!({"name": "Foobarbaz", "slug": "ccc", "domain_names": ["yahoo.com"]}))
        .await;
    let found = async |query: &str| caller.slugs(query).await.0.join(" ");
    assert_eq!(caller.slugs("").await.1, 4);
    for (query, slugs) in [
        ("", "aaa ccc bbb master"),
        ("order=slug&direction=desc", "master ccc bbb aaa"),
        ("limit=1&offset=1&order=name", "ccc"),
        ("search=yahoo", "ccc bbb"),
        ("search=BAR", "aaa ccc"),
        ("search=bbb", "bbb"),
        ("name=foobar", "aaa"),
        ("slug=ccc", "ccc"),
        ("domain_name=yahoo.com", "ccc"),
        (&format!("uuid={}", b["uuid"].as_str().expect("an id")), "bbb"),
        (
            &format!("uuids={}&uuids={UNKNOWN}", a["uuid"].as_str().expect("an id")),
            "aaa",
        ),
        ("uuid=nope", ""),
    ] {
        assert_eq!(found(query).await, slugs, "{query}");
    }
    let headers = [("wazo-tenant", a["uuid"].as_str().expect("an id"))];
    let below = caller.ask_with("GET", "/tenants", &headers, &Value::Null).await.json();
    assert_eq!(
        (&below["total"], &below["items"][1]["slug"]),
        (&json!(2), &json!("bbb"))
    );
    let outside = caller
        .ask_with("GET", &path(&b), &[("wazo-tenant", UNKNOWN)], &Value::Null)
        .await;
    assert_eq!(status(&outside), 401);
    let many = format!("uuids={}", [UNKNOWN; 26].join(","));
    for query in ["limit=foo", "offset=-1", "order=phone", &many] {
        let reply = caller.get(&format!("/tenants?{query}")).await;
        assert_eq!(
            (status(&reply), &reply.json()["error_id"]),
            (400, &json!("invalid-list-param")),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_tenant_is_removed_with_what_it_owns() {
    let caller = Caller::with("#").await;
    let a = caller.tenant(json!({"name": "a", "domain_names": ["wazo.io"]})).await;
    let b = caller.tenant_below(&a, json!({"name": "b"})).await;
    let (in_a, in_b) = (
        [("wazo-tenant", a["uuid"].as_str().expect("an id"))],
        [("wazo-tenant", b["uuid"].as_str().expect("an id"))],
    );
    caller
        .ask_with("POST", "/groups", &in_b, &json!({"name": "staff"}))
        .await;
    let remove = async |headers: &[(&str, &str)], tenant: &Value| {
        let reply = caller.ask_with("DELETE", &path(tenant), headers, &Value::Null).await;
        let error = if status(&reply) == 204 {
            Value::Null
        } else {
            reply.json()["error_id"].clone()
        };
        (status(&reply), error)
    };
    assert_eq!(remove(&[], &a).await, (400, json!("tenant-with-children")));
    assert_eq!(remove(&in_b, &a).await, (404, json!("unknown-tenant")));
    assert_eq!(remove(&in_a, &a).await, (403, json!("deleting-own-tenant-forbidden")));
    let master = caller.get("/tenants?slug=master").await.json()["items"][0].clone();
    assert_eq!(
        remove(&[], &master).await,
        (403, json!("deleting-own-tenant-forbidden"))
    );
    assert_eq!(remove(&[], &b).await, (204, Value::Null));
    assert_eq!(remove(&[], &b).await, (404, json!("unknown-tenant")));
    assert_eq!(remove(&[], &a).await, (204, Value::Null));
    caller.tenant(json!({"domain_names": ["wazo.io"]})).await;
}

#[tokio::test]
async fn domains_are_listed_with_their_ids() {
    let caller = Caller::with("#").await;
    let tenant = caller.tenant(json!({"domain_names": ["b.wazo.io", "a.wazo.io"]})).await;
    let domains = caller.get(&format!("{}/domains", path(&tenant))).await.json();
    assert_eq!(domains["total"], 2);
    assert_eq!(domains["items"][0]["name"], "a.wazo.io");
    assert_eq!(domains["items"][0]["uuid"].as_str().expect("an id").len(), 36);
    assert_ne!(domains["items"][0]["uuid"], domains["items"][1]["uuid"]);
    assert_eq!(status(&caller.get(&format!("/tenants/{UNKNOWN}/domains")).await), 404);
}

#[tokio::test]
async fn a_tenant_gets_another_parent_that_is_the_callers_too() {
    let caller = Caller::with("#").await;
    let a = caller.tenant(json!({"name": "a"})).await;
    let b = caller.tenant(json!({"name": "b"})).await;
    let leaf = caller.tenant_below(&a, json!({"name": "leaf"})).await;
    let master = caller.get("/tenants?slug=master").await.json()["items"][0].clone();
    let set = async |headers: &[(&str, &str)], tenant: &Value, parent: &str| {
        let path = format!("{}/parent/{parent}", path(tenant));
        status(&caller.ask_with("PUT", &path, headers, &Value::Null).await)
    };
    let id = |tenant: &Value| tenant["uuid"].as_str().expect("an id").to_owned();
    for (tenant, parent, answer) in [
        (&a, id(&a), 400),
        (&a, id(&leaf), 400),
        (&master, id(&a), 400),
        (&a, UNKNOWN.to_owned(), 404),
        (&a, "nope".to_owned(), 404),
    ] {
        assert_eq!(set(&[], tenant, &parent).await, answer, "{tenant} below {parent}");
    }
    let in_a = [("wazo-tenant", a["uuid"].as_str().expect("an id"))];
    assert_eq!(set(&in_a, &leaf, &id(&b)).await, 404, "the parent is not the caller's");
    assert_eq!(set(&in_a, &b, &id(&leaf)).await, 404, "the tenant is not the caller's");
    assert_eq!(set(&[], &leaf, &id(&b)).await, 204);
    assert_eq!(caller.get(&path(&leaf)).await.json()["parent_uuid"], b["uuid"]);
}

#[tokio::test]
async fn ldap_settings_are_a_tenants_own_and_never_show_the_password() {
    let caller = Caller::with("#").await;
    let below = caller.tenant(json!({"name": "a"})).await;
    let in_below = [("wazo-tenant", below["uuid"].as_str().expect("an id"))];
    let unset = caller.get("/backends/ldap").await;
    assert_eq!(status(&unset), 200);
    let unset = unset.json();
    assert!(
        unset.as_object().expect("an object").values().all(Value::is_null),
        "{unset}"
    );
    let body = json!({
        "host": "ldap.example.org", "port": "636", "protocol_version": 2, "protocol_security": "ldaps",
        "bind_dn": "cn=service", "bind_password": "s3cre7-of-ldap", "user_base_dn": "ou=people",
        "user_login_attribute": "uid", "user_email_attribute": "mail", "search_filters": "(uid={username})",
    });
    let put = caller.ask_with("PUT", "/backends/ldap", &in_below, &body).await;
    assert_eq!(status(&put), 200);
    let mut expected = body;
    expected.as_object_mut().expect("an object").remove("bind_password");
    expected["port"] = json!(636);
    expected["tenant_uuid"] = below["uuid"].clone();
    assert_eq!(put.json(), expected);
    let shown = caller.ask_with("GET", "/backends/ldap", &in_below, &Value::Null).await;
    assert_eq!(shown.json(), expected);
    assert_eq!(caller.get("/backends/ldap").await.json(), unset, "another tenant's");
    let least = json!({
        "host": "h", "port": 389, "user_base_dn": "b", "user_login_attribute": "cn", "user_email_attribute": "mail"
    });
    let put = caller.ask_with("PUT", "/backends/ldap", &in_below, &least).await.json();
    assert_eq!((&put["protocol_version"], &put["bind_dn"]), (&json!(3), &json!(null)));
    for _ in 0..2 {
        let removed = caller
            .ask_with("DELETE", "/backends/ldap", &in_below, &Value::Null)
            .await;
        assert_eq!(status(&removed), 204);
    }
    assert_eq!(
        caller
            .ask_with("GET", "/backends/ldap", &in_below, &Value::Null)
            .await
            .json(),
        unset
    );
}

#[tokio::test]
async fn a_body_that_is_no_ldap_setting_is_refused() {
    let caller = Caller::with("#").await;
    let good = json!({
        "host": "localhost", "port": 389, "user_base_dn": "ou=people", "user_login_attribute": "uid",
        "user_email_attribute": "mail",
    });
    let long = |length| json!("a".repeat(length));
    let mut wrong = Vec::new();
    for field in [
        "host",
        "user_base_dn",
        "user_login_attribute",
        "user_email_attribute",
        "port",
    ] {
        wrong.extend([json!(true), json!([]), json!({}), json!(null)].map(|value| (field, value)));
    }
    for field in [
        "bind_dn",
        "bind_password",
        "search_filters",
        "protocol_security",
        "protocol_version",
    ] {
        wrong.extend([json!(true), json!([]), json!({})].map(|value| (field, value)));
    }
    wrong.extend([
        ("host", long(513)),
        ("port", json!("a")),
        ("port", json!(65536)),
        ("port", json!(-1)),
        ("protocol_version", json!(4)),
        ("protocol_version", json!("x")),
        ("protocol_version", json!(null)),
        ("protocol_security", json!("ssl")),
        ("bind_dn", long(257)),
        ("user_base_dn", long(257)),
        ("user_login_attribute", long(65)),
        ("user_email_attribute", long(65)),
    ]);
    for (field, value) in wrong {
        let mut body = good.clone();
        body[field] = value;
        let reply = caller.ask("PUT", "/backends/ldap", &body).await;
        let reason = reply.json()["reason"][0].as_str().expect("a reason").to_owned();
        assert_eq!(status(&reply), 400, "{body}");
        assert!(reason.starts_with(&format!("{{'{field}': [")), "{reason}");
    }
    assert_eq!(caller.get("/backends/ldap").await.json()["host"], json!(null));
}
