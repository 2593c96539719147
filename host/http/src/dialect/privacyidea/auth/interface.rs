//! What the answer to a login says besides the token: what privacyIDEA's own user interface goes by. Real clients need little of it.

use serde_json::{Value, json};

use crate::dialect::privacyidea::jwt::Claims;
use crate::dialect::privacyidea::policies::Standing;

/// What is said at which level a user interface logs.
const LOG_LEVEL: u32 = 30;

/// The value of the answer.
pub(super) fn value(token: &str, claims: &Claims, standing: &Standing) -> Value {
    let mut value = json!({
        "token": token,
        "role": claims.role.name(),
        "username": claims.username,
        "realm": claims.realm,
        "auth": true,
        "log_level": LOG_LEVEL,
        "rights": standing.rights,
        "menus": standing.menus,
        "default_container_type": "generic",
        "token_rollover": {},
        "hide_welcome": true,
        "show_node": "",
        "subscription_status": 0,
        "qr_image_android": null,
        "qr_image_ios": null,
        "qr_image_custom": null,
        "require_description": [],
        "rss_age": 0,
        "container_wizard": {"enabled": false},
    });
    if let Some(fields) = value.as_object_mut() {
        // What policies say.
        fields.extend(standing.interface.clone());
    }
    value
}
