//! `POST /login`: a key and a token for a name and a password. `POST /logout`: their end.

use axum::response::{IntoResponse as _, Response};
use keyway_core::Secret;
use keyway_core::model::{Credential, Refusal, TenantId};
use keyway_core::token::{FactorRule, IssuedToken, LoginOutcome, LoginRequest, TokenError};
use serde::Serialize;
use serde_json::{Value, json};

use super::UnknownUser;
use super::acl::{ADMIN, ROOT, USER, Written};
use super::ask::Ask;
use super::caller::{Caller, Known, check_key, expires};
use super::error::{Failure, Unknown};
use super::jwt::Behind;
use crate::dialect::Dialect;

#[derive(Serialize)]
struct Welcome<'a> {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    username: &'a str,
    expires: i64,
    token: String,
    role: i8,
    #[serde(rename = "roleName")]
    role_name: &'a str,
    acl: &'a Written,
    cdr: Cdr<'a>,
}

pub(super) async fn log_in(ask: Ask) -> Response {
    let result = async {
        let claim = Claim::read(&ask)?;
        // A session lives a hundred days, and what cannot be answered would leave one that nobody knows of.
        let known = ask.webitel.known().await?;
        let issued = accept(&ask, claim).await?;
        let welcomed = welcome(&ask, &issued, &known);
        if welcomed.is_err() {
            ask.webitel.tokens().revoke(&issued.value).await?;
        }
        welcomed
    };
    ask.answer(result.await)
}

/// Who somebody says to be, and how it proves that.
struct Claim<'a> {
    login: &'a str,
    domain: Option<&'a str>,
    /// An empty one must never reach a backend, where it could mean an anonymous bind.
    password: Option<Secret<Vec<u8>>>,
}

impl<'a> Claim<'a> {
    fn read(ask: &'a Ask) -> Result<Self, Failure> {
        let username = match ask.field("username")? {
            Value::String(name) if !name.is_empty() => name,
            _ => return Err(Failure::NoName),
        };
        let (login, domain) = match username.rsplit_once('@') {
            Some((login, domain)) => (login, Some(domain)),
            None => (username.as_str(), None),
        };
        let password = match ask.field("password")? {
            Value::Null => None,
            Value::String(password) if password.is_empty() => None,
            Value::String(password) => Some(Secret::from(password.as_str())),
            _ => return Err(Failure::bad("The password is to be a text.")),
        };
        Ok(Self {
            login,
            domain,
            password,
        })
    }
}

/// Runs a login, from what the request says to a session.
async fn accept(ask: &Ask, claim: Claim<'_>) -> Result<IssuedToken, Failure> {
    let tells = ask.webitel.settings().unknown_user == UnknownUser::NotFound;
    let tenant = tenant_of(ask, claim.domain).await?;
    // In a domain that there is not, the login goes its whole way in a tenant that nobody has, and takes as long as in any other.
    let nowhere = || TenantId(ask.webitel.random().uuid());
    let issued = attempt(ask, claim, tenant.unwrap_or_else(nowhere)).await;
    issued.map_err(|failure| match failure {
        Failure::Token(TokenError::Refused(reason))
            if tells && (reason == Refusal::UnknownIdentifier || tenant.is_none()) =>
        {
            Failure::UnknownUser
        }
        failure => failure,
    })
}

async fn attempt(ask: &Ask, claim: Claim<'_>, tenant: TenantId) -> Result<IssuedToken, Failure> {
    let tokens = ask.webitel.tokens();
    let login = claim.login;
    let credentials = claim
        .password
        .map(|password| (login.to_owned(), Credential::Password(password)));
    let code = ask.query("code").map(|code| Secret::from(code.as_str()));
    let request = request(ask, tenant, credentials, code.clone());
    let issued = match tokens.login(request.clone()).await? {
        LoginOutcome::Issued(issued) => issued,
        LoginOutcome::Challenged(asked) => {
            // The backend's own question, which nobody could answer beforehand.
            let Some(code) = code else {
                return Err(Failure::CodeNeeded);
            };
            let answer = LoginRequest {
                credentials: Some((login.to_owned(), Credential::Password(code))),
                otp: None,
                transaction: Some(asked.transaction),
                ..request
            };
            match tokens.login(answer).await {
                Ok(LoginOutcome::Issued(issued)) => issued,
                Ok(LoginOutcome::Challenged(_)) => return Err(Failure::CodeNeeded),
                // The question is no secret: whoever sends no code is told of it.
                Err(TokenError::Refused(_)) => return Err(Failure::CodeWrong),
                Err(error) => return Err(error.into()),
            }
        }
    };
    // A backend that knows nothing of tenants lets its people in under their own one alone.
    if issued.live.record.session.identity.tenant != tenant {
        tokens.revoke(&issued.value).await?;
        return Err(TokenError::Refused(Refusal::UnknownIdentifier).into());
    }
    Ok(issued)
}

/// The tenant of a domain; the top one where none is named.
async fn tenant_of(ask: &Ask, domain: Option<&str>) -> Result<Option<TenantId>, Failure> {
    let tree = ask.webitel.directory().tenant_tree().await?;
    Ok(match domain {
        None => tree.master(),
        Some(domain) => tree.find(domain),
    })
}

fn request(
    ask: &Ask,
    tenant: TenantId,
    credentials: Option<(String, Credential)>,
    otp: Option<Secret<Vec<u8>>>,
) -> LoginRequest {
    let settings = ask.webitel.settings();
    LoginRequest {
        backend: settings.backend.clone(),
        credentials,
        tenant: Some(tenant.to_string()),
        ttl: Some(settings.token_ttl.min(ask.webitel.tokens().settings().max_ttl)),
        client: ask.client(),
        dialect: Dialect::Webitel.name(),
        request_id: ask.call.id().to_owned(),
        attributes: Vec::new(),
        mobile: false,
        offline: None,
        otp,
        transaction: None,
        factors: FactorRule::WhereActive,
        limited: true,
    }
}

/// The answer to a login that was accepted.
fn welcome(ask: &Ask, issued: &IssuedToken, known: &Known) -> Result<Response, Failure> {
    let webitel = &ask.webitel;
    let session = &issued.live.record.session;
    let caller = webitel.caller_of(&issued.live, known)?;
    let token = webitel.keys().of_session(
        &issued.value,
        session.id.0,
        caller.expires_at,
        &caller.acl,
        webitel.random(),
    );
    let welcome = Welcome {
        key: session.id.to_string(),
        domain: caller.domain.as_ref().map(|domain| domain.name.as_str()),
        username: &session.identity.login,
        expires: expires(&caller),
        token,
        role: number(&caller.role),
        role_name: &caller.role,
        acl: &caller.acl,
        cdr: Cdr::of(ask),
    };
    Ok(axum::Json(&welcome).into_response())
}

/// The number by which clients know a role.
fn number(role: &str) -> i8 {
    match role {
        USER => 0,
        ADMIN => 1,
        ROOT => 2,
        _ => -1,
    }
}

/// Where clients find call records.
#[derive(Serialize)]
struct Cdr<'a> {
    host: &'a str,
    /// That it is a text and no boolean is the original's.
    #[serde(rename = "useProxy")]
    use_proxy: &'static str,
}

impl<'a> Cdr<'a> {
    fn of(ask: &'a Ask) -> Self {
        let cdr = &ask.webitel.settings().cdr;
        Self {
            host: &cdr.host,
            use_proxy: if cdr.use_proxy { "true" } else { "false" },
        }
    }
}

#[derive(Serialize)]
struct Whoami<'a> {
    acl: &'a Written,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(rename = "roleName")]
    role_name: &'a str,
    expires: i64,
    cdr: Cdr<'a>,
}

/// `GET /api/v2/whoami`: who the caller is, and what its role allows now.
pub(super) async fn whoami(ask: Ask) -> Response {
    let shown = ask.caller().await.map(|caller| show(&ask, &caller));
    ask.answer(shown)
}

fn show(ask: &Ask, caller: &Caller) -> Response {
    let whoami = Whoami {
        acl: &caller.acl,
        id: &caller.id,
        domain: caller.domain.as_ref().map(|domain| domain.name.as_str()),
        role_name: &caller.role,
        expires: expires(caller),
        cdr: Cdr::of(ask),
    };
    axum::Json(&whoami).into_response()
}

pub(super) async fn log_out(ask: Ask) -> Response {
    let ended = end(&ask).await.map(|()| {
        let body = json!({ "status": "OK", "info": "Successful logout." });
        axum::Json(body).into_response()
    });
    ask.answer(ended)
}

async fn end(ask: &Ask) -> Result<(), Failure> {
    let webitel = &ask.webitel;
    let text = ask.token()?.ok_or(Unknown::NoPair)?;
    let key = ask.key()?;
    let nobody = |failure| match failure {
        Failure::Unknown(_) if key.is_none() => Unknown::NoPair.into(),
        Failure::Unknown(_) => Unknown::NoSession.into(),
        failure => failure,
    };
    let genuine = webitel.genuine(&text).await.map_err(nobody)?;
    let has_expired = genuine.has_expired(webitel.now());
    let token = match genuine.behind {
        Behind::Pair { token, key: own } => {
            check_key(own, key.as_deref().ok_or(Unknown::NoPair)?).map_err(nobody)?;
            if has_expired {
                // Who leaves late is told what others are, whether or not anything is left to be removed.
                webitel.tokens().revoke(&token).await?;
                return Ok(());
            }
            token
        }
        Behind::Foreign(token) => token,
        // What ends a domain's token is its removal.
        Behind::Record(_) => return Err(nobody(Unknown::Record.into())),
    };
    webitel.live(&token, key.as_deref()).await.map_err(nobody)?;
    if webitel.tokens().revoke(&token).await? {
        return Ok(());
    }
    Err(Unknown::NoSession.into())
}
