//! Resolvers: `/resolver/`. This API's types are told as privacyIDEA names them; what a resolver stands on, a file for example, is what the operator grants to
//! the backend, by its name there.

mod kind;
mod query;
mod shape;

use std::collections::BTreeSet;

use axum::response::Response;
use keyway_core::Secret;
use keyway_core::port::{BackendSettings, BackendSettingsError};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::ask::Ask;
use super::document::resolver as tell;
use super::error::Failure;
use super::realm_config::{Entry, RealmConfig};
use super::realm_edit::{check_added, check_name, id_of, in_use, unknown};
use crate::document::{Routes, get, post};
use kind::Kind;
use shape::Draft;

pub(super) use kind::type_name;

const RESOLVER: &str = "resolver";

/// Under which name a resolver is tried that nobody has named.
const UNNAMED: &str = "test";

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/resolver/", get(tell::list_all, show))
        .route("/resolver/test", post(tell::test, test))
        .route(
            "/resolver/{resolver}",
            get(tell::show, show)
                .post(tell::write, write)
                .delete(tell::remove, remove),
        )
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        ask.admin_may("resolverread").await?;
        let params = ask.params()?;
        let (name, kind) = (params.word(RESOLVER)?, params.word("type")?);
        let config = ask.pi.realm_config().await?;
        let resolvers = config.resolvers().into_iter();
        let wanted = resolvers.filter(|(other, resolver)| {
            name.is_none_or(|name| name == *other) && kind.is_none_or(|kind| kind == type_name(resolver))
        });
        let shown = wanted.map(|(name, resolver)| (name.to_owned(), body(name, &resolver)));
        Ok(Answer::of(shown.collect::<Map<_, _>>()))
    };
    ask.answer(shown.await).await
}

async fn write(ask: Ask) -> Response {
    let written = async {
        ask.admin_may("resolverwrite").await?;
        let params = ask.params()?;
        let name = params.needed(RESOLVER)?;
        check_name(name, RESOLVER)?;
        let config = ask.pi.realm_config().await?;
        let draft = Draft::of(name, params, config.resolvers().get(name))?;
        draft.check_grants(&config.settings)?;
        check_added(config.resolvers().get(name), RESOLVER)?;
        // Before the resolver that reads them, and forgotten when nothing comes of it.
        ask.keep_secrets(&draft).await?;
        let edit = ask.pi.edit_realms(|config, added| {
            check_added(config.resolvers().get(name), RESOLVER)?;
            RealmConfig::added_resolvers(added).insert(name.to_owned(), draft.config.clone());
            Ok(())
        });
        if let Err(failure) = edit.await {
            if !config.resolvers().contains_key(name) {
                ask.forget_secrets(draft.secrets.keys().map(String::as_str)).await?;
            }
            return Err(failure);
        }
        Ok(Answer::of(id_of(RESOLVER, name)))
    };
    ask.answer(written.await).await
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        ask.admin_may("resolverdelete").await?;
        let name = ask.params()?.needed(RESOLVER)?;
        let edit = ask.pi.edit_realms(|config, added| {
            let resolvers = config.resolvers();
            let resolver = resolvers.get(name).ok_or_else(|| unknown(RESOLVER, name))?;
            check_added(Some(resolver), RESOLVER)?;
            let realms = config.realms();
            let mut holders = realms
                .iter()
                .filter(|(_, realm)| realm.members().iter().any(|member| member.resolver == name));
            if let Some((realm, _)) = holders.next() {
                return Err(in_use(format!(
                    "The resolver `{name}` is still in the realm `{realm}`."
                )));
            }
            let removed = RealmConfig::added_resolvers(added).shift_remove(name);
            Ok(removed.map(|config| shape::secret_names(&config)).unwrap_or_default())
        });
        let secrets = edit.await?;
        ask.forget_secrets(secrets.iter().map(String::as_str)).await?;
        Ok(Answer::of(id_of(RESOLVER, name)))
    };
    ask.answer(removed.await).await
}

async fn test(ask: Ask) -> Response {
    let tested = async {
        ask.admin_may("resolverwrite").await?;
        let params = ask.params()?;
        let config = ask.pi.realm_config().await?;
        let name = params
            .word("resolvername")?
            .or(params.word(RESOLVER)?)
            .unwrap_or(UNNAMED);
        check_name(name, RESOLVER)?;
        let draft = Draft::of(name, params, config.resolvers().get(name))?;
        draft.check_grants(&config.settings)?;
        let mut added = config.added();
        RealmConfig::added_resolvers(&mut added).insert(name.to_owned(), draft.config);
        let desk = ask.pi.get_desk()?;
        let (is_good, description) = match desk.try_out(&ask.pi.settings().backend, Value::Object(added)).await {
            Ok(()) => (true, "The backend accepts this resolver.".to_owned()),
            Err(BackendSettingsError::Refused(problems)) => (false, shape::told(&problems)),
            Err(error @ BackendSettingsError::NotLoaded(_)) => (false, error.to_string()),
            Err(error) => return Err(error.into()),
        };
        Ok(Answer::of(is_good).detail(json!({ "description": description })))
    };
    ask.answer(tested.await).await
}

impl Ask {
    async fn keep_secrets(&self, draft: &Draft) -> Result<(), Failure> {
        let backend = &self.pi.settings().backend;
        for (name, value) in &draft.secrets {
            let value = Secret::new(value.expose().clone());
            self.pi.get_desk()?.set_secret(backend, name, Some(value)).await?;
        }
        Ok(())
    }

    async fn forget_secrets(&self, names: impl Iterator<Item = &str> + Send) -> Result<(), Failure> {
        let names: BTreeSet<_> = names.collect();
        for name in names {
            self.pi
                .get_desk()?
                .set_secret(&self.pi.settings().backend, name, None)
                .await?;
        }
        Ok(())
    }
}

impl Draft {
    /// Refuses what stands on something that the operator does not grant.
    fn check_grants(&self, settings: &BackendSettings) -> Result<(), Failure> {
        let Some((parameter, key, granted)) = self.kind.stands_on(settings) else {
            return Ok(());
        };
        let named = self.config.get(key).and_then(Value::as_str).unwrap_or_default();
        if granted.iter().any(|name| name == named) {
            return Ok(());
        }
        let granted = if granted.is_empty() {
            "none".to_owned()
        } else {
            granted.join(", ")
        };
        Err(Failure::Parameter(format!(
            "`{parameter}` must be the name of what the operator grants to the backend for this; it grants: {granted}"
        )))
    }
}

/// A resolver as this API writes it.
fn body(name: &str, resolver: &Entry<'_>) -> Value {
    let data = Kind::of_config(resolver.value).map_or_else(|| json!({}), |kind| shape::data(kind, resolver.value));
    json!({
        "resolvername": name,
        "type": type_name(resolver),
        "data": data,
        "censor_keys": shape::secret_headers(resolver.value),
        "readonly": resolver.is_fixed,
    })
}
