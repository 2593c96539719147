//! Giving up root, for good.

use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::Path;

use nix::unistd::{Gid, Uid, User, geteuid, getresgid, getresuid, initgroups, setgid, setuid};

/// Whom to become.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
}

/// Why privileges could not be given up. The server does not go on after any of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivilegeError {
    /// Nobody has this name.
    #[error("there is no user `{0}` on this machine")]
    UnknownUser(String),
    /// Only root can become somebody else.
    #[error("only root can run as another user; start as root, or as `{0}` without `-u`")]
    NotRoot(String),
    /// A file of the data folder could not be handed over.
    #[error("cannot hand `{path}` over")]
    Handover {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The kernel refused.
    #[error("cannot {action} for `{user}`")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// Whom to become.
        user: String,
        /// Why.
        #[source]
        source: nix::errno::Errno,
    },
    /// Root could be regained.
    #[error("root can still be regained after becoming `{0}`")]
    Regained(String),
}

impl Account {
    /// The account of this name.
    ///
    /// # Errors
    /// [`PrivilegeError::UnknownUser`], [`PrivilegeError::NotRoot`] if this process may not become it.
    pub(crate) fn find(name: &str) -> Result<Self, PrivilegeError> {
        let user = User::from_name(name).ok().flatten();
        let user = user.ok_or_else(|| PrivilegeError::UnknownUser(name.to_owned()))?;
        let account = Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
        };
        if !geteuid().is_root() && geteuid() != account.uid {
            return Err(PrivilegeError::NotRoot(account.name));
        }
        Ok(account)
    }

    /// The owner of a folder, if this process is root and the owner is not: what a command has to become so that it leaves no
    /// file behind that the server cannot open.
    pub(crate) fn owner_of(folder: &Path) -> Option<Self> {
        let owner = Uid::from_raw(std::fs::metadata(folder).ok()?.uid());
        if !geteuid().is_root() || owner.is_root() {
            return None;
        }
        let user = User::from_uid(owner).ok().flatten()?;
        Some(Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
        })
    }

    /// Makes the account the owner of a folder and of what lies in it.
    ///
    /// # Errors
    /// [`PrivilegeError::Handover`].
    pub(crate) fn take_over(&self, folder: &Path) -> Result<(), PrivilegeError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let handover = |path: &Path, source| PrivilegeError::Handover {
            path: path.display().to_string(),
            source,
        };
        let found = std::fs::symlink_metadata(folder).map_err(|error| handover(folder, error))?;
        // A link, or a second name of a file elsewhere, could have been put here by whoever owned the folder before.
        if found.is_symlink() || (found.is_file() && found.nlink() > 1) {
            return Ok(());
        }
        if found.uid() != self.uid.as_raw() || found.gid() != self.gid.as_raw() {
            lchown(folder, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .map_err(|error| handover(folder, error))?;
        }
        if found.is_dir() {
            for entry in std::fs::read_dir(folder).map_err(|error| handover(folder, error))? {
                self.take_over(&entry.map_err(|error| handover(folder, error))?.path())?;
            }
        }
        Ok(())
    }

    /// Becomes the account: groups, group, user, in all threads. There is no way back.
    ///
    /// # Errors
    /// [`PrivilegeError::Refused`], [`PrivilegeError::Regained`].
    pub(crate) fn assume(&self) -> Result<(), PrivilegeError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let refused = |action| {
            move |source| PrivilegeError::Refused {
                action,
                user: self.name.clone(),
                source,
            }
        };
        let name =
            std::ffi::CString::new(self.name.as_str()).map_err(|_| PrivilegeError::UnknownUser(self.name.clone()))?;
        initgroups(&name, self.gid).map_err(refused("set the groups"))?;
        setgid(self.gid).map_err(refused("set the group"))?;
        setuid(self.uid).map_err(refused("set the user"))?;
        let users = getresuid().map_err(refused("read the user"))?;
        let groups = getresgid().map_err(refused("read the group"))?;
        let whole = [users.real, users.effective, users.saved]
            .iter()
            .all(|uid| *uid == self.uid)
            && [groups.real, groups.effective, groups.saved]
                .iter()
                .all(|gid| *gid == self.gid);
        let back = !self.uid.is_root() && setuid(Uid::from_raw(0)).is_ok();
        if !whole || back {
            return Err(PrivilegeError::Regained(self.name.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_user_is_named() {
        let error = Account::find("no-such-user-anywhere").expect_err("nobody has this name");
        assert_eq!(
            error.to_string(),
            "there is no user `no-such-user-anywhere` on this machine"
        );
    }

    #[test]
    fn only_root_can_become_somebody_else() {
        if geteuid().is_root() {
            assert!(Account::find("nobody").is_ok());
        } else {
            assert!(matches!(Account::find("root"), Err(PrivilegeError::NotRoot(_))));
        }
    }

    #[test]
    fn a_link_and_a_file_with_a_second_name_are_not_handed_over() {
        let (Ok(account), true) = (Account::find("nobody"), geteuid().is_root()) else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let outside = tempfile::NamedTempFile::new().expect("a file");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("plain"), "x").expect("a file");
        std::os::unix::fs::symlink(outside.path(), path("link")).expect("a link");
        std::fs::hard_link(outside.path(), path("second")).expect("a second name");
        account.take_over(folder.path()).expect("root may");
        let owner = |path: &Path| std::fs::metadata(path).expect("it exists").uid();
        assert_eq!(owner(&path("plain")), account.uid.as_raw());
        assert_eq!(owner(folder.path()), account.uid.as_raw());
        assert_eq!(owner(outside.path()), 0);
    }
}
