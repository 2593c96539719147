//! Realms and resolvers, as what was added to the configuration of a realm backend.

use serde_json::{Map, Value, json};

use super::report::Wanted;
use super::resolver::{Becomes, check_name, namesake, translate};
use super::{PrivacyideaImportError, Run, foreign};
use crate::import::report::{ImportKind, Outcome};
use crate::port::{
    AddedConfig, DocumentKind, NewDocument, PrivacyideaCounts, PrivacyideaRealm, PrivacyideaResolver, StoredDocument,
};

const REALMS: &str = "realms";
const RESOLVERS: &str = "resolvers";
const DEFAULT_REALM: &str = "default_realm";
const SPLIT_AT_SIGN: &str = "split_at_sign";

/// The configuration of the realm backend: what the file says, and what is added to it.
pub(super) struct RealmConfig {
    fixed: Value,
    added: Map<String, Value>,
}

impl RealmConfig {
    /// A resolver by its name.
    pub(super) fn resolver(&self, name: &str) -> Option<&Value> {
        self.find(RESOLVERS, |key| key == name)
    }

    /// A realm by its name; case does not count.
    fn realm(&self, name: &str) -> Option<&Value> {
        self.find(REALMS, |key| key.eq_ignore_ascii_case(name))
    }

    /// Where both say something, the file's word holds.
    fn find(&self, part: &str, is_it: impl Fn(&str) -> bool) -> Option<&Value> {
        let entries = [self.fixed.get(part), self.added.get(part)].into_iter().flatten();
        let mut entries = entries.filter_map(Value::as_object).flatten();
        entries.find(|(key, _)| is_it(key)).map(|(_, value)| value)
    }

    fn says(&self, key: &str) -> Option<&Value> {
        self.fixed
            .get(key)
            .or_else(|| self.added.get(key))
            .filter(|value| !value.is_null())
    }

    fn add(&mut self, part: &str, name: &str, value: Value) {
        let slot = self.added.entry(part.to_owned()).or_insert(Value::Null);
        if let Value::Object(entries) = slot {
            entries.insert(name.to_owned(), value);
        } else {
            let mut entries = Map::new();
            entries.insert(name.to_owned(), value);
            *slot = Value::Object(entries);
        }
    }
}

impl Run<'_> {
    /// Adds the resolvers and realms that are missing, and returns all that there are.
    pub(super) async fn realms(
        &mut self,
        resolvers: &[PrivacyideaResolver],
        counts: PrivacyideaCounts,
    ) -> Result<RealmConfig, PrivacyideaImportError> {
        let backend = self.import.backend;
        let stored = self
            .importer
            .store
            .find_document(DocumentKind::BackendConfig, backend.name.as_str());
        let stored = stored.await?;
        let before = match &stored {
            None => AddedConfig::default(),
            Some(stored) => AddedConfig::parse(&stored.document)
                .ok_or_else(|| PrivacyideaImportError::Unreadable(backend.name.clone()))?,
        };
        let mut config = RealmConfig {
            fixed: backend.fixed.clone(),
            added: before.config.clone(),
        };
        self.begin(ImportKind::Resolver, counts.resolvers);
        for resolver in resolvers {
            let becomes = match namesake(resolver, resolvers) {
                None => translate(resolver, backend),
                Some(other) => Becomes::Impossible(format!(
                    "what is granted for it would have the same name as for `{other}`; describe it in the configuration file"
                )),
            };
            let became = self.resolver(resolver, becomes, &mut config);
            self.count(ImportKind::Resolver, &resolver.name, became);
        }
        self.begin(ImportKind::Realm, counts.realms);
        let realms = self.import.database.realms().await.map_err(foreign)?;
        for realm in &realms {
            let became = realm_of(realm, &mut config);
            self.count(ImportKind::Realm, &realm.name, became);
        }
        self.whole_system(&realms, &mut config).await?;
        if config.added != before.config {
            let after = AddedConfig {
                revision: before.revision + 1,
                config: config.added.clone(),
            };
            self.put(&after, stored).await?;
        }
        Ok(config)
    }

    /// Has the backend's plugin look at what is added, and keeps it.
    async fn put(&self, after: &AddedConfig, stored: Option<StoredDocument>) -> Result<(), PrivacyideaImportError> {
        let backend = self.import.backend;
        let checked = self.import.check.check(&after.below(&backend.fixed)).await;
        checked.map_err(|reason| PrivacyideaImportError::Refused {
            backend: backend.name.clone(),
            reason,
        })?;
        if self.import.dry_run {
            return Ok(());
        }
        let new = NewDocument {
            name: backend.name.to_string(),
            document: after.to_document(),
            sealed: stored.as_ref().and_then(|stored| stored.sealed.clone()),
            replaces: Some(stored.map_or(0, |stored| stored.revision)),
        };
        let kept = self.importer.store.put_document(DocumentKind::BackendConfig, &new);
        kept.await?;
        Ok(())
    }

    fn resolver(&mut self, resolver: &PrivacyideaResolver, becomes: Becomes, config: &mut RealmConfig) -> Outcome {
        let Some(here) = config.resolver(&resolver.name) else {
            return match becomes {
                Becomes::Ready(value) => {
                    config.add(RESOLVERS, &resolver.name, value);
                    Outcome::Added
                }
                Becomes::Wants(wanted, reason) => {
                    self.report.wanted.push(wanted);
                    Outcome::skipped(format!(
                        "{reason}; see what is to be configured, and run the import again"
                    ))
                }
                Becomes::Impossible(reason) => Outcome::skipped(reason),
            };
        };
        let kind = here.get("type").and_then(Value::as_str).unwrap_or_default();
        let fits = match &becomes {
            Becomes::Ready(value) => value.get("type").and_then(Value::as_str) == Some(kind),
            Becomes::Wants(Wanted::File { .. }, _) => kind == "passwd",
            Becomes::Wants(Wanted::Database { .. }, _) => kind == "sql",
            // However the operator has set it up.
            Becomes::Wants(Wanted::Ldap(_) | Wanted::Http { .. }, _) | Becomes::Impossible(_) => true,
        };
        if !fits && kind != "backend" {
            let text = format!("a resolver of this name is here, of the type `{kind}`: it is left as it is");
            self.report.note(ImportKind::Resolver, &resolver.name, text);
        }
        Outcome::Present
    }

    /// What is said once for all realms.
    async fn whole_system(
        &mut self,
        realms: &[PrivacyideaRealm],
        config: &mut RealmConfig,
    ) -> Result<(), PrivacyideaImportError> {
        if let Some(default) = realms.iter().find(|realm| realm.is_default) {
            let became = if config.says(DEFAULT_REALM).is_some() {
                Outcome::Present
            } else if config.realm(&default.name).is_some() {
                let name = Value::from(default.name.to_lowercase());
                config.added.insert(DEFAULT_REALM.to_owned(), name);
                Outcome::Added
            } else {
                Outcome::skipped(format!("the realm `{}` is not here", default.name))
            };
            self.report.count(ImportKind::Setting, DEFAULT_REALM, became);
        }
        let settings = self.import.database.settings().await.map_err(foreign)?;
        let splits = settings.iter().find(|(key, _)| key.eq_ignore_ascii_case("splitAtSign"));
        if splits.is_some_and(|(_, value)| matches!(value.to_lowercase().as_str(), "false" | "0" | "off" | "no")) {
            let became = if config.says(SPLIT_AT_SIGN).is_some() {
                Outcome::Present
            } else {
                config.added.insert(SPLIT_AT_SIGN.to_owned(), Value::Bool(false));
                Outcome::Added
            };
            self.report.count(ImportKind::Setting, SPLIT_AT_SIGN, became);
        }
        Ok(())
    }

    fn count(&mut self, kind: ImportKind, id: &str, became: Outcome) {
        self.report.count(kind, id, became);
        self.progress.advance(1);
    }
}

/// A realm comes whole or not at all: a login that a missing resolver knows would otherwise be a namesake's in a later one.
fn realm_of(realm: &PrivacyideaRealm, config: &mut RealmConfig) -> Outcome {
    if config.realm(&realm.name).is_some() {
        return Outcome::Present;
    }
    if let Err(reason) = check_name(&realm.name) {
        return Outcome::skipped(reason);
    }
    if let Some(bound) = realm.resolvers.iter().find(|member| !member.node.is_empty()) {
        let reason = format!("its resolver `{}` belongs to it on one node alone", bound.resolver);
        return Outcome::skipped(reason);
    }
    let missing = realm
        .resolvers
        .iter()
        .filter(|member| config.resolver(&member.resolver).is_none());
    let missing: Vec<_> = missing.map(|member| format!("`{}`", member.resolver)).collect();
    if !missing.is_empty() {
        return Outcome::skipped(format!("these resolvers of it are not here: {}", missing.join(", ")));
    }
    let members = realm.resolvers.iter().map(|member| match member.priority {
        Some(priority) => json!({"name": member.resolver, "priority": priority}),
        None => json!({"name": member.resolver}),
    });
    let members: Vec<Value> = members.collect();
    config.add(REALMS, &realm.name.to_lowercase(), json!({"resolvers": members}));
    Outcome::Added
}
