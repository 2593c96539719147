//! What the seed's document says, line by line.

use keyway_tests::kazoo::{claims_of, md5_of, sha1_of, token_of};
use reqwest::Method;
use serde_json::json;

use super::house::house;

#[test]
fn the_seeds_credentials_are_what_its_command_lines_print() {
    assert_eq!(
        md5_of("john@example.com", "m32c6NfqYEt"),
        "82a2dc91686ec828a67152d45a5c5ef7"
    );
    assert_eq!(
        sha1_of("john@example.com", "m32c6NfqYEt"),
        "055cf886cb9b5c5867083463867c527ace0f8ecc"
    );
}

#[tokio::test]
async fn both_digests_log_in_by_name_and_by_realm() {
    let house = house();
    let table = [
        json!({ "credentials": "82a2dc91686ec828a67152d45a5c5ef7", "account_name": "acme", "method": "md5" }),
        json!({ "credentials": "82a2dc91686ec828a67152d45a5c5ef7", "account_name": "ACME!" }),
        json!({ "credentials": "055cf886cb9b5c5867083463867c527ace0f8ecc", "account_name": "acme", "method": "sha" }),
        json!({ "credentials": "82a2dc91686ec828a67152d45a5c5ef7", "account_realm": "ACME.example.org" }),
        json!({ "credentials": "82a2dc91686ec828a67152d45a5c5ef7", "realm": "acme.example.org" }),
    ];
    for data in table {
        for path in ["/v2/user_auth", "/v1/user_auth"] {
            let answer = house.kazoo.send(Method::PUT, path, data.clone()).await;
            assert_eq!(answer.status, 201, "{path} {data}: {answer:?}");
            let token = token_of(&answer);
            let body = &answer.body["data"];
            assert_eq!(body["account_id"], house.acme);
            assert_eq!(body["apps"], json!([]));
            assert_eq!(body["is_reseller"], false);
            assert_eq!(body["language"], "en-US");
            assert!(body["owner_id"].as_str().is_some_and(|id| id.len() == 32), "{answer:?}");
            assert!(
                body["reseller_id"].as_str().is_some_and(|id| id.len() == 32),
                "{answer:?}"
            );
            assert!(answer.body["request_id"].is_string(), "{answer:?}");
            let claims = claims_of(&token);
            assert_eq!(claims["iss"], "kazoo");
            assert_eq!(claims["method"], "cb_user_auth");
            assert_eq!(claims["account_id"], house.acme);
            assert!(claims["exp"].is_i64() && claims["identity_sig"].is_string(), "{claims}");
        }
    }
}

#[tokio::test]
async fn a_token_tells_whose_it_is() {
    let house = house();
    let token = house.kazoo.token("acme", "boss", "b0ss-pw").await;
    let answer = house.kazoo.get_as(&token, &format!("/v2/user_auth/{token}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let data = &answer.body["data"];
    assert_eq!(data["id"], token);
    assert_eq!(data["method"], "cb_user_auth");
    assert_eq!(data["account_id"], house.acme);
    assert_eq!(data["account_name"], "acme");
    assert_eq!(data["is_reseller"], false);
    assert_eq!(answer.body["auth_token"], token);
    let below = format!("/v2/accounts/{}/user_auth/{token}", house.acme);
    assert_eq!(house.kazoo.get_as(&token, &below).await.status, 200);
    // Somebody else's token tells nothing.
    let other = house.kazoo.token("acme-sub", "kid", "k1d-pw").await;
    let foreign = house.kazoo.get_as(&other, &format!("/v2/user_auth/{token}")).await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
}
