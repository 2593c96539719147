//! What root does with the data folder before it becomes somebody else.
//!
//! Whoever may write in a folder can put a link, or a second name of another's file, where root is about to look. So root touches only
//! what nobody else could have put in its way: each step of the path is opened from the one before, links are followed only where
//! root made them, and a folder is handed over only while root alone could write in it, from the inside out.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mkdirat};
use nix::unistd::{Uid, fchownat};

use super::Account;

/// Opens a name without following a link, reading anything, or waiting for anybody.
const LOOK: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// As many as the kernel follows.
const MAX_LINKS: u32 = 40;

/// Where a path leads.
struct Route {
    /// Whether root alone decides what each step but the last leads to.
    is_roots: bool,
    /// The first owner of a step who is not root.
    stranger: Option<Uid>,
    end: End,
}

enum End {
    Folder(OwnedFd, FileStat),
    /// Nothing is there from these steps on, below the folder.
    Absent(OwnedFd, VecDeque<OsString>),
    /// A file, or what a stranger's link leads to.
    Elsewhere,
}

/// The one who decides what a folder holds: its owner, or whose link stands in its place. `None` for root.
pub(super) fn owner(folder: &Path) -> Option<Uid> {
    let route = follow(folder).ok()?;
    match route.end {
        End::Folder(_, found) => Some(Uid::from_raw(found.st_uid)).filter(|owner| !owner.is_root()),
        End::Absent(..) => None,
        End::Elsewhere => route.stranger,
    }
}

/// Makes the folder the account's, and what lies in it, if it is root's; makes it if it is absent.
pub(super) fn hand_over(folder: &Path, account: &Account) -> Result<(), Errno> {
    let route = follow(folder)?;
    match route.end {
        End::Absent(parent, names) if route.is_roots => make(parent, names, account),
        End::Folder(folder, found) if route.is_roots && only_root_writes(&found) => {
            // Any other folder of root's is a mistake in the configuration, `/etc` for example.
            let names = list(&folder)?;
            if names.is_empty() || names.iter().any(|name| name == "keyway.lock") {
                give_contents(&folder, names, account)?;
                give(&folder, account)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn follow(path: &Path) -> Result<Route, Errno> {
    let root = || open("/", LOOK | OFlag::O_DIRECTORY, Mode::empty());
    let path = std::path::absolute(path).map_err(|_| Errno::EINVAL)?;
    let mut steps: VecDeque<OsString> = names(&path).collect();
    let mut here = root()?;
    let mut found = fstat(&here)?;
    let mut links = 0;
    let (mut is_roots, mut stranger) = (true, None);
    let end = loop {
        let owner = Uid::from_raw(found.st_uid);
        stranger = stranger.or((!owner.is_root()).then_some(owner));
        let Some(step) = steps.pop_front() else {
            break End::Folder(here, found);
        };
        is_roots &= only_root_moves(&found);
        let next = match openat(&here, step.as_os_str(), LOOK, Mode::empty()) {
            Err(Errno::ENOENT) => {
                steps.push_front(step);
                break End::Absent(here, steps);
            }
            // What is wrong there, whoever opens it says.
            Err(_) => break End::Elsewhere,
            Ok(next) => next,
        };
        let next_found = fstat(&next)?;
        match kind(&next_found) {
            SFlag::S_IFDIR => (here, found) = (next, next_found),
            SFlag::S_IFLNK if next_found.st_uid == 0 && links < MAX_LINKS => {
                links += 1;
                let target = readlinkat(&here, step.as_os_str())?;
                let target = Path::new(&target);
                if target.is_absolute() {
                    here = root()?;
                    found = fstat(&here)?;
                }
                for name in names(target).collect::<Vec<_>>().into_iter().rev() {
                    steps.push_front(name);
                }
            }
            _ => {
                let owner = Uid::from_raw(next_found.st_uid);
                stranger = stranger.or((!owner.is_root()).then_some(owner));
                break End::Elsewhere;
            }
        }
    };
    Ok(Route {
        is_roots,
        stranger,
        end,
    })
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|step| match step {
        Component::Normal(_) | Component::ParentDir => Some(step.as_os_str().to_owned()),
        _ => None,
    })
}

/// Makes the folders, of which the last is the account's and the others are there to be passed through.
fn make(mut here: OwnedFd, mut names: VecDeque<OsString>, account: &Account) -> Result<(), Errno> {
    while let Some(name) = names.pop_front() {
        let mode = if names.is_empty() { 0o700 } else { 0o755 };
        mkdirat(&here, name.as_os_str(), Mode::from_bits_truncate(mode))?;
        here = openat(&here, name.as_os_str(), LOOK | OFlag::O_DIRECTORY, Mode::empty())?;
    }
    give(&here, account)
}

/// To be called on a folder in which only root writes, so that what is looked at cannot change before it is handed over.
fn give_contents(folder: &OwnedFd, names: Vec<OsString>, account: &Account) -> Result<(), Errno> {
    for name in names {
        let entry = openat(folder, name.as_os_str(), LOOK, Mode::empty())?;
        let found = fstat(&entry)?;
        match kind(&found) {
            SFlag::S_IFDIR if only_root_writes(&found) => give_contents(&entry, list(&entry)?, account)?,
            // A second name stands elsewhere, where the file is perhaps not the server's.
            SFlag::S_IFREG if found.st_uid == 0 && found.st_nlink == 1 => {}
            _ => continue,
        }
        give(&entry, account)?;
    }
    Ok(())
}

fn give(entry: impl AsFd, account: &Account) -> Result<(), Errno> {
    fchownat(entry, "", Some(account.uid), Some(account.gid), AtFlags::AT_EMPTY_PATH)
}

fn list(folder: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    use std::os::unix::ffi::OsStrExt as _;
    let readable = openat(
        folder,
        ".",
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let mut names = Vec::new();
    for entry in Dir::from_fd(readable)? {
        let entry = entry?;
        let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn kind(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
}

fn only_root_writes(found: &FileStat) -> bool {
    found.st_uid == 0 && found.st_mode & 0o022 == 0
}

/// Whether only root can put something else in the place of root's own entries: in `/tmp`, others can add, but not replace.
fn only_root_moves(found: &FileStat) -> bool {
    only_root_writes(found) || (found.st_uid == 0 && Mode::from_bits_truncate(found.st_mode).contains(Mode::S_ISVTX))
}
