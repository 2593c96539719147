//! A request, and what every route begins with: who asks, and about which account.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, HeaderName, header};
use keyway_core::model::{Client, TenantId, UserId};
use keyway_core::rights::{PrivLevel, Right};
use keyway_core::token::{CheckRequest, LiveToken, TokenError, TokenValue};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Kazoo;
use super::error::Failure;
use crate::edge::{Call, Payload, PayloadError, Whole, user_agent};
use crate::{AppState, presented};

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const ACCOUNT: HeaderName = HeaderName::from_static("x-auth-account-id");

/// What says something of the request itself, wherever clients put it: never part of what the data are about.
const ASIDE: [&str; 4] = ["action", "auth_token", "authorization", "ui_metadata"];

/// A request, read whole.
pub(super) struct Ask {
    pub(super) kazoo: Kazoo,
    pub(super) call: Call,
    headers: HeaderMap,
    is_first_version: bool,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Result<Map<String, Value>, Unread>,
    /// What stood among the data and is none of them.
    aside: Map<String, Value>,
    /// The body's texts may be as long as it is, so it counts for as long as they are there.
    _payload: Option<Payload>,
}

/// Why there is no body.
enum Unread {
    Payload(PayloadError),
    Json(String),
}

/// What a request presents.
enum Presented<'a> {
    Token(&'a str),
    /// The Basic scheme: what stands after its name.
    Basic(&'a str),
    Nothing,
}

/// Who asks.
pub(super) struct Caller {
    /// The token of the core.
    pub(super) token: TokenValue,
    /// What stands behind it.
    pub(super) live: Arc<LiveToken>,
}

impl Caller {
    /// Its account.
    pub(super) fn account(&self) -> TenantId {
        self.live.record.session.identity.tenant
    }

    /// The user that it is; nobody for an account's own token and for users of other backends.
    pub(super) fn user(&self) -> Option<UserId> {
        self.live.record.session.identity.user
    }
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
        let query = head.uri.query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let is_first_version = head.uri.path().starts_with("/v1/");
        let (payload, mut body) = match payload {
            Err(error) => (None, Err(Unread::Payload(error))),
            Ok(payload) => {
                let body = read(&payload);
                (Some(payload), body)
            }
        };
        let aside = body.as_mut().map(set_aside).unwrap_or_default();
        Ok(Self {
            kazoo: Kazoo(state.clone()),
            call,
            headers: head.headers,
            is_first_version,
            path,
            query,
            body,
            aside,
            _payload: payload,
        })
    }
}

/// Whatever the body says that it is: some clients send JSON as a form.
fn read(body: &[u8]) -> Result<Map<String, Value>, Unread> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match keyway_core::json::parse(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Unread::Json("the body is no object".to_owned())),
        Err(error) => Err(Unread::Json(format!(
            "the body is no JSON: line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// Takes out of the data what is none of them: nobody keeps a token with an account, or is told of it.
fn set_aside(body: &mut Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(data)) = body.get_mut("data") else {
        return Map::new();
    };
    let taken = ASIDE.into_iter().filter_map(|name| data.remove_entry(name));
    taken.collect()
}

impl Ask {
    /// The whole body, without what was set aside.
    ///
    /// # Errors
    /// [`Failure::Payload`], [`Failure::Invalid`].
    pub(super) fn envelope(&self) -> Result<&Map<String, Value>, Failure> {
        self.body.as_ref().map_err(|unread| match unread {
            Unread::Payload(error) => (*error).into(),
            Unread::Json(message) => ("json", "invalid", json!({ "message": message, "target": "body" })).into(),
        })
    }

    /// What the body is about: `data`, empty where there is none.
    ///
    /// # Errors
    /// As [`Ask::envelope`].
    pub(super) fn data(&self) -> Result<&Map<String, Value>, Failure> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        match self.envelope()?.get("data") {
            None | Some(Value::Null) => Ok(&NONE),
            Some(Value::Object(data)) => Ok(data),
            Some(other) => {
                let message = "Value did not match type(s): object";
                let detail = json!({ "message": message, "target": "object", "value": other });
                Err(("data", "type", detail).into())
            }
        }
    }

    /// A text of the data, else of the query, else of the envelope around the data.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let body = self.body.as_ref().ok();
        let data = body.and_then(|body| body.get("data"));
        let of_data = data.and_then(|data| data.get(name)).or_else(|| self.aside.get(name));
        let of_data = of_data.and_then(Value::as_str);
        let of_body = || body.and_then(|body| body.get(name)).and_then(Value::as_str);
        of_data.or_else(|| self.query(name)).or_else(of_body)
    }

    /// What stood among the data and says something of the request itself, of whatever type.
    pub(super) fn aside(&self, name: &str) -> Option<&Value> {
        self.aside.get(name)
    }

    /// The first value of this query key.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let mut values = self.query.iter().filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// A part of the path.
    pub(super) fn path(&self, name: &str) -> Option<&str> {
        let mut values = self.path.iter().filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// Whether the request is one of the first version of this API.
    pub(super) fn is_first_version(&self) -> bool {
        self.is_first_version
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Failure::InvalidCredentials`], [`Failure::Expired`], or that something did not answer.
    pub(super) async fn caller(&self) -> Result<Caller, Failure> {
        let caller = match self.presented() {
            Presented::Nothing => return Err(Failure::InvalidCredentials),
            Presented::Token(text) => self.bearer(text).await?,
            Presented::Basic(encoded) => self.by_basic(encoded).await?,
        };
        if let Some(account) = self.headers.get(ACCOUNT) {
            let own = caller.account().0.simple().to_string();
            if account.as_bytes() != own.as_bytes() {
                return Err(Failure::InvalidCredentials);
            }
        }
        Ok(caller)
    }

    /// Who holds this token.
    ///
    /// # Errors
    /// As [`Ask::caller`].
    pub(super) async fn bearer(&self, text: &str) -> Result<Caller, Failure> {
        let token = presented::token_of(&self.kazoo.0, text).await?;
        match self.kazoo.tokens().check(&token, CheckRequest::default()).await {
            Ok(live) => Ok(Caller { token, live }),
            Err(TokenError::NotFound) => Err(Failure::InvalidCredentials),
            Err(error) => Err(error.into()),
        }
    }

    fn presented(&self) -> Presented<'_> {
        if let Some(text) = self.own_token() {
            return Presented::Token(text);
        }
        match self.authorization() {
            Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => Presented::Basic(encoded),
            _ => Presented::Nothing,
        }
    }

    /// The token of the request, wherever it stands. A header goes first, then `auth_token`, then an authorization of the scheme Bearer.
    pub(super) fn own_token(&self) -> Option<&str> {
        let bearer = || {
            let (_, token) = self
                .authorization()
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?;
            Some(token)
        };
        let header = self.headers.get(TOKEN).and_then(|text| text.to_str().ok());
        header
            .filter(|text| !text.is_empty())
            .or_else(|| self.text("auth_token"))
            .or_else(bearer)
    }

    /// A scheme, and what it says: the header, else what stands where clients put it that can set none.
    fn authorization(&self) -> Option<(&str, &str)> {
        let header = self.headers.get(header::AUTHORIZATION);
        let text = match header {
            Some(text) => text.to_str().ok(),
            None => self.text("authorization"),
        };
        let (scheme, said) = text?.split_once(' ')?;
        Some((scheme, said.trim()))
    }

    /// What the caller is by the table of rights.
    pub(super) fn right(&self, caller: &Caller) -> Right {
        self.kazoo.accounts().rights().of(&caller.live.accesses).clone()
    }

    /// # Errors
    /// [`Failure::Forbidden`] for whoever is no administrator.
    pub(super) fn admin(&self, caller: &Caller) -> Result<(), Failure> {
        match self.right(caller).kazoo {
            PrivLevel::Admin => Ok(()),
            PrivLevel::User => Err(Failure::Forbidden),
        }
    }

    /// The account that the request is about, which is the caller's own or lies below it. A path without one means the caller's own.
    ///
    /// # Errors
    /// [`Failure::NoAccountId`], [`Failure::BadIdentifier`], [`Failure::Forbidden`], or that the store did not answer.
    pub(super) async fn account(&self, caller: &Caller) -> Result<TenantId, Failure> {
        let account = self.named_account(caller).await?;
        self.reaches(caller, account).await?;
        Ok(account)
    }

    /// The account that the request is about, whoever may know of it.
    ///
    /// # Errors
    /// [`Failure::NoAccountId`], [`Failure::BadIdentifier`], or that the store did not answer.
    pub(super) async fn named_account(&self, caller: &Caller) -> Result<TenantId, Failure> {
        let Some(text) = self.path("account") else {
            return Ok(caller.account());
        };
        let id = parse_id(text).ok_or_else(|| Failure::NoAccountId(text.to_owned()))?;
        let id = TenantId(id);
        let index = self.kazoo.accounts().index().await?;
        if index.get(id).is_none() {
            return Err(Failure::BadIdentifier(text.to_owned()));
        }
        Ok(id)
    }

    /// # Errors
    /// [`Failure::Forbidden`] for an account that is neither the caller's own nor lies below it, or that the store did not answer.
    pub(super) async fn reaches(&self, caller: &Caller, account: TenantId) -> Result<(), Failure> {
        let index = self.kazoo.accounts().index().await?;
        if index.is_within(account, caller.account()) {
            Ok(())
        } else {
            Err(Failure::Forbidden)
        }
    }

    /// The user that the path names. Whether there is such a one is not looked at.
    ///
    /// # Errors
    /// [`Failure::BadIdentifier`].
    pub(super) fn user(&self) -> Result<UserId, Failure> {
        let text = self.path("user").unwrap_or_default();
        let id = parse_id(text).ok_or_else(|| Failure::BadIdentifier(text.to_owned()))?;
        Ok(UserId(id))
    }

    /// Takes what an attempt costs out of the client's bucket for an account.
    ///
    /// # Errors
    /// [`Failure::TooManyRequests`].
    pub(super) fn take_attempt(&self, account: Option<TenantId>) -> Result<(), Failure> {
        let cost = self.kazoo.settings().bucket.login_cost;
        let taken = self.kazoo.state().buckets.take(self.call.client(), account, cost);
        taken.map_err(Failure::TooManyRequests)
    }

    /// Where the request comes from.
    pub(super) fn client(&self) -> Client {
        Client {
            address: self.call.client().map(|address| address.to_string()),
            user_agent: user_agent(&self.headers),
        }
    }
}

/// An id as this API writes it: 32 hexadecimal digits.
pub(super) fn parse_id(text: &str) -> Option<Uuid> {
    let is_id = text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_id.then(|| Uuid::try_parse(text).ok()).flatten()
}
