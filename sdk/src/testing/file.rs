//! Files of the mock host.

use super::host::{covers, with};
use crate::Capability;
use crate::file::{FileError, Page};

const MOST_FOUND: usize = 8;
const PAGE_BYTES: usize = 64 << 10;

pub(crate) fn find_lines(name: &str, separator: char, field: u8, key: &str) -> Result<Vec<String>, FileError> {
    let text = text(name)?;
    let found = lines(&text).filter(|line| line.split(separator).nth(field.into()) == Some(key));
    Ok(found.take(MOST_FOUND).map(ToOwned::to_owned).collect())
}

/// A place in a file is the number of a line that counts.
pub(crate) fn list_lines(name: &str, start: u64, most: u32) -> Result<Page, FileError> {
    let text = text(name)?;
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let mut page = Page::default();
    let mut bytes = 0;
    // A line that no page has room for is in none.
    let told = lines(&text).enumerate().filter(|(_, line)| line.len() <= PAGE_BYTES);
    for (number, line) in told.skip_while(|(number, _)| *number < start) {
        bytes += line.len();
        if page.lines.len() >= usize::try_from(most).unwrap_or(usize::MAX) || bytes > PAGE_BYTES {
            page.next = u64::try_from(number).ok();
            break;
        }
        page.lines.push(line.to_owned());
    }
    Ok(page)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn text(name: &str) -> Result<String, FileError> {
    with(|host| {
        let is_wanted = host.wants(|wanted| matches!(wanted, Capability::File(file) if covers(file, name)));
        let text = host.files.get(name).filter(|_| is_wanted);
        let text = text.ok_or_else(|| FileError::NotGranted(format!("grants.file.{name}")))?;
        match text {
            Some(text) if !host.unavailable => Ok(text.clone()),
            _ => Err(FileError::Unavailable),
        }
    })
}
