//! Reading plugin files whole or not at all, and writing the runtime's own files so that a crash leaves the old or the new.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use keyway_core::model::PluginDigest;
use sha2::{Digest as _, Sha256};

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A plugin file, read whole.
pub(crate) struct PluginFile {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: PluginDigest,
    pub(crate) stamp: FileStamp,
}

/// Why a plugin file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the file `{0}` does not exist")]
    Missing(String),
    #[error("the file `{path}` cannot be read: {error}")]
    Io { path: String, error: io::Error },
    #[error("the file `{path}` has {size} bytes, and at most {max} are allowed")]
    TooLarge { path: String, size: u64, max: u64 },
    #[error("the file `{0}` is being written")]
    Unstable(String),
}

/// Reads a plugin file. Blocks.
pub(crate) fn read_plugin(path: &Path, max: u64) -> Result<PluginFile, ReadError> {
    let name = || path.display().to_string();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ReadError::Missing(name()),
        _ => ReadError::Io { path: name(), error },
    };
    // Opening a pipe for reading would wait for a writer.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    let file = File::open(path).map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    let size = before.size();
    if size > max {
        let path = name();
        return Err(ReadError::TooLarge { path, size, max });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    (&file)
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let after = FileStamp::from(&file.metadata().map_err(failed)?);
    if FileStamp::from(&before) != after || u64::try_from(bytes.len()).ok() != Some(size) {
        return Err(ReadError::Unstable(name()));
    }
    let digest = digest(&bytes);
    Ok(PluginFile {
        bytes,
        digest,
        stamp: after,
    })
}

/// The digest of a plugin file's contents.
pub(crate) fn digest(bytes: &[u8]) -> PluginDigest {
    PluginDigest(Sha256::digest(bytes).into())
}

/// Makes a folder that only the server's user can enter.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Puts a file in place at once, readable by the server's user only, and on the disk when this returns.
pub(crate) fn write_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let written = write_new(&temporary, parts).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It is in nobody's way; the error that matters is the first.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write_new(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Removes the files of a folder that `keep` does not want, temporary ones that a crash left among them.
pub(crate) fn prune(folder: &Path, keep: impl Fn(&str) -> bool) {
    // Being written right now, perhaps.
    let own = format!(".{}-", std::process::id());
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| !keep(name) && !name.contains(&own))
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "a file that is no longer needed cannot be removed");
        }
    }
}
