//! A client of the Webitel dialect.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::client::client;
use crate::wazo::{Answer, send};

/// Speaks Webitel's API of one server.
#[derive(Clone)]
pub struct WebitelClient {
    client: Client,
    base: String,
}

/// What a login gives.
#[derive(Debug, Clone)]
pub struct Pair {
    /// For `X-Key`.
    pub key: String,
    /// For `X-Access-Token`.
    pub token: String,
}

impl WebitelClient {
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

    /// `POST /login`.
    pub async fn login(&self, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password });
        send(self.request(Method::POST, "/login").json(&body)).await
    }

    /// What a login gives that must succeed.
    ///
    /// # Panics
    /// If it does not.
    pub async fn pair(&self, username: &str, password: &str) -> Pair {
        let answer = self.login(username, password).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |name: &str| {
            let text = answer.body[name].as_str();
            text.unwrap_or_else(|| panic!("no `{name}` in {answer:?}")).to_owned()
        };
        Pair {
            key: text("key"),
            token: text("token"),
        }
    }

    /// A request with both headers.
    pub async fn send_as(&self, pair: &Pair, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = request.header("X-Key", &pair.key).header("X-Access-Token", &pair.token);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// `GET /api/v2/whoami`.
    pub async fn whoami(&self, pair: &Pair) -> Answer {
        self.send_as(pair, Method::GET, "/api/v2/whoami", None).await
    }

    /// `POST /logout`.
    pub async fn logout(&self, pair: &Pair) -> Answer {
        self.send_as(pair, Method::POST, "/logout", None).await
    }
}

/// Now, in milliseconds since 1970, as this API writes times.
///
/// # Panics
/// If the machine's clock stands before 1970.
pub fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = now.expect("a clock after 1970").as_millis();
    i64::try_from(millis).expect("a time")
}
