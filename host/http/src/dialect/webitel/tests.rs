//! The API, route by route, over doubles.

mod domain_token;
mod ending;
mod factor;
mod login;
mod role;
mod session;
mod walk;

use std::sync::Arc;

use axum::Router;
use keyway_core::directory::AddUser;
use keyway_core::model::{Challenge, ChallengeKind, Client, Credential, Outcome, Principal, Refusal, Subject, UserId};
use keyway_core::port::{BackendFault, Step, VerifyRequest};
use keyway_core::testing::{FakeBackend, principal};
use keyway_core::token::{CheckRequest, ImpersonateRequest, TokenValue};
use serde_json::{Value, json};

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, WebitelSettings};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A server with the domain `mydomain.com`, in which there are `100` / `secret` and the administrator `admin` / `4dmin`. `alice` / `s3cre7` of the top tenant may
/// do everything.
struct House {
    state: TestState,
    router: Router,
    backend: Arc<FakeBackend>,
}

/// What a login gives.
struct Pair {
    key: String,
    token: String,
}

impl House {
    async fn new() -> Self {
        Self::with(WebitelSettings::default()).await
    }

    async fn with(webitel: WebitelSettings) -> Self {
        let webitel = WebitelSettings {
            backend: "people".to_owned(),
            ..webitel
        };
        let settings = DialectSettings {
            webitel,
            ..DialectSettings::default()
        };
        let state = TestState::with(settings).await;
        state.grant_alice("#").await;
        let directory = &state.state.directory;
        let domains = ["mydomain.com".to_owned()];
        let tenant = directory
            .add_tenant("mydomain", None, None, &domains)
            .await
            .expect("a tenant");
        directory
            .add_tenant("other", None, Some("other.com"), &[])
            .await
            .expect("a tenant");
        let mut people = vec![(
            "alice".to_owned(),
            "s3cre7",
            directory.get_user("alice").await.expect("alice").id,
        )];
        for (login, password) in [("100", "secret"), ("admin", "4dmin")] {
            let user = AddUser {
                login: Some(login.to_owned()),
                password: Some(password.into()),
                tenant: Some(tenant.id.to_string()),
                ..AddUser::default()
            };
            people.push((
                login.to_owned(),
                password,
                directory.add_user(user).await.expect("a user").id,
            ));
        }
        directory
            .add_policy("admins", vec!["keyway.admin".to_owned()])
            .await
            .expect("a policy");
        directory.attach_policy("admins", "admin").await.expect("attached");
        let backend = Arc::new(FakeBackend::new(move |request| judge(request, &people)));
        state.backends.add("people", backend.clone()).expect("a name");
        Self {
            router: router(Dialect::ALL, &state.state),
            state,
            backend,
        }
    }

    /// A token of the core for a user in whose place root acts.
    async fn acted(&self, login: &str) -> String {
        let basic = ("authorization", "Basic YWxpY2U6czNjcmU3");
        let issued = self
            .ask("POST", "/0.1/token", &[JSON, basic], r#"{"backend": "people"}"#)
            .await;
        let token = issued.json()["data"]["token"].as_str().and_then(TokenValue::parse);
        let tokens = &self.state.state.tokens;
        let token = token.unwrap_or_else(|| panic!("{issued:?}"));
        let actor = tokens.check(&token, CheckRequest::default()).await.expect("a token");
        let target = self.state.state.directory.get_user(login).await.expect("a user").id;
        let request = ImpersonateRequest {
            actor: &actor,
            target,
            needs: "keyway.root",
            master_only: false,
            ttl: None,
            client: Client::default(),
            dialect: "kazoo",
            request_id: String::new(),
            attributes: Vec::new(),
        };
        tokens.impersonate(request).await.expect("a session").value.reveal()
    }

    /// What somebody with this token, which needs no key, is answered.
    async fn as_token(&self, token: &str, method: &str, uri: &str, body: Value) -> Reply {
        let headers = [JSON, ("x-access-token", token)];
        self.ask(method, uri, &headers, &body.to_string()).await
    }

    async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        ask(&self.router, method, uri, headers, body).await
    }

    async fn log_in(&self, username: &str, password: &str) -> Reply {
        let body = json!({"username": username, "password": password}).to_string();
        self.ask("POST", "/login", &[JSON], &body).await
    }

    async fn pair(&self, username: &str, password: &str) -> Pair {
        let reply = self.log_in(username, password).await;
        let body = reply.json();
        let text = |name: &str| {
            let text = body[name].as_str().map(str::to_owned);
            text.unwrap_or_else(|| panic!("{reply:?}"))
        };
        Pair {
            key: text("key"),
            token: text("token"),
        }
    }

    /// What somebody with this pair is answered.
    async fn as_pair(&self, pair: &Pair, method: &str, uri: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [JSON, ("x-access-token", &pair.token), ("x-key", &pair.key)];
        self.ask(method, uri, &headers, &body).await
    }

    async fn root(&self) -> Pair {
        self.pair("alice", "s3cre7").await
    }

    async fn admin(&self) -> Pair {
        self.pair("admin@mydomain.com", "4dmin").await
    }

    async fn user(&self) -> Pair {
        self.pair("100@mydomain.com", "secret").await
    }
}

/// Status and words of an error; status alone of another answer.
fn told(reply: &Reply) -> String {
    let status = reply.status.as_u16();
    match reply.json() {
        body if body["status"] == "error" => format!("{status} {}", body["info"]),
        _ => status.to_string(),
    }
}

fn judge(request: &VerifyRequest, people: &[(String, &str, UserId)]) -> Result<Outcome, BackendFault> {
    let (identifier, credential) = match &request.step {
        Step::Start { identifier, credential } => (identifier, credential),
        Step::Answer { response, .. } if response.expose() == b"123456" => {
            return Ok(Outcome::Verified(principal(Subject::Own("asked".to_owned()), "asked")));
        }
        Step::Answer { .. } => return Ok(Outcome::Refused(Refusal::WrongCredential)),
    };
    let Credential::Password(password) = credential else {
        return Ok(Outcome::Refused(Refusal::UnsupportedCredential));
    };
    match identifier.as_str() {
        "unavailable" => return Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        "asked" => {
            return Ok(Outcome::Challenged(Challenge {
                kind: ChallengeKind::Otp,
                prompt: "code?".to_owned(),
                state: Vec::new(),
                attributes: Vec::new(),
            }));
        }
        // Whom the backend lets in, it lets in everywhere, and says that it may do everything.
        "stranger" => {
            return Ok(Outcome::Verified(Principal {
                accesses: vec!["#".to_owned()],
                ..principal(Subject::Own("stranger".to_owned()), "stranger")
            }));
        }
        _ => {}
    }
    let Some((login, known, id)) = people.iter().find(|(login, ..)| login == identifier) else {
        return Ok(Outcome::Refused(Refusal::UnknownIdentifier));
    };
    if password.expose() == known.as_bytes() {
        return Ok(Outcome::Verified(principal(Subject::Directory(*id), login)));
    }
    Ok(Outcome::Refused(Refusal::WrongCredential))
}
