//! Ids in paths.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::Response;
use http::request::Parts;
use uuid::Uuid;

use super::wire;

/// The `N` ids of a path, in its order. What is no UUID never reaches a handler: there is no such page.
pub(super) struct Ids<const N: usize>(pub(super) [Uuid; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Ids<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let ids = params.ok().and_then(|params| {
            let ids: Option<Vec<_>> = params.iter().map(|(_, text)| parse(text)).collect();
            <[Uuid; N]>::try_from(ids?).ok()
        });
        ids.map(Self).ok_or_else(wire::not_found_page)
    }
}

/// The `N` values of a path, in its order: names, which may hold anything.
pub(super) struct Names<const N: usize>(pub(super) [String; N]);

impl<S: Send + Sync, const N: usize> FromRequestParts<S> for Names<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let names = params.ok().and_then(|params| {
            let names: Vec<_> = params.iter().map(|(_, text)| text.to_owned()).collect();
            <[String; N]>::try_from(names).ok()
        });
        names.map(Self).ok_or_else(wire::not_found_page)
    }
}

/// An id, and the name of what belongs to it.
pub(super) struct NamedBelow(pub(super) Uuid, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for NamedBelow {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Names([id, name]) = Names::from_request_parts(parts, state).await?;
        let id = parse(&id).ok_or_else(wire::not_found_page)?;
        Ok(Self(id, name))
    }
}

/// Only the form with four hyphens.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
