//! The envelope that everything is answered in.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use keyway_core::port::{DocumentStore, Random};
use serde_json::{Map, Value, json};

use super::ascii_json::PYTHON;
use super::ask::Ask;
use super::audit::End;
use super::error::{Failure, Told};
use super::signature::{ResponseKey, SignatureError};
use super::{ErrorCodes, Privacyidea};
use crate::edge::log_failure;

/// What answers name as the program and its version: clients go by it.
pub(super) const VERSION: &str = "privacyIDEA 3.14";
pub(super) const VERSION_NUMBER: &str = "3.14";

/// What errors of the older kind say of how many seconds a user interface may rest.
const SEED_LOGOUT_TIME: u32 = 30;

/// How an attempt to prove who one is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    /// It was proved.
    Accept,
    /// It was not.
    Reject,
    /// Another step is wanted.
    Challenge,
    /// The user declined.
    Declined,
}

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    id: u8,
    value: Value,
    detail: Option<Value>,
    authentication: Option<Authentication>,
    cache: &'static str,
}

impl Authentication {
    /// As the API writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::Challenge => "CHALLENGE",
            Self::Declined => "DECLINED",
        }
    }
}

impl Answer {
    /// This value.
    pub(super) fn of(value: impl Into<Value>) -> Self {
        Self {
            id: 1,
            value: value.into(),
            detail: None,
            authentication: None,
            cache: "no-cache",
        }
    }

    /// The same with another value.
    pub(super) fn value(mut self, value: impl Into<Value>) -> Self {
        self.value = value.into();
        self
    }

    /// The same with another id: that of `POST /auth` is 2.
    pub(super) fn id(mut self, id: u8) -> Self {
        self.id = id;
        self
    }

    /// The same with more about it.
    pub(super) fn detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The same with how the attempt ended.
    pub(super) fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = Some(authentication);
        self
    }

    /// Whether it is what was asked for: anything but `false`.
    pub(super) fn is_yes(&self) -> bool {
        self.value != Value::Bool(false)
    }

    /// How an attempt to prove who one is ended.
    pub(super) fn how(&self) -> Option<Authentication> {
        self.authentication
    }

    /// The same, which nobody on the way may keep.
    pub(super) fn not_stored(mut self) -> Self {
        self.cache = "no-store";
        self
    }
}

/// What an answer and an error have in common.
struct Reply {
    status: StatusCode,
    body: Map<String, Value>,
    cache: &'static str,
    retry_after: Option<Duration>,
}

impl Ask {
    /// Answers, whatever came of it.
    pub(super) async fn answer(&self, result: Result<Answer, Failure>) -> Response {
        let told = match result.map_err(|failure| failure.tell(&self.call)) {
            // What is not written down did not happen.
            Ok(answer) => match self.record(End::Answered(&answer)).await {
                Ok(()) => return self.send(done(answer)).await,
                Err(failure) => failure.tell(&self.call),
            },
            Err(told) => match self.record(End::Failed(&told)).await {
                Ok(()) => told,
                Err(failure) => failure.tell(&self.call),
            },
        };
        self.send(self.failed(told)).await
    }

    fn failed(&self, told: Told) -> Reply {
        let is_seed = self.pi.settings().error_codes == ErrorCodes::Seed && told.status == StatusCode::UNAUTHORIZED;
        // The original has an empty object for what its logins raise, and nothing for the rest.
        let usual = if self.is_auth() { json!({}) } else { Value::Null };
        let code = if is_seed { -401 } else { told.code };
        let mut body = Map::from_iter([
            ("id".to_owned(), json!(1)),
            ("detail".to_owned(), told.detail.unwrap_or(usual)),
            (
                "result".to_owned(),
                json!({"status": false, "error": {"code": code, "message": told.message}}),
            ),
        ]);
        if is_seed {
            body.insert("config".to_owned(), json!({ "logout_time": SEED_LOGOUT_TIME }));
        }
        Reply {
            status: told.status,
            body,
            cache: "no-cache",
            retry_after: told.retry_after,
        }
    }

    async fn send(&self, mut reply: Reply) -> Response {
        let body = &mut reply.body;
        body.insert("jsonrpc".to_owned(), json!("2.0"));
        #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
        let time = self.pi.now().0 as f64 / 1e6;
        body.insert("time".to_owned(), json!(time));
        body.insert("version".to_owned(), json!(VERSION));
        if let Some(nonce) = self.nonce() {
            body.insert("nonce".to_owned(), json!(nonce));
        }
        if self.pi.settings().sign_responses {
            let text = PYTHON.write(&Value::Object(body.clone()));
            match self.pi.sign(text).await {
                Ok(signature) => drop(body.insert("signature".to_owned(), json!(signature))),
                Err(error) => {
                    log_failure(&self.call, &error);
                    // Who wants a signature would not believe an answer without one.
                    reply.status = StatusCode::SERVICE_UNAVAILABLE;
                    reply.retry_after = Some(Duration::ZERO);
                    body.insert("id".to_owned(), json!(1));
                    body.insert("detail".to_owned(), Value::Null);
                    let error = json!({"code": -503, "message": "The service is unavailable."});
                    body.insert("result".to_owned(), json!({"status": false, "error": error}));
                }
            }
        }
        reply.into_response()
    }
}

fn done(answer: Answer) -> Reply {
    let mut result = Map::from_iter([("status".to_owned(), json!(true)), ("value".to_owned(), answer.value)]);
    if let Some(authentication) = answer.authentication {
        result.insert("authentication".to_owned(), json!(authentication.name()));
    }
    let mut body = Map::from_iter([
        ("id".to_owned(), json!(answer.id)),
        ("result".to_owned(), Value::Object(result)),
        ("versionnumber".to_owned(), json!(VERSION_NUMBER)),
    ]);
    if let Some(detail) = answer.detail {
        body.insert("detail".to_owned(), detail);
    }
    Reply {
        status: StatusCode::OK,
        body,
        cache: answer.cache,
        retry_after: None,
    }
}

impl Reply {
    fn into_response(self) -> Response {
        let text = PYTHON.write(&Value::Object(self.body));
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache));
        if let Some(after) = self.retry_after {
            // A whole second, rounded up, and at least one.
            let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

impl Privacyidea {
    /// The key that answers are signed with.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub(super) async fn response_key(&self) -> Result<&Arc<ResponseKey>, SignatureError> {
        let keys = self.keys();
        let open = || async {
            let documents: &dyn DocumentStore = &*self.0.store;
            let key = ResponseKey::open(documents, &keys.sealing, &self.0.random).await?;
            Ok(Arc::new(key))
        };
        keys.response.get_or_try_init(open).await
    }

    async fn sign(&self, text: String) -> Result<String, SignatureError> {
        let random: &Arc<dyn Random> = &self.0.random;
        Arc::clone(self.response_key().await?).sign(text, random).await
    }
}
