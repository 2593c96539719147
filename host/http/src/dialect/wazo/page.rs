//! Pages for people who follow a link, and where links lead.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, StatusCode, header};
use keyway_core::port::{Links, Page};

use super::ask::Ask;
use super::error::Failure;

/// The address of a page holds a token: no cache keeps the page, no other site learns the address, and no other site shows it in a frame. An
/// operator's own pages may have pictures, fonts and styles, and no scripts.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; img-src * data:; font-src *; style-src * 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Where the links of mails lead on a server that people reach under this URL.
pub fn mail_links(base_url: &str) -> Links {
    Links {
        password_reset: format!("{base_url}/0.1/users/password/reset/form?user_uuid={{user}}&token={{token}}"),
        email_confirmation: format!("{base_url}/0.1/emails/{{email}}/confirm?token={{token}}"),
    }
}

impl Ask {
    /// A page.
    ///
    /// # Errors
    /// [`Failure::Page`].
    pub(super) fn page(&self, status: StatusCode, page: &Page<'_>) -> Result<Response, Failure> {
        let html = self.wazo.pages().render(page)?;
        Ok((status, HEADERS, html).into_response())
    }

    /// Whether somebody with a browser asks.
    pub(super) fn reads_pages(&self) -> bool {
        self.header(&header::ACCEPT)
            .is_some_and(|accepted| accepted.contains("text/html"))
    }
}
