//! Giving up root, for good. What root may still do for the account is in `handover`; what the account has to be able to do is in
//! `access`.

mod access;
mod handover;

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, geteuid, getresgid, getresuid, initgroups, setegid, seteuid, setgid, setuid};

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
    /// The data folder could not be handed over.
    #[error("cannot hand `{}` over", path.display())]
    Handover {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that is read again by every reload is not readable without root.
    #[error("`{user}` cannot read `{}`, which the server reads again without being root; run `{command}` as root", path.display())]
    Unreadable {
        /// Whom to become.
        user: String,
        /// What cannot be read.
        path: PathBuf,
        /// What helps.
        command: String,
    },
    /// The data folder, or something in it, is somebody else's.
    #[error("`{}` belongs to `{owner}`, and `{user}` cannot write it; if it is this server's, run `{command}` as root", path.display())]
    Foreign {
        /// Whom to become.
        user: String,
        /// What cannot be used.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// What helps.
        command: String,
    },
    /// The data folder is not there, and root may not make it where others could lead it astray.
    #[error("`{user}` cannot make the data folder `{}`; run `{command}` as root", path.display())]
    NoFolder {
        /// Whom to become.
        user: String,
        /// Which.
        path: PathBuf,
        /// What helps.
        command: String,
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
        source: Errno,
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
        let account = Self::from(user.ok_or_else(|| PrivilegeError::UnknownUser(name.to_owned()))?);
        if !geteuid().is_root() && geteuid() != account.uid {
            return Err(PrivilegeError::NotRoot(account.name));
        }
        Ok(account)
    }

    /// Whoever decides what lies in a folder, if this process is root and root does not: what a command has to become so that it
    /// neither leaves a file behind that the server cannot open, nor is led to files that are not the server's.
    pub(crate) fn owner_of(folder: &Path) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let owner = handover::owner(folder)?;
        User::from_uid(owner).ok().flatten().map(Self::from)
    }

    /// Makes the data folder if it is absent, and makes it and what lies in it the account's. Only where nobody but root could have
    /// prepared it: what is not handed over is left as it is.
    ///
    /// # Errors
    /// [`PrivilegeError::Handover`].
    pub(crate) fn hand_over(&self, folder: &Path) -> Result<(), PrivilegeError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        handover::hand_over(folder, self).map_err(|source| PrivilegeError::Handover {
            path: folder.to_owned(),
            source: source.into(),
        })
    }

    /// Acts as the account until [`Account::return_to_root`]: every file that is opened in between is opened with its rights.
    ///
    /// # Errors
    /// [`PrivilegeError::Refused`].
    pub(crate) fn act(&self) -> Result<(), PrivilegeError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        self.set_groups()?;
        setegid(self.gid).map_err(self.refused("set the group"))?;
        seteuid(self.uid).map_err(self.refused("set the user"))
    }

    /// Ends [`Account::act`], for what only root may do.
    ///
    /// # Errors
    /// [`PrivilegeError::Refused`].
    pub(crate) fn return_to_root(&self) -> Result<(), PrivilegeError> {
        let was_root = getresuid().is_ok_and(|users| users.saved.is_root());
        if !was_root || geteuid().is_root() {
            return Ok(());
        }
        seteuid(Uid::from_raw(0)).map_err(self.refused("return to root"))?;
        let groups = getresgid().map_err(self.refused("read the group"))?;
        setegid(groups.saved).map_err(self.refused("return to root's group"))
    }

    /// Becomes the account: groups, group, user, in all threads. There is no way back.
    ///
    /// # Errors
    /// [`PrivilegeError::Refused`], [`PrivilegeError::Regained`].
    pub(crate) fn assume(&self) -> Result<(), PrivilegeError> {
        if !geteuid().is_root() {
            return Ok(());
        }
        self.set_groups()?;
        setgid(self.gid).map_err(self.refused("set the group"))?;
        setuid(self.uid).map_err(self.refused("set the user"))?;
        let users = getresuid().map_err(self.refused("read the user"))?;
        let groups = getresgid().map_err(self.refused("read the group"))?;
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

    fn set_groups(&self) -> Result<(), PrivilegeError> {
        let name =
            std::ffi::CString::new(self.name.as_str()).map_err(|_| PrivilegeError::UnknownUser(self.name.clone()))?;
        initgroups(&name, self.gid).map_err(self.refused("set the groups"))
    }

    fn refused(&self, action: &'static str) -> impl Fn(Errno) -> PrivilegeError {
        move |source| PrivilegeError::Refused {
            action,
            user: self.name.clone(),
            source,
        }
    }

    fn group_name(&self) -> String {
        let group = Group::from_gid(self.gid).ok().flatten();
        group.map_or_else(|| self.gid.to_string(), |group| group.name)
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
        }
    }
}

#[cfg(test)]
mod tests;
