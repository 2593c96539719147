//! Settings by name: `/system/`. Clients read and write them; one of them, `splitAtSign`, is the realms' own.

use axum::response::Response;
use keyway_core::port::{DocumentKind, DocumentStore, NewDocument, StoredDocument};
use serde_json::{Map, Value, json};

use super::Privacyidea;
use super::answer::Answer;
use super::ask::Ask;
use super::document::system as tell;
use super::error::Failure;
use super::params::Params;
use super::realm_config::RealmConfig;
use super::realm_edit::{check_added, unknown};
use super::signature;
use crate::document::{Routes, get, post};

const KEY: &str = "key";

/// Whether a realm may stand in a name.
const SPLIT_AT_SIGN: &str = "splitAtSign";

/// The longest name and value of a setting, in bytes.
const MAX_KEY: usize = 255;
const MAX_VALUE: usize = 8 * 1024;

/// How many settings there may be.
const MAX_SETTINGS: usize = 1000;

/// What stands in place of a setting that is a secret.
const CENSORED: &str = "__CENSORED__";

/// What goes behind a setting's name in a parameter that tells of its type, or what it is for.
const TYPE: &str = ".type";
const DESCRIPTION: &str = ".desc";

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/system/", get(tell::list, list))
        .route("/system/setConfig", post(tell::write, write))
        .route("/system/hsm", get(tell::keys, keys))
        .route("/system/signature", get(tell::signature, signature))
        .route("/system/{key}", get(tell::show, show).delete(tell::remove, remove))
}

async fn list(ask: Ask) -> Response {
    let listed = async {
        ask.admin_may("configread").await?;
        let stored = ask
            .pi
            .documents()
            .list_documents(DocumentKind::PrivacyideaSetting)
            .await?;
        let mut shown: Map<String, Value> = stored
            .iter()
            .map(|stored| (stored.name.clone(), value(stored)))
            .collect();
        let splits = ask.pi.realm_config().await?.splits();
        shown.insert(SPLIT_AT_SIGN.to_owned(), json!(python_bool(splits)));
        Ok(Answer::of(shown))
    };
    ask.answer(listed.await).await
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        ask.admin_may("configread").await?;
        let key = ask.params()?.needed(KEY)?;
        if key == SPLIT_AT_SIGN {
            return Ok(Answer::of(python_bool(ask.pi.realm_config().await?.splits())));
        }
        let stored = ask
            .pi
            .documents()
            .find_document(DocumentKind::PrivacyideaSetting, key)
            .await?;
        Ok(Answer::of(stored.as_ref().map(value)))
    };
    ask.answer(shown.await).await
}

async fn write(ask: Ask) -> Response {
    let written = async {
        ask.admin_may("configwrite").await?;
        let params = ask.params()?;
        let settings = Setting::all_of(params)?;
        let mut done = Map::new();
        for setting in settings {
            let word = ask.pi.write_setting(&setting).await?;
            done.insert(setting.key.to_owned(), json!(word));
        }
        Ok(Answer::of(done))
    };
    ask.answer(written.await).await
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        ask.admin_may("configdelete").await?;
        let key = ask.params()?.needed(KEY)?;
        if key == SPLIT_AT_SIGN {
            ask.pi.set_splitting(None).await?;
            return Ok(Answer::of(1));
        }
        let removed = ask
            .pi
            .documents()
            .remove_document(DocumentKind::PrivacyideaSetting, key)
            .await?;
        Ok(Answer::of(removed.ok_or_else(|| unknown("setting", key))?))
    };
    ask.answer(removed.await).await
}

/// Whether the keys are there under which secrets are sealed. No server starts without its master key, so no client has to bring it.
async fn keys(ask: Ask) -> Response {
    let told = async {
        ask.admin_may("configread").await?;
        Ok(Answer::of(json!({"is_ready": true})))
    };
    ask.answer(told.await).await
}

/// The key that answers are signed with: its public half, which is for everybody.
async fn signature(ask: Ask) -> Response {
    let shown = async {
        if !ask.pi.settings().sign_responses {
            return Err(Failure::NotFound("Answers are not signed.".to_owned()));
        }
        let key = ask.pi.response_key().await.map_err(Failure::Signature)?;
        Ok(Answer::of(
            json!({"algorithm": signature::ALGORITHM, "public_key": key.public()}),
        ))
    };
    ask.answer(shown.await).await
}

/// A setting that is to be.
struct Setting<'a> {
    key: &'a str,
    value: String,
    is_secret: bool,
    description: Option<&'a str>,
}

impl<'a> Setting<'a> {
    fn all_of(params: &'a Params) -> Result<Vec<Self>, Failure> {
        let names = params.iter().map(|(name, _)| name);
        let is_about = |name: &str, end: &str| {
            let about = name.strip_suffix(end);
            about.is_some_and(|about| params.value(about).is_some())
        };
        let keys = names.filter(|name| *name != "nonce" && !is_about(name, TYPE) && !is_about(name, DESCRIPTION));
        keys.map(|key| Self::of(key, params)).collect()
    }

    fn of(key: &'a str, params: &'a Params) -> Result<Self, Failure> {
        let value = match params.value(key) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => python_bool(*flag).to_owned(),
            Some(other) => other.to_string(),
        };
        if key.is_empty() || key.len() > MAX_KEY || key.contains(char::is_control) {
            return Err(Failure::Parameter(format!(
                "The name of a setting is 1 to {MAX_KEY} bytes"
            )));
        }
        if value.len() > MAX_VALUE || value.contains('\0') {
            return Err(Failure::Parameter(format!(
                "A setting is at most {MAX_VALUE} bytes, none of them NUL"
            )));
        }
        Ok(Self {
            is_secret: params.word(&format!("{key}{TYPE}"))? == Some("password"),
            description: params.word(&format!("{key}{DESCRIPTION}"))?,
            key,
            value,
        })
    }
}

impl Privacyidea {
    fn documents(&self) -> &dyn DocumentStore {
        &*self.0.store
    }

    /// Returns what was done: `insert` or `update`.
    async fn write_setting(&self, setting: &Setting<'_>) -> Result<&'static str, Failure> {
        if setting.key == SPLIT_AT_SIGN {
            let splits = match setting.value.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => true,
                "" | "false" | "0" | "no" | "off" => false,
                _ => return Err(Failure::Parameter(format!("`{SPLIT_AT_SIGN}` is `True` or `False`"))),
            };
            self.set_splitting(Some(splits)).await?;
            return Ok("update");
        }
        let present = self
            .documents()
            .find_document(DocumentKind::PrivacyideaSetting, setting.key)
            .await?;
        if present.is_none() {
            let all = self
                .documents()
                .list_documents(DocumentKind::PrivacyideaSetting)
                .await?;
            if all.len() >= MAX_SETTINGS {
                return Err(Failure::Parameter(format!("There are {MAX_SETTINGS} settings already")));
            }
        }
        let is_secret = setting.is_secret || present.as_ref().is_some_and(|present| present.sealed.is_some());
        if is_secret && setting.value == CENSORED && present.is_some() {
            return Ok("update");
        }
        let description = setting.description.unwrap_or_default();
        let (document, sealed) = if is_secret {
            let secret = setting.value.as_str().into();
            let sealed = self.keys().sealing.seal(&place(setting.key), &secret, self.random());
            (json!({ "description": description }), Some(sealed))
        } else {
            (json!({"description": description, "value": setting.value}), None)
        };
        let new = NewDocument {
            name: setting.key.to_owned(),
            document: document.to_string(),
            sealed,
            replaces: None,
        };
        self.documents()
            .put_document(DocumentKind::PrivacyideaSetting, &new)
            .await?;
        Ok(if present.is_some() { "update" } else { "insert" })
    }

    /// `None` for what the backend does by itself.
    async fn set_splitting(&self, splits: Option<bool>) -> Result<(), Failure> {
        self.edit_realms(|config, added| {
            check_added(config.splitting().as_ref(), "setting")?;
            RealmConfig::set_splitting(added, splits);
            Ok(())
        })
        .await
    }
}

/// What a secret setting is sealed for.
fn place(key: &str) -> String {
    format!("privacyidea/setting/{key}")
}

fn value(stored: &StoredDocument) -> Value {
    if stored.sealed.is_some() {
        return json!(CENSORED);
    }
    let document: Value = serde_json::from_str(&stored.document).unwrap_or_default();
    document.get("value").cloned().unwrap_or_default()
}

/// As privacyIDEA keeps it: settings are texts.
fn python_bool(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}
