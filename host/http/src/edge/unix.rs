//! The unix socket of the admin API: whoever can open it is the operator, so only this user can.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::ListenError;

/// The socket's file. Dropping it removes the file, unless another server has put its own there.
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket file");
        }
    }
}

/// Listens on `path`.
///
/// # Errors
/// [`ListenError::InUse`] if somebody answers there, [`ListenError::Bind`].
pub(super) fn bind(path: &Path) -> Result<(UnixListener, SocketFile), ListenError> {
    let failed = |source| ListenError::Bind {
        address: path.display().to_string(),
        source,
    };
    if answers(path).map_err(failed)? {
        return Err(ListenError::InUse(path.to_owned()));
    }
    replace(path).map_err(failed)
}

/// Whether a live server listens there.
fn answers(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(file) if !file.file_type().is_socket() => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file of that name, and it is no socket",
        )),
        Ok(_) => Ok(UnixStream::connect(path).is_ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Binds under another name, takes everybody else's rights away, and only then puts the socket where it can be found: it is never open to
/// others, not even for a moment, and a stale file is replaced in one step.
fn replace(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let hidden = folder.join(format!(".{:x}.s", std::process::id()));
    match fs::remove_file(&hidden) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&hidden)?;
    let placed = fs::set_permissions(&hidden, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&hidden, path));
    if let Err(error) = placed {
        // The first error is the one worth telling.
        let _ = fs::remove_file(&hidden);
        return Err(error);
    }
    let file = SocketFile {
        path: path.to_owned(),
        inode: fs::symlink_metadata(path)?.ino(),
    };
    Ok((listener, file))
}
