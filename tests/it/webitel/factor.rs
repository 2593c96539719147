//! A second factor that another API enrolled is asked for here.

use keyway_tests::privacyidea::{PrivacyideaClient, totp};
use keyway_tests::wazo::{Answer, send};
use keyway_tests::webitel::WebitelClient;
use keyway_tests::{TestHost, artefact};
use reqwest::Method;
use serde_json::json;

/// The seed of RFC 6238, and that in hexadecimal digits.
const SEED: &[u8] = b"12345678901234567890";
const SEED_HEX: &str = "3132333435363738393031323334353637383930";

/// A realm of the host's own users.
const REALMS: &str = r#"name = "realms"
plugin = "realm"
config.default_realm = "house"
config.realms.house.resolvers = [{ name = "local" }]
config.resolvers.local = { type = "directory" }
"#;

#[tokio::test]
async fn the_code_of_a_device_is_sent_with_the_login_and_is_good_once() {
    let host = TestHost::builder()
        .config("[dialect.privacyidea]\nbackend = \"realms\"")
        .plugin("realm", artefact("realm"))
        .backend(REALMS)
        .user_with("root", "r00t-pw", &["--admin"])
        .user("alice", "s3cre7")
        .start();
    host.wait_until_loaded();
    let pi = PrivacyideaClient::new(host.url(""));
    let admin = pi.token("root", "r00t-pw").await;
    let fields = [
        ("type", "totp"),
        ("user", "alice"),
        ("realm", "house"),
        ("otpkey", SEED_HEX),
    ];
    let made = pi.post_as(&admin, "/token/init", &fields).await;
    assert_eq!(made.status, 200, "{made:?}");
    let webitel = WebitelClient::new(host.url(""));
    let login = |password: &'static str, code: Option<String>| {
        let path = code.map_or("/login".to_owned(), |code| format!("/login?code={code}"));
        let body = json!({ "username": "alice", "password": password });
        send(webitel.request(Method::POST, &path).json(&body))
    };
    let told = |answer: &Answer| {
        (
            answer.status,
            answer.body["info"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let asked = login("s3cre7", None).await;
    assert_eq!(told(&asked), (301, "Set security code".to_owned()), "{asked:?}");
    assert!(!asked.headers.contains_key("location"), "{asked:?}");
    let wrong = (401, "secret incorrect".to_owned());
    let code = totp(SEED, 0);
    for code in [None, Some(code.clone())] {
        assert_eq!(told(&login("wrong", code).await), wrong);
    }
    // Too early by far, and so none that is good now.
    let early = login("s3cre7", Some(totp(SEED, 20))).await;
    assert_eq!(told(&early), (401, "code incorrect".to_owned()));
    let right = login("s3cre7", Some(code.clone())).await;
    assert_eq!(right.status, 200, "{right:?}");
    assert!(right.body["token"].is_string() && right.body["key"].is_string());
    let again = login("s3cre7", Some(code)).await;
    assert_eq!(told(&again), (401, "code incorrect".to_owned()), "{again:?}");
}
