//! Files that an operator names: held in memory as lines, looked at before each answer, and read again when they have changed. Nothing here knows of
//! wasm; the import `file` hands what comes out of it to a guest.
//!
//! A file that is gone, is being written, is too large or is no UTF-8 has no lines until it is in order again: what it held before is forgotten, so
//! that whoever was removed with it does not log in.

mod content;
mod read;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use self::content::Content;
pub(crate) use self::content::{Field, Page};
use self::read::{Look, Stamp, Unreadable};

/// Within this long after a look at a file, its change may go unnoticed.
const FRESH: Duration = Duration::from_millis(3);

/// Where a file is, and how large it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    /// Where it is.
    pub path: PathBuf,
    /// A larger one is not read, in bytes. At most [`FileSpec::MAX_SIZE`].
    pub max_size: u64,
}

impl FileSpec {
    /// The most that [`FileSpec::max_size`] can allow: lines are found by 32-bit offsets.
    pub const MAX_SIZE: u64 = 1 << 30;

    /// One of at most 64 MiB.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            max_size: 64 << 20,
        }
    }
}

/// One named file. It is read when somebody asks, on a thread that may block, by one at a time.
pub(crate) struct NamedFile {
    name: String,
    spec: FileSpec,
    /// For so long is a look good enough for whoever asks after it.
    fresh: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    content: Option<Arc<Content>>,
    /// When the last look began, and what it saw.
    looked: Option<(Instant, Option<Stamp>)>,
    /// The look that is under way. It goes on when whoever asked for it has given up, so that a file system that hangs holds one thread and no more.
    looking: Option<Shared<BoxFuture<'static, ()>>>,
    /// What was said about the file last.
    told: Option<Unreadable>,
}

impl NamedFile {
    /// A file that nobody has looked at yet.
    pub(crate) fn new(name: &str, spec: FileSpec) -> Arc<Self> {
        Self::with_freshness(name, spec, FRESH)
    }

    fn with_freshness(name: &str, spec: FileSpec, fresh: Duration) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            spec,
            fresh,
            state: Mutex::default(),
        })
    }

    /// The lines whose field is `key`, at most `most`; `None` where that cannot be said. The reason is in the log.
    pub(crate) async fn find(self: &Arc<Self>, field: Field, key: &str, most: usize) -> Option<Vec<String>> {
        let content = self.content().await?;
        if let Some(lines) = content.find(field, key, most) {
            return Some(lines);
        }
        content.index(field).await;
        content.find(field, key, most)
    }

    /// The lines from `start` on; `None` likewise.
    pub(crate) async fn list(self: &Arc<Self>, start: u64, most: u32) -> Option<Page> {
        Some(self.content().await?.page(start, most))
    }

    async fn content(self: &Arc<Self>) -> Option<Arc<Content>> {
        let asked = Instant::now();
        loop {
            let looking = {
                let mut state = self.lock();
                if let Some((at, _)) = state.looked
                    && at + self.fresh >= asked
                {
                    return state.content.clone();
                }
                state.looking.get_or_insert_with(|| self.look()).clone()
            };
            // One that began before this call may have seen what was there before an edit; then another one follows.
            looking.await;
        }
    }

    fn look(self: &Arc<Self>) -> Shared<BoxFuture<'static, ()>> {
        let this = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let ended = Ended(&this);
            this.refresh();
            drop(ended);
        });
        async move {
            // A look that panicked has said so itself; whoever asks next looks again.
            let _ = work.await;
        }
        .boxed()
        .shared()
    }

    /// Looks at the file, and reads it if it has changed. Blocks.
    fn refresh(&self) {
        let began = Instant::now();
        let before = {
            let state = self.lock();
            state.looked.and_then(|(_, stamp)| stamp)
        };
        let look = read::look(&self.spec, before);
        let mut state = self.lock();
        state.looked = Some((began, look.stamp()));
        match look {
            Look::Unchanged(_) => {}
            Look::Changed(_, text) => {
                // Whoever asks next finds what whoever asked before has found it by.
                let fields = state.content.take().map(|content| content.indexed());
                let content = Content::new(text, &fields.unwrap_or_default());
                tracing::info!(grant = self.grant(), path = %self.spec.path.display(), lines = content.count(), "a granted file was read");
                state.content = Some(Arc::new(content));
                state.told = None;
            }
            Look::Unreadable(stamp, why) => {
                state.content = None;
                if stamp.is_some() || state.told.as_ref() != Some(&why) {
                    tracing::warn!(grant = self.grant(), path = %self.spec.path.display(), "a granted file cannot be used: {why}");
                    state.told = Some(why);
                }
            }
        }
    }

    fn grant(&self) -> String {
        format!("file.{}", self.name)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the end of a look, however it ends.
struct Ended<'a>(&'a NamedFile);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.lock().looking = None;
    }
}
