//! Users as this API writes them. A password is never among it.

use keyway_core::model::{Profile, User};
use keyway_core::rights::PrivLevel;
use serde_json::{Map, Value, json};

use super::store::Standing;
use crate::dialect::kazoo::account::{closed_to_clients, told};

/// What is said of a user, as a client may send it back.
pub(super) fn said(standing: &Standing) -> Map<String, Value> {
    let Standing { user, profile, level } = standing;
    let mut body = profile.document.clone();
    body.retain(|name, _| !closed_to_clients(name));
    let mut put = |name: &str, value: Option<Value>| body.extend(value.map(|value| (name.to_owned(), value)));
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Value::from);
    put("username", text(user.login.as_deref()));
    put("first_name", text(user.firstname.as_deref()));
    put("last_name", text(user.lastname.as_deref()));
    put("email", text(user.main_email()));
    put("language", text(profile.language.as_deref()));
    put("timezone", text(profile.timezone.as_deref()));
    put("enabled", Some(json!(user.enabled)));
    put("verified", Some(json!(profile.verified)));
    put("require_password_update", Some(json!(profile.require_password_update)));
    put("priv_level", Some(json!(level.as_str())));
    body
}

/// The same with its id.
pub(super) fn of(standing: &Standing) -> Map<String, Value> {
    let mut body = said(standing);
    body.insert("id".to_owned(), json!(standing.user.id.0.simple()));
    body
}

/// A user in a list.
pub(super) fn listed(user: &User, profile: &Profile, level: PrivLevel) -> Value {
    told(json!({
        "id": user.id.0.simple(),
        "username": user.login,
        "first_name": user.firstname,
        "last_name": user.lastname,
        "email": user.main_email(),
        "priv_level": level.as_str(),
        "enabled": user.enabled,
        "timezone": profile.timezone,
        "features": [],
    }))
}
