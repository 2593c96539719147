//! `POST /token/{token}/scopes/check`: which of several accesses a token has.

use axum::extract::State;
use axum::response::Response;
use keyway_core::token::TokenValue;
use serde_json::{Map, Value};

use super::error::Failure;
use super::token_path::TokenPath;
use super::validation::{Problem, Problems, object};
use super::{Wazo, wire};
use crate::edge::{Call, Payload, PayloadError};

/// Scopes in one question.
const MAX_SCOPES: usize = 1024;
/// Bytes of one scope.
const MAX_SCOPE: usize = 1024;
/// Bytes of all scopes together. Each is put to every pattern that the token's owner has.
const MAX_SCOPE_BYTES: usize = 64 * 1024;

pub(super) async fn handle(
    State(wazo): State<Wazo>,
    call: Call,
    TokenPath(token): TokenPath,
    payload: Result<Payload, PayloadError>,
) -> Response {
    call.note_routine();
    check(&wazo, &token, payload)
        .await
        .unwrap_or_else(|failure| failure.answer(&wazo, &call))
}

async fn check(wazo: &Wazo, token: &TokenValue, payload: Result<Payload, PayloadError>) -> Result<Response, Failure> {
    // Kept to the end, for the scopes are as long as it is.
    let payload = payload?;
    let question = Question::parse(&payload)?;
    let live = wazo.tokens().accesses(token, question.tenant.as_deref()).await?;
    let mut answers = Map::new();
    for scope in question.scopes {
        let granted = live.accesses.grants(&scope);
        answers.insert(scope, Value::Bool(granted));
        // Many long scopes against many long patterns are seconds of work, during which others want this thread, and a deadline can end it.
        tokio::task::yield_now().await;
    }
    Ok(wire::scopes(&answers))
}

#[derive(Debug, PartialEq, Eq)]
struct Question {
    scopes: Vec<String>,
    tenant: Option<String>,
}

impl Question {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let mut fields = object(body)?;
        let mut problems = Problems::default();
        let scopes = match fields.remove("scopes") {
            Some(Value::Array(scopes)) if scopes.len() > MAX_SCOPES => {
                problems.length("scopes", 0, MAX_SCOPES);
                Vec::new()
            }
            Some(Value::Array(scopes)) => read_scopes(scopes, &mut problems),
            Some(Value::Null) => {
                problems.null("scopes");
                Vec::new()
            }
            Some(_) => {
                problems.kind("scopes", "list");
                Vec::new()
            }
            None => {
                problems.required("scopes");
                Vec::new()
            }
        };
        // The client library sends null where its caller names no tenant.
        let tenant = match fields.remove("tenant_uuid") {
            Some(Value::String(tenant)) => Some(tenant),
            None | Some(Value::Null) => None,
            Some(_) => {
                problems.kind("tenant_uuid", "string");
                None
            }
        };
        problems.none_or_fail()?;
        Ok(Self { scopes, tenant })
    }
}

fn read_scopes(values: Vec<Value>, problems: &mut Problems) -> Vec<String> {
    let mut scopes = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::String(scope) if scope.len() > MAX_SCOPE => problems.length("scopes", 0, MAX_SCOPE),
            Value::String(scope) => scopes.push(scope),
            _ => problems.kind("scopes", "string"),
        }
    }
    if scopes.iter().map(String::len).sum::<usize>() > MAX_SCOPE_BYTES {
        let remark = format!("Must be at most {MAX_SCOPE_BYTES} bytes together.");
        problems.remark("scopes", &remark);
    }
    scopes
}
