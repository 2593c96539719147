//! Tokens: what this API calls second factors.

mod act;
mod assign;
mod init;
mod list;
mod seed;
mod shape;

use keyway_core::factor::FactorError;
use keyway_core::model::{Factor, FactorOwner};
use keyway_core::port::{FactorFilter, FactorQuery};
use keyway_core::token::Whom;

use super::ask::{Ask, Caller};
use super::auth::REALM_ATTRIBUTE;
use super::document::token as tell;
use super::error::{Failure, Told};
use super::params::Params;
use super::policies::{RESOLVER_ATTRIBUTE, owner};
use super::rights::Role;
use crate::document::{Routes, get, post};

/// The most tokens of somebody that one request acts upon.
const MOST: u32 = 1000;

/// The routes.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/token/", get(tell::list, list::list))
        .route("/token/init", post(tell::init, init::init))
        .route("/token/assign", post(tell::assign, assign::assign))
        .route("/token/unassign", post(tell::unassign, assign::unassign))
        .route("/token/enable", post(tell::enable, act::enable))
        .route("/token/enable/{serial}", post(tell::enable_one, act::enable))
        .route("/token/disable", post(tell::disable, act::disable))
        .route("/token/disable/{serial}", post(tell::disable_one, act::disable))
        .route("/token/revoke", post(tell::revoke, act::revoke))
        .route("/token/revoke/{serial}", post(tell::revoke_one, act::revoke))
        .route("/token/reset", post(tell::reset, act::reset))
        .route("/token/reset/{serial}", post(tell::reset_one, act::reset))
        .route("/token/resync", post(tell::resync, act::resync))
        .route("/token/resync/{serial}", post(tell::resync_one, act::resync))
        .route("/token/setpin", post(tell::set_pin, act::set_pin))
        .route("/token/setpin/{serial}", post(tell::set_pin_of_one, act::set_pin))
        .route("/token/description", post(tell::describe, act::describe))
        .route("/token/description/{serial}", post(tell::describe_one, act::describe))
        .route("/token/set", post(tell::set, act::set))
        .route("/token/set/{serial}", post(tell::set_one, act::set))
        .route("/token/{serial}", crate::document::delete(tell::remove, act::remove))
}

impl Ask {
    /// The token of this serial, if the caller may do this to it. A token that is not a user's own is to that user as if there were none.
    async fn factor(&self, caller: &Caller, action: &'static str, serial: &str) -> Result<Factor, Failure> {
        let unknown = || Failure::from(FactorError::Unknown(serial.chars().take(64).collect()));
        let factor = self.pi.factors().find(serial).await?.ok_or_else(unknown)?;
        if caller.role == Role::User && !is_of(&factor, caller) {
            return Err(unknown());
        }
        self.may(caller, action, Some(owner(factor.owner.as_ref()))).await?;
        self.note_factor(&factor);
        Ok(factor)
    }

    /// The tokens that a request is about: the one that it names, or all of the user whom an administrator names.
    async fn targets(&self, caller: &Caller, action: &'static str) -> Result<Vec<Factor>, Failure> {
        let params = self.params()?;
        if let Some(serial) = params.word("serial")? {
            return Ok(vec![self.factor(caller, action, serial).await?]);
        }
        if caller.role == Role::User || params.word("user")?.is_none() {
            return Err(Failure::Parameter("Missing parameter: `serial`".to_owned()));
        }
        let of = self.owner_named(params).await?;
        self.may(caller, action, Some(owner(Some(&of)))).await?;
        let query = FactorQuery {
            filter: FactorFilter {
                owner: Some(of.identity),
                ..FactorFilter::default()
            },
            limit: Some(MOST),
            ..FactorQuery::default()
        };
        Ok(self.pi.factors().list(&query).await?.items)
    }

    /// The user whom the request names, as the owner of a token.
    async fn owner_named(&self, params: &Params) -> Result<FactorOwner, Failure> {
        let (user, realm) = (params.needed("user")?, params.word("realm")?);
        let whom = self.whom_named(user, realm).await?;
        Ok(owner_of(&whom))
    }

    /// The user of this name, who must be there.
    pub(super) async fn whom_named(&self, user: &str, realm: Option<&str>) -> Result<Whom, Failure> {
        let config = self.pi.realm_config().await?;
        let named = config.named(user, realm);
        if config.check(&named).is_err() || (named.realm.is_none() && !config.realms().is_empty()) {
            return Err(no_such_user());
        }
        let whom = self.find_whom(user, named.explicit.as_deref()).await?;
        whom.ok_or_else(no_such_user)
    }

    fn note_factor(&self, factor: &Factor) {
        self.note(|note| {
            let entry = &mut note.entry;
            factor.serial.clone_into(&mut entry.serial);
            shape::type_name(factor.kind).clone_into(&mut entry.token_type);
            if let Some(owner) = &factor.owner {
                owner.login.clone_into(&mut entry.user);
                owner.realm.clone_into(&mut entry.realm);
                owner.resolver.clone_into(&mut entry.resolver);
            }
        });
    }
}

/// What is answered where a request names nobody who is there.
pub(super) fn no_such_user() -> Failure {
    let message = "ERR904: There is no such user in this realm, or no such realm.";
    Told::new(http::StatusCode::BAD_REQUEST, 904, message).into()
}

fn is_of(factor: &Factor, caller: &Caller) -> bool {
    let own = caller.live.record.session.identity.id;
    factor.owner.as_ref().is_some_and(|owner| owner.identity == own)
}

/// Somebody as the owner of a token.
fn owner_of(whom: &Whom) -> FactorOwner {
    let get = |name: &str| {
        let attributes = whom.principal.attributes.iter();
        let mut values = attributes.filter(|(known, _)| known == name);
        values.next().map(|(_, value)| value.clone()).unwrap_or_default()
    };
    FactorOwner {
        identity: whom.identity.id,
        tenant: whom.identity.tenant,
        login: whom.principal.login.clone(),
        realm: get(REALM_ATTRIBUTE).to_lowercase(),
        resolver: get(RESOLVER_ATTRIBUTE),
    }
}

/// The caller as the owner of a token.
fn own(caller: &Caller) -> FactorOwner {
    let session = &caller.live.record.session;
    let mut resolver = session.attributes.iter().filter(|(name, _)| name == RESOLVER_ATTRIBUTE);
    FactorOwner {
        identity: session.identity.id,
        tenant: session.identity.tenant,
        login: caller.username.clone(),
        realm: caller.realm.clone(),
        resolver: resolver
            .next()
            .map(|(_, resolver)| resolver.clone())
            .unwrap_or_default(),
    }
}
