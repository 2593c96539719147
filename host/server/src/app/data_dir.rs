//! The folder that a server keeps its state in, and the lock that keeps a second server out of it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It cannot be made or opened.
    #[error("cannot use the data folder `{}`: {source}", path.display())]
    Unusable {
        /// The folder, or a file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("another server runs on `{}`; stop it first, or give this one a `data_dir` of its own", .0.display())]
    Locked(PathBuf),
}

/// The folder, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    _lock: File,
}

impl DataDir {
    /// Makes the folder if it is absent, for this user alone, and locks it for a server. Files that the process makes from now on
    /// are for this user alone too.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub(crate) fn open_for_server(path: &Path) -> Result<Self, DataDirError> {
        Self::open(path, File::try_lock)
    }

    /// The same for a command: commands do not exclude one another, but a server.
    ///
    /// # Errors
    /// [`DataDirError`].
    pub(crate) fn open_for_command(path: &Path) -> Result<Self, DataDirError> {
        Self::open(path, File::try_lock_shared)
    }

    fn open(path: &Path, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable {
            path: path.to_owned(),
            source,
        };
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let mode = std::fs::metadata(path).map_err(unusable)?.permissions().mode();
        if mode & 0o007 != 0 {
            tracing::warn!(path = %path.display(), "everybody can look into the data folder; take that away with `chmod o-rwx`");
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("keyway.lock"))
            .map_err(unusable)?;
        match lock(&file) {
            Ok(()) => Ok(Self { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Locked(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

/// The socket on which a running server takes an operator's commands.
pub(crate) fn admin_socket(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_excludes_servers_and_commands_and_commands_do_not_exclude_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/var");
        let server = DataDir::open_for_server(&path).expect("nobody is there");
        assert!(matches!(DataDir::open_for_server(&path), Err(DataDirError::Locked(_))));
        assert!(matches!(DataDir::open_for_command(&path), Err(DataDirError::Locked(_))));
        drop(server);
        let one = DataDir::open_for_command(&path).expect("the server is gone");
        let other = DataDir::open_for_command(&path).expect("commands go side by side");
        assert!(matches!(DataDir::open_for_server(&path), Err(DataDirError::Locked(_))));
        drop((one, other));
        assert!(DataDir::open_for_server(&path).is_ok());
        let mode = std::fs::metadata(&path).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
