//! Users: `/user/`, and `/users/`, as the documentation of old has it.

use axum::response::Response;
use keyway_core::model::Principal;
use keyway_core::port::{BrowseRequest, RequestContext};
use serde_json::{Map, Value, json};
use std::time::Instant;

use super::answer::Answer;
use super::ask::{Ask, Caller};
use super::auth::REALM_ATTRIBUTE;
use super::document::user as tell;
use super::error::Failure;
use super::policies::{self, RESOLVER_ATTRIBUTE};
use super::rights::Role;
use crate::dialect::Dialect;
use crate::document::{Routes, get};

/// The attribute under which a backend says how the resolver names somebody.
const USERID_ATTRIBUTE: &str = "realm.userid";
/// What attributes begin with that say where somebody was found.
const OWN_ATTRIBUTES: &str = "realm.";

/// What a caller must be allowed.
const LIST: &str = "userlist";

/// How many are listed at most.
const MOST: u32 = 1000;

/// What is always told of somebody, be it known or not.
const FIELDS: [&str; 6] = ["givenname", "surname", "email", "phone", "mobile", "description"];

/// The parameters that are no patterns.
const OTHERS: [&str; 4] = ["realm", "resolver", "nonce", "attributes"];

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/user/", get(tell::list_all, list))
        .route("/users/", get(tell::list_alias, list))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        ask.may(&caller, LIST, None).await?;
        let search = search(&ask, &caller)?;
        let backend = &ask.pi.settings().backend;
        let listing = ask.pi.tokens().browse(backend, search).await?;
        let listing = listing
            .ok_or_else(|| Failure::Denied("The users of this server's backend cannot be listed.".to_owned()))?;
        let policies = ask.pi.policies().current().await?;
        let mut shown = Vec::new();
        for principal in &listing.principals {
            let is_seen = match caller.role {
                Role::User => is_oneself(principal, &caller),
                // An administrator may be one of some realms alone.
                Role::Admin => {
                    let about = policies::user_of(principal, "");
                    let circumstances = ask.circumstances_of(&policies, &caller, Some(about)).await?;
                    policies.may(caller.role, LIST, &circumstances)?.is_some()
                }
            };
            if is_seen {
                shown.push(body(principal));
            }
        }
        Ok(Answer::of(shown))
    };
    ask.answer(listed.await).await
}

fn search(ask: &Ask, caller: &Caller) -> Result<BrowseRequest, Failure> {
    let params = ask.params()?;
    let word = |name: &str| Ok::<_, Failure>(params.word(name)?.map(str::to_owned));
    let (mut realm, resolver) = (word("realm")?.map(|realm| realm.to_lowercase()), word("resolver")?);
    let mut patterns = Vec::new();
    for (name, _) in params.iter().filter(|(name, _)| !OTHERS.contains(name)) {
        let Some(pattern) = params.word(name)?.filter(|pattern| *pattern != "*") else {
            continue;
        };
        patterns.push((subject_of(name).to_owned(), pattern.to_owned()));
    }
    if caller.role == Role::User {
        // Oneself, whatever else is asked for. What the name's own `*` would fit besides is left out later.
        realm = Some(caller.realm.clone());
        patterns.push(("login".to_owned(), caller.username.clone()));
    }
    Ok(BrowseRequest {
        context: RequestContext {
            request_id: ask.call.id().to_owned(),
            dialect: Dialect::Privacyidea.name(),
            client_address: ask.client().address,
            tenant: None,
            attributes: Vec::new(),
        },
        realm,
        resolver,
        patterns,
        most: MOST,
        // The token service sets it.
        deadline: Instant::now(),
    })
}

/// What a parameter is about, in the backends' words.
fn subject_of(parameter: &str) -> &str {
    match parameter {
        "username" | "user" => "login",
        "userid" => USERID_ATTRIBUTE,
        other => other,
    }
}

fn is_oneself(principal: &Principal, caller: &Caller) -> bool {
    let realm = attribute(principal, REALM_ATTRIBUTE).unwrap_or_default().to_lowercase();
    principal.login == caller.username && realm == caller.realm
}

fn attribute<'a>(principal: &'a Principal, name: &str) -> Option<&'a str> {
    let mut attributes = principal.attributes.iter();
    let (_, value) = attributes.find(|(other, _)| other == name)?;
    Some(value)
}

/// Somebody as this API writes the person. Nothing that is a verifier of a password is ever among a backend's words; that none comes through by a mistake in a
/// resolver's map, names that sound like one are left out.
fn body(principal: &Principal) -> Value {
    let mut body: Map<String, Value> = FIELDS.iter().map(|field| ((*field).to_owned(), json!(""))).collect();
    for (name, value) in &principal.attributes {
        if is_told(name) {
            body.insert(name.clone(), json!(value));
        }
    }
    if let Some(email) = &principal.email {
        body.insert("email".to_owned(), json!(email));
    }
    let of = |name| attribute(principal, name).unwrap_or_default();
    body.insert("username".to_owned(), json!(principal.login));
    body.insert("userid".to_owned(), json!(of(USERID_ATTRIBUTE)));
    body.insert("realm".to_owned(), json!(of(REALM_ATTRIBUTE)));
    body.insert("resolver".to_owned(), json!(of(RESOLVER_ATTRIBUTE)));
    body.insert("editable".to_owned(), json!(false));
    Value::Object(body)
}

/// Whether an attribute of this name is told to callers at all: it is the resolver's, and does not sound like a verifier of a password.
pub(super) fn is_told(name: &str) -> bool {
    let name = name.to_lowercase();
    let sounds_secret = ["pass", "hash", "secret"].iter().any(|word| name.contains(word));
    !name.starts_with(OWN_ATTRIBUTES) && !sounds_secret
}
