//! `[keys]`: where the master key comes from.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::source::Source;

/// `[keys]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawKeys {
    master_key: Option<Spanned<RawMasterKey>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMasterKey {
    file: Option<Spanned<String>>,
    env: Option<Spanned<String>>,
}

/// Where the master key comes from: 64 hexadecimal digits, or 32 bytes in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MasterKeyPlace {
    /// `data_dir/master.key`, made on the first start; the environment variable `KEYWAY_MASTER_KEY` wins where it is set.
    Own(PathBuf),
    /// A file that the operator looks after. It must exist.
    File(PathBuf),
    /// An environment variable. It must be set.
    Variable(String),
}

impl RawKeys {
    pub(super) fn check(&self, data_dir: &Path, source: &Source) -> Result<MasterKeyPlace, ConfigError> {
        let Some(raw) = &self.master_key else {
            return Ok(MasterKeyPlace::Own(data_dir.join("master.key")));
        };
        match (&raw.get_ref().file, &raw.get_ref().env) {
            (Some(file), None) => {
                let path = source.file(file.get_ref());
                std::fs::File::open(&path).map_err(|error| {
                    source.refuse(file.span(), format!("cannot read `{}`: {error}", path.display()))
                })?;
                Ok(MasterKeyPlace::File(path))
            }
            (None, Some(name)) => {
                if super::environment::variable(name.get_ref()).is_none() {
                    let problem = format!("the environment variable `{}` is not set", name.get_ref());
                    return Err(source.refuse(name.span(), problem));
                }
                Ok(MasterKeyPlace::Variable(name.get_ref().clone()))
            }
            _ => Err(source.refuse(raw.span(), "write `{ file = \"...\" }` or `{ env = \"...\" }`")),
        }
    }
}
