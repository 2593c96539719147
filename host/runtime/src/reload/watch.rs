//! Notices that something happened in the plugins folder. What happened is found out by looking, never from the event.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Watches a folder for as long as it lives.
pub(crate) struct FolderWatch {
    folder: PathBuf,
    changed: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    inode: Option<u64>,
}

impl FolderWatch {
    /// Wakes `changed` when something happens in `folder`.
    pub(crate) fn new(folder: &Path, changed: Arc<Notify>) -> Self {
        let mut watch = Self {
            folder: folder.to_owned(),
            changed,
            watcher: None,
            inode: None,
        };
        watch.renew();
        watch
    }

    /// Begins to watch again if the folder was replaced, or could not be watched before.
    pub(crate) fn renew(&mut self) {
        let inode = std::fs::metadata(&self.folder).ok().map(|metadata| metadata.ino());
        if self.watcher.is_some() && inode == self.inode {
            return;
        }
        self.watcher = None;
        let changed = Arc::clone(&self.changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error means that events were lost; looking at everything is the answer to both.
            if event.is_err() || event.is_ok_and(|event| is_change(&event)) {
                changed.notify_one();
            }
        });
        let watching = watcher.and_then(|mut watcher| {
            watcher.watch(&self.folder, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watching {
            Ok(watcher) => {
                self.watcher = Some(watcher);
                self.inode = inode;
                self.changed.notify_one();
            }
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "the plugins folder cannot be watched; looking at it every few seconds");
            }
        }
    }
}

/// The runtime's own reading is an event too, and must not wake it.
fn is_change(event: &notify::Event) -> bool {
    event.need_rescan()
        || match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            EventKind::Access(_) => false,
            EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => {
                event
                    .paths
                    .iter()
                    .any(|path| path.extension().is_some_and(|extension| extension == "wasm"))
            }
        }
}
