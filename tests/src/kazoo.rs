//! A client of the Kazoo dialect.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use md5::{Digest as _, Md5};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::client::client;
use crate::wazo::{Answer, send};

/// Speaks Kazoo's API of one server.
#[derive(Clone)]
pub struct KazooClient {
    client: Client,
    base: String,
}

impl KazooClient {
    /// Below this URL, `http://127.0.0.1:9497` for example. Certificates are not verified.
    ///
    /// # Panics
    /// If no client can be made.
    pub fn new(base: String) -> Self {
        Self { client: client(), base }
    }

    /// Any request; the path begins with `/v2` or `/v1`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `data` in the envelope, without a token.
    pub async fn send(&self, method: Method, path: &str, data: Value) -> Answer {
        send(self.request(method, path).json(&json!({ "data": data }))).await
    }

    /// `data` in the envelope, with a token in `X-Auth-Token`.
    pub async fn send_as(&self, token: &str, method: Method, path: &str, data: Value) -> Answer {
        let request = self.request(method, path).header("X-Auth-Token", token);
        send(request.json(&json!({ "data": data }))).await
    }

    /// GET with a token in `X-Auth-Token`.
    pub async fn get_as(&self, token: &str, path: &str) -> Answer {
        send(self.request(Method::GET, path).header("X-Auth-Token", token)).await
    }

    /// `PUT /v2/user_auth` with MD5 over login and password.
    pub async fn login(&self, account: &str, username: &str, password: &str) -> Answer {
        let data = json!({ "credentials": md5_of(username, password), "account_name": account });
        self.send(Method::PUT, "/v2/user_auth", data).await
    }

    /// The token of a login that must succeed.
    ///
    /// # Panics
    /// If it does not.
    pub async fn token(&self, account: &str, username: &str, password: &str) -> String {
        token_of(&self.login(account, username, password).await)
    }
}

/// `auth_token` of an answer that must be a success.
///
/// # Panics
/// If it is none.
pub fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.body["status"], "success", "{answer:?}");
    let token = answer.body["auth_token"].as_str();
    token.unwrap_or_else(|| panic!("no token in {answer:?}")).to_owned()
}

/// MD5 over `username:password`, in lower-case hexadecimal.
pub fn md5_of(username: &str, password: &str) -> String {
    hex(&Md5::digest(format!("{username}:{password}")))
}

/// SHA-1 over `username:password`, in lower-case hexadecimal.
pub fn sha1_of(username: &str, password: &str) -> String {
    hex(&Sha1::digest(format!("{username}:{password}")))
}

/// The claims of a JSON Web Token, unverified.
///
/// # Panics
/// If it is none.
pub fn claims_of(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap_or_else(|| panic!("no token: {token}"));
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("Base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
