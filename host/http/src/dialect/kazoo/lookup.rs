//! Which accounts the data of a login mean.

use keyway_core::accounts::AccountIndex;
use keyway_core::model::TenantId;
use serde_json::{Map, Value};

/// The accounts that are meant, in the order in which they are tried: that of the phone number, else that of the realm, else those of the name. One that is
/// given beside another one that is found counts for nothing.
pub(super) fn accounts_of(index: &AccountIndex, data: &Map<String, Value>) -> Vec<TenantId> {
    let text = |name: &str| data.get(name).and_then(Value::as_str);
    let by_phone = || index.find_by_phone(text("phone_number")?);
    let by_realm = || {
        let realms = [text("account_realm"), text("realm")].into_iter().flatten();
        realms.into_iter().find_map(|realm| index.find_by_realm(realm))
    };
    if let Some(found) = by_phone().or_else(by_realm) {
        return vec![found];
    }
    text("account_name").map_or_else(Vec::new, |name| index.find_by_name(name).to_vec())
}
