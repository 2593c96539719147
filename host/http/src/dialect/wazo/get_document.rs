//! `GET /api/api.yml`: the document, where clients of the original look for its own.

use http::HeaderMap;

use super::{document, wire};
use crate::document::{Document, Routes, get};
use crate::edge::Call;

/// The route, below the API's prefix.
pub(super) fn routes(document: &Document) -> Routes {
    let document = document.clone();
    let handle = async move |_call: Call, headers: HeaderMap| {
        // JSON is YAML.
        wire::open_to_all(document.answer("application/x-yaml", &headers))
    };
    Routes::new().route("/api/api.yml", get(document::status::document, handle))
}
