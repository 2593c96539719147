//! The real host's files.

use crate::file::{FileError, Page};
use crate::wit::authenticator::keyway::backend::file;

pub(crate) fn find_lines(name: &str, separator: char, field: u8, key: &str) -> Result<Vec<String>, FileError> {
    Ok(file::find_lines(name, separator, field, key)?)
}

pub(crate) fn list_lines(name: &str, start: u64, most: u32) -> Result<Page, FileError> {
    let page = file::list_lines(name, start, most)?;
    Ok(Page {
        lines: page.lines,
        next: page.next,
    })
}

impl From<file::FileError> for FileError {
    fn from(error: file::FileError) -> Self {
        match error {
            file::FileError::NotGranted(grant) => Self::NotGranted(grant),
            file::FileError::Unavailable => Self::Unavailable,
            file::FileError::LimitReached => Self::LimitReached,
        }
    }
}
