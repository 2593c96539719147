//! The envelope that everything is answered in.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keyway_core::model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::ask::Ask;
use super::error::Failure;

/// What answers name as the version: clients go by its first part.
pub(super) const VERSION: &str = "4.3.142";

/// What pages of other origins may read of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static("Content-Type, Location, ETag, X-Auth-Token, X-Request-ID");

/// The longest token that an answer repeats.
const MAX_REPEATED: usize = 4096;

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer<T = Value> {
    status: StatusCode,
    data: T,
    auth_token: Option<String>,
    fields: Map<String, Value>,
}

impl Answer {
    /// 200 with these data.
    pub(super) fn ok(data: impl Into<Value>) -> Self {
        Self::of(data.into())
    }

    /// 201 with these data: what was asked for by PUT is there now.
    pub(super) fn created(data: impl Into<Value>) -> Self {
        Self::of(data.into()).into_created()
    }
}

impl<T> Answer<T> {
    /// 200 with data of a form of their own.
    pub(super) fn of(data: T) -> Self {
        Self {
            status: StatusCode::OK,
            data,
            auth_token: None,
            fields: Map::new(),
        }
    }

    /// The same as 201.
    pub(super) fn into_created(self) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..self
        }
    }

    /// The same as 200: what a login by POST is answered with.
    pub(super) fn into_ok(self) -> Self {
        Self {
            status: StatusCode::OK,
            ..self
        }
    }

    /// The same with another token than the caller's own.
    pub(super) fn token(mut self, text: String) -> Self {
        self.auth_token = Some(text);
        self
    }

    /// The same with one more field of the envelope: `page_size` of a list for one.
    pub(super) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

/// What goes into an envelope beside the data.
#[derive(Default)]
struct Around<'a> {
    auth_token: Option<&'a str>,
    /// The words of an error.
    message: Option<&'a str>,
    fields: Option<&'a Map<String, Value>>,
}

/// An envelope as it is written.
#[derive(Serialize)]
struct Envelope<'a, T> {
    data: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(flatten)]
    fields: Option<&'a Map<String, Value>>,
    request_id: &'a str,
    node: &'a str,
    version: &'static str,
    timestamp: String,
}

impl Ask {
    /// Answers, whatever came of it.
    pub(super) fn answer<T: Serialize>(&self, result: Result<Answer<T>, Failure>) -> Response {
        match result {
            Ok(answer) => {
                let around = Around {
                    auth_token: answer.auth_token.as_deref(),
                    fields: Some(&answer.fields),
                    ..Around::default()
                };
                self.write(answer.status, &answer.data, &around)
            }
            Err(failure) => self.refuse(failure),
        }
    }

    /// Answers what was not done.
    pub(super) fn refuse(&self, failure: Failure) -> Response {
        let told = failure.tell(&self.call);
        let mut data = told.data;
        // The first version of this API has the words alone, but for what is wrong with fields.
        if self.is_first_version()
            && told.status != StatusCode::BAD_REQUEST
            && let Some(words) = data.get("message").cloned()
            && data.as_object().is_some_and(|fields| fields.len() == 1)
        {
            data = words;
        }
        let around = Around {
            message: Some(&told.message),
            ..Around::default()
        };
        let mut response = self.write(told.status, &data, &around);
        if let Some(after) = told.retry_after {
            // A whole second, rounded up, and at least one.
            let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }

    fn write<T: Serialize>(&self, status: StatusCode, data: &T, around: &Around<'_>) -> Response {
        let is_error = around.message.is_some();
        // The caller's own, where there is no other one to tell.
        let own = || self.own_token().filter(|token| token.len() <= MAX_REPEATED);
        let envelope = Envelope {
            data,
            auth_token: around.auth_token.or_else(own),
            status: if is_error { "error" } else { "success" },
            error: is_error.then(|| status.as_u16().to_string()),
            message: around.message,
            fields: around.fields,
            request_id: self.call.id(),
            node: self.kazoo.node(),
            version: VERSION,
            timestamp: timestamp(self.kazoo.now()),
        };
        let mut response = (status, Json(envelope)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        open_to_all(headers);
        response
    }
}

/// Any page may read an answer: tokens, not cookies, decide who somebody is.
pub(super) fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// Whole seconds, as RFC 3339 writes them.
fn timestamp(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(at.0.div_euclid(1_000_000)).unwrap_or_default();
    at.to_string()
}
