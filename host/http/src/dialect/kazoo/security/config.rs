//! What is said of how somebody logs in: of an account, else of those above it, else by the server's configuration.

use std::time::Duration;

use keyway_core::accounts::AccountIndex;
use keyway_core::model::TenantId;
use serde_json::{Map, Value, json};

use super::attempt::module_of;
use super::{KEPT, MODULES};
use crate::dialect::kazoo::Kazoo;
use crate::dialect::kazoo::account::merge;
use crate::dialect::kazoo::error::Failure;
use crate::dialect::kazoo::schema::{Field, Kind, Schema};

const LIFE: &str = "token_auth_expiry_s";
const LOG_FAILED: &str = "log_failed_attempts";
const LOG_SUCCESSFUL: &str = "log_successful_attempts";

/// What there is to say. What would have no effect is refused rather than kept.
const WHOLE: Schema = Schema {
    fields: &[Field::of("auth_modules", Kind::Object)],
    closed: true,
};

const ALL_MODULES: Schema = Schema {
    fields: &[
        Field::of(super::BY_USER, Kind::Object),
        Field::of(super::BY_KEY, Kind::Object),
    ],
    closed: true,
};

const MODULE: Schema = Schema {
    fields: &[
        Field::of(LIFE, Kind::Whole),
        Field::of(LOG_FAILED, Kind::Flag),
        Field::of(LOG_SUCCESSFUL, Kind::Flag),
    ],
    closed: true,
};

/// The data of a request as they are kept, but for the id that clients send with everything.
///
/// # Errors
/// [`Failure::Invalid`].
pub(super) fn checked(data: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut data = data.clone();
    data.remove("id");
    let mut data = WHOLE.check(&data)?;
    let Some(Value::Object(modules)) = data.get_mut("auth_modules") else {
        return Ok(data);
    };
    let mut good = ALL_MODULES.check(modules)?;
    for settings in good.values_mut() {
        if let Value::Object(settings) = settings {
            *settings = MODULE.check(settings)?;
            if let Some(life) = settings.get(LIFE).and_then(Value::as_i64)
                && life < 1
            {
                let detail = json!({ "message": "Value must be at least 1", "target": 1, "value": life });
                return Err((LIFE, "minimum", detail).into());
            }
        }
    }
    *modules = good;
    Ok(data)
}

/// What is said of an account itself.
pub(super) fn kept(index: &AccountIndex, account: TenantId) -> Map<String, Value> {
    let kept = index.get(account).and_then(|(_, account)| account.document.get(KEPT));
    kept.and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What holds where nothing is said.
pub(super) fn of_server(ttl: Duration) -> Map<String, Value> {
    let usual = || json!({ LIFE: ttl.as_secs(), LOG_FAILED: true, LOG_SUCCESSFUL: true });
    let modules = MODULES.map(|module| (module.to_owned(), usual()));
    Map::from_iter([("auth_modules".to_owned(), Value::Object(Map::from_iter(modules)))])
}

impl Kazoo {
    /// What holds for a module in an account.
    async fn module(&self, account: TenantId, module: &str) -> Result<Map<String, Value>, Failure> {
        let index = self.accounts().index().await?;
        let mut config = Map::new();
        for place in index.ancestors(account).into_iter().chain([account]) {
            let said = index.get(place).and_then(|(_, account)| account.document.get(KEPT));
            let said = said.and_then(|said| said.get("auth_modules")?.get(module)?.as_object());
            if let Some(said) = said {
                merge(&mut config, said);
            }
        }
        Ok(config)
    }

    /// How long a token is good of whoever logs in by this module: as the account says, else those above it, else the configuration; in any case no longer than
    /// the configuration allows.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(in crate::dialect::kazoo) async fn ttl_of(&self, account: TenantId, module: &str) -> Result<Duration, Failure> {
        let config = self.module(account, module).await?;
        let said = config.get(LIFE).and_then(Value::as_u64).map(Duration::from_secs);
        Ok(said.map_or_else(|| self.ttl(), |said| said.min(self.tokens().settings().max_ttl)))
    }

    /// Whether an attempt of this kind is written that ended like this. If nobody can say, it is; and who acted in whose place always is.
    pub(in crate::dialect::kazoo) async fn is_written(&self, account: TenantId, kind: &str, success: bool) -> bool {
        let Some(module) = module_of(kind) else {
            return true;
        };
        let name = if success { LOG_SUCCESSFUL } else { LOG_FAILED };
        match self.module(account, module).await {
            Ok(config) => config.get(name).and_then(Value::as_bool).unwrap_or(true),
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: Value) -> Result<Value, ()> {
        let Value::Object(data) = data else {
            panic!("{data} is no object")
        };
        checked(&data).map(Value::Object).map_err(drop)
    }

    #[test]
    fn what_has_no_effect_is_not_kept() {
        let good =
            json!({ "auth_modules": { "cb_user_auth": { "token_auth_expiry_s": 60, "log_failed_attempts": false } } });
        assert_eq!(check(good.clone()), Ok(good));
        assert_eq!(check(json!({ "id": "x" })), Ok(json!({})));
        for bad in [
            json!({ "other": 1 }),
            json!({ "auth_modules": { "cb_ip_auth": {} } }),
            json!({ "auth_modules": { "cb_user_auth": { "multi_factor": { "enabled": true } } } }),
            json!({ "auth_modules": { "cb_user_auth": { "token_auth_expiry_s": 0 } } }),
            json!({ "auth_modules": { "cb_user_auth": { "token_auth_expiry_s": "soon" } } }),
            json!({ "auth_modules": [] }),
        ] {
            assert_eq!(check(bad.clone()), Err(()), "{bad}");
        }
    }
}
