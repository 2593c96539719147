//! Where a tenant's users are in LDAP.

use axum::response::Response;
use keyway_core::Secret;
use keyway_core::model::{LdapSecurity, LdapSettings, TenantId};
use keyway_core::setting::Setting;
use serde_json::{Value, json};

use super::ask::Ask;
use super::document::ldap as tell;
use super::error::Failure;
use super::fields::Fields;
use super::wire;
use crate::document::{Routes, get};
use crate::edge::{Payload, PayloadError};

const SECURITIES: [(&str, LdapSecurity); 2] = [("ldaps", LdapSecurity::Ldaps), ("tls", LdapSecurity::Tls)];

/// The longest password of a service account, and the longest filter, in characters.
const LONGEST: usize = 4096;

/// The routes, below the API's prefix.
pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/backends/ldap",
        get(tell::show, show)
            .put(tell::update, update)
            .delete(tell::remove, remove),
    )
}

async fn show(ask: Ask) -> Response {
    let shown = async {
        let caller = ask.authorize("auth.backends.ldap.read").await?;
        let found = ask.wazo.tenant_settings().find_ldap(caller.tenant).await?;
        let settings = found.map(|setting| setting.value);
        Ok(wire::ok(&body(caller.tenant, settings.as_ref())))
    };
    ask.answer(shown.await)
}

async fn update(ask: Ask, payload: Result<Payload, PayloadError>) -> Response {
    let updated = async {
        let caller = ask.authorize("auth.backends.ldap.update").await?;
        let setting = setting(payload)?;
        ask.wazo.tenant_settings().put_ldap(caller.tenant, &setting).await?;
        Ok(wire::ok(&body(caller.tenant, Some(&setting.value))))
    };
    ask.answer(updated.await)
}

async fn remove(ask: Ask) -> Response {
    let removed = async {
        let caller = ask.authorize("auth.backends.ldap.delete").await?;
        ask.wazo.tenant_settings().remove_ldap(caller.tenant).await?;
        Ok(wire::no_content())
    };
    ask.answer(removed.await)
}

/// What a body says; the password of the service account is only ever taken in.
fn setting(payload: Result<Payload, PayloadError>) -> Result<Setting<LdapSettings>, Failure> {
    let mut fields = Fields::parse(payload)?;
    let value = LdapSettings {
        host: fields.required_text("host", 0..=512),
        port: port(&mut fields),
        protocol_version: protocol_version(&mut fields),
        protocol_security: fields.nullable_choice("protocol_security", &SECURITIES),
        bind_dn: fields.nullable_text("bind_dn", 0..=256),
        user_base_dn: fields.required_text("user_base_dn", 0..=256),
        user_login_attribute: fields.required_text("user_login_attribute", 0..=64),
        user_email_attribute: fields.required_text("user_email_attribute", 0..=64),
        search_filters: fields.nullable_text("search_filters", 0..=LONGEST),
    };
    let password = fields.nullable_text("bind_password", 0..=LONGEST);
    fields.finish_service()?;
    Ok(Setting {
        value,
        secret: password.map(|password| Secret::new(password.into_bytes())),
    })
}

fn port(fields: &mut Fields) -> u16 {
    if !fields.has("port") {
        fields.problems.required("port");
    }
    let port = fields.integer("port").unwrap_or_default();
    u16::try_from(port).unwrap_or_else(|_| {
        fields.problems.range("port", 0, u64::from(u16::MAX));
        0
    })
}

fn protocol_version(fields: &mut Fields) -> u8 {
    match fields.integer("protocol_version") {
        Some(2) => 2,
        None | Some(3) => 3,
        Some(_) => {
            fields.problems.range("protocol_version", 2, 3);
            3
        }
    }
}

/// The settings as this dialect writes them, without the password; nothing but the tenant where there are none.
fn body(tenant: TenantId, settings: Option<&LdapSettings>) -> Value {
    json!({
        "tenant_uuid": settings.map(|_| tenant),
        "host": settings.map(|settings| &settings.host),
        "port": settings.map(|settings| settings.port),
        "protocol_version": settings.map(|settings| settings.protocol_version),
        "protocol_security": settings.and_then(|settings| settings.protocol_security).map(LdapSecurity::as_str),
        "bind_dn": settings.and_then(|settings| settings.bind_dn.as_ref()),
        "user_base_dn": settings.map(|settings| &settings.user_base_dn),
        "user_login_attribute": settings.map(|settings| &settings.user_login_attribute),
        "user_email_attribute": settings.map(|settings| &settings.user_email_attribute),
        "search_filters": settings.and_then(|settings| settings.search_filters.as_ref()),
    })
}
