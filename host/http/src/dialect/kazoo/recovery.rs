//! `/user_auth/recovery`: somebody who has forgotten a password asks for a link by mail, and logs in by it.

mod ui_url;

use axum::response::Response;
use keyway_core::model::{Refusal, TenantId};
use keyway_core::notice::RecoveryRequest;
use keyway_core::token::{IssuedToken, LinkLogin, LoginOutcome, ResetId, TokenError};
use serde_json::{Map, Value, json};

use super::account::realm;
use super::ask::Ask;
use super::attempts::Ended;
use super::challenge;
use super::document::recovery as tell;
use super::envelope::Answer;
use super::error::Failure;
use super::lookup::accounts_of;
use super::schema::{Field, Kind, Problems, Schema};
use super::security::BY_USER;
use super::welcome::Welcome;
use crate::dialect::Dialect;
use crate::document::{Routes, put};

/// Under which kind an attempt is written.
const KIND: &str = "user_auth_recovery";

/// What a link gives: the right to log in once.
const ACCESS: &str = "kazoo.recovery";

/// By which an account can be named, each with what is said of one that leads to none.
const NAMES: [(&str, &str); 4] = [
    ("phone_number", "The provided phone number could not be found"),
    ("account_realm", "The provided account realm could not be found"),
    ("realm", "The provided account realm could not be found"),
    ("account_name", "The provided account name could not be found"),
];

const ASKED: Schema = Schema {
    fields: &[
        Field::text("username", 1, 254).required(),
        Field::text("ui_url", 14, 2000).required(),
        Field::text("account_name", 1, 128),
        // Shorter ones than a login takes, as the original has it.
        realm("account_realm", 1),
        Field::text("phone_number", 1, 64),
    ],
    closed: false,
};

const ANSWERED: Schema = Schema {
    fields: &[Field::of(
        "reset_id",
        Kind::Pattern {
            min: 40,
            max: 250,
            pattern: "^[a-fA-F0-9]{40,250}$",
            fits: |text| text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        },
    )
    .required()],
    closed: false,
};

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/user_auth/recovery",
        put(tell::ask, ask_for).post(tell::answer, follow),
    )
}

async fn ask_for(ask: Ask) -> Response {
    let result = send(&ask).await;
    ask.answer(result)
}

async fn send(ask: &Ask) -> Result<Answer, Failure> {
    let index = ask.kazoo.accounts().index().await?;
    let data = ask.data()?;
    ask.take_attempt(accounts_of(&index, data).first().copied())?;
    let data = ASKED.check(data)?;
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    if NAMES.iter().all(|(name, _)| data.get(*name).is_none()) {
        let mut problems = Problems::default();
        problems.required("account_name", &data);
        problems.into_result()?;
    }
    let settings = ask.kazoo.settings();
    let Some(ui_url) = ui_url::allowed(&settings.ui_urls, text("ui_url")) else {
        let detail = json!({ "message": "The provided ui_url is not allowed", "cause": text("ui_url") });
        return Err(("ui_url", "forbidden", detail).into());
    };
    let tenants = accounts_of(&index, &data);
    if settings.disclose_unknown {
        disclose(ask, &tenants, &data).await?;
    }
    ask.kazoo.0.notices.request_recovery(RecoveryRequest {
        tenants,
        login: text("username").to_owned(),
        ui_url,
        access: ACCESS.to_owned(),
        lifetime: settings.recovery_lifetime,
    });
    // The same for everybody, and not the address that the mail goes to.
    Ok(Answer::created(json!({})))
}

/// Says who is not there.
async fn disclose(ask: &Ask, accounts: &[TenantId], data: &Map<String, Value>) -> Result<(), Failure> {
    let mut problems = Problems::default();
    if accounts.is_empty() {
        for (name, message) in NAMES {
            if let Some(value) = data.get(name) {
                problems.add(name, "not_found", json!({ "message": message, "cause": value }));
            }
        }
        return problems.into_result();
    }
    let username = data.get("username").and_then(Value::as_str).unwrap_or_default();
    for account in accounts {
        let directory = ask.kazoo.directory();
        let found = directory.find_by_login(username, Some(&account.to_string())).await?;
        if found.is_some() {
            return Ok(());
        }
    }
    let message = "The provided user name was not found";
    Err((
        "username",
        "not_found",
        json!({ "message": message, "cause": username }),
    )
        .into())
}

async fn follow(ask: Ask) -> Response {
    let result = log_in(&ask).await;
    ask.answer(result)
}

async fn log_in(ask: &Ask) -> Result<Answer<Welcome<'_>>, Failure> {
    let data = ask.data()?;
    let text = data.get("reset_id").and_then(Value::as_str).unwrap_or_default();
    let id = ResetId::parse(text);
    let index = ask.kazoo.accounts().index().await?;
    // An account that nobody knows has no bucket of its own: whoever makes up ids would have as many as there are.
    let named = id.as_ref().map(|id| id.tenant);
    ask.take_attempt(named.filter(|account| index.get(*account).is_some()))?;
    ANSWERED.check(data)?;
    let id = id.ok_or_else(|| unknown(text))?;
    let response = challenge::Response::of(data.get("multi_factor_response"));
    match open(ask, &id, response).await {
        Ok(issued) => {
            let account = issued.live.record.session.identity.tenant;
            ask.record(KIND, account, Ended::LetIn(&issued.live)).await;
            Ok(ask.kazoo.welcome(&issued).await?.into_ok())
        }
        // Also for somebody who may not log in any more: a link tells no more than that it is none.
        Err(Failure::Token(TokenError::NotFound | TokenError::Refused(Refusal::Disabled))) => Err(unknown(text)),
        Err(failure) => Err(failure),
    }
}

async fn open(ask: &Ask, id: &ResetId, response: Option<challenge::Response>) -> Result<IssuedToken, Failure> {
    let (otp, transaction) = match response {
        Some(response) => (Some(response.otp), response.transaction),
        None => (None, None),
    };
    let login = LinkLogin {
        otp,
        transaction,
        ttl: Some(ask.kazoo.ttl_of(id.tenant, BY_USER).await?),
        client: ask.client(),
        dialect: Dialect::Kazoo.name(),
        request_id: ask.call.id().to_owned(),
        attributes: Vec::new(),
        limited: true,
    };
    match ask.kazoo.tokens().login_by_link(id, ACCESS, login).await? {
        (_, LoginOutcome::Issued(issued)) => Ok(issued),
        (_, LoginOutcome::Challenged(asked)) => Err(Failure::Challenged(Box::new(asked))),
    }
}

fn unknown(reset_id: &str) -> Failure {
    let message = "The provided reset_id did not resolve to any user";
    ("user", "not_found", json!({ "message": message, "cause": reset_id })).into()
}
