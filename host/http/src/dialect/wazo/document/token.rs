//! Tokens.

#![expect(dead_code, reason = "these types say what JSON looks like; nobody makes one")]

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use uuid::Uuid;

use super::shape::TokenServiceError;
use super::text;
use crate::document::{Answer, BASIC, Operation, Shape};

pub(super) const TAG: &str = "tokens";

/// A token, within `data`.
#[derive(ToSchema)]
struct TokenAnswer {
    data: Token,
}

/// A token.
#[derive(ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the wire")]
struct Token {
    token: Uuid,
    /// Who logged in.
    auth_id: String,
    /// The same as a user of the telephone system.
    #[schema(required)]
    xivo_user_uuid: Option<Uuid>,
    /// The id of the installation.
    #[schema(required)]
    xivo_uuid: Option<String>,
    #[schema(schema_with = local_date)]
    issued_at: String,
    #[schema(schema_with = local_date)]
    expires_at: String,
    #[schema(schema_with = utc_date)]
    utc_issued_at: String,
    #[schema(schema_with = utc_date)]
    utc_expires_at: String,
    /// What it may do.
    acl: Vec<String>,
    metadata: Metadata,
    session_uuid: Uuid,
    /// Where the login came from.
    #[schema(required)]
    remote_addr: Option<String>,
    #[schema(required)]
    user_agent: Option<String>,
    /// Only where this login made or gave out one.
    #[schema(nullable = false)]
    refresh_token: Option<Uuid>,
}

/// Who holds a token.
#[derive(ToSchema)]
struct Metadata {
    uuid: String,
    tenant_uuid: Uuid,
    auth_id: String,
    #[schema(required)]
    pbx_user_uuid: Option<Uuid>,
    #[schema(required)]
    xivo_uuid: Option<String>,
    purpose: String,
    /// Whether the holder is an administrator, where the configuration asks for it.
    #[schema(nullable = false)]
    admin: Option<bool>,
}

/// A login.
#[derive(ToSchema)]
struct Login {
    /// Which backend to ask. Without one, the configuration says.
    #[schema(nullable = false)]
    backend: Option<String>,
    /// The token's life in seconds.
    #[schema(schema_with = seconds)]
    expiration: Option<u64>,
    /// `offline` asks for a refresh token.
    #[schema(nullable = false)]
    access_type: Option<AccessType>,
    /// To whom the refresh token is given.
    #[schema(nullable = false, min_length = 1, max_length = 1024)]
    client_id: Option<String>,
    /// Instead of a login and a password; with the `client_id` that it was given to.
    #[schema(nullable = false)]
    refresh_token: Option<String>,
    /// A tenant with users in LDAP, by its UUID or slug; not together with `domain_name`.
    #[schema(nullable = false)]
    tenant_id: Option<String>,
    /// A domain of a tenant with users in LDAP.
    #[schema(nullable = false)]
    domain_name: Option<String>,
    /// A one-time password, of whoever has a second factor. It may also stand at the end of the password.
    #[schema(nullable = false, max_length = 64)]
    otp: Option<String>,
    /// The challenge that the password of the header is the answer to.
    #[schema(nullable = false, max_length = 64)]
    transaction_id: Option<String>,
}

/// A refusal of a login, which tells what would be accepted where another step is wanted.
#[derive(ToSchema)]
struct LoginRefused {
    /// One text.
    reason: Vec<String>,
    /// Seconds since 1970: one number.
    timestamp: Vec<f64>,
    /// The status, once more.
    status_code: u16,
    /// Another step.
    #[schema(nullable = false)]
    challenge: Option<Challenge>,
}

/// Another step of a login: the same request, with the answer in place of the password, and `transaction_id`.
#[derive(ToSchema)]
struct Challenge {
    /// What the answer names.
    transaction_id: String,
    /// What it asks for.
    kind: ChallengeKind,
    /// What to tell the user.
    prompt: String,
    /// Where to go, if that is what it asks for.
    url: Option<String>,
    /// In how many seconds it is no longer good.
    expires_in: u64,
}

/// What a challenge asks for.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChallengeKind {
    Otp,
    Redirect,
    Push,
}

/// For how long somebody wants to come back.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
enum AccessType {
    Online,
    Offline,
}

/// Accesses to be looked at.
#[derive(ToSchema)]
struct Question {
    #[schema(max_items = 1024)]
    scopes: Vec<String>,
    tenant_uuid: Option<String>,
}

/// Which of them the token has.
#[derive(ToSchema)]
struct Scopes {
    scopes: BTreeMap<String, bool>,
}

/// That a token has ended.
#[derive(ToSchema)]
struct Ended {
    data: Success,
}

/// `success`.
#[derive(ToSchema)]
struct Success {
    message: String,
}

fn local_date() -> ObjectBuilder {
    text().description(Some("In the server's time zone, which it does not name."))
}

fn utc_date() -> ObjectBuilder {
    text().description(Some("In UTC, without a mark that says so."))
}

fn seconds() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Integer, Type::String]))
        .minimum(Some(1))
        .description(Some(
            "The token's life in seconds, up to what the configuration allows.",
        ))
}

pub(in crate::dialect::wazo) fn create() -> Operation {
    let refused = Answer::new(401, "Whoever it is, it is not proved. The answer does not say why.");
    let many = Answer::new(429, "The user has too many sessions.");
    let issued = Answer::new(200, "The token.")
        .json(Shape::of::<TokenAnswer>())
        .header("Wazo-Sessions-Revoked", "How many sessions of mobile devices it ended.");
    Operation::open(TAG, "createToken", "Logs in")
        .proved_by(BASIC)
        .proved_by_nothing()
        .detail(
            "With a login and a password in `Authorization: Basic`, or with a refresh token in the body. Whoever has a second factor puts its one-time \
             password at the end of the password or into `otp`, or answers the challenge of a 401.",
        )
        .header(
            "Wazo-Session-Type",
            text(),
            "`mobile` for an application of a mobile device.",
        )
        .takes::<Login>()
        .answer(issued)
        .answer(refused.json(Shape::of::<LoginRefused>()))
        .answer(many.json(Shape::of::<TokenServiceError>()))
        .fails()
}

/// A check of a token, which asks for an access or not.
fn check(id: &'static str, summary: &'static str) -> Operation {
    Operation::open(TAG, id, summary)
        .query("scope", text(), "An access that the token must have.")
        .query("tenant", text(), "A tenant that must be its holder's, or below it.")
}

pub(in crate::dialect::wazo) fn show() -> Operation {
    let lacks = Answer::new(403, "It lacks the access, or has no business in the tenant.");
    check("getToken", "Shows a token")
        .gives::<TokenAnswer>("The token.")
        .answer(lacks.json(Shape::of::<TokenServiceError>()))
        .may_miss()
        .fails()
}

pub(in crate::dialect::wazo) fn head() -> Operation {
    check("checkToken", "Tells whether a token is good")
        .gives_nothing("It is.")
        .answer(Answer::new(
            403,
            "It lacks the access, or has no business in the tenant.",
        ))
        .answer(Answer::new(404, "It is unknown, expired or ended, or no UUID."))
        .answer(Answer::new(500, "The server is at fault."))
        .answer(
            Answer::new(503, "The server cannot say now.").header("Retry-After", "In how many seconds to try again."),
        )
}

pub(in crate::dialect::wazo) fn remove() -> Operation {
    Operation::open(TAG, "deleteToken", "Ends a token")
        .detail("Whoever holds it may. The answer does not say whether it was good.")
        .gives::<Ended>("It is not good.")
        .answer(Answer::new(404, "No UUID.").html())
        .fails()
}

pub(in crate::dialect::wazo) fn check_scopes() -> Operation {
    let lacks = Answer::new(403, "It has no business in the tenant.");
    Operation::open(TAG, "checkTokenScopes", "Tells which of several accesses a token has")
        .takes::<Question>()
        .gives::<Scopes>("Each access once.")
        .answer(lacks.json(Shape::of::<TokenServiceError>()))
        .may_miss()
        .fails()
}
