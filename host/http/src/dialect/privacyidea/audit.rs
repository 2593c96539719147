//! The audit: who asked for what, and how it ended. It is what limits on logins count in.

mod limit;
mod note;
mod sweep;

use std::time::Duration;

use axum::response::Response;
use keyway_core::port::{AuditEntry, AuditFilter};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::answer::Answer;
use super::ask::Ask;
use super::document::audit as tell;
use super::error::Failure;
use super::page::Page;
use super::policy::Limit;
use super::rights::Role;
use crate::document::{Routes, get};

pub(crate) use limit::Turns;
pub(super) use note::{End, Notes};
pub use sweep::sweep_audit;

/// The routes through which somebody proves who it is, as the audit names them.
const PROOFS: &[&str] = &[
    "POST /auth",
    "POST /validate/check",
    "GET /validate/check",
    "POST /validate/radiuscheck",
    "GET /validate/radiuscheck",
];

/// The columns, as this API names them.
const COLUMNS: [&str; 19] = [
    "number",
    "action",
    "success",
    "authentication",
    "serial",
    "date",
    "startdate",
    "duration",
    "token_type",
    "user",
    "realm",
    "administrator",
    "info",
    "client",
    "user_agent",
    "policies",
    "resolver",
    "request_id",
    "sig_check",
];

/// Those that can be looked for, by the names that they have here and in the store.
const FILTERS: [(&str, &str); 13] = [
    ("action", "action"),
    ("authentication", "authentication"),
    ("user", "user"),
    ("realm", "realm"),
    ("resolver", "resolver"),
    ("administrator", "administrator"),
    ("serial", "serial"),
    ("token_type", "token_type"),
    ("policies", "policies"),
    ("info", "info"),
    ("client", "client"),
    ("user_agent", "user_agent"),
    ("request_id", "request_id"),
];

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new().route("/audit/", get(tell::list, list))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        ask.may(&caller, "auditlog", None).await?;
        let mut filter = filter(&ask)?;
        if caller.role == Role::User {
            // Its own entries, whatever else it asks for. A name is no pattern.
            if [&caller.username, &caller.realm].iter().any(|name| name.contains('*')) {
                return Err(Failure::Denied("Entries of this user cannot be looked for.".to_owned()));
            }
            let own = [("user", &caller.username), ("realm", &caller.realm)];
            filter
                .patterns
                .extend(own.map(|(column, name)| (column.to_owned(), name.clone())));
        }
        let ascending = ask.params()?.word("sortorder")? == Some("asc");
        let page = Page::of(ask.params()?, "page_size")?;
        let entries = ask
            .pi
            .store()
            .list_audit(&filter, ascending, page.size, page.offset())
            .await?;
        let rows: Vec<_> = entries
            .items
            .iter()
            .filter(|entry| is_own(entry, &caller))
            .map(row)
            .collect();
        Ok(Answer::of(json!({
            "auditcolumns": COLUMNS,
            "auditdata": rows,
            "count": entries.filtered,
            "current": page.number,
            "prev": page.previous(),
            "next": page.next(entries.filtered),
        })))
    };
    ask.answer(listed.await).await
}

/// Patterns go without regard to case, and names do not.
fn is_own(entry: &AuditEntry, caller: &super::ask::Caller) -> bool {
    caller.role == Role::Admin || (entry.entry.user == caller.username && entry.entry.realm == caller.realm)
}

fn filter(ask: &Ask) -> Result<AuditFilter, Failure> {
    let params = ask.params()?;
    let mut filter = AuditFilter {
        success: success(params.value("success"))?,
        ..AuditFilter::default()
    };
    for (name, column) in FILTERS {
        if let Some(pattern) = params.word(name)? {
            filter.patterns.push((column.to_owned(), pattern.to_owned()));
        }
    }
    if let Some(limit) = params.word("timelimit")? {
        let span =
            span(limit).ok_or_else(|| Failure::Parameter("The parameter `timelimit` is not like `1d`".to_owned()))?;
        filter.since = Some(ask.pi.now().minus(span));
    }
    Ok(filter)
}

/// The original's `1` and `0`, and what people write instead.
fn success(value: Option<&Value>) -> Result<Option<bool>, Failure> {
    let text = match value {
        None => return Ok(None),
        Some(Value::Bool(success)) => return Ok(Some(*success)),
        Some(Value::String(text)) => text.trim_matches('*').to_ascii_lowercase(),
        Some(value) => value.to_string(),
    };
    match text.as_str() {
        "" => Ok(None),
        "1" | "true" => Ok(Some(true)),
        "0" | "false" => Ok(Some(false)),
        _ => Err(Failure::Parameter(
            "The parameter `success` is not `1` or `0`".to_owned(),
        )),
    }
}

/// `2h`, `1d`, `1y`.
fn span(text: &str) -> Option<Duration> {
    let (days, unit) = match text.trim().strip_suffix(['d', 'D']) {
        Some(days) => (Some(days), 24 * 3600),
        None => (text.trim().strip_suffix(['y', 'Y']), 365 * 24 * 3600),
    };
    match days {
        Some(days) => {
            let days: u32 = days.trim().parse().ok()?;
            Some(Duration::from_secs(u64::from(days) * unit))
        }
        None => Some(Limit::parse(&format!("1/{text}"))?.within),
    }
}

fn row(entry: &AuditEntry) -> Value {
    let AuditEntry { id, at, entry } = entry;
    let written = |at: keyway_core::model::Timestamp| at.to_utc().format(&Rfc3339).unwrap_or_default();
    json!({
        "number": id,
        "date": written(*at),
        "startdate": written(at.minus(entry.duration)),
        "duration": entry.duration.as_secs_f64(),
        "action": entry.action,
        "success": u8::from(entry.success),
        "authentication": entry.authentication,
        "serial": entry.serial,
        "token_type": entry.token_type,
        "user": entry.user,
        "realm": entry.realm,
        "resolver": entry.resolver,
        "administrator": entry.administrator,
        "info": entry.info,
        "policies": entry.policies,
        "client": entry.client,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
        "sig_check": "",
    })
}
