//! The server's own configuration, in wazo's words as far as it has them, without secrets.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::document::config as tell;
use super::error::{Failure, Unauthorized};
use super::validation::{Problem, Problems};
use super::wire::{self, ApiError};
use crate::document::{Routes, get};
use crate::edge::{Payload, PayloadError};
use crate::{OwnSettings, RunningMail, RunningSettings, Switch};

/// What stands for a secret that is there.
const MASK: &str = "********";

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route("/config", get(tell::show, show).patch(tell::change, change))
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let settings = authorize(&ask, "auth.config.read").await?;
        Ok(wire::ok(&body(&ask, &settings.show())))
    };
    ask.answer(shown.await)
}

async fn change(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let changed = async {
        let settings = authorize(&ask, "auth.config.update").await?;
        for (switch, on) in read(&payload?)? {
            tracing::warn!(request_id = ask.call.id(), ?switch, on, "a caller changed the log");
            settings.turn(switch, on);
        }
        Ok(wire::ok(&body(&ask, &settings.show())))
    };
    ask.answer(changed.await)
}

/// The settings, for a caller of the top tenant.
async fn authorize<'a>(ask: &'a Ask, access: &str) -> Result<&'a dyn OwnSettings, Failure> {
    let caller = ask.authorize(access).await?;
    let own = caller.live.record.session.identity.tenant;
    let top = ask.wazo.directory().tenant_tree().await?.master();
    let settings = ask.wazo.own_settings().filter(|_| top == Some(own));
    settings.ok_or_else(|| Failure::Unauthorized(Unauthorized::NoAccess(access.to_owned())))
}

/// The changes of a JSON Patch: nothing but `replace` of a switch. All of them, or none.
fn read(body: &[u8]) -> Result<Vec<(Switch, bool)>, Failure> {
    let operations = match keyway_core::json::parse(body) {
        Ok(Value::Array(operations)) => operations,
        Ok(_) => return Err(invalid(|problems| problems.remark("_schema", "Invalid input type."))),
        Err(_) => return Err(Failure::Body(Problem::Malformed)),
    };
    operations.iter().map(operation).collect()
}

fn operation(operation: &Value) -> Result<(Switch, bool), Failure> {
    if operation.get("op").and_then(Value::as_str) != Some("replace") {
        return Err(invalid(|problems| problems.choice("op", &["replace"])));
    }
    let switch = match operation.get("path").and_then(Value::as_str) {
        Some("/debug") => Switch::Debug,
        Some("/profiling_enabled") => Switch::Profiling,
        _ => {
            let paths = ["/debug", "/profiling_enabled"];
            return Err(invalid(|problems| problems.choice("path", &paths)));
        }
    };
    let on = operation.get("value").and_then(Value::as_bool);
    let on = on.ok_or_else(|| invalid(|problems| problems.kind("value", "boolean")))?;
    Ok((switch, on))
}

fn invalid(describe: impl FnOnce(&mut Problems)) -> Failure {
    let mut problems = Problems::default();
    describe(&mut problems);
    ApiError::invalid("config", &problems).into()
}

fn body(ask: &Ask, running: &RunningSettings) -> Value {
    let mut body = Map::new();
    for part in [
        log(running),
        tokens(running),
        provisions(running),
        mail(running),
        plugins(ask),
        servers(ask, running),
    ] {
        if let Value::Object(part) = part {
            body.extend(part);
        }
    }
    Value::Object(body)
}

fn log(running: &RunningSettings) -> Value {
    json!({
        "config_file": running.config_file,
        "debug": running.debug,
        "profiling_enabled": running.profiling,
        "log_level": running.log_level,
    })
}

fn tokens(running: &RunningSettings) -> Value {
    let token = &running.token;
    json!({
        "default_token_lifetime": token.default_ttl.as_secs(),
        "token_cleanup_interval": token.sweep_interval.as_secs_f64(),
        "token_cleanup_batch_size": token.sweep_batch,
        "max_user_concurrent_sessions": token.max_sessions,
        "password_reset_expiration": running.password_reset_lifetime.as_secs(),
        "email_confirmation_expiration": running.email_confirmation_lifetime.as_secs(),
    })
}

fn provisions(running: &RunningSettings) -> Value {
    let provisions = &running.provisions;
    let chosen = |slugs: &[String]| -> Map<String, Value> {
        let slugs = slugs.iter().map(|slug| (slug.clone(), Value::Bool(true)));
        slugs.collect()
    };
    let policies: Map<_, _> = provisions
        .policies
        .iter()
        .map(|policy| {
            let content = json!({"acl": policy.accesses, "description": policy.description});
            (policy.slug.clone(), content)
        })
        .collect();
    let groups: Map<_, _> = provisions
        .groups
        .iter()
        .map(|group| {
            let content = json!({"name": group.name, "policies": chosen(&group.policies)});
            (group.slug.clone(), content)
        })
        .collect();
    let first = provisions.first_user.as_ref();
    json!({
        "update_policy_on_startup": provisions.update,
        "default_policies": policies,
        "all_users_policies": chosen(&provisions.all_users),
        "tenant_default_groups": groups,
        "default_user_policy": running.token.default_user_policy,
        "bootstrap_user_on_startup": first.is_some(),
        "bootstrap_user_username": first.map(|first| &first.login),
        "bootstrap_user_password": first.map(|_| MASK),
        "bootstrap_user_purpose": first.map(|first| first.purpose.as_str()),
        "bootstrap_user_policy_slug": first.map(|first| &first.policy),
    })
}

fn mail(running: &RunningSettings) -> Value {
    let Some(mail) = &running.mail else {
        return json!({"smtp": null});
    };
    let RunningMail {
        host,
        port,
        user,
        password_reset_from,
        email_confirmation_from,
    } = mail;
    json!({
        "smtp": {"hostname": host, "port": port, "username": user, "password": user.as_ref().map(|_| MASK)},
        "password_reset_from_name": password_reset_from.0,
        "password_reset_from_address": password_reset_from.1,
        "email_confirmation_from_name": email_confirmation_from.0,
        "email_confirmation_from_address": email_confirmation_from.1,
    })
}

fn plugins(ask: &Ask) -> Value {
    let names = ask.wazo.backends().names();
    let backends: Map<_, _> = names
        .iter()
        .map(|name| (name.as_str().to_owned(), Value::Bool(true)))
        .collect();
    json!({
        "enabled_backend_plugins": backends,
        "enabled_http_plugins": {"user_registration": ask.wazo.settings().registration},
        "uuid": ask.wazo.settings().xivo_uuid,
    })
}

fn servers(ask: &Ask, running: &RunningSettings) -> Value {
    let cors = &ask.wazo.settings().cors;
    let origins: Vec<_> = cors.origins.iter().filter_map(|origin| origin.to_str().ok()).collect();
    let first = running.listeners.first();
    let addresses: Vec<_> = running.listeners.iter().map(|listener| listener.address).collect();
    json!({
        "db_uri": running.store,
        "rest_api": {
            "listen": first.map(|listener| listener.address.ip()),
            "port": first.map(|listener| listener.address.port()),
            "certificate": first.and_then(|listener| listener.certificate.as_ref()),
            "private_key": first.and_then(|listener| listener.private_key.as_ref()),
            "addresses": addresses,
            "trusted_proxies": running.trusted_proxies,
            "cors": {
                "enabled": cors.enabled,
                "allow_headers": cors.headers,
                "origins": if cors.origins.is_empty() { json!("*") } else { json!(origins) },
            },
        },
    })
}
