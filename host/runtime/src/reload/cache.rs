//! The host's own compiled code at rest, so that a start need not compile. Each file carries a MAC under the server's key: loading
//! compiled code that somebody else wrote would run it with the host's rights.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use keyway_core::Secret;
use keyway_core::model::PluginDigest;
use sha2::Sha256;
use wasmtime::component::Component;

use super::file;
use crate::engine::HostEngine;

const LABEL: &[u8] = b"keyway compiled plugin 1";
const MAC_BYTES: usize = 32;

pub(crate) struct ArtefactCache {
    folder: PathBuf,
    key: Secret<[u8; 32]>,
    compatibility: [u8; 32],
}

impl ArtefactCache {
    /// Keeps compiled code in `<folder>/<what it is compatible with>`, and removes what other versions of the engine left.
    pub(crate) fn open(folder: &Path, key: Secret<[u8; 32]>, engine: &HostEngine) -> io::Result<Self> {
        file::make_private_folder(folder)?;
        let compatibility = engine.compatibility();
        let own = folder.join(hex::encode(compatibility.get(..8).unwrap_or_default()));
        for entry in fs::read_dir(folder)?.flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && entry.path() != own {
                // Whoever uses it will make it again.
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        file::make_private_folder(&own)?;
        Ok(Self {
            folder: own,
            key,
            compatibility,
        })
    }

    fn path(&self, digest: PluginDigest) -> PathBuf {
        self.folder.join(format!("{}.cwasm", hex::encode(digest.0)))
    }

    fn mac(&self, digest: PluginDigest, code: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose()).ok()?;
        mac.update(LABEL);
        mac.update(&self.compatibility);
        mac.update(&digest.0);
        mac.update(code);
        Some(mac)
    }

    /// The compiled plugin, if it is there and is what this host wrote. Blocks.
    pub(crate) fn get(&self, engine: &HostEngine, digest: PluginDigest) -> Option<Component> {
        let bytes = fs::read(self.path(digest)).ok()?;
        let (tag, code) = bytes.split_at_checked(MAC_BYTES)?;
        if self.mac(digest, code)?.verify_slice(tag).is_err() {
            tracing::warn!(plugin = %digest, "compiled code in the cache was altered; compiling again");
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "sound for bytes that `Component::serialize` made: the MAC says that this host wrote exactly these"
        )]
        // SAFETY: `code` is in memory and authenticated, so it is the unaltered output of `Component::serialize`.
        let component = unsafe { Component::deserialize(&engine.engine, code) };
        component
            .inspect_err(|error| tracing::warn!(plugin = %digest, %error, "compiled code in the cache does not load"))
            .ok()
    }

    /// Keeps a compiled plugin. A failure costs a compilation later, no more. Blocks.
    pub(crate) fn put(&self, digest: PluginDigest, component: &Component) {
        let written = component.serialize().map_err(io::Error::other).and_then(|code| {
            let tag = self.mac(digest, &code).ok_or_else(|| io::Error::other("no MAC"))?;
            file::write_private(&self.path(digest), &[&tag.finalize().into_bytes(), &code])
        });
        if let Err(error) = written {
            tracing::warn!(plugin = %digest, %error, "compiled code cannot be kept");
        }
    }

    /// Removes compiled code of all plugins but these. Blocks.
    pub(crate) fn prune(&self, keep: &BTreeSet<PluginDigest>) {
        file::prune(&self.folder, |name| {
            let digest = name
                .strip_suffix(".cwasm")
                .and_then(|stem| PluginDigest::parse(stem).ok());
            digest.is_some_and(|digest| keep.contains(&digest))
        });
    }
}
