//! A request, and what every route begins with: what it says, and who asks.

use std::convert::Infallible;

use axum::extract::{FromRequest, Request};
use axum::response::Response;
use http::request::Parts;
use keyway_core::model::Client;
use serde_json::{Map, Value};

use super::Webitel;
use super::error::Failure;
use crate::AppState;
use crate::edge::{Call, Payload, PayloadError, Whole, user_agent};

/// A request, read whole.
pub(super) struct Ask {
    pub(super) webitel: Webitel,
    pub(super) call: Call,
    head: Parts,
    path: Vec<(String, String)>,
    body: Result<Map<String, Value>, Unread>,
    /// The body's texts may be as long as it is, so it counts for as long as they are there.
    _payload: Option<Payload>,
}

/// Why there is no body.
#[derive(Debug, Clone, Copy)]
enum Unread {
    Payload(PayloadError),
    NoJson,
    NoObject,
}

impl FromRequest<AppState> for Ask {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Infallible> {
        let Whole {
            call,
            head,
            path,
            payload,
        } = Whole::from_request(request, state).await?;
        let (payload, body) = match payload {
            Err(error) => (None, Err(Unread::Payload(error))),
            Ok(payload) => {
                let body = fields(&payload);
                (Some(payload), body)
            }
        };
        Ok(Self {
            webitel: Webitel(state.clone()),
            call,
            head,
            path,
            body,
            _payload: payload,
        })
    }
}

/// The fields of a body, which is JSON whatever it says that it is.
fn fields(body: &[u8]) -> Result<Map<String, Value>, Unread> {
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match keyway_core::json::parse(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Unread::NoObject),
        Err(_) => Err(Unread::NoJson),
    }
}

impl Ask {
    /// The fields of the body.
    ///
    /// # Errors
    /// [`Failure::Payload`], [`Failure::Bad`].
    pub(super) fn body(&self) -> Result<&Map<String, Value>, Failure> {
        self.body.as_ref().map_err(|unread| match *unread {
            Unread::Payload(error) => error.into(),
            Unread::NoJson => Failure::bad("The body is no JSON."),
            Unread::NoObject => Failure::bad("The body is no JSON object."),
        })
    }

    /// A field of the body; nothing for one that is not there.
    ///
    /// # Errors
    /// As [`Ask::body`].
    pub(super) fn field(&self, name: &str) -> Result<&Value, Failure> {
        Ok(self.body()?.get(name).unwrap_or(&Value::Null))
    }

    /// A parameter of the query that is not empty.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.head.uri.query().unwrap_or_default().as_bytes());
        let (_, value) = pairs.find(|(known, value)| known == name && !value.is_empty())?;
        Some(value.into_owned())
    }

    /// A parameter of the path.
    pub(super) fn path(&self, name: &str) -> &str {
        let mut found = self.path.iter().filter(|(known, _)| known == name);
        found.next().map_or("", |(_, value)| value)
    }

    /// What stands in the body under this name, else in the query, else in a header, if it is not empty.
    ///
    /// # Errors
    /// As [`Ask::body`].
    pub(super) fn proof(&self, name: &str, header: &str) -> Result<Option<String>, Failure> {
        if let Some(text) = self.field(name)?.as_str().filter(|text| !text.is_empty()) {
            return Ok(Some(text.to_owned()));
        }
        if let Some(text) = self.query(name) {
            return Ok(Some(text));
        }
        let header = self.head.headers.get(header).and_then(|value| value.to_str().ok());
        let text = header.map(str::trim).filter(|text| !text.is_empty());
        Ok(text.map(str::to_owned))
    }

    /// Where the request comes from.
    pub(super) fn client(&self) -> Client {
        Client {
            address: self.call.client().map(|address| address.to_string()),
            user_agent: user_agent(&self.head.headers),
        }
    }

    /// Answers, whatever came of it.
    pub(super) fn answer(&self, result: Result<Response, Failure>) -> Response {
        let response = result.unwrap_or_else(|failure| failure.tell(&self.call));
        self.webitel.finish(&self.head.method, &self.head.headers, response)
    }
}
