//! `PUT /user_auth`: a login with a digest of login name and password.

use axum::response::Response;
use keyway_core::model::DigestAlgorithm;
use serde_json::Value;

use super::account::realm;
use super::ask::Ask;
use super::challenge;
use super::envelope::Answer;
use super::error::Failure;
use super::login::{Digest, Login};
use super::lookup::accounts_of;
use super::schema::{Field, Kind, Schema};
use super::welcome::Welcome;

/// Under which kind an attempt is written.
const KIND: &str = "user_auth";

const SCHEMA: Schema = Schema {
    fields: &[
        Field::text("credentials", 1, 64).required(),
        Field::text("account_name", 1, 128),
        realm("account_realm", 4),
        Field::of("method", Kind::Word(&["md5", "sha"])),
        Field::text("phone_number", 1, 64),
    ],
    closed: false,
};

pub(super) async fn handle(ask: Ask) -> Response {
    let result = log_in(&ask).await;
    ask.answer(result)
}

async fn log_in(ask: &Ask) -> Result<Answer<Welcome<'_>>, Failure> {
    let data = ask.data()?;
    if ask.text("action").is_some() {
        // To act in somebody's place is asked for where that one is named.
        return Err(Failure::Forbidden);
    }
    let index = ask.kazoo.accounts().index().await?;
    let accounts = accounts_of(&index, data);
    ask.take_attempt(accounts.first().copied())?;
    let data = SCHEMA.check(data)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let login = Login {
        ask,
        kind: KIND,
        digest: Digest {
            algorithm: match text("method") {
                Some("sha") => DigestAlgorithm::Sha1,
                _ => DigestAlgorithm::Md5,
            },
            value: text("credentials").unwrap_or_default(),
        },
        response: challenge::Response::of(data.get("multi_factor_response")),
    };
    let issued = login.run(&accounts_of(&index, &data)).await?;
    ask.kazoo.welcome(&issued).await
}
