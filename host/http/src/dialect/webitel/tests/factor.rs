//! `POST /login?code=` of somebody with a second factor.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::factor::Enrollment;
use keyway_core::model::{FactorKind, FactorOwner, OtpAlgorithm, OtpParameters, SessionId};
use keyway_core::port::{Clock as _, SessionStore as _};
use serde_json::json;
use sha1::Sha1;

use super::{House, JSON, told};

const SEED: &[u8] = b"12345678901234567890";

const PERIOD: Duration = Duration::from_secs(30);

impl House {
    /// Gives somebody who can log in a factor of RFC 6238.
    pub(super) async fn enroll(&self, username: &str, password: &str) {
        let key = self.pair(username, password).await.key.parse().expect("an id");
        let session = self.state.store.find_session(SessionId(key)).await;
        let identity = session.expect("a store").expect("a session").identity;
        let enrollment = Enrollment {
            kind: FactorKind::Totp,
            parameters: OtpParameters {
                algorithm: OtpAlgorithm::Sha1,
                digits: 6,
                period: 30,
            },
            seed: Some(Secret::new(SEED.to_vec())),
            serial: None,
            owner: Some(FactorOwner {
                identity: identity.id,
                tenant: identity.tenant,
                login: identity.login,
                realm: String::new(),
                resolver: String::new(),
            }),
            pin: None,
            description: String::new(),
            confirmed_later: false,
            attributes: Vec::new(),
        };
        self.state.state.factors.enroll(enrollment).await.expect("a factor");
    }

    /// What its device shows now.
    fn code(&self) -> String {
        let step = self.state.clock.now().0.unsigned_abs() / 30_000_000;
        let mut mac = Hmac::<Sha1>::new_from_slice(SEED).expect("a key of any length");
        mac.update(&step.to_be_bytes());
        let hash: [u8; 20] = mac.finalize().into_bytes().into();
        let start = usize::from(hash[19] & 15);
        let word = u32::from_be_bytes(hash[start..start + 4].try_into().expect("four bytes"));
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    /// What a login with this query is answered.
    async fn try_code(&self, username: &str, password: &str, query: &str) -> String {
        let body = json!({"username": username, "password": password}).to_string();
        told(&self.ask("POST", &format!("/login{query}"), &[JSON], &body).await)
    }
}

const SET: &str = "301 \"Set security code\"";
const WRONG_CODE: &str = "401 \"code incorrect\"";
const WRONG_PASSWORD: &str = "401 \"secret incorrect\"";

#[tokio::test]
async fn code_is_asked_of_whoever_has_a_factor_and_is_good_once() {
    let house = House::new().await;
    house.enroll("100@mydomain.com", "secret").await;
    let right = format!("?code={}", house.code());
    for (password, query, answer) in [
        ("secret", "", SET),
        ("secret", "?code=", SET),
        ("wrong", "", WRONG_PASSWORD),
        ("wrong", "?code=000000", WRONG_PASSWORD),
        // Nor does it use the code up.
        ("wrong", &right, WRONG_PASSWORD),
        ("secret", "?code=000000", WRONG_CODE),
        ("secret", "?code=nope", WRONG_CODE),
        ("secret", &right, "200"),
        ("secret", &right, WRONG_CODE),
    ] {
        let told = house.try_code("100@mydomain.com", password, query).await;
        assert_eq!(told, answer, "{password} {query}");
    }
    house.state.clock.advance(PERIOD);
    let next = format!("?code={}", house.code());
    assert_eq!(house.try_code("100@mydomain.com", "secret", &next).await, "200");
}

#[tokio::test]
async fn code_of_somebody_without_a_factor_is_not_looked_at() {
    let house = House::new().await;
    house.enroll("100@mydomain.com", "secret").await;
    let told = house.try_code("admin@mydomain.com", "4dmin", "?code=000000").await;
    assert_eq!(told, "200");
    let told = house.try_code("999@mydomain.com", "4dmin", "?code=000000").await;
    assert_eq!(told, WRONG_PASSWORD);
}

#[tokio::test]
async fn factor_that_failed_too_often_takes_no_code_and_does_not_say_so() {
    let house = House::new().await;
    house.enroll("alice", "s3cre7").await;
    for _ in 0..10 {
        assert_eq!(house.try_code("alice", "s3cre7", "?code=000000").await, WRONG_CODE);
    }
    let right = format!("?code={}", house.code());
    assert_eq!(house.try_code("alice", "s3cre7", &right).await, WRONG_CODE);
}
