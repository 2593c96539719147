//! Copies of plugin files by their digest: what a rollback goes back to.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use keyway_core::model::PluginDigest;

use super::file;

pub(crate) struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// Keeps copies in `<folder>/sha256`.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join("sha256");
        file::make_private_folder(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, digest: PluginDigest) -> PathBuf {
        self.folder.join(format!("{}.wasm", hex::encode(digest.0)))
    }

    /// Keeps a copy. Blocks.
    pub(crate) fn put(&self, digest: PluginDigest, bytes: &[u8]) -> io::Result<()> {
        // A copy that was damaged on the disk is replaced.
        if self.get(digest).is_some() {
            return Ok(());
        }
        file::write_private(&self.path(digest), &[bytes])
    }

    /// The copy, if there is one and it is intact. Blocks.
    pub(crate) fn get(&self, digest: PluginDigest) -> Option<Vec<u8>> {
        let bytes = std::fs::read(self.path(digest)).ok()?;
        (file::digest(&bytes) == digest).then_some(bytes)
    }

    /// Removes all copies but these. Blocks.
    pub(crate) fn prune(&self, keep: &BTreeSet<PluginDigest>) {
        file::prune(&self.folder, |name| {
            let digest = name
                .strip_suffix(".wasm")
                .and_then(|stem| PluginDigest::parse(stem).ok());
            digest.is_some_and(|digest| keep.contains(&digest))
        });
    }
}
