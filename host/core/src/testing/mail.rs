//! A mailer that sends nothing, and pages without beauty.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lock;
use crate::port::{Letter, Mailer, MailerError, Page, PageError, Pages};

/// Keeps the letters that it is given.
#[derive(Debug, Default)]
pub struct Letterbox {
    letters: Mutex<Vec<Letter>>,
    full: AtomicBool,
}

impl Letterbox {
    /// Takes out what was posted.
    pub fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut lock(&self.letters))
    }

    /// Lets it be full, or not.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }
}

impl Mailer for Letterbox {
    fn post(&self, letter: &Letter) -> Result<(), MailerError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(MailerError::Full { capacity: 1 });
        }
        lock(&self.letters).push(letter.clone());
        Ok(())
    }
}

/// Writes pages as Rust writes values.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainPages;

impl Pages for PlainPages {
    fn render(&self, page: &Page<'_>) -> Result<String, PageError> {
        Ok(format!("{page:?}"))
    }
}
