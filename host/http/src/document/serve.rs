//! The document's own routes.

use std::sync::{Arc, OnceLock};

use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::build::{self, Chapter};
use super::{Answer, Mount, Operation, Routes, Shape, get, nowhere, page};
use crate::edge::Call;

const TAG: &str = "documentation";

/// The document of a listener. It is put together when somebody asks for it.
#[derive(Clone, Default)]
pub(crate) struct Document(Arc<Told>);

#[derive(Default)]
struct Told {
    chapters: Vec<Chapter>,
    rendered: OnceLock<Rendered>,
}

struct Rendered {
    json: File,
    page: File,
}

/// What is sent, and what names this version of it.
struct File {
    content: Bytes,
    version: HeaderValue,
}

impl Document {
    /// What these routes are.
    pub(crate) fn of<'a>(mounts: impl IntoIterator<Item = &'a Mount>) -> Self {
        let chapters = mounts.into_iter().map(Chapter::of).collect();
        Self(Arc::new(Told {
            chapters,
            rendered: OnceLock::new(),
        }))
    }

    fn rendered(&self) -> &Rendered {
        self.0.rendered.get_or_init(|| {
            // Maps with text for keys: nothing in it can fail to be JSON.
            let told = serde_json::to_value(build::build(&self.0.chapters)).unwrap_or_default();
            Rendered {
                json: File::new(told.to_string()),
                page: File::new(page::render(&told)),
            }
        })
    }

    /// The document as JSON, under this content type.
    pub(crate) fn answer(&self, kind: &'static str, headers: &HeaderMap) -> Response {
        self.rendered().json.answer(kind, headers)
    }

    fn page(&self, headers: &HeaderMap) -> Response {
        let mut response = self.rendered().page.answer("text/html; charset=utf-8", headers);
        let own = response.headers_mut();
        own.insert(header::CONTENT_SECURITY_POLICY, page::policy());
        own.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        own.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }

    /// The operation of another address of the document.
    pub(crate) fn tell(id: &'static str, summary: &'static str, answer: Answer) -> Operation {
        Operation::open(TAG, id, summary)
            .header(
                "If-None-Match",
                super::text(),
                "The version that the caller has, from the header `ETag`.",
            )
            .answer(answer.header("ETag", "The version of the document."))
            .answer(Answer::new(304, "The caller has this version."))
    }
}

impl File {
    fn new(content: String) -> Self {
        let version = format!("\"{}\"", hex(&Sha256::digest(&content)));
        Self {
            content: content.into(),
            // A quoted hexadecimal number always is a value.
            version: HeaderValue::from_str(&version).unwrap_or(HeaderValue::from_static("\"\"")),
        }
    }

    fn answer(&self, kind: &'static str, headers: &HeaderMap) -> Response {
        let own: [(HeaderName, HeaderValue); 2] = [
            (header::ETAG, self.version.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ];
        if self.is_known(headers) {
            return (StatusCode::NOT_MODIFIED, own).into_response();
        }
        let kind = [
            (header::CONTENT_TYPE, kind),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (own, kind, self.content.clone()).into_response()
    }

    /// Whether it is among the versions that the caller has. A proxy that compressed one marked it as weak; it is as good.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let version = self.version.to_str().unwrap_or_default();
        let known = headers.get_all(header::IF_NONE_MATCH).iter();
        known
            .filter_map(|known| known.to_str().ok())
            .any(|known| known.contains(version))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(16)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The routes of every listener that serves a dialect.
pub(crate) fn mount(document: &Document) -> Mount {
    let (json, page) = (document.clone(), document.clone());
    let routes = Routes::new()
        .route(
            "/api/openapi.json",
            get(tell_json, async move |_call: Call, headers: HeaderMap| {
                json.answer("application/json", &headers)
            }),
        )
        .route(
            "/api",
            get(tell_page, async move |_call: Call, headers: HeaderMap| {
                page.page(&headers)
            }),
        );
    Mount {
        servers: &[""],
        prefix: "",
        also: nowhere,
        tags: &[(TAG, "What you are reading.")],
        parameter: |_| None,
        routes,
    }
}

fn tell_json() -> Operation {
    const SUMMARY: &str = "This document, in OpenAPI's form";
    Document::tell(
        "getDocument",
        SUMMARY,
        Answer::new(200, "The document.").json(Shape::anything()),
    )
}

fn tell_page() -> Operation {
    const SUMMARY: &str = "This document, to be read";
    Document::tell("getDocumentPage", SUMMARY, Answer::new(200, "The page.").html())
}
