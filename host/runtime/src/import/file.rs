//! `file`: lines of the files that the operator granted, by their names.

use std::sync::Arc;

use crate::bindings::keyway::backend::file::{FileError, Host, Page};
use crate::call::CallState;
use crate::file::{Field, NamedFile};

/// The most lines that one key finds.
const FOUND: usize = 8;

/// What a page counts for beside its bytes, so that pages of nothing come to an end too.
const PAGE_COST: usize = 1024;

impl Host for CallState {
    async fn find_lines(
        &mut self,
        name: String,
        separator: char,
        number: u8,
        key: String,
    ) -> wasmtime::Result<Result<Vec<String>, FileError>> {
        self.meter.charge(name.len() + key.len())?;
        let file = match self.file(&name) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        if !self.meter.take_lookup() {
            return Ok(Err(FileError::LimitReached));
        }
        let Some(lines) = file.find(Field { separator, number }, &key, FOUND).await else {
            return Ok(Err(FileError::Unavailable));
        };
        Ok(self.fetched(0, &lines).map(|()| lines))
    }

    async fn list_lines(&mut self, name: String, start: u64, most: u32) -> wasmtime::Result<Result<Page, FileError>> {
        self.meter.charge(name.len())?;
        let file = match self.file(&name) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        let Some(page) = file.list(start, most).await else {
            return Ok(Err(FileError::Unavailable));
        };
        Ok(self.fetched(PAGE_COST, &page.lines).map(|()| Page {
            lines: page.lines,
            next: page.next,
        }))
    }
}

impl CallState {
    fn file(&self, name: &str) -> Result<Arc<NamedFile>, FileError> {
        let granted = self.profile.capabilities.file(name).cloned();
        granted.ok_or_else(|| FileError::NotGranted(format!("grants.file.{name}")))
    }

    /// Counts lines that a guest gets.
    fn fetched(&mut self, cost: usize, lines: &[String]) -> Result<(), FileError> {
        let bytes: usize = lines.iter().map(String::len).sum();
        let is_allowed = self.meter.take_fetched(cost + bytes);
        is_allowed.then_some(()).ok_or(FileError::LimitReached)
    }
}
