//! Policies, as far as they can be followed here.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{PrivacyideaImportError, Run, foreign};
use crate::import::report::{ImportKind, Outcome};
use crate::port::{DocumentKind, NewDocument, PrivacyideaPolicy, StoreError};

/// In these scopes nothing is forbidden as long as no policy says what is allowed.
const ALLOWING: [&str; 2] = ["admin", "user"];

impl Run<'_> {
    pub(super) async fn policies(&mut self, rows: u64) -> Result<(), PrivacyideaImportError> {
        self.begin(ImportKind::Policy, rows);
        let (mut lost, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for policy in self.import.database.policies().await.map_err(foreign)? {
            let became = self.policy(&policy).await?;
            let limits = ALLOWING
                .iter()
                .copied()
                .find(|scope| policy.active && *scope == policy.scope);
            if let Some(scope) = limits {
                let side = if matches!(became, Outcome::Skipped(_)) {
                    &mut lost
                } else {
                    &mut kept
                };
                side.insert(scope);
            }
            self.report.count(ImportKind::Policy, &policy.name, became);
            self.progress.advance(1);
        }
        for scope in lost.difference(&kept) {
            let text = "no policy limits this scope now: everything is allowed in it until one does";
            self.report.note(ImportKind::Policy, scope, text);
        }
        Ok(())
    }

    async fn policy(&self, policy: &PrivacyideaPolicy) -> Result<Outcome, PrivacyideaImportError> {
        let document = match self.import.policies.read(&policy.name, &fields(policy)) {
            Ok(document) => document,
            Err(reason) => return Ok(Outcome::Skipped(reason)),
        };
        let store = &self.importer.store;
        let here = store
            .find_document(DocumentKind::PrivacyideaPolicy, &policy.name)
            .await?;
        if let Some(here) = here {
            let here: Option<Value> = serde_json::from_str(&here.document).ok();
            return Ok(if here.as_ref() == Some(&document) {
                Outcome::Present
            } else {
                Outcome::skipped("a policy of this name is here, which says something else")
            });
        }
        if self.import.dry_run {
            return Ok(Outcome::Added);
        }
        let new = NewDocument {
            name: policy.name.clone(),
            document: document.to_string(),
            sealed: None,
            replaces: Some(0),
        };
        match store.put_document(DocumentKind::PrivacyideaPolicy, &new).await {
            Ok(_) => Ok(Outcome::Added),
            Err(StoreError::Conflict { .. }) => Ok(Outcome::skipped("a policy of this name was written meanwhile")),
            Err(error) => Err(error.into()),
        }
    }
}

/// The policy as the API writes it.
fn fields(policy: &PrivacyideaPolicy) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    put("scope", json!(policy.scope));
    put("action", json!(policy.action));
    put("active", json!(policy.active));
    put("priority", json!(policy.priority));
    for (key, value) in &policy.limits {
        put(key, json!(value));
    }
    if policy.check_all_resolvers {
        put("check_all_resolvers", json!(true));
    }
    if policy.user_case_insensitive {
        put("user_case_insensitive", json!(true));
    }
    let conditions = policy.conditions.iter().map(|condition| {
        let mut all = vec![
            json!(condition.section),
            json!(condition.key),
            json!(condition.comparator),
            json!(condition.value),
            json!(condition.active),
        ];
        if !condition.missing.is_empty() {
            all.push(json!(condition.missing));
        }
        Value::Array(all)
    });
    let conditions: Vec<Value> = conditions.collect();
    if !conditions.is_empty() {
        put("conditions", Value::Array(conditions));
    }
    fields
}
