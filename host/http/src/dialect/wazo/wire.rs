//! Answers on the wire.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use jiff::tz::TimeZone;
use keyway_core::model::{BackendName, ChallengeKind, Paged, Purpose, Session, Timestamp};
use keyway_core::token::{Asked, CHALLENGE_LIFE, LiveToken, TokenValue};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use super::validation::Problems;
use crate::WazoSettings;
use crate::edge;

/// Python's naive `isoformat`, always with microseconds: what the clients parse is never absent.
const NAIVE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");

/// `{"data": {...}}` around a token and, where one was made or given out again, a refresh token. The keys stand in the original's order.
pub(super) fn token(
    value: &TokenValue,
    live: &LiveToken,
    refresh: Option<&TokenValue>,
    settings: &WazoSettings,
) -> Response {
    let token = &live.record.token;
    let session = &live.record.session;
    json_body(
        StatusCode::OK,
        &Enclosed {
            data: TokenBody {
                token: value.reveal(),
                auth_id: session.identity.id.to_string(),
                xivo_user_uuid: pbx_user(session),
                xivo_uuid: settings.xivo_uuid.as_deref(),
                issued_at: naive(token.issued_at, &settings.time_zone),
                expires_at: naive(token.expires_at, &settings.time_zone),
                utc_issued_at: naive(token.issued_at, &TimeZone::UTC),
                utc_expires_at: naive(token.expires_at, &TimeZone::UTC),
                acl: &token.accesses,
                metadata: Metadata::of(session, settings),
                session_uuid: session.id.to_string(),
                remote_addr: session.client.address.as_deref(),
                user_agent: session.client.user_agent.as_deref(),
                refresh_token: refresh.map(TokenValue::reveal),
            },
        },
    )
}

#[derive(Serialize)]
struct Enclosed<T> {
    data: T,
}

#[derive(Serialize)]
struct TokenBody<'a> {
    token: String,
    auth_id: String,
    xivo_user_uuid: Option<String>,
    xivo_uuid: Option<&'a str>,
    issued_at: String,
    expires_at: String,
    utc_issued_at: String,
    utc_expires_at: String,
    acl: &'a [String],
    metadata: Metadata<'a>,
    session_uuid: String,
    remote_addr: Option<&'a str>,
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    uuid: String,
    tenant_uuid: String,
    auth_id: String,
    pbx_user_uuid: Option<String>,
    xivo_uuid: Option<&'a str>,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<bool>,
}

impl<'a> Metadata<'a> {
    fn of(session: &Session, settings: &'a WazoSettings) -> Self {
        let identity = &session.identity;
        Self {
            uuid: identity.id.to_string(),
            tenant_uuid: identity.tenant.to_string(),
            auth_id: identity.id.to_string(),
            pbx_user_uuid: pbx_user(session),
            xivo_uuid: settings.xivo_uuid.as_deref(),
            purpose: session.purpose.as_str(),
            admin: session.admin,
        }
    }
}

/// The user of the telephone system: only people are.
fn pbx_user(session: &Session) -> Option<String> {
    let user = session.identity.user.filter(|_| session.purpose == Purpose::User);
    user.map(|user| user.to_string())
}

pub(super) fn naive(at: Timestamp, zone: &TimeZone) -> String {
    let utc = at.to_utc();
    let local = utc.checked_to_offset(offset(utc, zone)).unwrap_or(utc);
    // Formatting years 0 to 9999 into a string cannot fail; the fallback keeps the field readable for others.
    local.format(NAIVE).unwrap_or_else(|_| local.to_string())
}

/// Python's `isoformat` of a time in UTC.
pub(super) fn utc(at: Timestamp) -> String {
    format!("{}+00:00", naive(at, &TimeZone::UTC))
}

/// The zone's offset at that moment.
fn offset(at: OffsetDateTime, zone: &TimeZone) -> UtcOffset {
    let moment = jiff::Timestamp::from_second(at.unix_timestamp());
    let offset = moment.map(|moment| zone.to_offset(moment).seconds());
    offset.map_or(UtcOffset::UTC, |seconds| {
        UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
    })
}

/// The answer to a good `HEAD`: 204, which alone the clients accept.
pub(super) fn no_content() -> Response {
    empty(StatusCode::NO_CONTENT)
}

/// No body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    open_to_all(response)
}

/// The answer to a `DELETE`.
pub(super) fn success() -> Response {
    json_body(StatusCode::OK, &json!({"data": {"message": "success"}}))
}

/// Which scopes are granted.
pub(super) fn scopes(answers: &Map<String, Value>) -> Response {
    json_body(StatusCode::OK, &json!({ "scopes": answers }))
}

/// The backends' names.
pub(super) fn backends(names: &[BackendName]) -> Response {
    json_body(StatusCode::OK, &Enclosed { data: names })
}

/// The token service's own shape of an error.
pub(super) fn failure(status: StatusCode, reason: &str, now: Timestamp) -> Response {
    json_body(
        status,
        &json!({"reason": [reason], "timestamp": [seconds(now)], "status_code": status.as_u16()}),
    )
}

/// A refusal that tells what would be accepted: the same request with the answer for a password and `transaction_id`, or with `otp`.
pub(super) fn challenge(reason: &str, asked: &Asked, now: Timestamp) -> Response {
    let status = StatusCode::UNAUTHORIZED;
    let kind = match &asked.kind {
        ChallengeKind::Otp => "otp",
        ChallengeKind::Redirect(_) => "redirect",
        ChallengeKind::Push => "push",
    };
    let url = match &asked.kind {
        ChallengeKind::Redirect(url) => Some(url),
        ChallengeKind::Otp | ChallengeKind::Push => None,
    };
    let challenge = json!({
        "transaction_id": asked.transaction,
        "kind": kind,
        "prompt": asked.prompt,
        "url": url,
        "expires_in": CHALLENGE_LIFE.as_secs(),
    });
    json_body(
        status,
        &json!({
            "reason": [reason],
            "timestamp": [seconds(now)],
            "status_code": status.as_u16(),
            "challenge": challenge,
        }),
    )
}

/// An error in the shape that most of the API has.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    error_id: Cow<'static, str>,
    message: Value,
    details: Value,
    resource: Option<Cow<'static, str>>,
}

impl ApiError {
    /// An error about no resource in particular.
    pub(super) fn new(
        status: StatusCode,
        error_id: impl Into<Cow<'static, str>>,
        message: impl Into<Value>,
        details: Value,
    ) -> Self {
        Self {
            status,
            error_id: error_id.into(),
            message: message.into(),
            details,
            resource: None,
        }
    }

    /// The same about this resource: `users` for example.
    pub(super) fn resource(mut self, resource: impl Into<Cow<'static, str>>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// There is no such thing.
    pub(super) fn unknown(what: &'static str, id: &str) -> Self {
        let message = format!("No such {what}: \"{id}\"");
        Self::new(
            StatusCode::NOT_FOUND,
            format!("unknown-{what}"),
            message,
            json!({ "uuid": id }),
        )
        .resource(format!("{what}s"))
    }

    /// Something unique is taken: `column` of `resource` has this value already.
    pub(super) fn conflict(resource: &'static str, column: &'static str, value: &str) -> Self {
        let message = format!("The {column} \"{value}\" is already used");
        let details = json!({ column: {"constraint_id": "unique", "constraint": "unique", "message": message} });
        Self::new(StatusCode::CONFLICT, "conflict", message, details).resource(resource)
    }

    /// A body that is not what it should be.
    pub(super) fn invalid(resource: &'static str, problems: &Problems) -> Self {
        let (message, details) = problems.first();
        Self::new(StatusCode::BAD_REQUEST, "invalid-data", message, details).resource(resource)
    }

    /// A field of a body that is not what it should be, as the core says.
    pub(super) fn refused(resource: &'static str, field: &'static str, rule: &str) -> Self {
        let details = json!({ field: {"constraint_id": "value", "constraint": "value", "message": rule} });
        Self::new(StatusCode::BAD_REQUEST, "invalid-data", rule, details).resource(resource)
    }

    /// Query parameters of a list that are not what they should be.
    pub(super) fn invalid_list(problems: &Problems) -> Self {
        let message = problems.by_field();
        Self::new(StatusCode::BAD_REQUEST, "invalid-list-param", message, json!({})).resource("users")
    }
}

/// The answer to an [`ApiError`].
pub(super) fn api_error(error: &ApiError, now: Timestamp) -> Response {
    let mut body = json!({
        "message": error.message,
        "error_id": error.error_id,
        "details": error.details,
        "timestamp": seconds(now),
    });
    if let (Some(resource), Some(fields)) = (&error.resource, body.as_object_mut()) {
        fields.insert("resource".to_owned(), json!(resource));
    }
    json_body(error.status, &body)
}

/// Seconds since 1970, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 fit a double until the year 2255"
)]
fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / 1e6
}

/// A page of a list, each row as `row` writes it.
pub(super) fn page<T>(paged: Paged<T>, row: impl FnMut(T) -> Value) -> Response {
    let Paged { items, total, filtered } = paged.map(row);
    ok(&json!({"items": items, "total": total, "filtered": filtered}))
}

/// 200 and a body, which a creation answers too.
pub(super) fn ok<T: Serialize>(body: &T) -> Response {
    json_body(StatusCode::OK, body)
}

/// The framework's shape of an error.
pub(super) fn message(status: StatusCode, message: &str) -> Response {
    open_to_all(edge::message(status, message))
}

/// The page of an address that does not exist.
pub(super) fn not_found_page() -> Response {
    open_to_all(edge::not_found_page())
}

fn json_body<T: Serialize>(status: StatusCode, body: &T) -> Response {
    open_to_all((status, axum::Json(body)).into_response())
}

/// Browsers may read every answer, as wazo's default has it: tokens, not cookies, decide who somebody is.
pub(super) fn open_to_all(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_naive_and_keep_six_digits() {
        let at = Timestamp(1_433_499_418_000_000);
        assert_eq!(naive(at, &TimeZone::UTC), "2015-06-05T10:16:58.000000");
        let montreal = TimeZone::fixed(jiff::tz::offset(-4));
        assert_eq!(naive(Timestamp(at.0 + 7), &montreal), "2015-06-05T06:16:58.000007");
        assert_eq!(naive(Timestamp(i64::MAX), &montreal), "1969-12-31T20:00:00.000000");
    }

    #[test]
    fn a_local_date_has_the_offset_of_its_own_day() {
        let paris = TimeZone::get("Europe/Paris").expect("a zone");
        let table = [
            ("2026-03-29T00:59:59Z", "2026-03-29T01:59:59.000000"),
            ("2026-03-29T01:00:00Z", "2026-03-29T03:00:00.000000"),
            ("2026-10-25T00:59:59Z", "2026-10-25T02:59:59.000000"),
            ("2026-10-25T01:00:00Z", "2026-10-25T02:00:00.000000"),
        ];
        for (utc, local) in table {
            let at: jiff::Timestamp = utc.parse().expect("a date");
            assert_eq!(naive(Timestamp(at.as_microsecond()), &paris), local, "{utc}");
        }
    }
}
