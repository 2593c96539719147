//! A client of the wazo dialect.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::client::client;

/// Speaks the token API of one server.
#[derive(Clone)]
pub struct WazoClient {
    client: Client,
    base: String,
}

/// Status and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` if there is none, a string if it is no JSON.
    pub body: Value,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    /// The `token` of an answer that must be a success.
    ///
    /// # Panics
    /// If it is none.
    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["data"]["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {self:?}"))
            .to_owned()
    }
}

impl WazoClient {
    /// Below this URL, `http://127.0.0.1:9497/0.1` for example. Certificates are not verified.
    ///
    /// # Panics
    /// If no client can be made.
    pub fn new(base: String) -> Self {
        Self { client: client(), base }
    }

    /// The same client below another URL.
    #[must_use]
    pub fn at(&self, base: String) -> Self {
        Self {
            client: self.client.clone(),
            base,
        }
    }

    /// Logs in and returns whatever comes.
    pub async fn login(&self, login: &str, password: &str, body: Value) -> Answer {
        send(
            self.request(Method::POST, "/token")
                .basic_auth(login, Some(password))
                .json(&body),
        )
        .await
    }

    /// Logs in through a backend and returns the token.
    ///
    /// # Panics
    /// If the login does not succeed.
    pub async fn token(&self, backend: &str, login: &str, password: &str) -> String {
        self.login(login, password, json!({ "backend": backend })).await.token()
    }

    /// HEAD of a token: the status.
    pub async fn check(&self, token: &str, query: &str) -> u16 {
        send(self.request(Method::HEAD, &format!("/token/{token}{query}")))
            .await
            .status
    }

    /// GET of a token.
    pub async fn get(&self, token: &str, query: &str) -> Answer {
        send(self.request(Method::GET, &format!("/token/{token}{query}"))).await
    }

    /// DELETE of a token.
    pub async fn revoke(&self, token: &str) -> Answer {
        send(self.request(Method::DELETE, &format!("/token/{token}"))).await
    }

    /// Any other request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }
}

/// Sends a request and takes the answer apart.
///
/// # Panics
/// If the server does not answer.
pub async fn send(request: RequestBuilder) -> Answer {
    let response: Response = request.send().await.expect("the server answers");
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.expect("a body");
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, body, headers }
}
