//! Policies: what they may say (`action`, `rule`), which hold when (`set`), what the dialect asks them (`question`), where they are kept (`desk`); and here
//! the routes under `/policy/`.

mod action;
mod condition;
mod desk;
mod error;
mod hours;
mod names;
mod networks;
mod question;
mod rule;
mod set;
#[cfg(test)]
mod tests;

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::ask::Ask;
use super::document::policy as tell;
use super::error::Failure;
use crate::document::{Routes, get, post};
use action::Scope;

pub(crate) use action::Limit;
pub use desk::{PrivacyideaPolicies, PrivacyideaPolicyReader};
pub(crate) use error::PolicyError;
pub(crate) use hours::Moment;
pub(crate) use question::{
    AuthenticationRules, AuthorizationRules, EnrollmentRules, LoginMode, OtpPin, TOKEN_TYPES, enrollable, menus,
};
pub(crate) use set::{Admin, Circumstances, PolicySet, User};

/// Scopes, for who asks whether a user must be looked up.
pub(crate) mod scope {
    pub(crate) use super::action::Scope;
}

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/policy/", get(tell::list, list))
        .route("/policy/defs", get(tell::definitions, definitions))
        .route("/policy/defs/{scope}", get(tell::definitions_of, definitions))
        .route("/policy/check", get(tell::check, check))
        .route("/policy/enable/{policy}", post(tell::enable, enable))
        .route("/policy/disable/{policy}", post(tell::disable, disable))
        .route(
            "/policy/{policy}",
            get(tell::show, list)
                .post(tell::write, write)
                .delete(tell::remove, remove),
        )
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        ask.admin_may("policyread").await?;
        let params = ask.params()?;
        let (name, scope) = (params.word("policy")?, params.word("scope")?);
        let (realm, active) = (params.word("realm")?, params.flag("active")?);
        let policies = ask.pi.policies().current().await?;
        let shown = policies.iter().filter(|policy| {
            name.is_none_or(|name| policy.name == name)
                && scope.is_none_or(|scope| policy.scope.name() == scope)
                && active.is_none_or(|active| policy.active == active)
                && realm.is_none_or(|realm| policy.names_realm(realm))
        });
        Ok(Answer::of(shown.map(rule::Policy::to_json).collect::<Vec<_>>()))
    };
    ask.answer(listed.await).await
}

async fn write(ask: Ask) -> Response {
    let written = async {
        ask.admin_may("policywrite").await?;
        let params = ask.params()?;
        let name = params.needed("policy")?;
        let fields = params.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        let fields: Map<String, Value> = fields.collect();
        ask.note(|note| note.entry.info = format!("policy `{name}`"));
        let id = ask.pi.policies().write(name, &fields).await?;
        Ok(Answer::of(json!({ format!("setPolicy {name}"): id })))
    };
    ask.answer(written.await).await
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        ask.admin_may("policydelete").await?;
        let name = ask.params()?.needed("policy")?;
        ask.note(|note| note.entry.info = format!("policy `{name}`"));
        Ok(Answer::of(ask.pi.policies().remove(name).await?))
    };
    ask.answer(removed.await).await
}

async fn enable(ask: Ask) -> Response {
    let result = switch(&ask, true).await;
    ask.answer(result).await
}

async fn disable(ask: Ask) -> Response {
    let result = switch(&ask, false).await;
    ask.answer(result).await
}

async fn switch(ask: &Ask, active: bool) -> Result<Answer, Failure> {
    ask.admin_may("policywrite").await?;
    let name = ask.params()?.needed("policy")?;
    ask.note(|note| note.entry.info = format!("policy `{name}`"));
    Ok(Answer::of(ask.pi.policies().switch(name, active).await?))
}

async fn definitions(ask: Ask) -> Response {
    let told = async {
        ask.admin_may("policyread").await?;
        let told = match ask.params()?.word("scope")? {
            None => {
                let scopes = Scope::ALL.map(|scope| (scope.name().to_owned(), definitions_in(scope)));
                Value::Object(scopes.into_iter().collect())
            }
            Some("conditions") => condition::definitions(),
            Some("pinodes") => json!([]),
            Some(scope) => definitions_in(Scope::parse(scope)?),
        };
        Ok(Answer::of(told))
    };
    ask.answer(told.await).await
}

fn definitions_in(scope: Scope) -> Value {
    let actions = action::list(scope).map(|action| (action.name.to_owned(), action.to_json()));
    Value::Object(actions.collect())
}

async fn check(ask: Ask) -> Response {
    let checked = async {
        ask.admin_may("policyread").await?;
        let params = ask.params()?;
        let (scope, action) = (Scope::parse(params.needed("scope")?)?, params.needed("action")?);
        let action = action::find(scope, action)
            .ok_or_else(|| Failure::Parameter(format!("The scope `{}` has no such action", scope.name())))?;
        let client = params.word("client")?.map(str::parse).transpose();
        let client = client.map_err(|_| Failure::Parameter("The parameter `client` is not an address".to_owned()))?;
        let user = User {
            login: params.needed("user")?.to_owned(),
            realm: params.needed("realm")?.to_lowercase(),
            resolver: params.word("resolver")?.map(str::to_owned),
            attributes: Vec::new(),
        };
        let circumstances = Circumstances {
            client: client.or_else(|| ask.call.client()),
            ..ask.circumstances(Some(user), None)
        };
        let policies = ask.pi.policies().current().await?;
        let holding = policies.holding(scope, action.name, &circumstances)?;
        Ok(Answer::of(if holding.is_empty() {
            json!({"allowed": false, "info": "No policies found"})
        } else {
            let holding: Vec<_> = holding.into_iter().map(rule::Policy::to_json).collect();
            json!({"allowed": true, "policy": holding})
        }))
    };
    ask.answer(checked.await).await
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Invalid(problem) => Self::Parameter(problem),
            PolicyError::Unknown(_) => Self::NotFound(error.to_string()),
            PolicyError::Contradiction { .. } | PolicyError::NotKnown { .. } => Self::Denied(error.to_string()),
            PolicyError::Store(error) => error.into(),
        }
    }
}
