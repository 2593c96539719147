//! Reading a file whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use keyway_core::Secret;

use super::FileSpec;
use crate::reload::file::FileStamp;

/// How long after it was noticed a change is read. A clock's tick is over by then, so that a later one has another stamp; and who is writing has
/// written more.
const SETTLE: Duration = Duration::from_millis(20);

/// How long a text that ends within a line must stand still to be taken for whole.
const SETTLE_UNENDED: Duration = Duration::from_millis(200);

/// How often a file that changes while it is read is tried again.
const TRIES: u32 = 5;

/// What changes when a file does.
pub(super) type Stamp = FileStamp;

/// Why a file has no lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it does not exist")]
    Missing,
    #[error("{0}")]
    Io(String),
    #[error("it is no regular file")]
    NoFile,
    #[error("it has {size} bytes, and `max_size` allows {max}")]
    TooLarge { size: u64, max: u64 },
    #[error("it is no UTF-8 text")]
    NotText,
    #[error("it is being written")]
    Unstable,
}

/// What came of a look at a file.
pub(super) enum Look {
    Unchanged(Stamp),
    /// With its bytes, which are UTF-8.
    Changed(Stamp, Secret<Vec<u8>>),
    /// The stamp, where looking again is of no use before it changes.
    Unreadable(Option<Stamp>, Unreadable),
}

impl Look {
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Unchanged(stamp) | Self::Changed(stamp, _) => Some(*stamp),
            Self::Unreadable(stamp, _) => *stamp,
        }
    }
}

/// Looks at a file, and reads it if it is another than `before`. Blocks.
pub(super) fn look(spec: &FileSpec, before: Option<Stamp>) -> Look {
    for _ in 0..TRIES {
        let (stamp, size) = match stamp_of(spec) {
            Ok(found) => found,
            Err(why) => return Look::Unreadable(None, why),
        };
        if before == Some(stamp) {
            return Look::Unchanged(stamp);
        }
        let max = spec.max_size.min(FileSpec::MAX_SIZE);
        if size > max {
            return Look::Unreadable(Some(stamp), Unreadable::TooLarge { size, max });
        }
        std::thread::sleep(SETTLE);
        let text = match read(spec, size) {
            Ok(text) => text,
            Err(Unreadable::Unstable) => continue,
            Err(why) => return Look::Unreadable(None, why),
        };
        if text.expose().last().is_some_and(|last| *last != b'\n') {
            std::thread::sleep(SETTLE_UNENDED);
        }
        if stamp_of(spec) != Ok((stamp, size)) {
            continue;
        }
        return if std::str::from_utf8(text.expose()).is_ok() {
            Look::Changed(stamp, text)
        } else {
            Look::Unreadable(Some(stamp), Unreadable::NotText)
        };
    }
    Look::Unreadable(None, Unreadable::Unstable)
}

fn stamp_of(spec: &FileSpec) -> Result<(Stamp, u64), Unreadable> {
    let metadata = fs::metadata(&spec.path).map_err(|error| failed(&error))?;
    if metadata.is_file() {
        Ok(((&metadata).into(), metadata.size()))
    } else {
        Err(Unreadable::NoFile)
    }
}

fn read(spec: &FileSpec, size: u64) -> Result<Secret<Vec<u8>>, Unreadable> {
    let file = File::open(&spec.path).map_err(|error| failed(&error))?;
    // One byte more than there should be, so that the buffer never grows and leaves a copy behind.
    let most = size.saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(most).map_err(|_| Unreadable::Unstable)?);
    let read = file.take(most).read_to_end(&mut bytes);
    let is_whole = read.as_ref().is_ok_and(|read| u64::try_from(*read) == Ok(size));
    let bytes = Secret::new(bytes);
    read.map_err(|error| failed(&error))?;
    is_whole.then_some(bytes).ok_or(Unreadable::Unstable)
}

fn failed(error: &io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing,
        _ => Unreadable::Io(error.to_string()),
    }
}
