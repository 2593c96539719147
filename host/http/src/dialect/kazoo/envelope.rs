//! The envelope that everything is answered in.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keyway_core::model::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::ask::Ask;
use super::error::{Failure, Told};

/// What answers name as the version: clients go by its first part.
pub(super) const VERSION: &str = "4.3.142";

/// What pages of other origins may read of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static("Content-Type, Location, ETag, X-Auth-Token, X-Request-ID");

/// The longest token that an answer repeats.
const MAX_REPEATED: usize = 4096;

/// An answer that is no error.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    data: Value,
    auth_token: Option<String>,
    fields: Map<String, Value>,
}

impl Answer {
    /// 200 with these data.
    pub(super) fn ok(data: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::OK,
            data: data.into(),
            auth_token: None,
            fields: Map::new(),
        }
    }

    /// 201 with these data: what was asked for by PUT is there now.
    pub(super) fn created(data: impl Into<Value>) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..Self::ok(data)
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

/// What goes into an envelope: an answer, or an error.
struct Reply {
    status: StatusCode,
    data: Value,
    auth_token: Option<String>,
    /// The words of an error.
    message: Option<String>,
    fields: Map<String, Value>,
    retry_after: Option<Duration>,
}

/// An envelope as it is written.
#[derive(Serialize)]
struct Envelope<'a> {
    data: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
    request_id: &'a str,
    node: &'a str,
    version: &'static str,
    timestamp: String,
}

impl Ask {
    /// Answers, whatever came of it.
    pub(super) fn answer(&self, result: Result<Answer, Failure>) -> Response {
        let reply = match result {
            Ok(answer) => done(answer),
            Err(failure) => self.failed(failure.tell(&self.call)),
        };
        let is_error = reply.message.is_some();
        // The caller's own, where there is no other one to tell.
        let own = || self.own_token().filter(|token| token.len() <= MAX_REPEATED);
        let envelope = Envelope {
            data: &reply.data,
            auth_token: reply.auth_token.as_deref().or_else(own),
            status: if is_error { "error" } else { "success" },
            error: is_error.then(|| reply.status.as_u16().to_string()),
            message: reply.message.as_deref(),
            fields: &reply.fields,
            request_id: self.call.id(),
            node: self.kazoo.node(),
            version: VERSION,
            timestamp: timestamp(self.kazoo.now()),
        };
        let mut response = (reply.status, Json(envelope)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        open_to_all(headers);
        if let Some(after) = reply.retry_after {
            // A whole second, rounded up, and at least one.
            let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }

    fn failed(&self, told: Told) -> Reply {
        let mut data = told.data;
        // The first version of this API has the words alone, but for what is wrong with fields.
        if self.is_first_version()
            && told.status != StatusCode::BAD_REQUEST
            && let Some(words) = data.get("message").cloned()
            && data.as_object().is_some_and(|fields| fields.len() == 1)
        {
            data = words;
        }
        Reply {
            status: told.status,
            data,
            auth_token: None,
            message: Some(told.message),
            fields: Map::new(),
            retry_after: told.retry_after,
        }
    }
}

fn done(answer: Answer) -> Reply {
    Reply {
        status: answer.status,
        data: answer.data,
        auth_token: answer.auth_token,
        message: None,
        fields: answer.fields,
        retry_after: None,
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
