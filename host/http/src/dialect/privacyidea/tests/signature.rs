//! Signed answers.

use keyway_core::port::{DocumentKind, DocumentStore as _};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::pss::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use serde_json::{Value, json};

use super::{House, JSON, settings};
use crate::PrivacyideaSettings;
use crate::dialect::privacyidea::ascii_json::PYTHON;
use crate::testing::Reply;

async fn signing() -> House {
    House::with(PrivacyideaSettings {
        sign_responses: true,
        ..settings()
    })
    .await
}

/// Checks an answer as clients do: its JSON is written anew, without the signature.
fn verify(key: &str, reply: &Reply) {
    let Value::Object(mut body) = reply.json() else {
        panic!("{reply:?}");
    };
    let signature = body.remove("signature").expect("a signature");
    let signature = signature.as_str().and_then(|text| text.strip_prefix("rsa_sha256_pss:"));
    let bytes = hex::decode(signature.expect("its algorithm")).expect("hexadecimal");
    let signature = Signature::try_from(bytes.as_slice()).expect("a signature");
    let key = rsa::RsaPublicKey::from_public_key_pem(key).expect("a key");
    // The longest salt that there is room for.
    let key = VerifyingKey::<Sha256>::new_with_salt_len(key, 222);
    let text = PYTHON.write(&Value::Object(body));
    key.verify(text.as_bytes(), &signature).expect("the right signature");
}

#[tokio::test]
async fn every_answer_is_signed_with_the_key_that_is_shown() {
    let house = signing().await;
    let shown = house.ask("GET", "/system/signature", &[], "").await;
    let key = shown.json()["result"]["value"]["public_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    verify(&key, &shown);
    let body = json!({"username": "zoë >?~", "password": "öä +%20", "nonce": "ü"}).to_string();
    verify(&key, &house.ask("POST", "/auth", &[JSON], &body).await);
    verify(&key, &house.log_in("carol", "no").await);
    verify(&key, &house.ask("GET", "/auth/rights", &[], "").await);
    verify(&key, &house.ask("POST", "/auth", &[JSON], "[").await);
    let stored = house
        .state
        .store
        .list_documents(DocumentKind::SigningKey)
        .await
        .expect("documents");
    let [stored] = stored.as_slice() else {
        panic!("{stored:?}");
    };
    assert!(
        stored.document.contains("PUBLIC KEY") && !stored.document.contains("PRIVATE"),
        "{stored:?}"
    );
}

#[tokio::test]
async fn without_its_key_nothing_is_answered_as_if_it_were_signed() {
    let house = signing().await;
    house.state.store.set_down(true);
    let reply = house.ask("GET", "/auth/rights", &[], "").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(reply.json()["result"]["error"]["code"], -503);
}

#[tokio::test]
async fn answers_are_not_signed_unless_that_is_wanted() {
    let house = House::new().await;
    assert_eq!(house.log_in("carol", "c4rol").await.json().get("signature"), None);
    assert_eq!(house.ask("GET", "/system/signature", &[], "").await.status, 404);
}
