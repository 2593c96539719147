//! `GET /token/`.

use axum::response::Response;
use keyway_core::model::{Factor, FactorState};
use keyway_core::port::{FactorFilter, FactorOrder, FactorQuery};
use serde_json::json;

use super::shape;
use crate::dialect::privacyidea::answer::Answer;
use crate::dialect::privacyidea::ask::{Ask, Caller};
use crate::dialect::privacyidea::error::Failure;
use crate::dialect::privacyidea::page::Page;
use crate::dialect::privacyidea::params::Params;
use crate::dialect::privacyidea::policies::owner;
use crate::dialect::privacyidea::rights::Role;

/// What a list can be ordered by.
const ORDERS: [(&str, FactorOrder); 8] = [
    ("serial", FactorOrder::Serial),
    ("tokentype", FactorOrder::Kind),
    ("type", FactorOrder::Kind),
    ("username", FactorOrder::Login),
    ("user_id", FactorOrder::Login),
    ("user_realm", FactorOrder::Realm),
    ("description", FactorOrder::Description),
    ("failcount", FactorOrder::Failures),
];

pub(super) async fn list(ask: Ask) -> Response {
    let listed = async {
        let caller = ask.caller().await?;
        let params = ask.params()?;
        let page = Page::of(params, "pagesize")?;
        let Some(filter) = filter(&ask, &caller).await? else {
            return Ok(answer(page, &[], 0));
        };
        let query = FactorQuery {
            filter,
            order: order(params)?,
            descending: params.word("sortdir")? == Some("desc"),
            limit: Some(page.size),
            offset: page.offset(),
        };
        if caller.role == Role::Admin {
            ask.may(&caller, "tokenlist", None).await?;
            if !sees_all(&ask, &caller).await? {
                return seen(&ask, &caller, page, query).await;
            }
        }
        let listed = ask.pi.factors().list(&query).await?;
        Ok(answer(page, &listed.items, listed.filtered))
    };
    ask.answer(listed.await).await
}

fn answer(page: Page, factors: &[Factor], count: u64) -> Answer {
    Answer::of(json!({
        "tokens": factors.iter().map(shape::token).collect::<Vec<_>>(),
        "count": count,
        "current": page.number,
        "prev": page.previous(),
        "next": page.next(count),
    }))
}

async fn sees_all(ask: &Ask, caller: &Caller) -> Result<bool, Failure> {
    let policies = ask.pi.policies().current().await?;
    let circumstances = ask.circumstances_of(&policies, caller, None).await?;
    Ok(policies.may_everywhere(caller.role, "tokenlist", &circumstances)?)
}

/// The part of a list that holds only what an administrator of some realms may see.
async fn seen(ask: &Ask, caller: &Caller, page: Page, query: FactorQuery) -> Result<Answer, Failure> {
    let all = FactorQuery {
        limit: None,
        offset: 0,
        ..query
    };
    let policies = ask.pi.policies().current().await?;
    let mut seen = Vec::new();
    for factor in ask.pi.factors().list(&all).await?.items {
        let circumstances = ask
            .circumstances_of(&policies, caller, Some(owner(factor.owner.as_ref())))
            .await?;
        if policies.may(caller.role, "tokenlist", &circumstances)?.is_some() {
            seen.push(factor);
        }
    }
    let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
    let skipped = seen.into_iter().skip(page.offset().try_into().unwrap_or(usize::MAX));
    let shown: Vec<_> = skipped.take(page.size.try_into().unwrap_or(usize::MAX)).collect();
    Ok(answer(page, &shown, count))
}

/// Which tokens; `None` for none at all.
async fn filter(ask: &Ask, caller: &Caller) -> Result<Option<FactorFilter>, Failure> {
    let params = ask.params()?;
    if params.word("outform")?.is_some_and(|form| form != "json") {
        return Err(Failure::Parameter("This server lists tokens as JSON alone".to_owned()));
    }
    let text = |name: &str| Ok::<_, Failure>(params.word(name)?.map(str::to_owned));
    let mut filter = FactorFilter {
        assigned: params.flag("assigned")?,
        serial: text("serial")?,
        description: text("description")?,
        realm: text("tokenrealm")?,
        resolver: text("resolver")?,
        state: state(params)?,
        ..FactorFilter::default()
    };
    if let Some(kind) = params.word("type")?.filter(|kind| *kind != "*") {
        match shape::kind_of(kind) {
            Some((kind, _)) => filter.kind = Some(kind),
            None => return Ok(None),
        }
    }
    match caller.role {
        Role::User => filter.owner = Some(caller.live.record.session.identity.id),
        Role::Admin => {
            let (user, realm) = (params.word("user")?, params.word("realm")?);
            if let Some(user) = user {
                let named = ask.pi.realm_config().await?.named(user, realm);
                filter.login = Some(named.login);
                // A pattern of names is one of all realms.
                filter.realm = filter
                    .realm
                    .or(named.realm.filter(|_| realm.is_some() || !user.contains('*')));
            } else if let Some(realm) = realm {
                filter.realm = filter.realm.or_else(|| Some(realm.to_lowercase()));
            }
        }
    }
    Ok(Some(filter))
}

fn state(params: &Params) -> Result<Option<FactorState>, Failure> {
    let active = params.flag("active")?.map(|active| {
        if active {
            FactorState::Active
        } else {
            FactorState::Disabled
        }
    });
    let is_enrolling = params.word("rollout_state")? == Some(shape::VERIFY);
    Ok(if is_enrolling {
        Some(FactorState::Enrolling)
    } else {
        active
    })
}

fn order(params: &Params) -> Result<FactorOrder, Failure> {
    let Some(wanted) = params.word("sortby")? else {
        return Ok(FactorOrder::Serial);
    };
    let known = ORDERS.iter().find(|(name, _)| *name == wanted);
    known.map(|(_, order)| *order).ok_or_else(|| {
        let names: Vec<_> = ORDERS.iter().map(|(name, _)| format!("`{name}`")).collect();
        Failure::Parameter(format!("The parameter `sortby` is none of {}", names.join(", ")))
    })
}
