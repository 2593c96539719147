//! Notices that the configuration file has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyway_http::edge::Stop;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use super::reload::Reloader;

/// How long the folder has to be quiet before the file is read: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(300);

/// Reloads whenever the file's content changes, until `stop`. Where the folder cannot be watched, SIGHUP still works.
pub(crate) async fn follow(file: PathBuf, reloader: Arc<Reloader>, stop: Stop) {
    // One place is enough: a change that comes while another is being looked at is seen by the look that follows.
    let (sender, mut changes) = mpsc::channel(1);
    let _watcher = match watch(&file, sender) {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "cannot watch the configuration file; send SIGHUP after a change");
            return;
        }
    };
    let mut seen = std::fs::read(&file).ok();
    loop {
        tokio::select! {
            () = stop.wait() => return,
            change = changes.recv() => if change.is_none() { return },
        }
        while tokio::time::timeout(QUIET, changes.recv())
            .await
            .is_ok_and(|change| change.is_some())
        {}
        let content = std::fs::read(&file).ok();
        // A file that is gone for a moment, between two steps of an editor, is no new content.
        if content.is_some() && content != seen {
            seen = content;
            reloader.reload_and_log("file").await;
        }
    }
}

/// Watches the folder, not the file: most editors put a new file in the old one's place.
fn watch(file: &Path, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_access = event.as_ref().is_ok_and(|event| event.kind.is_access());
        if !is_access {
            let _ = sender.try_send(());
        }
    })?;
    watcher.watch(file.parent().unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
