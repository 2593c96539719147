//! Realms: `/realm/` and `/defaultrealm`.

use axum::response::Response;
use keyway_core::port::{FactorFilter, FactorQuery};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::ask::Ask;
use super::document::realm as tell;
use super::error::Failure;
use super::params::Params;
use super::realm_config::{Entry, RealmConfig};
use super::realm_edit::{check_added, id_of, in_use, realm_name, unknown};
use super::resolver;
use crate::document::{Routes, get, post};

const REALM: &str = "realm";
const DEFAULT: &str = "default realm";

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/realm/", get(tell::list_all, list))
        .route("/realm/superuser", get(tell::superuser, superuser))
        .route("/realm/{realm}", post(tell::write, write).delete(tell::remove, remove))
        .route(
            "/defaultrealm",
            get(tell::show_default, show_default).delete(tell::remove_default, remove_default),
        )
        .route("/defaultrealm/{realm}", post(tell::set_default, set_default))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        ask.admin_may("resolverread").await?;
        let config = ask.pi.realm_config().await?;
        let realms = config.realms();
        let shown = realms
            .iter()
            .map(|(name, realm)| (name.clone(), body(&config, name, realm)));
        Ok(Answer::of(shown.collect::<Map<_, _>>()))
    };
    ask.answer(listed.await).await
}

async fn superuser(ask: Ask) -> Response {
    let listed = async {
        ask.admin_may("resolverread").await?;
        Ok(Answer::of(ask.pi.settings().superuser_realms.clone()))
    };
    ask.answer(listed.await).await
}

async fn write(ask: Ask) -> Response {
    let written = async {
        ask.admin_may("resolverwrite").await?;
        let params = ask.params()?;
        let name = realm_name(params.needed(REALM)?)?;
        let wanted = params.list("resolvers")?;
        let wanted = wanted.ok_or_else(|| Failure::Parameter("Missing parameter: `resolvers`".to_owned()))?;
        let members = Members::of(&wanted, params)?;
        ask.pi
            .edit_realms(|config, added| members.put(&name, config, added))
            .await
    };
    ask.answer(written.await.map(Answer::of)).await
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        ask.admin_may("resolverdelete").await?;
        let name = ask.params()?.needed(REALM)?.to_lowercase();
        if !ask.pi.realm_config().await?.has_realm(&name) {
            return Err(unknown(REALM, &name));
        }
        if ask.has_tokens(&name).await? {
            return Err(in_use(format!("Users of the realm `{name}` still have tokens.")));
        }
        let edit = ask.pi.edit_realms(|config, added| {
            let realms = config.realms();
            check_added(realms.get(&name), REALM)?;
            RealmConfig::added_realms(added).shift_remove(&name);
            if config.default_name().as_ref() == Some(&name) {
                // The last one that is left is the default one.
                let mut left = realms.keys().filter(|other| **other != name);
                let only = left.next().filter(|_| left.next().is_none());
                RealmConfig::set_default(added, only.map(String::as_str));
            }
            Ok(())
        });
        edit.await?;
        Ok(Answer::of(id_of(REALM, &name)))
    };
    ask.answer(removed.await).await
}

async fn show_default(ask: Ask) -> Response {
    let shown = async {
        ask.admin_may("resolverread").await?;
        let config = ask.pi.realm_config().await?;
        let (name, realms) = (config.default_name(), config.realms());
        let found = name.and_then(|name| realms.get_key_value(&name));
        let shown = found.map(|(name, realm)| (name.clone(), body(&config, name, realm)));
        Ok(Answer::of(shown.into_iter().collect::<Map<_, _>>()))
    };
    ask.answer(shown.await).await
}

async fn set_default(ask: Ask) -> Response {
    let set = async {
        ask.admin_may("resolverwrite").await?;
        let name = ask.params()?.needed(REALM)?.to_lowercase();
        let edit = ask.pi.edit_realms(|config, added| {
            if !config.has_realm(&name) {
                return Err(unknown(REALM, &name));
            }
            check_added(config.default_realm().as_ref(), DEFAULT)?;
            RealmConfig::set_default(added, Some(&name));
            Ok(())
        });
        edit.await?;
        Ok(Answer::of(id_of(REALM, &name)))
    };
    ask.answer(set.await).await
}

async fn remove_default(ask: Ask) -> Response {
    let removed = async {
        ask.admin_may("resolverdelete").await?;
        let edit = ask.pi.edit_realms(|config, added| {
            let name = config.default_name();
            let name = name.ok_or_else(|| Failure::NotFound("There is no default realm.".to_owned()))?;
            check_added(config.default_realm().as_ref(), DEFAULT)?;
            RealmConfig::set_default(added, None);
            Ok(name)
        });
        Ok(Answer::of(id_of(REALM, &edit.await?)))
    };
    ask.answer(removed.await).await
}

impl Ask {
    /// Whether somebody of this realm has a token.
    async fn has_tokens(&self, realm: &str) -> Result<bool, Failure> {
        let query = FactorQuery {
            filter: FactorFilter {
                realm: Some(realm.to_owned()),
                assigned: Some(true),
                ..FactorFilter::default()
            },
            limit: Some(1),
            ..FactorQuery::default()
        };
        Ok(self.pi.factors().list(&query).await?.filtered > 0)
    }
}

/// The resolvers that a realm is to have, each with its priority.
struct Members(Vec<(String, Option<i64>)>);

impl Members {
    /// A priority may be a number or, as forms have it, text.
    fn of(wanted: &[String], params: &Params) -> Result<Self, Failure> {
        let mut members: Vec<(String, Option<i64>)> = Vec::new();
        for resolver in wanted {
            if members.iter().all(|(known, _)| known != resolver) {
                members.push((resolver.clone(), params.number(&format!("priority.{resolver}"))?));
            }
        }
        Ok(Self(members))
    }

    /// Puts them in the place of those that the realm has. Resolvers that there are not are left out and told of.
    fn put(&self, name: &str, config: &RealmConfig, added: &mut Map<String, Value>) -> Result<Value, Failure> {
        check_added(config.realms().get(name), REALM)?;
        let resolvers = config.resolvers();
        let (known, failed): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .partition(|(resolver, _)| resolvers.contains_key(resolver.as_str()));
        let member = |(resolver, priority): &(String, Option<i64>)| match priority {
            Some(priority) => json!({"name": resolver, "priority": priority}),
            None => json!({ "name": resolver }),
        };
        // Nothing but names that are wrong empties no realm.
        if !known.is_empty() || failed.is_empty() {
            let members: Vec<_> = known.iter().copied().map(member).collect();
            RealmConfig::added_realms(added).insert(name.to_owned(), json!({ "resolvers": members }));
            // The first one; whoever took the default away did not ask for another.
            if config.default_realm().is_none() && config.realms().is_empty() {
                RealmConfig::set_default(added, Some(name));
            }
        }
        let names = |members: &[&(String, Option<i64>)]| -> Vec<String> {
            members.iter().map(|(resolver, _)| resolver.clone()).collect()
        };
        Ok(json!({"added": names(&known), "failed": names(&failed)}))
    }
}

/// A realm as this API writes it.
fn body(config: &RealmConfig, name: &str, realm: &Entry<'_>) -> Value {
    let resolvers = config.resolvers();
    let members: Vec<_> = realm
        .members()
        .iter()
        .map(|member| {
            let found = resolvers.get(member.resolver);
            json!({
                "name": member.resolver,
                "type": found.map_or("", resolver::type_name),
                "priority": member.priority,
                "node": "",
            })
        })
        .collect();
    json!({
        "id": id_of(REALM, name),
        "default": config.default_name().as_deref() == Some(name),
        "option": "",
        "resolver": members,
    })
}
