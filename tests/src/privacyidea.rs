//! A client of the privacyIDEA dialect, and the one-time passwords that a device would show.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use sha1::Sha1;

use crate::client::client;
use crate::wazo::{Answer, send};

/// Speaks privacyIDEA's API of one server.
#[derive(Clone)]
pub struct PrivacyideaClient {
    client: Client,
    base: String,
}

impl PrivacyideaClient {
    /// Below this URL, `http://127.0.0.1:9497` for example. Certificates are not verified.
    ///
    /// # Panics
    /// If no client can be made.
    pub fn new(base: String) -> Self {
        Self { client: client(), base }
    }

    /// Any request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `POST /auth` as a form.
    pub async fn auth(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("/auth", fields).await
    }

    /// `POST /auth` with a user name and a password: the token.
    ///
    /// # Panics
    /// If the login does not succeed.
    pub async fn token(&self, username: &str, password: &str) -> String {
        let answer = self.auth(&[("username", username), ("password", password)]).await;
        token_of(&answer)
    }

    /// A form without a token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        send(self.request(Method::POST, path).form(fields)).await
    }

    /// A form with a token.
    pub async fn post_as(&self, token: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("Authorization", token);
        send(request.form(fields)).await
    }

    /// A JSON object with a token.
    pub async fn post_json_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).header("PI-Authorization", token);
        send(request.json(body)).await
    }

    /// GET with a token.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::GET, path).header("Authorization", token)).await
    }

    /// DELETE with a token.
    pub async fn delete_as(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::DELETE, path).header("Authorization", token)).await
    }

    /// `POST /validate/check`.
    pub async fn validate(&self, user: &str, pass: &str) -> Answer {
        self.post("/validate/check", &[("user", user), ("pass", pass)]).await
    }
}

/// The token of an answer that must be a success.
///
/// # Panics
/// If it is none.
pub fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.body["result"]["value"]["token"].as_str();
    token.unwrap_or_else(|| panic!("no token in {answer:?}")).to_owned()
}

/// `result.error.code` of an answer.
pub fn code_of(answer: &Answer) -> i64 {
    answer.body["result"]["error"]["code"].as_i64().unwrap_or_default()
}

/// The six digits that a device shows for this counter, by RFC 4226.
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn hotp(seed: &[u8], counter: u64) -> String {
    let mut hmac = Hmac::<Sha1>::new_from_slice(seed).expect("a key of any length");
    hmac.update(&counter.to_be_bytes());
    let hash: [u8; 20] = hmac.finalize().into_bytes().into();
    let start = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[start] & 127, hash[start + 1], hash[start + 2], hash[start + 3]]);
    format!("{:06}", word % 1_000_000)
}

/// The six digits that a device shows now plus so many steps of 30 seconds, by RFC 6238.
///
/// # Panics
/// If the machine's clock stands before 1970.
pub fn totp(seed: &[u8], steps: i64) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs();
    hotp(seed, (now / 30).saturating_add_signed(steps))
}
