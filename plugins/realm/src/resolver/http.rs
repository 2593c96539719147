//! A service that is asked by HTTP. The host connects and does TLS; the plugin speaks the protocol.

use std::collections::BTreeMap;

use http::header::{ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Uri};
use keyway_sdk::config::find_secret;
use keyway_sdk::{Fault, Outcome, Refusal, Secret, log, net};
use serde_json::Value;

use self::exchange::{Answer, ExchangeError, exchange};
use self::template::{Template, Values};
use super::{Candidate, Known};
use crate::person::{self, Person};

mod build;
mod exchange;
mod template;

/// How a service is asked.
#[derive(Debug)]
pub(crate) struct Http {
    endpoint: String,
    host: String,
    login: Template,
    find: Option<Template>,
    find_by_userid: Option<Template>,
    expect: BTreeMap<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    secret_headers: Vec<(HeaderName, String)>,
    map: BTreeMap<String, String>,
}

impl Http {
    pub(super) fn find(&self, name: &str, login: &str) -> Result<Option<Known>, Fault> {
        let values = Values {
            username: login,
            ..Values::default()
        };
        self.ask(name, self.find.as_ref(), &values)
    }

    pub(super) fn find_by_userid(&self, name: &str, userid: &str) -> Result<Option<Known>, Fault> {
        let values = Values {
            userid,
            ..Values::default()
        };
        self.ask(name, self.find_by_userid.as_ref(), &values)
    }

    /// Has the service verify the password of `candidate`, or, where nobody could be found before, of whoever the service says that it is.
    pub(super) fn verify(
        &self,
        name: &str,
        login: &str,
        candidate: Option<Box<Candidate>>,
        password: &Secret,
    ) -> Result<Outcome, Fault> {
        let password = password.expose()?;
        let Ok(password) = std::str::from_utf8(&password) else {
            return Ok(Refusal::WrongCredential.into());
        };
        let userid = candidate
            .as_ref()
            .map(|candidate| person::userid(&candidate.principal, name));
        let values = Values {
            username: login,
            password,
            userid: userid.unwrap_or_default(),
        };
        // Many a service lets in whoever sends no password, as somebody who has not said who they are.
        let answer = match password {
            "" => None,
            _ => self.send(&self.login, &values)?,
        };
        let Some(answer) = answer else {
            return Ok(Refusal::WrongCredential.into());
        };
        let is_read = !self.expect.is_empty() || (candidate.is_none() && !self.map.is_empty());
        let body = match answer.status {
            200..=299 if is_read => json(&answer)?,
            200..=299 => Value::Null,
            400 | 401 | 403 | 422 => return Ok(Refusal::WrongCredential.into()),
            404 | 410 => return Ok(Refusal::UnknownIdentifier.into()),
            status => return Err(unexpected(status)),
        };
        let is_expected = |(place, value): (&String, &Value)| body.pointer(place) == Some(value);
        if !self.expect.iter().all(is_expected) {
            return Ok(Refusal::WrongCredential.into());
        }
        Ok(match candidate {
            Some(candidate) => candidate.principal.into(),
            None => match self.person(&body, &values) {
                Some(person) => match Known::person(name, person) {
                    Ok(candidate) => candidate.principal.into(),
                    Err(_) => Refusal::Ambiguous.into(),
                },
                None => return Err(Fault::unavailable("the answer to a right password has no user id")),
            },
        })
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let missing = self
            .secret_headers
            .iter()
            .find(|(_, secret)| find_secret(secret).is_none());
        if let Some((_, secret)) = missing {
            return Err(Fault::misconfigured(format!("there is no `secrets.{secret}`")));
        }
        drop(net::connect(&self.endpoint)?);
        Ok(())
    }

    fn ask(&self, name: &str, question: Option<&Template>, values: &Values<'_>) -> Result<Option<Known>, Fault> {
        let Some(question) = question else {
            return Ok(Some(Known::Undecided));
        };
        let Some(answer) = self.send(question, values)? else {
            return Ok(None);
        };
        match answer.status {
            200..=299 => {}
            404 | 410 => return Ok(None),
            status => return Err(unexpected(status)),
        }
        let body = if self.map.is_empty() {
            Value::Null
        } else {
            json(&answer)?
        };
        let person = self.person(&body, values);
        Ok(person.map(|person| Known::person(name, person).map_or_else(|known| known, Known::from)))
    }

    /// Sends a request over a connection of its own, which may carry a password. `None` if the values fit into no path.
    fn send(&self, template: &Template, values: &Values<'_>) -> Result<Option<Answer>, Fault> {
        let Some(path) = template.path(values) else {
            return Ok(None);
        };
        let body = template.body(values);
        let uri = uri(&self.host, &path).ok_or(ExchangeError::Protocol)?;
        let mut request = Request::builder()
            .method(template.method.clone())
            .uri(uri)
            .header(ACCEPT, "application/json")
            .header(CONNECTION, "close");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if template.method != http::Method::GET {
            request = request.header(CONTENT_LENGTH, body.as_deref().unwrap_or_default().len());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, secret) in &self.secret_headers {
            request = request.header(name, secret_value(secret)?);
        }
        let request = request.body(()).map_err(|_| ExchangeError::Protocol)?;
        let mut connection = net::connect(&self.endpoint)?;
        let body = body.unwrap_or_default();
        Ok(Some(exchange(&mut connection, request, body.as_bytes())?))
    }

    /// Who the answer is about; nobody where it has no user id in the place for it. Without such a place the user id is what was asked for.
    fn person(&self, body: &Value, asked: &Values<'_>) -> Option<Person> {
        let value = |key: &str| self.map.get(key).and_then(|place| body.pointer(place)).and_then(text);
        let userid = match self.map.get("userid") {
            Some(_) => value("userid").filter(|userid| !userid.is_empty())?,
            None if asked.userid.is_empty() => asked.username.to_owned(),
            None => asked.userid.to_owned(),
        };
        let told = self
            .map
            .keys()
            .filter(|key| !["userid", "username"].contains(&key.as_str()));
        let attributes = told.filter_map(|key| Some((key.clone(), value(key)?))).collect();
        let login = value("username")
            .filter(|login| !login.is_empty())
            .unwrap_or_else(|| match asked.username {
                "" => userid.clone(),
                typed => typed.to_owned(),
            });
        Some(Person {
            userid,
            login,
            attributes,
        })
    }
}

/// What is said to the server; the host alone decides who that is, and whether by TLS.
fn uri(host: &str, path: &str) -> Option<Uri> {
    Uri::builder()
        .scheme("http")
        .authority(host)
        .path_and_query(path)
        .build()
        .ok()
        .filter(|uri| uri.host().is_some_and(|host| !host.is_empty()) && !host.contains('@'))
}

fn secret_value(secret: &str) -> Result<HeaderValue, Fault> {
    let value = find_secret(secret).ok_or_else(|| Fault::misconfigured(format!("there is no `secrets.{secret}`")))?;
    let bytes = value.expose()?;
    let mut value = HeaderValue::from_bytes(bytes.trim_ascii())
        .map_err(|_| Fault::misconfigured(format!("`secrets.{secret}` is no value of a header")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unexpected(status: u16) -> Fault {
    log::debug!("an answer says nothing about anybody", status = status);
    Fault::unavailable(format!("the answer has the status {status}"))
}

/// The body. What stands in front of a service, and says that it is not there, says so in another language than JSON.
fn json(answer: &Answer) -> Result<Value, Fault> {
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body).map_err(|_| Fault::unavailable("the answer is no JSON"))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
