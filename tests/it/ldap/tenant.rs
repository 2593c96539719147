//! `/backends/ldap`: the directory that a tenant names itself, and who logs in through it.

use std::time::{Duration, Instant};

use keyway_tests::slapd::{PEOPLE, SERVICE_DN, SERVICE_PASSWORD, Slapd};
use keyway_tests::wazo::{Answer, send};
use keyway_tests::{TestHost, artefact};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

/// A server with an administrator, and one token of theirs.
struct House {
    host: TestHost,
    root: String,
}

impl House {
    async fn start(config: &str) -> Self {
        let host = TestHost::builder()
            .config(config)
            .plugin("ldap", artefact("ldap"))
            .user_with("root", "r00t-s3cre7", &["--admin"])
            .start();
        let root = host.wazo().token("wazo_user", "root", "r00t-s3cre7").await;
        Self { host, root }
    }

    async fn ask(&self, method: Method, path: &str, tenant: Option<&str>, body: Value) -> Answer {
        let mut request = self
            .host
            .wazo()
            .request(method, path)
            .header("X-Auth-Token", &self.root);
        if let Some(tenant) = tenant {
            request = request.header("Wazo-Tenant", tenant);
        }
        send(request.json(&body)).await
    }

    /// A tenant with a domain, whose users log in by LDAP.
    async fn tenant(&self, name: &str) -> String {
        let body = json!({
            "name": name,
            "domain_names": [format!("{name}.example.org")],
            "default_authentication_method": "ldap",
        });
        let made = self.ask(Method::POST, "/tenants", None, body).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.body["uuid"].as_str().expect("a tenant").to_owned()
    }

    /// A user of the tenant with this address.
    async fn user(&self, tenant: &str, email: &str, method: &str) -> String {
        let name = format!("{}-{tenant}", email.split('@').next().unwrap_or_default());
        let body = json!({"username": name, "email_address": email, "authentication_method": method});
        let made = self.ask(Method::POST, "/users", Some(tenant), body).await;
        assert_eq!(made.status, 200, "{made:?}");
        made.body["uuid"].as_str().expect("a user").to_owned()
    }

    /// Says where the tenant's directory is.
    async fn directory(&self, tenant: &str, slapd: &Slapd, more: Value) {
        let port = slapd
            .plain()
            .rsplit(':')
            .next()
            .and_then(|port| port.parse::<u16>().ok());
        let mut body = json!({
            "host": "127.0.0.1",
            "port": port,
            "bind_dn": SERVICE_DN,
            "bind_password": SERVICE_PASSWORD,
            "user_base_dn": PEOPLE,
            "user_login_attribute": "uid",
            "user_email_attribute": "mail",
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        let put = self.ask(Method::PUT, "/backends/ldap", Some(tenant), body).await;
        assert_eq!(put.status, 200, "{put:?}");
    }

    async fn log_in(&self, login: &str, password: &str, body: Value) -> Answer {
        self.host.wazo().login(login, password, body).await
    }

    async fn status(&self, login: &str, password: &str, body: Value) -> u16 {
        self.log_in(login, password, body).await.status
    }
}

const LOOPBACK: &str = "[dialect.wazo.ldap]\nallow = [\"127.0.0.0/8\"]";

#[tokio::test]
async fn a_tenants_users_log_in_by_its_domain_or_its_id() {
    let house = House::start(LOOPBACK).await;
    let (one, two) = (house.tenant("one").await, house.tenant("two").await);
    let alice = house.user(&one, "alice@example.org", "default").await;
    house.user(&one, "bob@example.org", "native").await;
    house.directory(&one, Slapd::shared(), Value::Null).await;
    for tenant in [json!({"domain_name": "one.example.org"}), json!({"tenant_id": one})] {
        let answer = house.log_in("alice", "s3cre7", tenant.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["data"]["auth_id"], json!(alice));
        assert_eq!(answer.body["data"]["metadata"]["tenant_uuid"], json!(one));
        assert_eq!(house.status("alice", "wrong", tenant.clone()).await, 401);
        assert_eq!(house.status("nobody", "s3cre7", tenant.clone()).await, 401);
        assert_eq!(house.status("*", "s3cre7", tenant.clone()).await, 401);
        assert_eq!(
            house.status("bob", "b0bs-s3cre7", tenant).await,
            401,
            "bob's password is the host's"
        );
    }
    // A directory speaks for its own tenant alone, and a tenant without one for nobody.
    assert_eq!(
        house
            .status("alice", "s3cre7", json!({"domain_name": "two.example.org"}))
            .await,
        401
    );
    house.directory(&two, Slapd::shared(), Value::Null).await;
    assert_eq!(
        house
            .status("alice", "s3cre7", json!({"domain_name": "two.example.org"}))
            .await,
        401
    );
    assert_eq!(
        house
            .status("alice", "s3cre7", json!({"domain_name": "three.example.org"}))
            .await,
        401
    );
    assert_eq!(house.status("alice", "s3cre7", Value::Null).await, 401);
    assert!(!house.host.log().text().contains(SERVICE_PASSWORD));
}

#[tokio::test]
async fn what_a_tenant_says_takes_effect_at_once() {
    let house = House::start(LOOPBACK).await;
    let tenant = house.tenant("one").await;
    house.user(&tenant, "alice@example.org", "default").await;
    let domain = || json!({"domain_name": "one.example.org"});
    assert_eq!(
        house.status("alice", "s3cre7", domain()).await,
        401,
        "nothing was said yet"
    );
    // Without an account that searches, and with a filter of its own.
    house
        .directory(
            &tenant,
            Slapd::shared(),
            json!({"bind_dn": null, "bind_password": null}),
        )
        .await;
    assert_eq!(house.status("alice", "s3cre7", domain()).await, 200);
    let filter = json!({"search_filters": "(&({user_login_attribute}={username})(employeeType=contractor))"});
    house.directory(&tenant, Slapd::shared(), filter).await;
    assert_eq!(house.status("alice", "s3cre7", domain()).await, 401);
    house
        .directory(&tenant, Slapd::shared(), json!({"bind_password": "wrong"}))
        .await;
    assert_eq!(house.status("alice", "s3cre7", domain()).await, 503);
    let removed = house
        .ask(Method::DELETE, "/backends/ldap", Some(&tenant), Value::Null)
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(house.status("alice", "s3cre7", domain()).await, 401);
}

#[tokio::test]
async fn a_tenants_tokens_are_renewed_while_its_directory_has_their_owner() {
    let slapd = Slapd::builder().start();
    let house = House::start(LOOPBACK).await;
    let tenant = house.tenant("one").await;
    let bob = house.user(&tenant, "bob@example.org", "default").await;
    let renewals = [
        (json!({}), 401, "the directory does not have bob any more"),
        (
            json!({"bind_dn": null, "bind_password": null}),
            200,
            "nobody could be asked",
        ),
    ];
    for (more, status, why) in renewals {
        house.directory(&tenant, &slapd, more).await;
        let body = json!({"domain_name": "one.example.org", "access_type": "offline", "client_id": "app"});
        let answer = house.log_in("bob", "b0bs-s3cre7", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["data"]["auth_id"], json!(bob));
        let token = answer.body["data"]["refresh_token"].clone();
        let renew = || house.log_in("", "", json!({"refresh_token": token, "client_id": "app"}));
        assert_eq!(renew().await.status, 200);
        slapd.remove(&format!("uid=bob,{PEOPLE}"));
        assert_eq!(renew().await.status, status, "{why}");
        slapd.modify(&format!(
            "dn: uid=bob,{PEOPLE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: bob\ncn: Bob\nsn: Bob\nmail: bob@example.org\nuserPassword: b0bs-s3cre7\n"
        ));
    }
}

#[tokio::test]
async fn a_tenant_leads_nobody_into_the_hosts_own_network() {
    let house = House::start("").await;
    let tenant = house.tenant("one").await;
    house.user(&tenant, "alice@example.org", "default").await;
    house.directory(&tenant, Slapd::shared(), Value::Null).await;
    let answer = house
        .log_in("alice", "s3cre7", json!({"domain_name": "one.example.org"}))
        .await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!answer.body.to_string().contains("127.0.0.1"), "{answer:?}");
    let line = house.host.log().wait_for_message(0, "an endpoint failed").to_string();
    assert!(line.contains("which is not allowed"), "{line}");
}

#[tokio::test]
async fn a_server_lists_it_and_its_operator_can_switch_it_off() {
    let house = House::start(LOOPBACK).await;
    let listed = house.ask(Method::GET, "/backends", None, Value::Null).await;
    assert_eq!(listed.body["data"], json!(["ldap_user", "wazo_user"]));
    assert_eq!(
        house
            .host
            .keyway(&["plugin", "list", "--json"])
            .ok()
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let house = House::start("[dialect.wazo.ldap]\nenabled = false").await;
    let listed = house.ask(Method::GET, "/backends", None, Value::Null).await;
    assert_eq!(listed.body["data"], json!(["wazo_user"]));
    let tenant = house.tenant("one").await;
    house.user(&tenant, "alice@example.org", "default").await;
    house.directory(&tenant, Slapd::shared(), Value::Null).await;
    assert_eq!(
        house
            .status("alice", "s3cre7", json!({"domain_name": "one.example.org"}))
            .await,
        401
    );
}

#[tokio::test]
async fn a_reload_switches_it_off_and_on_again() {
    let house = House::start(LOOPBACK).await;
    let tenant = house.tenant("one").await;
    house.user(&tenant, "alice@example.org", "default").await;
    house.directory(&tenant, Slapd::shared(), Value::Null).await;
    let path = house.host.folder().join("keyway.toml");
    let on = std::fs::read_to_string(&path).expect("the configuration");
    let off = on.replace("[dialect.wazo.ldap]", "[dialect.wazo.ldap]\nenabled = false");
    for (text, status) in [(&on, 200), (&off, 401), (&on, 200)] {
        std::fs::write(&path, text).expect("the configuration");
        house.host.signal(Signal::SIGHUP);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let domain = json!({"domain_name": "one.example.org"});
            let now = house.status("alice", "s3cre7", domain).await;
            if now == status {
                break;
            }
            assert!(Instant::now() < deadline, "{now} instead of {status}");
        }
    }
}
