//! The master key: read from where the configuration says, or made on the first start.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use keyway_core::Secret;
use keyway_core::key::MasterKey;
use keyway_core::port::Random;

use crate::config::{MasterKeyPlace, variable};

/// The variable that wins over the key file in the data folder.
const VARIABLE: &str = "KEYWAY_MASTER_KEY";

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MasterKeyError {
    /// The file cannot be read or made.
    #[error("cannot use the master key file `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The variable is not set.
    #[error("the environment variable `{0}`, which should hold the master key, is not set")]
    Unset(String),
    /// It is there and is no key.
    #[error("{0} holds no master key: 64 hexadecimal digits are wanted (`openssl rand -hex 32` makes some)")]
    Malformed(String),
}

/// Reads the key.
///
/// # Errors
/// [`MasterKeyError`].
pub(crate) fn read(place: &MasterKeyPlace, random: &dyn Random) -> Result<MasterKey, MasterKeyError> {
    match place {
        MasterKeyPlace::Own(path) => match variable(VARIABLE) {
            Some(text) => from_variable(VARIABLE, text),
            None => own(path, random),
        },
        MasterKeyPlace::File(path) => from_file(path),
        MasterKeyPlace::Variable(name) => match variable(name) {
            Some(text) => from_variable(name, text),
            None => Err(MasterKeyError::Unset(name.clone())),
        },
    }
}

fn own(path: &Path, random: &dyn Random) -> Result<MasterKey, MasterKeyError> {
    match from_file(path) {
        Err(MasterKeyError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
        found => return found,
    }
    make(path, random).map_err(|source| MasterKeyError::File {
        path: path.to_owned(),
        source,
    })?;
    from_file(path)
}

/// Writes a new key under another name and gives it its own when it is whole, so that neither a crash nor a second process that
/// does the same can leave half a key, or two.
fn make(path: &Path, random: &dyn Random) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let digits = Secret::new(hex::encode(bytes));
    drop(Secret::new(bytes));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(digits.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => std::fs::File::open(folder)?.sync_all(),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

fn from_file(path: &Path) -> Result<MasterKey, MasterKeyError> {
    let bytes = std::fs::read(path)
        .map(Secret::new)
        .map_err(|source| MasterKeyError::File {
            path: path.to_owned(),
            source,
        })?;
    parse(bytes.expose()).ok_or_else(|| MasterKeyError::Malformed(format!("the file `{}`", path.display())))
}

fn from_variable(name: &str, text: String) -> Result<MasterKey, MasterKeyError> {
    let text = Secret::new(text);
    parse(text.expose().as_bytes())
        .ok_or_else(|| MasterKeyError::Malformed(format!("the environment variable `{name}`")))
}

/// 32 bytes, or 64 hexadecimal digits with or without a line break.
fn parse(bytes: &[u8]) -> Option<MasterKey> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Some(MasterKey::new(raw));
    }
    let mut key = [0; 32];
    hex::decode_to_slice(bytes.trim_ascii(), &mut key).ok()?;
    Some(MasterKey::new(key))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use keyway_core::port::SystemRandom;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_the_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let place = MasterKeyPlace::Own(path.clone());
        read(&place, &SystemRandom).expect("it is made");
        let first = std::fs::read(&path).expect("it is there");
        read(&place, &SystemRandom).expect("it is read");
        assert_eq!(std::fs::read(&path).expect("it is there"), first);
        assert_eq!(first.len(), 65);
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        for content in ["", "short", &"x".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            std::fs::write(&path, content).expect("a file");
            let error = read(&MasterKeyPlace::Own(path.clone()), &SystemRandom).expect_err("no key");
            assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), content);
        }
        for content in ["a".repeat(64), format!("{}\n", "0F".repeat(32)), "k".repeat(32)] {
            std::fs::write(&path, &content).expect("a file");
            assert!(
                read(&MasterKeyPlace::File(path.clone()), &SystemRandom).is_ok(),
                "{content}"
            );
        }
    }
}
