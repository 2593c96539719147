//! The envelope that everything is answered in.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use keyway_core::model::Timestamp;
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::error::{Failure, Told};

/// What answers name as the version: clients go by its first part.
pub(super) const VERSION: &str = "4.3.142";

/// What pages of other origins may read of an answer.
const EXPOSED: HeaderValue = HeaderValue::from_static("Content-Type, Location, ETag, X-Auth-Token, X-Request-ID");

/// How many fields an envelope has, where an answer adds none.
const FIELDS: usize = 7;

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

/// What an answer and an error have in common.
struct Reply {
    status: StatusCode,
    body: Map<String, Value>,
    retry_after: Option<Duration>,
}

impl Ask {
    /// Answers, whatever came of it.
    pub(super) fn answer(&self, result: Result<Answer, Failure>) -> Response {
        let mut reply = match result {
            Ok(answer) => done(answer),
            Err(failure) => self.failed(failure.tell(&self.call)),
        };
        let body = &mut reply.body;
        // The caller's own, where there is no other one to tell.
        if !body.contains_key("auth_token")
            && let Some(token) = self.own_token().filter(|token| token.len() <= MAX_REPEATED)
        {
            body.insert("auth_token".to_owned(), json!(token));
        }
        body.insert("request_id".to_owned(), json!(self.call.id()));
        body.insert("node".to_owned(), json!(self.kazoo.node()));
        body.insert("version".to_owned(), json!(VERSION));
        body.insert("timestamp".to_owned(), json!(timestamp(self.kazoo.now())));
        reply.into_response()
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
        let body = Map::from_iter([
            ("data".to_owned(), data),
            ("error".to_owned(), json!(told.status.as_u16().to_string())),
            ("message".to_owned(), json!(told.message)),
            ("status".to_owned(), json!("error")),
        ]);
        Reply {
            status: told.status,
            body,
            retry_after: told.retry_after,
        }
    }
}

fn done(answer: Answer) -> Reply {
    let mut body = Map::with_capacity(FIELDS + answer.fields.len());
    body.insert("data".to_owned(), answer.data);
    if let Some(token) = answer.auth_token {
        body.insert("auth_token".to_owned(), json!(token));
    }
    body.insert("status".to_owned(), json!("success"));
    body.extend(answer.fields);
    Reply {
        status: answer.status,
        body,
        retry_after: None,
    }
}

impl Reply {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        open_to_all(headers);
        if let Some(after) = self.retry_after {
            // A whole second, rounded up, and at least one.
            let seconds = u64::try_from(after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
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
