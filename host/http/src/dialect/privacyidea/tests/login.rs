//! `POST /auth`.

use serde_json::{Value, json};

use super::{FORM, House, JSON, told};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the answer, whole")]
async fn login_of_a_realm_user_answers_all_that_user_interfaces_read() {
    let house = House::new().await;
    let reply = house.log_in("carol", "c4rol").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-cache"));
    let mut body = reply.json();
    let token = body["result"]["value"]["token"].take();
    assert!(token.as_str().expect("a token").starts_with("eyJ"), "{reply:?}");
    insta::assert_json_snapshot!(body, @r#"
    {
      "id": 2,
      "jsonrpc": "2.0",
      "result": {
        "authentication": "ACCEPT",
        "status": true,
        "value": {
          "admin_dashboard": false,
          "audit_page_size": 10,
          "auth": true,
          "container_wizard": {
            "enabled": false
          },
          "default_container_type": "generic",
          "default_tokentype": "hotp",
          "deletion_confirmation": false,
          "dialog_no_token": false,
          "hide_buttons": false,
          "hide_welcome": true,
          "log_level": 30,
          "logout_redirect_url": "",
          "logout_time": 120,
          "menus": [
            "tokens",
            "users",
            "audit"
          ],
          "policy_template_url": "",
          "qr_image_android": null,
          "qr_image_custom": null,
          "qr_image_ios": null,
          "realm": "realm1",
          "require_description": [],
          "rights": [
            "assign",
            "auditlog",
            "delete",
            "disable",
            "enable",
            "enrollHOTP",
            "enrollTAN",
            "enrollTOTP",
            "enrollpin",
            "otp_pin_maxlength",
            "otp_pin_minlength",
            "reset",
            "resync",
            "revoke",
            "setdescription",
            "setpin",
            "unassign",
            "userlist"
          ],
          "role": "user",
          "rss_age": 0,
          "search_on_enter": false,
          "session_persistence": "tab",
          "show_node": "",
          "show_seed": false,
          "subscription_status": 0,
          "timeout_action": "lockscreen",
          "token": null,
          "token_page_size": 15,
          "token_rollover": {},
          "token_wizard": false,
          "token_wizard_2nd": false,
          "user_details": false,
          "user_page_size": 15,
          "username": "carol"
        }
      },
      "time": 1767225600.123456,
      "version": "privacyIDEA 3.14",
      "versionnumber": "3.14"
    }
    "#);
}

#[tokio::test]
async fn credentials_come_in_every_encoding() {
    let house = House::new().await;
    let json = r#"{"username": " carol ", "password": "c4rol"}"#;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ncarol\r\n--b\r\n\
        Content-Disposition: form-data; name=\"password\"\r\n\r\nc4rol\r\n--b--\r\n";
    for (uri, headers, body) in [
        ("/auth", &[FORM][..], "username=carol&password=c4rol"),
        ("/auth", &[JSON], json),
        ("/auth", &[], json),
        ("/auth", &[("content-type", "text/plain")], json),
        (
            "/auth",
            &[("content-type", "multipart/form-data; boundary=b")],
            multipart,
        ),
        ("/auth?username=carol&password=c4rol", &[], ""),
        ("/auth?username=carol", &[JSON], r#"{"password": "c4rol"}"#),
        ("/auth", &[], "username=carol\npassword=c4rol\n"),
    ] {
        let reply = house.ask("POST", uri, headers, body).await;
        assert_eq!(reply.status, 200, "{uri} {headers:?} {body}: {reply:?}");
        assert_eq!(reply.json()["result"]["value"]["username"], "carol");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the table of answers")]
async fn refusals_are_numbered_as_clients_know_them() {
    let house = House::new().await;
    let table = [
        ("a wrong password", json!({"username": "carol", "password": "no"})),
        (
            "a wrong password of an administrator",
            json!({"username": "alice", "password": "no"}),
        ),
        ("an unknown user", json!({"username": "nobody", "password": "no"})),
        ("no password", json!({"username": "carol"})),
        ("null for a password", json!({"username": "carol", "password": null})),
        ("an empty password", json!({"username": "carol", "password": ""})),
        ("an empty user name", json!({"username": " ", "password": "c4rol"})),
        (
            "an unknown realm",
            json!({"username": "carol", "password": "c4rol", "realm": "NoSuch"}),
        ),
        (
            "an unknown realm before a backslash",
            json!({"username": "nosuch\\carol", "password": "c4rol"}),
        ),
        ("no user name", json!({"password": "c4rol"})),
        ("nothing", json!({})),
        ("null for a user name", json!({"username": null, "password": "c4rol"})),
        ("a number for a user name", json!({"username": 1, "password": "c4rol"})),
        (
            "a list for a password",
            json!({"username": "carol", "password": ["c4rol"]}),
        ),
        ("a list", json!([1])),
        (
            "an unknown transaction",
            json!({"username": "carol", "password": "123456", "transaction_id": "01234567890123456789"}),
        ),
    ];
    let mut lines = Vec::new();
    for (case, body) in table {
        let reply = house.ask("POST", "/auth", &[JSON], &body.to_string()).await;
        assert_eq!(reply.json()["detail"], json!({}), "{case}: {reply:?}");
        lines.push(format!("{case}: {}", told(&reply)));
    }
    for (case, body) in [("no JSON", "{"), ("an empty body", "")] {
        let reply = house.ask("POST", "/auth", &[JSON], body).await;
        lines.push(format!("{case}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a wrong password: 401 4031 "Authentication failed."
    a wrong password of an administrator: 401 4031 "Authentication failed."
    an unknown user: 401 4031 "Authentication failed."
    no password: 401 4031 "Authentication failed."
    null for a password: 401 4031 "Authentication failed."
    an empty password: 401 4031 "Authentication failed."
    an empty user name: 401 4031 "Authentication failed."
    an unknown realm: 401 4031 "Authentication failure. Unknown realm: nosuch."
    an unknown realm before a backslash: 401 4031 "Authentication failure. Unknown realm: nosuch."
    no user name: 401 4032 "Authentication failure. Missing Username"
    nothing: 401 4032 "Authentication failure. Missing Username"
    null for a user name: 401 4032 "Authentication failure. Missing Username"
    a number for a user name: 400 905 "ERR905: The parameter `username` is not a text"
    a list for a password: 400 905 "ERR905: The parameter `password` is not a text"
    a list: 400 905 "ERR905: the body is no JSON object"
    an unknown transaction: 401 4031 "Authentication failed."
    no JSON: 400 905 "ERR905: the body is no JSON"
    an empty body: 401 4032 "Authentication failure. Missing Username"
    "#);
}

#[tokio::test]
async fn names_and_passwords_have_bounds() {
    let house = House::new().await;
    let mut lines = Vec::new();
    for (case, body) in [
        (
            "a long user name",
            json!({"username": "a".repeat(1025), "password": "x"}),
        ),
        (
            "a long user name in other letters",
            json!({"username": "ä".repeat(513), "password": "x"}),
        ),
        (
            "a long realm",
            json!({"username": "carol", "password": "c4rol", "realm": "r".repeat(1025)}),
        ),
        (
            "a long password",
            json!({"username": "carol", "password": "x".repeat(4097)}),
        ),
        (
            "a NUL in a user name",
            json!({"username": "ca\0rol", "password": "c4rol"}),
        ),
        (
            "a NUL in a realm",
            json!({"username": "carol", "password": "c4rol", "realm": "\0"}),
        ),
        (
            "a user name as long as may be",
            json!({"username": "a".repeat(1024), "password": "x".repeat(4096)}),
        ),
    ] {
        let reply = house.ask("POST", "/auth", &[JSON], &body.to_string()).await;
        assert_eq!(reply.json()["detail"], json!({}), "{case}: {reply:?}");
        lines.push(format!("{case}: {}", told(&reply)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a long user name: 400 905 "ERR905: The parameter `username` is longer than 1024 bytes"
    a long user name in other letters: 400 905 "ERR905: The parameter `username` is longer than 1024 bytes"
    a long realm: 400 905 "ERR905: The parameter `realm` is longer than 1024 bytes"
    a long password: 400 905 "ERR905: The parameter `password` is longer than 4096 bytes"
    a NUL in a user name: 400 905 "ERR905: The parameter `username` is not a text without NUL"
    a NUL in a realm: 400 905 "ERR905: The parameter `realm` is not a text without NUL"
    a user name as long as may be: 401 4031 "Authentication failed."
    "#);
}

#[tokio::test]
async fn fault_is_503_and_says_when_to_try_again() {
    let house = House::new().await;
    for (user, after) in [("unavailable", "1"), ("breaker", "5")] {
        let reply = house.log_in(user, "x").await;
        assert_eq!(told(&reply), "503 -503 \"The service is unavailable.\"", "{user}");
        assert_eq!(reply.header("retry-after"), Some(after), "{user}");
        assert!(!reply.body.contains("secret-host"), "{reply:?}");
    }
    house.state.store.set_down(true);
    let reply = house.log_in("carol", "c4rol").await;
    assert_eq!(told(&reply), "503 -503 \"The service is unavailable.\"");
}

#[tokio::test]
async fn password_is_decoded_once_and_taken_as_it_is() {
    let house = House::new().await;
    let form = "username=zo%C3%AB+%3E%3F~&password=%C3%B6%C3%A4+%2B%2520";
    let reply = house.ask("POST", "/auth", &[FORM], form).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.is_ascii(), "{reply:?}");
    let value: Value = reply.json()["result"]["value"].take();
    assert_eq!(value["username"], "zoë >?~");
}
