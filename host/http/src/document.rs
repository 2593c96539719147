//! What is served, as an OpenAPI document and as a page to read.
//!
//! A route stands in its table together with what the document says of it: none can be added that the document does not tell of. What a
//! dialect's routes take and answer is told beside the dialect.

mod answer;
mod build;
mod markup;
mod operation;
mod page;
mod routes;
mod serve;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Answer, Shape};
pub(crate) use operation::{Operation, parameter, text, word_of};
pub(crate) use routes::{Methods, Mount, Routes, delete, get, head, nowhere, post, put};
pub(crate) use serve::{Document, mount};

/// A token in `X-Auth-Token`.
pub(crate) const TOKEN: &str = "token";
/// A token in `Authorization: Bearer`.
pub(crate) const BEARER: &str = "bearer";
/// A token of privacyIDEA's in `PI-Authorization`.
pub(crate) const PI_TOKEN: &str = "pi-token";
/// The same in `Authorization`, as it is or after `Bearer`.
pub(crate) const PI_AUTHORIZATION: &str = "pi-authorization";
/// A login and a password in `Authorization: Basic`.
pub(crate) const BASIC: &str = "basic";
/// A token in `?token=`, as mailed links have it.
pub(crate) const LINK: &str = "link";
/// A token of Webitel's in `X-Access-Token`.
pub(crate) const WEBITEL_TOKEN: &str = "webitel-token";
/// The key of a path under which stands where else it is served.
pub(crate) const ALSO_AT: &str = "x-also-at";
/// The key of an operation under which stands what access its caller needs.
pub(crate) const REQUIRED_ACCESS: &str = "x-required-access";
