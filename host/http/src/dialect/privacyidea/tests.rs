//! The API, route by route, over doubles.

mod login;

use axum::Router;
use keyway_core::model::{Outcome, Refusal, Subject};
use keyway_core::port::{BackendFault, BackendSettings, Step};
use keyway_core::testing::{FakeBackend, principal};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, PrivacyideaSettings};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server with the realms `realm1`, which is the default, and `house`. `alice` / `s3cre7` is the local administrator, `carol` / `c4rol` is of `realm1`.
struct House {
    state: TestState,
    router: Router,
}

impl House {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(privacyidea: PrivacyideaSettings) -> Self {
        let state = TestState::with(DialectSettings {
            privacyidea,
            ..DialectSettings::default()
        })
        .await;
        let realms = FakeBackend::new(|request| {
            let Step::Start { identifier, .. } = &request.step else {
                return Err(BackendFault::Broken("a second step".to_owned()));
            };
            let attributes = &request.context.attributes;
            let named = attributes.iter().find(|(name, _)| name == "realm");
            let realm = named.map_or("realm1", |(_, realm)| realm.as_str());
            judge(identifier, request, realm)
        });
        state.backends.add("realms", Arc::new(realms)).expect("a name");
        state.desk.put(
            "realms",
            BackendSettings {
                fixed: fixed(),
                added: json!({}),
                files: vec!["passwd1".to_owned(), "passwd2".to_owned()],
                databases: vec!["hr".to_owned()],
                endpoints: vec!["api".to_owned()],
                backends: vec!["ldap_corp".to_owned()],
                revision: 0,
            },
        );
        state.grant_alice("privacyidea.admin").await;
        Self {
            router: router(&[Dialect::Privacyidea], &state.state),
            state,
        }
    }

    async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        ask(&self.router, method, uri, headers, body).await
    }

    async fn log_in(&self, username: &str, password: &str) -> Reply {
        let body = json!({"username": username, "password": password}).to_string();
        self.ask("POST", "/auth", &[JSON], &body).await
    }

    async fn token(&self, username: &str, password: &str) -> String {
        let reply = self.log_in(username, password).await;
        let token = reply.json()["result"]["value"]["token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("{reply:?}"))
    }

    async fn admin(&self) -> String {
        self.token("alice", "s3cre7").await
    }
}

fn settings() -> PrivacyideaSettings {
    PrivacyideaSettings {
        backend: "realms".to_owned(),
        ..PrivacyideaSettings::default()
    }
}

fn fixed() -> Value {
    json!({
        "default_realm": "realm1",
        "realms": {
            "realm1": {"resolvers": [{"name": "passwd1", "priority": 1}]},
            "house": {"resolvers": [{"name": "local"}]},
        },
        "resolvers": {
            "passwd1": {"type": "passwd", "file": "passwd1"},
            "local": {"type": "directory"},
        },
    })
}

/// The login name says what the backend is to do.
fn judge(identifier: &str, request: &keyway_core::port::VerifyRequest, realm: &str) -> Result<Outcome, BackendFault> {
    let password = match &request.step {
        Step::Start {
            credential: keyway_core::model::Credential::Password(password),
            ..
        } => password.expose().clone(),
        _ => Vec::new(),
    };
    let (login, realm) = identifier.rsplit_once('@').unwrap_or((identifier, realm));
    match (login, password.as_slice()) {
        ("carol", b"c4rol") | ("zoë >?~", b"\xc3\xb6\xc3\xa4 +%20") | ("alice", b"4lice") => {
            let mut principal = principal(Subject::Own(format!("passwd1:{login}")), login);
            principal.attributes = vec![
                ("realm.name".to_owned(), realm.to_lowercase()),
                ("realm.resolver".to_owned(), "passwd1".to_owned()),
            ];
            Ok(Outcome::Verified(principal))
        }
        ("unavailable", _) => Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        ("breaker", _) => Err(BackendFault::BreakerOpen {
            faults: 20,
            retry_after: std::time::Duration::from_millis(4200),
        }),
        _ => Ok(Outcome::Refused(Refusal::WrongCredential)),
    }
}
