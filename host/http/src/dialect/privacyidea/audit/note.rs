//! What a request leaves in the audit: filled in while it is served, and written before it is answered.

use std::sync::{Mutex, PoisonError};

use http::Method;
use keyway_core::port::NewAuditEntry;
use tokio::time::Instant;

use super::limit::Turn;
use crate::dialect::privacyidea::answer::{Answer, Authentication};
use crate::dialect::privacyidea::ask::Ask;
use crate::dialect::privacyidea::error::{Failure, Told};

/// The longest `User-Agent` that is kept, in bytes.
const MAX_AGENT: usize = 128;
/// The most of any other text that is kept, in bytes.
const MAX_TEXT: usize = 512;

/// What is noted of a request.
pub(in crate::dialect::privacyidea) struct Note {
    /// The entry, as far as it is known.
    pub(in crate::dialect::privacyidea) entry: NewAuditEntry,
    /// Whether it is worth an entry.
    pub(in crate::dialect::privacyidea) kept: bool,
    /// Held until the entry is written: who comes after it for the same user counts this attempt as well.
    pub(super) turn: Option<Turn>,
    since: Instant,
}

/// The note of a request under way.
pub(in crate::dialect::privacyidea) struct Notes(Mutex<Note>);

impl Notes {
    /// Begins the note of a request for this route.
    pub(in crate::dialect::privacyidea) fn new(method: &Method, route: &str) -> Self {
        // It is served by what serves GET, and must not count as another thing.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let route = route.replace('{', "<").replace('}', ">");
        Self(Mutex::new(Note {
            entry: NewAuditEntry {
                action: format!("{method} {route}"),
                ..NewAuditEntry::default()
            },
            kept: false,
            turn: None,
            since: Instant::now(),
        }))
    }

    /// Notes something.
    pub(in crate::dialect::privacyidea) fn change(&self, change: impl FnOnce(&mut Note)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self) -> Option<Note> {
        let mut note = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = note.since;
        if !std::mem::take(&mut note.kept) {
            return None;
        }
        Some(Note {
            entry: std::mem::take(&mut note.entry),
            kept: true,
            turn: note.turn.take(),
            since,
        })
    }
}

/// How a request ended.
pub(in crate::dialect::privacyidea) enum End<'a> {
    Answered(&'a Answer),
    Failed(&'a Told),
}

impl Ask {
    /// Notes something for the audit.
    pub(in crate::dialect::privacyidea) fn note(&self, change: impl FnOnce(&mut Note)) {
        self.notes().change(change);
    }

    /// Writes the entry of this request, if it is worth one.
    ///
    /// # Errors
    /// That the store did not answer.
    pub(in crate::dialect::privacyidea) async fn record(&self, end: End<'_>) -> Result<(), Failure> {
        let Some(Note {
            mut entry, turn, since, ..
        }) = self.notes().take()
        else {
            return Ok(());
        };
        match end {
            End::Answered(answer) => {
                entry.success = answer.is_yes();
                if let Some(authentication) = answer.how() {
                    authentication.name().clone_into(&mut entry.authentication);
                }
            }
            End::Failed(told) => {
                if entry.info.is_empty() {
                    entry.info.clone_from(&told.message);
                }
                let is_refused = told.status == http::StatusCode::UNAUTHORIZED;
                if entry.authentication.is_empty() && is_refused && proves(&entry.action) {
                    Authentication::Reject.name().clone_into(&mut entry.authentication);
                }
            }
        }
        let client = self.client();
        entry.client = client.address.unwrap_or_default();
        entry.user_agent = cut(client.user_agent.unwrap_or_default(), MAX_AGENT);
        self.call.id().clone_into(&mut entry.request_id);
        entry.duration = since.elapsed();
        for text in [
            &mut entry.user,
            &mut entry.realm,
            &mut entry.resolver,
            &mut entry.administrator,
            &mut entry.serial,
            &mut entry.policies,
            &mut entry.info,
        ] {
            *text = cut(std::mem::take(text), MAX_TEXT);
        }
        let recorded = self.pi.store().record_audit(&entry).await;
        drop(turn);
        Ok(recorded?)
    }
}

/// Whether a route is there to prove who somebody is.
fn proves(action: &str) -> bool {
    super::PROOFS.contains(&action)
}

/// At most so many bytes, and no NUL, which PostgreSQL keeps in no text.
fn cut(mut text: String, most: usize) -> String {
    text.retain(|character| character != '\0');
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_of_head_is_that_of_get() {
        let action = |method| {
            Notes::new(&method, "/token/{serial}")
                .0
                .lock()
                .map_or_else(|_| String::new(), |note| note.entry.action.clone())
        };
        assert_eq!(action(Method::HEAD), "GET /token/<serial>");
        assert_eq!(action(Method::POST), "POST /token/<serial>");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("aä\0b".to_owned(), 2), "a");
        assert_eq!(cut("a\0b".to_owned(), 9), "ab");
    }
}
