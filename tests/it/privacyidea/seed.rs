//! What the seed's document says, line by line.

use keyway_tests::privacyidea::{code_of, token_of};
use serde_json::json;

use super::house::{client, house, house_with};

#[tokio::test]
async fn a_login_answers_the_seeds_fields_and_todays() {
    let host = house().start();
    let pi = client(&host);
    let answer = pi.auth(&[("username", "admin"), ("password", "4dmin-pw")]).await;
    let token = token_of(&answer);
    let body = &answer.body;
    assert_eq!(body["jsonrpc"], "2.0");
    assert_eq!(body["result"]["status"], true);
    assert_eq!(body["result"]["authentication"], "ACCEPT");
    assert!(
        body["version"]
            .as_str()
            .is_some_and(|text| text.starts_with("privacyIDEA")),
        "{body}"
    );
    assert!(body["time"].is_number(), "{body}");
    let value = &body["result"]["value"];
    assert_eq!(value["role"], "admin");
    assert_eq!(value["username"], "admin");
    assert_eq!(value["realm"], "");
    assert!(
        value["rights"].as_array().is_some_and(|rights| !rights.is_empty()),
        "{body}"
    );
    // The seed's own next request: the token in `Authorization`, without a word before it.
    let users = pi.get_as(&token, "/users/").await;
    assert_eq!(users.status, 200, "{users:?}");
    let rights = pi.get_as(&token, "/auth/rights").await;
    assert_eq!(rights.status, 200, "{rights:?}");
    assert!(rights.body["result"]["value"]["totp"].is_string(), "{rights:?}");
}

#[tokio::test]
async fn a_request_without_a_token_is_401_in_the_style_that_the_operator_chose() {
    let host = house().start();
    let pi = client(&host);
    let modern = keyway_tests::wazo::send(pi.request(reqwest::Method::GET, "/auth/rights")).await;
    assert_eq!((modern.status, code_of(&modern)), (401, 4033), "{modern:?}");
    let host = house_with("error_codes = \"seed\"").start();
    let pi = client(&host);
    let seed = keyway_tests::wazo::send(pi.request(reqwest::Method::GET, "/auth/rights")).await;
    assert_eq!((seed.status, code_of(&seed)), (401, -401), "{seed:?}");
    assert!(seed.body["config"]["logout_time"].is_number(), "{seed:?}");
    assert_eq!(seed.body["result"]["status"], json!(false));
}

#[tokio::test]
async fn every_encoding_is_decoded_once() {
    let host = house().user("percent", "a%20b+c").start();
    let pi = client(&host);
    let fields = [("username", "admin"), ("password", "4dmin-pw")];
    let post = |path: &str| pi.request(reqwest::Method::POST, path);
    let body = json!({"username": "admin", "password": "4dmin-pw"});
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nadmin\r\n--b\r\nContent-Disposition: form-data; \
        name=\"password\"\r\n\r\n4dmin-pw\r\n--b--\r\n";
    let requests = [
        ("form", post("/auth").form(&fields)),
        ("json", post("/auth").json(&body)),
        ("json without a type", post("/auth").body(body.to_string())),
        (
            "json as text",
            post("/auth")
                .header("Content-Type", "text/plain")
                .body(body.to_string()),
        ),
        ("query", post("/auth?username=admin&password=4dmin-pw")),
        (
            "multipart",
            post("/auth")
                .header("Content-Type", "multipart/form-data; boundary=b")
                .body(multipart),
        ),
    ];
    for (name, request) in requests {
        let answer = keyway_tests::wazo::send(request).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    // `house` is the realm of the host's own users.
    let percent = pi.auth(&[("username", "percent@house"), ("password", "a%20b+c")]).await;
    assert_eq!(percent.status, 200, "{percent:?}");
}
