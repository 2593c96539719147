//! Whether the account can do by itself what the server does again and again. To be asked while acting as the account.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind::PermissionDenied;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use nix::unistd::{Uid, User};

use super::{Account, PrivilegeError};
use crate::config::Config;

impl Account {
    /// Makes sure that every file that the configuration names can be read. Anything else that is wrong with one is not this one's
    /// business.
    ///
    /// # Errors
    /// [`PrivilegeError::Unreadable`].
    pub(crate) fn check_files(&self, config: &Config) -> Result<(), PrivilegeError> {
        for file in std::iter::once(&config.file).chain(&config.files) {
            if is_denied(&File::open(file)) {
                return Err(self.unreadable(file, "g+r"));
            }
        }
        let folder = &config.plugins_dir;
        if is_denied(&folder.read_dir()) || is_denied(&folder.join(".").metadata()) {
            return Err(self.unreadable(folder, "g+rx"));
        }
        Ok(())
    }

    /// Makes sure that the data folder is there and can be written, and the files in it, too.
    ///
    /// # Errors
    /// [`PrivilegeError::NoFolder`], [`PrivilegeError::Foreign`].
    pub(crate) fn check_data_dir(&self, folder: &Path) -> Result<(), PrivilegeError> {
        if is_denied(&DirBuilder::new().recursive(true).mode(0o700).create(folder)) {
            return Err(PrivilegeError::NoFolder {
                user: self.name.clone(),
                path: folder.to_owned(),
                command: format!("install -d -m 700 -o {} {}", self.name, quoted(folder)),
            });
        }
        if is_denied(&tempfile::tempfile_in(folder)) {
            return Err(self.foreign(folder, "chown -R"));
        }
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && is_denied(&OpenOptions::new().read(true).write(true).open(&path)) {
                return Err(self.foreign(&path, "chown"));
            }
        }
        Ok(())
    }

    fn unreadable(&self, path: &Path, rights: &str) -> PrivilegeError {
        let mut above: Vec<_> = path.ancestors().skip(1).collect();
        above.reverse();
        let closed = above.into_iter().find(|folder| is_denied(&folder.join(".").metadata()));
        PrivilegeError::Unreadable {
            user: self.name.clone(),
            path: path.to_owned(),
            command: match closed {
                Some(folder) => format!("chmod o+x {}", quoted(folder)),
                None => format!(
                    "chgrp {} {path} && chmod {rights} {path}",
                    self.group_name(),
                    path = quoted(path)
                ),
            },
        }
    }

    fn foreign(&self, path: &Path, command: &str) -> PrivilegeError {
        let owner = path.symlink_metadata().map(|found| Uid::from_raw(found.uid()));
        let owner = owner.map_or_else(
            |_| "somebody else".to_owned(),
            |uid| {
                let user = User::from_uid(uid).ok().flatten();
                user.map_or_else(|| uid.to_string(), |user| user.name)
            },
        );
        PrivilegeError::Foreign {
            user: self.name.clone(),
            path: path.to_owned(),
            owner,
            command: format!("{command} {}: {}", self.name, quoted(path)),
        }
    }
}

fn is_denied<T>(tried: &std::io::Result<T>) -> bool {
    tried.as_ref().is_err_and(|error| error.kind() == PermissionDenied)
}

/// For a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
