//! The API, route by route, over doubles.

mod audit;
mod device;
mod login;
mod policy;
mod realm;
mod resolver;
mod roles;
mod session;
mod signature;
mod system;
mod token;
mod token_rights;
mod user;
mod validate;
mod validate_policy;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use keyway_core::model::{Answer, Credential, Found, Outcome, PluginStamp, Principal, Refusal, Subject};
use keyway_core::port::{
    Abilities, Backend, BackendFault, BackendSettings, BrowseRequest, Listing, LookupKey, LookupRequest,
    RequestContext, Step, VerifyRequest,
};
use keyway_core::testing::{FakeBackend, principal};
use serde_json::{Value, json};

use crate::dialect::{Dialect, router};
use crate::testing::{Reply, TestState, ask};
use crate::{DialectSettings, PrivacyideaSettings};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server with the realms `realm1`, which is the default, and `house`. `alice` / `s3cre7` is the local administrator; `carol` / `c4rol` and another `alice`
/// / `4lice` are of `realm1`.
struct House {
    state: TestState,
    router: Router,
}

impl House {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(privacyidea: PrivacyideaSettings) -> Self {
        Self::configured(privacyidea, fixed()).await
    }

    /// A house in which nothing is defined by the file.
    async fn empty() -> Self {
        Self::configured(settings(), json!({})).await
    }

    async fn configured(privacyidea: PrivacyideaSettings, fixed: Value) -> Self {
        let settings = DialectSettings {
            privacyidea,
            ..DialectSettings::default()
        };
        let state = TestState::with(settings).await;
        let realms = Realms(FakeBackend::new(judge).finds(find));
        state.backends.add("realms", Arc::new(realms)).expect("a name");
        let settings = BackendSettings {
            fixed,
            added: json!({}),
            files: vec!["passwd1".to_owned(), "passwd2".to_owned()],
            databases: vec!["hr".to_owned()],
            endpoints: vec!["api".to_owned()],
            backends: vec!["ldap_corp".to_owned()],
            revision: 0,
        };
        state.desk.put("realms", settings);
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

    /// What the local administrator is answered.
    async fn admin(&self, method: &str, uri: &str, body: Value) -> Reply {
        let token = self.token("alice", "s3cre7").await;
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.ask(method, uri, &[JSON, ("pi-authorization", &token)], &body)
            .await
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
            "House": {"resolvers": [{"name": "local"}]},
        },
        "resolvers": {
            "passwd1": {"type": "passwd", "file": "passwd1"},
            "local": {"type": "directory"},
        },
    })
}

/// Status, code and message of an error; status and value of another answer.
fn told(reply: &Reply) -> String {
    let body = reply.json();
    let result = &body["result"];
    let status = reply.status.as_u16();
    if result["status"] == true {
        return format!("{status} {}", result["value"]);
    }
    format!("{status} {} {}", result["error"]["code"], result["error"]["message"])
}

/// The realm backend, with `carol` and `zoë` in `realm1`.
struct Realms(FakeBackend);

#[async_trait]
impl Backend for Realms {
    async fn verify(&self, request: VerifyRequest) -> Result<Answer, BackendFault> {
        self.0.verify(request).await
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            browse: true,
            ..self.0.abilities()
        }
    }

    fn stamp(&self) -> Option<PluginStamp> {
        self.0.stamp()
    }

    async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        self.0.lookup(request).await
    }

    async fn browse(&self, request: BrowseRequest) -> Result<Option<Listing>, BackendFault> {
        let fits = |principal: &Principal| {
            request.patterns.iter().all(|(subject, pattern)| {
                let of = |name: &str| principal.attributes.iter().find(|(other, _)| other == name);
                let value = match subject.as_str() {
                    "login" => Some(&principal.login),
                    name => of(name).map(|(_, value)| value),
                };
                let start = pattern.trim_end_matches('*');
                value.is_some_and(|value| value == start || (pattern.ends_with('*') && value.starts_with(start)))
            })
        };
        let mut people = vec![
            person("carol", "realm1"),
            person("carl", "realm1"),
            person("zoë", "house"),
        ];
        people.retain(|person| {
            let realm = &person.attributes[0].1;
            fits(person) && request.realm.as_ref().is_none_or(|wanted| wanted == realm)
        });
        Ok(Some(Listing {
            principals: people,
            complete: true,
        }))
    }
}

fn person(login: &str, realm: &str) -> Principal {
    let mut person = principal(Subject::Own(format!("{realm}:{login}")), login);
    let attributes = [
        ("realm.name", realm),
        ("realm.resolver", "passwd1"),
        ("realm.userid", "1000"),
        ("givenname", "C."),
        ("passwordhash", "$6$secret"),
    ];
    person.attributes = attributes
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    person
}

/// The login name says what the backend is to do.
fn judge(request: &VerifyRequest) -> Result<Outcome, BackendFault> {
    let Step::Start {
        identifier,
        credential: Credential::Password(password),
    } = &request.step
    else {
        return Err(BackendFault::Broken("no password".to_owned()));
    };
    let (login, realm) = split(identifier, &request.context);
    match (login, password.expose().as_slice()) {
        ("carol", b"c4rol") | ("alice", b"4lice") | ("dave", b"d4ve") | ("zoë >?~", b"\xc3\xb6\xc3\xa4 +%20") => {
            Ok(Outcome::Verified(person(login, realm)))
        }
        ("unavailable", _) => Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        ("breaker", _) => Err(BackendFault::BreakerOpen {
            faults: 20,
            retry_after: Duration::from_millis(4200),
        }),
        _ => Ok(Outcome::Refused(Refusal::WrongCredential)),
    }
}

/// Whom the backend knows without a password.
fn find(request: &LookupRequest) -> Result<Found, BackendFault> {
    let LookupKey::Identifier(identifier) = &request.key else {
        return Err(BackendFault::Broken("no name".to_owned()));
    };
    let (login, realm) = split(identifier, &request.context);
    // As in a directory, case does not count, and there is one way to write a name.
    let login = login.to_lowercase();
    match login.as_str() {
        "carol" | "alice" | "dave" => Ok(Found::Principal(person(&login, realm))),
        "unavailable" => Err(BackendFault::Unavailable("ldap://secret-host is down".to_owned())),
        _ => Ok(Found::Refused(Refusal::UnknownIdentifier)),
    }
}

/// Login name and realm.
fn split<'a>(identifier: &'a str, context: &'a RequestContext) -> (&'a str, &'a str) {
    let explicit = context.attributes.iter().find(|(name, _)| name == "realm");
    let (login, typed) = identifier.rsplit_once('@').unwrap_or((identifier, "realm1"));
    (login, explicit.map_or(typed, |(_, realm)| realm.as_str()))
}
