//! Attempts to log in, as administrators read them.

use axum::response::Response;
use keyway_core::model::Timestamp;
use keyway_core::port::Attempt;
use serde_json::{Map, Value, json};

use super::{BY_KEY, BY_USER};
use crate::dialect::kazoo::account::{Paging, gregorian, of_gregorian};
use crate::dialect::kazoo::ask::Ask;
use crate::dialect::kazoo::envelope::Answer;
use crate::dialect::kazoo::error::Failure;

/// By which module somebody logs in who makes an attempt of this kind; `None` for who has logged in already.
pub(super) fn module_of(kind: &str) -> Option<&'static str> {
    match kind {
        "api_auth" => Some(BY_KEY),
        "impersonation" => None,
        _ => Some(BY_USER),
    }
}

pub(super) async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let paging = Paging::of(&ask)?;
        let since = time(&ask, "created_from")?.unwrap_or(Timestamp(0));
        let until = time(&ask, "created_to")?.unwrap_or(Timestamp(i64::MAX));
        let page = paging.page();
        let accounts = ask.kazoo.accounts();
        let found = accounts
            .list_attempts(account, since, until, page.limit, page.offset)
            .await?;
        let rows = found.items.iter().map(|attempt| Value::Object(listed_body(attempt)));
        Ok(paging.answer(rows.collect(), found.filtered))
    };
    let result = listed.await;
    ask.answer(result)
}

pub(super) async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.caller().await?;
        let account = ask.administered(&caller).await?;
        let text = ask.path("attempt").unwrap_or_default();
        let unknown = || Failure::BadIdentifier(text.to_owned());
        let number = text.split_once('-').and_then(|(_, number)| number.parse().ok());
        let number = number.ok_or_else(unknown)?;
        let found = ask.kazoo.accounts().find_attempt(account, number).await?;
        let found = found.filter(|attempt| id_of(attempt) == text);
        Ok(Answer::ok(body(&found.ok_or_else(unknown)?)))
    };
    let result = shown.await;
    ask.answer(result)
}

fn time(ask: &Ask, name: &'static str) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = ask.query(name) else {
        return Ok(None);
    };
    let wrong = |_| {
        let message = "Value did not match type(s): integer";
        Failure::from((
            name,
            "type",
            json!({ "message": message, "target": "integer", "value": text }),
        ))
    };
    text.parse().map(|seconds| Some(of_gregorian(seconds))).map_err(wrong)
}

/// The month goes before the number: clients expect it there.
fn id_of(attempt: &Attempt) -> String {
    let at = jiff::Timestamp::from_microsecond(attempt.attempt.at.0).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    format!("{:04}{:02}-{}", at.year(), at.month(), attempt.id)
}

fn listed_body(attempt: &Attempt) -> Map<String, Value> {
    let said = &attempt.attempt;
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("id", json!(id_of(attempt)));
    put("auth_type", json!(said.kind));
    put("auth_module", json!(module_of(&said.kind).unwrap_or(BY_USER)));
    put("status", json!(if said.success { "success" } else { "failed" }));
    put("message", json!(said.message));
    put("timestamp", json!(gregorian(said.at)));
    put("client_ip", json!(said.client));
    body
}

fn body(attempt: &Attempt) -> Map<String, Value> {
    let said = &attempt.attempt;
    let mut metadata = Map::from_iter([("account_id".to_owned(), json!(said.tenant.0.simple()))]);
    metadata.extend(said.identity.map(|id| ("owner_id".to_owned(), json!(id.0.simple()))));
    metadata.extend(
        said.actor
            .map(|id| ("original_owner_id".to_owned(), json!(id.0.simple()))),
    );
    let mut body = listed_body(attempt);
    // Of the headers only this one: others hold what lets somebody in.
    body.insert("client_headers".to_owned(), json!({ "user-agent": said.user_agent }));
    body.insert("crossbar_request_id".to_owned(), json!(said.request_id));
    body.insert("metadata".to_owned(), Value::Object(metadata));
    body
}
