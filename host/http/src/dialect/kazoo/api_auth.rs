//! `PUT /api_auth`: a login with the key of an account.

use axum::response::Response;
use http::StatusCode;
use keyway_core::directory::DirectoryError;
use keyway_core::model::TenantId;
use keyway_core::token::{KeyLogin, TokenError};
use serde_json::{Value, json};

use super::ask::Ask;
use super::attempts::Ended;
use super::envelope::Answer;
use super::error::{Failure, Told};
use super::schema::{Field, Schema};
use super::security::BY_KEY;
use super::welcome::Welcome;
use crate::dialect::Dialect;

/// Under which kind an attempt is written.
const KIND: &str = "api_auth";

const SCHEMA: Schema = Schema {
    fields: &[Field::text("api_key", 64, 64).required()],
    closed: true,
};

pub(super) async fn handle(ask: Ask) -> Response {
    let result = log_in(&ask).await;
    ask.answer(result)
}

async fn log_in(ask: &Ask) -> Result<Answer<Welcome<'_>>, Failure> {
    let data = ask.data()?;
    let key = data.get("api_key").and_then(Value::as_str).unwrap_or_default();
    let index = ask.kazoo.accounts().index().await?;
    let found = index.find_by_api_key(key);
    ask.take_attempt(found)?;
    SCHEMA.check(data)?;
    let account = found.ok_or_else(unknown)?;
    let counter = index.get(account).map_or(0, |(_, account)| account.api_key);
    match open(ask, account, counter).await {
        Ok(answer) => Ok(answer),
        Err(Failure::Token(TokenError::Refused(_))) => {
            ask.record(KIND, account, Ended::Refused("the key is good no more"))
                .await;
            Err(unknown())
        }
        Err(Failure::Token(error @ TokenError::Closed(_))) => {
            ask.record(KIND, account, Ended::Refused(&error.to_string())).await;
            Err(error.into())
        }
        Err(failure) => Err(failure),
    }
}

async fn open(ask: &Ask, account: TenantId, counter: u32) -> Result<Answer<Welcome<'_>>, Failure> {
    let accesses = match ask.kazoo.accounts().key_accesses().await {
        Ok(accesses) => accesses,
        // No policy makes anybody an administrator here, so neither does a key.
        Err(DirectoryError::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let login = KeyLogin {
        tenant: account,
        api_key: counter,
        accesses,
        ttl: Some(ask.kazoo.ttl_of(account, BY_KEY).await?),
        client: ask.client(),
        dialect: Dialect::Kazoo.name(),
        request_id: ask.call.id().to_owned(),
        attributes: Vec::new(),
    };
    let issued = ask.kazoo.tokens().login_by_key(login).await?;
    ask.record(KIND, account, Ended::LetIn(&issued.live)).await;
    ask.kazoo.welcome(&issued).await
}

/// The key itself is not repeated: it may be a good one but for a letter.
fn unknown() -> Failure {
    let data = json!({ "message": "bad identifier", "cause": "api_key" });
    Told::new(StatusCode::NOT_FOUND, "bad_identifier", data).into()
}
