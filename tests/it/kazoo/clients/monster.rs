//! A page of another origin, in a real browser, that asks as monster-ui's SDK does. The SDK itself is in no registry and its licence keeps it out of here.
//! `make chromium` installs the browser and jQuery.

use keyway_tests::browser::PageServer;
use keyway_tests::kazoo::{claims_of, md5_of};
use keyway_tests::smtp::SmtpSink;
use serde_json::{Value, json};

use crate::kazoo::house::{House, house, house_with};
use crate::wazo::mail::config as mail_config;

/// Each step of the walk, and its status.
const WALK: &[(&str, u16)] = &[
    ("wrong password", 401),
    ("login", 201),
    ("reload", 200),
    ("reload by GET", 200),
    ("reload with nonsense", 401),
    ("account", 200),
    ("children", 200),
    ("descendants", 200),
    ("tree", 200),
    ("user", 200),
    ("users", 200),
    ("attempts", 200),
    ("key", 200),
    ("cluster", 200),
    ("nothing", 404),
    ("make", 201),
    ("make again", 400),
    ("made", 200),
    ("update", 200),
    ("patch", 200),
    ("remove", 200),
    ("impersonate", 201),
    ("end", 200),
    ("ended", 401),
    ("login again", 201),
    ("user again", 200),
];

fn page() -> PageServer {
    PageServer::start(include_str!("page.html"), include_str!("page.js"))
}

fn setup(house: &House, more: &Value) -> Value {
    let mut setup = json!({
        "api": house.host.url("/v2/"),
        "account_name": "acme",
        "username": "boss",
        "credentials": md5_of("boss", "b0ss-pw"),
        "wrong_credentials": md5_of("boss", "wr0ng"),
    });
    let fields = setup.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    setup
}

/// The status of each step, and what every answer has: the browser let the page read it, as JSON and nothing more, with the request's id.
fn check(told: &Value, statuses: &[(&str, u16)]) {
    assert_eq!(told["failed"], Value::Null, "{told:#}");
    for (step, status) in statuses {
        let seen = &told[step];
        assert_eq!(seen["status"], *status, "{step}: {seen:#}");
        assert_eq!(
            seen["outcome"],
            if *status < 400 { "success" } else { "error" },
            "{step}: {seen:#}"
        );
        assert_eq!(seen["type"], "application/json", "{step}: {seen:#}");
        assert!(seen["id"].is_string(), "{step}: {seen:#}");
    }
    let steps = told.as_object().map_or(0, serde_json::Map::len);
    assert_eq!(steps, statuses.len(), "each step is looked at: {told:#}");
}

#[tokio::test]
async fn a_page_of_another_origin_works_as_monster_ui_does() {
    let house = house();
    let kid = claims_of(&house.kazoo.token("acme-sub", "kid", "k1d-pw").await)["owner_id"].clone();
    let page = page();
    let setup = setup(&house, &json!({ "below": house.sub, "user_below": kid }));
    let mut told = page.show(page.url(), &setup);
    let kept_back = told["header of its own"].take();
    assert_eq!(
        (&kept_back["status"], &kept_back["outcome"]),
        (&json!(0), &json!("error")),
        "{kept_back:#}"
    );
    told.as_object_mut().expect("an object").remove("header of its own");
    check(&told, WALK);
    let data = |step: &str| &told[step]["body"]["data"];
    // What the page keeps of a login, and goes by after it.
    for step in ["login", "reload", "reload by GET"] {
        for field in ["account_id", "owner_id", "reseller_id", "language"] {
            assert!(data(step)[field].is_string(), "{step}: {field}: {}", told[step]);
        }
        assert!(
            data(step)["apps"].is_array() && data(step)["is_reseller"].is_boolean(),
            "{step}"
        );
    }
    assert_eq!(
        told["reload"]["body"]["auth_token"],
        told["login"]["body"]["auth_token"]
    );
    assert_eq!(data("account")["id"], house.acme);
    assert_eq!(data("user")["priv_level"], "admin");
    assert_eq!(data("children")[0]["id"], house.sub);
    assert!(
        data("make again")["username"]["unique"]["message"].is_string(),
        "{}",
        told["make again"]
    );
    assert_eq!(data("update")["first_name"], "Nora");
    assert_eq!(
        (&data("patch")["first_name"], &data("patch")["last_name"]),
        (&json!("Nora"), &json!("Z"))
    );
    assert_eq!(
        (&data("impersonate")["account_id"], &data("impersonate")["owner_id"]),
        (&json!(house.sub), &kid)
    );
    let whole = told.to_string();
    assert!(!whole.contains("n1na-pw"), "{told:#}");
}

#[tokio::test]
async fn a_forgotten_password_is_found_by_the_page_that_the_mail_leads_to() {
    let mut sink = SmtpSink::start();
    let page = page();
    let allowed = format!("[dialect.kazoo]\nui_urls = [\"{}\"]", page.url());
    let house = house_with(&mail_config(&sink, &allowed));
    let forgotten = setup(&house, &json!({ "forgotten": true }));
    let told = page.show(&format!("{}#/", page.url()), &forgotten);
    check(&told, &[("ask", 201), ("ask elsewhere", 400)]);
    let mail = sink.next().await;
    let passwords = ["fr3sh-pw", "fr3sher-pw"];
    let credentials = passwords.map(|password| md5_of("boss", password));
    let changing = setup(
        &house,
        &json!({ "new_passwords": passwords, "new_credentials": credentials }),
    );
    let told = page.show(mail.link(), &changing);
    check(
        &told,
        &[
            ("recover", 200),
            ("user", 200),
            ("change", 200),
            ("login", 201),
            ("change everything", 200),
            ("login again", 201),
            ("recover again", 400),
        ],
    );
    let data = |step: &str| &told[step]["body"]["data"];
    assert_eq!(data("recover")["account_id"], house.acme, "{told:#}");
    for (step, required) in [("user", true), ("change", false), ("change everything", false)] {
        assert_eq!(data(step)["require_password_update"], required, "{step}: {told:#}");
    }
    for password in ["b0ss-pw", passwords[0]] {
        assert_eq!(
            house.kazoo.login("acme", "boss", password).await.status,
            401,
            "{password}"
        );
    }
}
