//! Tokens of domains: `/api/v2/domains/{name}/settings/token`. They belong to programs, and to nobody of the domain.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use keyway_core::model::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::acl::Permissions;
use super::ask::Ask;
use super::book::{DomainToken, Maker};
use super::caller::{Caller, Domain};
use super::document::token as tell;
use super::error::Failure;
use super::jwt::millis;
use super::role::done;
use crate::document::{Routes, get};

const RESOURCE: &str = "domain";
const UNKNOWN: Failure = Failure::NotFound("Token not found.");

/// The most tokens of one domain.
const MAX_TOKENS: usize = 100;

/// The longest life of a token: beyond it, dates stop being representable.
const MAX_LIFE: Duration = Duration::from_hours(100 * 365 * 24);

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/api/v2/domains/{name}/settings/token",
            get(tell::list_all, list).post(tell::create, create),
        )
        .route(
            "/api/v2/domains/{name}/settings/token/{uuid}",
            crate::document::delete(tell::remove, remove).patch(tell::switch, switch),
        )
}

/// Who asks about a domain, and about which.
struct Visit {
    caller: Caller,
    domain: Domain,
}

impl Visit {
    /// Somebody with a domain has its own alone in view, whatever the path says.
    async fn begin(ask: &Ask) -> Result<Self, Failure> {
        let caller = ask.caller().await?;
        if let Some(domain) = caller.domain.clone() {
            caller.may(RESOURCE, &[Permissions::UPDATE, Permissions::UPDATE_OWN])?;
            return Ok(Self { caller, domain });
        }
        caller.may(RESOURCE, &[Permissions::UPDATE])?;
        let tree = ask.webitel.directory().tenant_tree().await?;
        let index = ask.webitel.accounts().index().await?;
        let found = tree.find(ask.path("name")).and_then(|tenant| index.get(tenant));
        let (tenant, _) = found.ok_or(Failure::NotFound("Domain not found."))?;
        Ok(Self {
            caller,
            domain: Domain::of(tenant),
        })
    }

    /// Who answers for a token. A token of a domain makes no other, which could outlive it, and nobody makes one in somebody else's place.
    fn maker(&self) -> Result<Maker, Failure> {
        self.caller.maker.ok_or(Failure::Denied)
    }

    /// The token that the path names, if it is this domain's.
    fn token(&self, ask: &Ask) -> Result<(Uuid, &DomainToken), Failure> {
        let id = Uuid::try_parse(ask.path("uuid")).map_err(|_| UNKNOWN)?;
        let token = self.caller.page.tokens.get(&id);
        let token = token.filter(|token| token.tenant == self.domain.tenant);
        Ok((id, token.ok_or(UNKNOWN)?))
    }
}

async fn list(ask: Ask) -> Response {
    let result = async {
        let visit = Visit::begin(&ask).await?;
        let tokens = visit.caller.page.tokens.iter();
        let mut own: Vec<_> = tokens
            .filter(|(_, token)| token.tenant == visit.domain.tenant)
            .collect();
        own.sort_by_key(|(id, token)| (token.created_at, **id));
        let shown: Vec<_> = own.into_iter().map(|(id, token)| show(*id, token)).collect();
        Ok(done(shown))
    };
    ask.answer(result.await)
}

async fn create(ask: Ask) -> Response {
    let result = async {
        let visit = Visit::begin(&ask).await?;
        let maker = visit.maker()?;
        let now = ask.webitel.now();
        let expires_at = end(ask.field("expire")?, now).ok_or_else(|| Failure::bad("Bad expire date."))?;
        let roles = &visit.caller.page.roles;
        let role = ask.field("role")?.as_str().filter(|name| roles.get(name).is_some());
        let role = role.ok_or_else(|| Failure::bad("Bad role name."))?;
        // Whoever makes a token could use it, today and tomorrow.
        let (wanted, own) = (roles.acl(role), ask.webitel.role_of(maker).await?);
        let own = own.map_or_else(Arc::default, |own| roles.acl(&own));
        if !(visit.caller.acl.covers(&wanted) && own.covers(&wanted)) {
            return Err(Failure::Denied);
        }
        remove_dead(&ask, &visit.caller).await?;
        let token = DomainToken {
            tenant: visit.domain.tenant,
            role: role.to_owned(),
            ceiling: (*visit.caller.acl).clone(),
            expires_at,
            maker,
            created_by: visit.caller.id.clone(),
            created_at: now,
            enabled: true,
            revision: 0,
        };
        let id = add(&ask, &token).await?;
        let domain = &visit.domain.name;
        tracing::info!(
            token = %id,
            domain,
            role,
            by = visit.caller.id,
            actor = visit.caller.actor,
            "a token of a domain was made"
        );
        let text = ask.webitel.keys().of_domain(id, expires_at, domain);
        Ok(done(json!({ "data": show(id, &token), "token": text })))
    };
    ask.answer(result.await)
}

/// Keeps a token, if there is room for it in its domain.
async fn add(ask: &Ask, token: &DomainToken) -> Result<Uuid, Failure> {
    let book = ask.webitel.book();
    // One after the other. Other nodes do not wait: at worst each adds one more, and the limit is there for the size of what is read, and for nothing else.
    let _turn = book.turn().await;
    let page = book.current().await?;
    let is_own = |other: &&DomainToken| other.tenant == token.tenant && other.expires_at > token.created_at;
    if page.tokens.values().filter(is_own).count() >= MAX_TOKENS {
        return Err(Failure::Bad(format!("A domain has at most {MAX_TOKENS} tokens.")));
    }
    let id = ask.webitel.random().uuid();
    book.put_token(id, token).await?;
    Ok(id)
}

async fn switch(ask: Ask) -> Response {
    let result = async {
        let visit = Visit::begin(&ask).await?;
        let (id, token) = visit.token(&ask)?;
        let enabled = ask.field("state")?.as_bool();
        let enabled = enabled.ok_or_else(|| Failure::bad("Bad state."))?;
        // Who could not make it cannot bring it back.
        if enabled {
            visit.maker()?;
            let acl = visit.caller.page.roles.acl(&token.role).within(&token.ceiling);
            if !visit.caller.acl.covers(&acl) {
                return Err(Failure::Denied);
            }
        }
        let token = DomainToken {
            enabled,
            ..token.clone()
        };
        ask.webitel.book().put_token(id, &token).await?;
        tracing::info!(
            token = %id,
            domain = visit.domain.name,
            enabled,
            by = visit.caller.id,
            actor = visit.caller.actor,
            "a token of a domain was switched"
        );
        Ok(done(show(id, &token)))
    };
    ask.answer(result.await)
}

async fn remove(ask: Ask) -> Response {
    let result = async {
        let visit = Visit::begin(&ask).await?;
        let (id, _) = visit.token(&ask)?;
        if !ask.webitel.book().remove_token(id).await? {
            return Err(UNKNOWN);
        }
        tracing::info!(
            token = %id,
            domain = visit.domain.name,
            by = visit.caller.id,
            actor = visit.caller.actor,
            "a token of a domain was removed"
        );
        Ok(done("Token removed."))
    };
    ask.answer(result.await)
}

/// When a token is to end: milliseconds, in the future.
fn end(value: &Value, now: Timestamp) -> Option<Timestamp> {
    let end = Timestamp(value.as_i64()?.checked_mul(1000)?);
    (end > now && end <= now.plus(MAX_LIFE)).then_some(end)
}

/// Removes what is good for nothing any more: tokens that have expired, and those of domains that are gone.
async fn remove_dead(ask: &Ask, caller: &Caller) -> Result<(), Failure> {
    let index = ask.webitel.accounts().index().await?;
    let now = ask.webitel.now();
    for (id, token) in &caller.page.tokens {
        let mut is_dead = token.expires_at <= now;
        if !is_dead && index.get(token.tenant).is_none() {
            // What is remembered of domains may be older than the token.
            is_dead = ask.webitel.store().find_tenant(token.tenant).await?.is_none();
        }
        if is_dead {
            ask.webitel.book().remove_token(*id).await?;
        }
    }
    Ok(())
}

/// A token as clients see it; never the token itself.
fn show(id: Uuid, token: &DomainToken) -> Value {
    json!({
        "uuid": id,
        "expire": millis(token.expires_at),
        "roleName": token.role,
        "createdBy": token.created_by,
        "createdOn": millis(token.created_at),
        "enabled": token.enabled,
    })
}
