//! From the bytes of a plugin file to a compiled and checked plugin, on threads that serve no requests.
//!
//! A compilation cannot be broken off. One that takes too long is given up by who waits for it, and goes on to its end: until then it
//! keeps its place, and whoever wants the same plugin waits for it and begins no second one. So a plugin that the compiler chokes on costs
//! one place, however often it is asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use keyway_core::model::PluginDigest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::component::Component;

use super::bring_up::BringUpError;
use super::cache::ArtefactCache;
use crate::engine::HostEngine;
use crate::plugin::{Plugin, PluginError};

/// Compilations at once. Each uses every processor it can get, and takes its time from logins; the second is there for when one chokes.
const COMPILATIONS: usize = 2;

/// Makes plugins.
pub(crate) struct Compiler {
    engine: Arc<HostEngine>,
    cache: Option<Arc<ArtefactCache>>,
    deadline: Duration,
    places: Arc<Semaphore>,
    shelf: Arc<Mutex<Shelf>>,
}

/// What there is already, or soon will be.
#[derive(Default)]
struct Shelf {
    // Backends that share a plugin share its code, for as long as one of them lives.
    plugins: HashMap<PluginDigest, Weak<Plugin>>,
    under_way: HashMap<PluginDigest, Compilation>,
}

/// Empty until it has ended.
type Compilation = watch::Receiver<Option<Result<Arc<Plugin>, PluginError>>>;

impl Compiler {
    pub(crate) fn new(engine: Arc<HostEngine>, cache: Option<ArtefactCache>, deadline: Duration) -> Self {
        Self {
            engine,
            cache: cache.map(Arc::new),
            deadline,
            places: Arc::new(Semaphore::new(COMPILATIONS)),
            shelf: Arc::default(),
        }
    }

    /// The compiled and checked plugin: one that is in use already, the cached one, or a new compilation.
    pub(crate) async fn plugin(&self, digest: PluginDigest, bytes: Vec<u8>) -> Result<Arc<Plugin>, BringUpError> {
        if let Some(plugin) = lock(&self.shelf).plugin(digest) {
            return Ok(plugin);
        }
        if let Some(component) = self.cached(digest).await {
            let plugin = Plugin::new(&self.engine, digest, &component)?;
            return Ok(lock(&self.shelf).keep(plugin));
        }
        let under_way = lock(&self.shelf).compilation(digest);
        let mut compilation = match under_way {
            Some(compilation) => compilation,
            None => self.begin(digest, self.place().await?, move |engine| {
                Component::from_binary(&engine.engine, &bytes)
                    .map_err(|error| PluginError::NotAComponent(format!("{error:#}")))
            }),
        };
        let ended = tokio::time::timeout(self.deadline, compilation.wait_for(Option::is_some)).await;
        match ended.map_err(|_| BringUpError::TooSlow(self.deadline))?.as_deref() {
            Ok(Some(compiled)) => Ok(compiled.clone()?),
            Ok(None) | Err(_) => Err(BringUpError::Compiler),
        }
    }

    async fn cached(&self, digest: PluginDigest) -> Option<Component> {
        let (engine, cache) = (Arc::clone(&self.engine), self.cache.clone()?);
        // What cannot be read is compiled again.
        tokio::task::spawn_blocking(move || cache.get(&engine, digest))
            .await
            .ok()
            .flatten()
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, BringUpError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let busy = BringUpError::CompilersBusy(self.deadline);
        // Nobody closes the semaphore.
        tokio::time::timeout(self.deadline, place)
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(busy)
    }

    /// Begins to compile, or joins in if somebody else began while this one waited for its place.
    fn begin(
        &self,
        digest: PluginDigest,
        place: OwnedSemaphorePermit,
        compile: impl FnOnce(&HostEngine) -> Result<Component, PluginError> + Send + 'static,
    ) -> Compilation {
        let mut shelf = lock(&self.shelf);
        if let Some(compilation) = shelf.compilation(digest) {
            return compilation;
        }
        let (sender, compilation) = watch::channel(None);
        shelf.under_way.insert(digest, compilation.clone());
        drop(shelf);
        let (engine, cache, shelf) = (Arc::clone(&self.engine), self.cache.clone(), Arc::clone(&self.shelf));
        tokio::task::spawn_blocking(move || {
            let compiled = compile(&engine);
            drop(place);
            if let (Some(cache), Ok(component)) = (cache, &compiled) {
                let component = component.clone();
                // The swap need not wait for the disk.
                tokio::task::spawn_blocking(move || cache.put(digest, &component));
            }
            let plugin = compiled.and_then(|component| Plugin::new(&engine, digest, &component));
            let mut shelf = lock(&shelf);
            shelf.under_way.remove(&digest);
            // Where everybody has given up, only the cache has it.
            let _ = sender.send(Some(plugin.map(|plugin| shelf.keep(plugin))));
        });
        compilation
    }

    /// Takes every place, as compilations that never end do.
    #[cfg(test)]
    pub(crate) async fn occupy(&self) -> OwnedSemaphorePermit {
        let places = u32::try_from(COMPILATIONS).unwrap_or(u32::MAX);
        Arc::clone(&self.places).acquire_many_owned(places).await.unwrap()
    }

    /// Removes compiled code that neither runs nor is named in `keep`.
    pub(crate) async fn prune(&self, keep: &BTreeSet<PluginDigest>) {
        let Some(cache) = self.cache.clone() else { return };
        let mut keep = keep.clone();
        keep.extend(lock(&self.shelf).in_use());
        // What is not removed now is removed the next time.
        let _ = tokio::task::spawn_blocking(move || cache.prune(&keep)).await;
    }
}

impl Shelf {
    fn plugin(&self, digest: PluginDigest) -> Option<Arc<Plugin>> {
        self.plugins.get(&digest).and_then(Weak::upgrade)
    }

    /// The same plugin may have been loaded twice at once; then the first stays.
    fn keep(&mut self, plugin: Plugin) -> Arc<Plugin> {
        if let Some(first) = self.plugin(plugin.digest) {
            return first;
        }
        let plugin = Arc::new(plugin);
        self.plugins.retain(|_, plugin| plugin.strong_count() > 0);
        self.plugins.insert(plugin.digest, Arc::downgrade(&plugin));
        plugin
    }

    /// A compilation under way; not one that a panic has ended.
    fn compilation(&self, digest: PluginDigest) -> Option<Compilation> {
        let compilation = self.under_way.get(&digest)?;
        compilation.has_changed().is_ok().then(|| compilation.clone())
    }

    fn in_use(&self) -> impl Iterator<Item = PluginDigest> {
        let in_use = self.plugins.iter().filter(|(_, plugin)| plugin.strong_count() > 0);
        in_use.map(|(digest, _)| *digest)
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with nothing in it, which is quickly compiled and is no plugin.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_mins(1);

    fn compiler() -> Compiler {
        Compiler::new(HostEngine::new(2).unwrap(), None, SOON)
    }

    async fn compile(compiler: &Compiler, digest: u8) -> BringUpError {
        let compiled = compiler.plugin(PluginDigest([digest; 32]), EMPTY.to_vec()).await;
        compiled.err().expect("it is no plugin")
    }

    fn is_no_plugin(error: &BringUpError) -> bool {
        matches!(error, BringUpError::Plugin(PluginError::Skew(_)))
    }

    #[tokio::test]
    async fn waiting_for_a_place_is_no_failure_of_the_file() {
        let mut compiler = compiler();
        let others = compiler.occupy().await;
        let error = compile(&compiler, 1).await;
        assert!(error.is_passing(), "{error}");
        drop(others);
        compiler.deadline = LATE;
        let error = compile(&compiler, 1).await;
        assert!(is_no_plugin(&error), "{error}");
    }

    #[tokio::test]
    async fn a_compilation_that_is_given_up_takes_one_place_however_often_it_is_asked_for() {
        let mut compiler = compiler();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let place = compiler.place().await.unwrap();
        let stuck = compiler.begin(PluginDigest([1; 32]), place, move |_| {
            // Until the sender is dropped.
            let _ = ended.recv();
            Err(PluginError::NotAComponent("stuck".to_owned()))
        });
        for _ in 0..=COMPILATIONS {
            let error = compile(&compiler, 1).await;
            assert!(matches!(error, BringUpError::TooSlow(_)), "{error}");
        }
        compiler.deadline = LATE;
        let error = compile(&compiler, 2).await;
        assert!(is_no_plugin(&error), "{error}");

        drop((end, stuck));
        let error = compile(&compiler, 1).await;
        let ends_as_it_began = matches!(error, BringUpError::Plugin(PluginError::NotAComponent(_)));
        assert!(ends_as_it_began || is_no_plugin(&error), "{error}");
    }

    #[tokio::test]
    async fn a_compiler_that_panics_is_asked_again() {
        let mut compiler = compiler();
        compiler.deadline = LATE;
        let place = compiler.place().await.unwrap();
        let digest = PluginDigest([1; 32]);
        let mut panicked = compiler.begin(digest, place, |_| panic!("as requested"));
        assert!(panicked.wait_for(Option::is_some).await.is_err());
        let error = compile(&compiler, 1).await;
        assert!(is_no_plugin(&error), "{error}");
    }
}
