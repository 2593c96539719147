//! What root hands over, and what it leaves alone.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use tempfile::TempDir;

use super::*;

/// A data folder of root's, below a folder of root's, and a file elsewhere.
struct Fixture {
    account: Account,
    _house: TempDir,
    folder: PathBuf,
    outside: TempDir,
}

impl Fixture {
    /// `None` where root does not run the tests: then nothing can be handed over, and nothing is.
    fn new() -> Option<Self> {
        let house = tempfile::tempdir().expect("a folder");
        let folder = house.path().join("var");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("keyway.lock"), "").expect("a file");
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("file"), "x").expect("a file");
        let account = Account::from(User::from_name("nobody").expect("a look-up").expect("an account"));
        if geteuid().is_root() {
            return Some(Self {
                account,
                _house: house,
                folder,
                outside,
            });
        }
        assert!(matches!(Account::find("nobody"), Err(PrivilegeError::NotRoot(_))));
        account.hand_over(&folder).expect("there is nothing to do");
        assert_eq!(owner(&folder), geteuid().as_raw());
        assert!(Account::owner_of(Path::new("/")).is_none());
        None
    }

    fn hand_over(&self) {
        self.account.hand_over(&self.folder).expect("root may");
    }

    fn is_handed_over(&self, path: &str) -> bool {
        owner(&self.folder.join(path)) == self.account.uid.as_raw()
    }

    fn nothing_outside_is(&self) {
        assert_eq!(owner(self.outside.path()), 0);
        assert_eq!(owner(&self.outside.path().join("file")), 0);
    }
}

fn owner(path: &Path) -> u32 {
    path.symlink_metadata().expect("it exists").uid()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("root may");
}

#[test]
fn an_unknown_user_is_named() {
    let error = Account::find("no-such-user-anywhere").expect_err("nobody has this name");
    assert_eq!(
        error.to_string(),
        "there is no user `no-such-user-anywhere` on this machine"
    );
}

#[test]
fn a_data_folder_of_roots_is_handed_over_whole() {
    let Some(fixture) = Fixture::new() else { return };
    std::fs::create_dir(fixture.folder.join("cache")).expect("a folder");
    std::fs::write(fixture.folder.join("cache/file"), "x").expect("a file");
    fixture.hand_over();
    for path in ["", "keyway.lock", "cache", "cache/file"] {
        assert!(fixture.is_handed_over(path), "{path}");
    }
}

#[test]
fn a_link_and_a_file_with_a_second_name_are_not_handed_over() {
    let Some(fixture) = Fixture::new() else { return };
    symlink(fixture.outside.path(), fixture.folder.join("folder")).expect("a link");
    symlink(fixture.outside.path().join("file"), fixture.folder.join("link")).expect("a link");
    std::fs::hard_link(fixture.outside.path().join("file"), fixture.folder.join("second")).expect("a second name");
    fixture.hand_over();
    assert!(fixture.is_handed_over("") && fixture.is_handed_over("keyway.lock"));
    fixture.nothing_outside_is();
}

#[test]
fn where_others_can_write_nothing_is_handed_over() {
    let Some(fixture) = Fixture::new() else { return };
    let inner = fixture.folder.join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    std::fs::write(inner.join("file"), "x").expect("a file");
    for (what, uid, mode) in [
        ("a folder of the account's", 65534, 0o700),
        ("a folder for all", 0, 0o777),
    ] {
        chown(&inner, Some(uid), None).expect("root may");
        set_mode(&inner, mode);
        fixture.hand_over();
        assert_eq!(owner(&inner.join("file")), 0, "{what} in the data folder");
        assert!(fixture.is_handed_over("keyway.lock"), "{what} in the data folder");
        for path in [&fixture.folder, &fixture.folder.join("keyway.lock")] {
            chown(path, Some(0), None).expect("root may");
        }

        let parent = fixture.folder.parent().expect("a folder");
        for path in [&fixture.folder, parent] {
            chown(path, Some(uid), None).expect("root may");
            set_mode(path, mode);
            fixture.hand_over();
            assert!(!fixture.is_handed_over("keyway.lock"), "{what}: {}", path.display());
            chown(path, Some(0), None).expect("root may");
            set_mode(path, 0o700);
        }
    }
}

#[test]
fn a_path_over_somebody_elses_link_is_not_followed() {
    let Some(fixture) = Fixture::new() else { return };
    let link = fixture.folder.with_file_name("link");
    symlink(&fixture.folder, &link).expect("a link");
    std::os::unix::fs::lchown(&link, Some(65534), None).expect("root may");
    fixture.account.hand_over(&link).expect("there is nothing to do");
    fixture
        .account
        .hand_over(&link.join("new"))
        .expect("there is nothing to do");
    assert!(!fixture.is_handed_over("") && !fixture.folder.join("new").exists());
    assert_eq!(
        Account::owner_of(&link).map(|owner| owner.name).as_deref(),
        Some("nobody")
    );

    std::os::unix::fs::lchown(&link, Some(0), None).expect("root may");
    assert!(Account::owner_of(&link).is_none());
    fixture.account.hand_over(&link).expect("root made this link");
    assert!(fixture.is_handed_over("") && fixture.is_handed_over("keyway.lock"));
    assert_eq!(
        Account::owner_of(&link).map(|owner| owner.name).as_deref(),
        Some("nobody")
    );
}

#[test]
fn a_folder_of_something_else_is_not_handed_over() {
    let Some(fixture) = Fixture::new() else { return };
    fixture
        .account
        .hand_over(fixture.outside.path())
        .expect("there is nothing to do");
    fixture.nothing_outside_is();
}

#[test]
fn an_absent_folder_is_made() {
    let Some(fixture) = Fixture::new() else { return };
    let made = fixture.folder.join("a/b");
    fixture.account.hand_over(&made).expect("root may");
    assert!(fixture.is_handed_over("a/b") && !fixture.is_handed_over("a"));
    let mode = made.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
