//! Accounts as this API writes them.

use keyway_core::accounts::AccountIndex;
use keyway_core::model::{Account, Tenant, TenantId, Timestamp};
use serde_json::{Map, Value, json};

use super::content::{DESCENDANTS, RESELLER, RESELLER_ID, SUPERDUPER, TRIAL_LEFT, closed_to_clients};
use super::gregorian::gregorian;

/// What is said of an account, as a client may send it back.
pub(super) fn said(tenant: &Tenant, account: &Account) -> Map<String, Value> {
    let mut body = account.document.clone();
    body.retain(|name, _| !closed_to_clients(name));
    let mut put = |name: &str, value: Option<Value>| body.extend(value.map(|value| (name.to_owned(), value)));
    put("name", tenant.name.as_ref().map(|name| json!(name)));
    put("realm", tenant.realm.as_ref().map(|realm| json!(realm)));
    put("language", account.language.as_ref().map(|language| json!(language)));
    put("timezone", account.timezone.as_ref().map(|timezone| json!(timezone)));
    put("enabled", Some(json!(account.enabled)));
    put("phone_numbers", Some(json!(account.phone_numbers)));
    let trial = account.trial_expires_at.map(|end| json!(gregorian(end)));
    put("trial_expires", trial);
    body
}

/// An account, and what clients cannot change of it.
pub(super) fn of(index: &AccountIndex, id: TenantId, now: Timestamp) -> Option<Map<String, Value>> {
    let (tenant, account) = index.get(id)?;
    let mut body = said(tenant, account);
    let mut put = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    put("id", json!(id.0.simple()));
    put(RESELLER, json!(account.reseller));
    put(RESELLER_ID, json!(index.reseller_of(id).unwrap_or(id).0.simple()));
    put(SUPERDUPER, json!(id == index.master()));
    put(DESCENDANTS, json!(index.descendants(id).len()));
    if let Some(end) = account.trial_expires_at {
        put(TRIAL_LEFT, json!(end.since(now).as_secs()));
    }
    Some(body)
}

/// An account in a list.
pub(super) fn listed(index: &AccountIndex, id: TenantId) -> Value {
    let Some((tenant, account)) = index.get(id) else {
        return Value::Null;
    };
    let tree = index.ancestors(id);
    let tree = tree.iter().map(|id| id.0.simple().to_string());
    told(json!({
        "id": id.0.simple(),
        "name": tenant.name,
        "realm": tenant.realm,
        "tree": tree.collect::<Vec<_>>(),
        "enabled": account.enabled,
        "is_reseller": account.reseller,
        "descendants_count": index.descendants(id).len(),
    }))
}

/// An account by its id and its name.
pub(super) fn named(index: &AccountIndex, id: TenantId) -> Value {
    let name = index.get(id).and_then(|(tenant, _)| tenant.name.as_deref());
    told(json!({ "id": id.0.simple(), "name": name }))
}

/// What there is nothing to tell of is not there.
pub(in crate::dialect::kazoo) fn told(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
