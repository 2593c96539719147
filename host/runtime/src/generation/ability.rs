//! What a plugin may be able to do besides verifying credentials. Each call is made, limited and settled as a login is.

use std::time::Duration;

use keyway_core::model::{Changed, Found};
use keyway_core::port::{Abilities, BackendFault, BrowseRequest, ChangeRequest, Listing, LookupKey, LookupRequest};

use super::{Generation, Guest, told};
use crate::answer;
use crate::bindings::exports::keyway::backend::{browse, lookup};
use crate::fault;

impl Generation {
    /// What the component exports.
    pub(crate) fn abilities(&self) -> Abilities {
        Abilities {
            lookup: self.plugin.lookup.is_some(),
            change_password: self.plugin.change_password.is_some(),
            browse: self.plugin.browse.is_some(),
        }
    }

    /// Says who somebody is without a password; `None` if the plugin cannot.
    ///
    /// # Errors
    /// [`BackendFault`].
    pub(crate) async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        let mut call = self.begin(&request.context, request.deadline)?;
        let work = find(&mut call.guest, request, call.budget);
        let ended = tokio::time::timeout_at(call.deadline.into(), work).await;
        self.end(call, ended)
    }

    /// Changes somebody's password; `None` if the plugin cannot.
    ///
    /// # Errors
    /// [`BackendFault`].
    pub(crate) async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        let mut call = self.begin(&request.context, request.deadline)?;
        let work = change(&mut call.guest, request, call.budget);
        let ended = tokio::time::timeout_at(call.deadline.into(), work).await;
        self.end(call, ended)
    }

    /// Lists users; `None` if the plugin cannot.
    ///
    /// # Errors
    /// [`BackendFault`].
    pub(crate) async fn browse(&self, request: BrowseRequest) -> Result<Option<Listing>, BackendFault> {
        let mut call = self.begin(&request.context, request.deadline)?;
        let work = list(&mut call.guest, request, call.budget);
        let ended = tokio::time::timeout_at(call.deadline.into(), work).await;
        self.end(call, ended)
    }
}

async fn find(
    guest: &mut Guest,
    request: LookupRequest,
    budget: Duration,
) -> wasmtime::Result<Result<Option<Found>, BackendFault>> {
    guest.wake().await?;
    let key = match request.key {
        LookupKey::Identifier(login) => lookup::Key::Identifier(login),
        LookupKey::Subject(name) => lookup::Key::Subject(name),
    };
    let answered = guest.find(&told(request.context, budget), &key).await?;
    let state = guest.state_mut();
    Ok(match answered {
        None => Ok(None),
        Some(Ok(found)) => answer::found(found, state.witness.of_search()),
        Some(Err(reported)) => Err(fault::reported(&reported, state)),
    })
}

async fn change(
    guest: &mut Guest,
    request: ChangeRequest,
    budget: Duration,
) -> wasmtime::Result<Result<Option<Changed>, BackendFault>> {
    guest.wake().await?;
    let context = told(request.context, budget);
    let present = guest.state_mut().hold(request.present)?;
    let new = guest.state_mut().hold(request.new)?;
    let answered = guest.change(&context, &request.identifier, present, new).await?;
    let state = guest.state_mut();
    Ok(match answered {
        None => Ok(None),
        Some(Ok(answer)) => answer::changed(answer, state.witness.of_login()).map(Some),
        Some(Err(reported)) => Err(fault::reported(&reported, state)),
    })
}

async fn list(
    guest: &mut Guest,
    request: BrowseRequest,
    budget: Duration,
) -> wasmtime::Result<Result<Option<Listing>, BackendFault>> {
    guest.wake().await?;
    let query = browse::Query {
        realm: request.realm,
        resolver: request.resolver,
        patterns: request.patterns,
        most: request.most.min(answer::LISTED),
    };
    let answered = guest.list(&told(request.context, budget), &query).await?;
    let state = guest.state_mut();
    Ok(match answered {
        None => Ok(None),
        Some(Ok(listed)) => answer::listing(listed, query.most, state.witness.of_search()).map(Some),
        Some(Err(reported)) => Err(fault::reported(&reported, state)),
    })
}
