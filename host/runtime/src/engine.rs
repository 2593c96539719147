//! The engine: one per server, shared by all backends. Its pools are bounded, and its epoch ticks only while guests run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, UpdateDeadline,
};

use crate::call::CallState;
use crate::delegation::DEPTH;
use crate::{Limits, import, wasi};

/// How long a guest runs before it has to let others run.
const TICK: Duration = Duration::from_millis(10);

/// How long the ticker goes on after the last call.
const LINGER: Duration = Duration::from_secs(1);

/// Ticks that a call may use before it has to share one processor with all others that run for long.
const FREE_TICKS: u32 = 5;

/// A component's core instances; components made from an interpreter have one for each of its libraries.
const CORE_INSTANCES: u32 = 100;

/// The stack of a guest, and of the host functions that it calls.
const WASM_STACK: usize = 512 << 10;
const HOST_STACK: usize = 1536 << 10;

/// The engine, what guests may import, and the places for calls.
pub(crate) struct HostEngine {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<CallState>,
    /// Places for calls under way, by how deeply they are nested. Each depth has its own, so that no call that waits for a nested one can hold that
    /// one's place.
    places: [Arc<Semaphore>; 1 + DEPTH],
    /// Places for instances that wait to be used again.
    pub(crate) warm: Arc<Semaphore>,
    ticker: Arc<Ticker>,
    burning: Arc<AtomicU32>,
}

impl HostEngine {
    /// An engine for `calls` calls at once.
    pub(crate) fn new(calls: u32) -> wasmtime::Result<Arc<Self>> {
        let engine = Engine::new(&config(calls))?;
        let mut linker = Linker::new(&engine);
        import::add_to_linker(&mut linker)?;
        wasi::add_to_linker(&mut linker)?;
        let places = usize::try_from(calls)?;
        let nested = usize::try_from(nested(calls))?;
        Ok(Arc::new(Self {
            ticker: Ticker::start(engine.weak())?,
            engine,
            linker,
            places: std::array::from_fn(|depth| Arc::new(Semaphore::new(if depth == 0 { places } else { nested }))),
            warm: Arc::new(Semaphore::new(places)),
            burning: Arc::default(),
        }))
    }

    /// The places for calls that are nested so deeply.
    pub(crate) fn places(&self, depth: usize) -> Arc<Semaphore> {
        let [.., deepest] = &self.places;
        Arc::clone(self.places.get(depth).unwrap_or(deepest))
    }

    /// Keeps the epoch ticking for as long as the result lives.
    pub(crate) fn running(&self) -> Running {
        self.ticker.running.fetch_add(1, Ordering::SeqCst);
        if self.ticker.asleep.load(Ordering::SeqCst) {
            self.ticker.thread.unpark();
        }
        Running(Arc::clone(&self.ticker))
    }

    pub(crate) fn burner(&self) -> Burner {
        Burner {
            burning: Arc::clone(&self.burning),
            ticks: 0,
        }
    }

    /// What compiled code must have in common with this engine to be usable, as a hash.
    pub(crate) fn compatibility(&self) -> [u8; 32] {
        use std::hash::Hash as _;
        let mut hasher = Sha256Hasher(Sha256::new());
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.finalize().into()
    }
}

fn config(calls: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // Twice: as many again may be kept warm by backends that reuse instances. And those that others wait for.
    let depths = u32::try_from(DEPTH).unwrap_or(u32::MAX);
    let nested = nested(calls).saturating_mul(depths);
    let instances = calls.saturating_mul(2).saturating_add(nested).saturating_add(8);
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES))
        .total_memories(instances.saturating_mul(2))
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(4)
        .max_tables_per_component(16)
        .max_tables_per_module(4)
        .max_memory_size(usize::try_from(Limits::MAX_MEMORY).unwrap_or(usize::MAX))
        .table_elements(usize::try_from(Limits::MAX_TABLE_ELEMENTS).unwrap_or(usize::MAX))
        .max_unused_warm_slots(32)
        .linear_memory_keep_resident(256 << 10)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(8 << 10);
    let mut config = Config::new();
    // A guest's own work is small beside what the host does for it: optimizing its code makes no login faster that can be measured, and
    // a swap a third slower.
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .wasm_component_model(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(WASM_STACK + HOST_STACK)
        .cranelift_opt_level(OptLevel::None)
        .debug_info(false);
    config
}

/// How many calls there may be at each depth of nested ones, where there may be so many that are not nested.
fn nested(calls: u32) -> u32 {
    (calls / 4).max(1)
}

/// Advances the epoch while calls are under way, on a thread of its own: a guest in an endless loop may hold every other thread.
struct Ticker {
    thread: Thread,
    running: AtomicUsize,
    asleep: AtomicBool,
}

impl Ticker {
    fn start(engine: EngineWeak) -> std::io::Result<Arc<Self>> {
        let (sender, receiver) = std::sync::mpsc::channel::<std::sync::Weak<Self>>();
        let thread = thread::Builder::new().name("keyway-epoch".to_owned()).spawn(move || {
            if let Ok(ticker) = receiver.recv() {
                drop(receiver);
                tick(&engine, &ticker);
            }
        })?;
        let ticker = Arc::new(Self {
            thread: thread.thread().clone(),
            running: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
        });
        // The thread waits for this one message, so the channel is open.
        drop(sender.send(Arc::downgrade(&ticker)));
        Ok(ticker)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}

/// Runs until the engine is gone.
fn tick(engine: &EngineWeak, ticker: &std::sync::Weak<Ticker>) {
    let mut quiet_since = None;
    loop {
        {
            let (Some(engine), Some(ticker)) = (engine.upgrade(), ticker.upgrade()) else {
                return;
            };
            engine.increment_epoch();
            if ticker.running.load(Ordering::SeqCst) > 0 {
                quiet_since = None;
            } else if quiet_since.get_or_insert_with(Instant::now).elapsed() > LINGER {
                ticker.asleep.store(true, Ordering::SeqCst);
            }
            // A call that began before `asleep` was set has not seen it; look again before sleeping.
            if ticker.running.load(Ordering::SeqCst) > 0 {
                ticker.asleep.store(false, Ordering::SeqCst);
            }
        }
        let asleep = ticker
            .upgrade()
            .is_some_and(|ticker| ticker.asleep.load(Ordering::SeqCst));
        if asleep {
            thread::park();
            quiet_since = None;
            if let Some(ticker) = ticker.upgrade() {
                ticker.asleep.store(false, Ordering::SeqCst);
            }
        } else {
            thread::sleep(TICK);
        }
    }
}

/// A call under way.
pub(crate) struct Running(Arc<Ticker>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A call's share of the processor. A login needs a few milliseconds; what runs for longer gets out of the way of the others, so that
/// all guests that loop share at most one processor between them.
pub(crate) struct Burner {
    burning: Arc<AtomicU32>,
    ticks: u32,
}

impl Burner {
    /// What happens when a guest has used up another tick.
    pub(crate) fn tick(&mut self) -> UpdateDeadline {
        self.ticks = self.ticks.saturating_add(1);
        if self.ticks <= FREE_TICKS {
            return UpdateDeadline::Yield(1);
        }
        let burning = if self.ticks == FREE_TICKS + 1 {
            self.burning.fetch_add(1, Ordering::Relaxed) + 1
        } else {
            self.burning.load(Ordering::Relaxed)
        };
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(TICK * burning.min(100))))
    }

    /// Starts anew.
    pub(crate) fn rest(&mut self) {
        if self.ticks > FREE_TICKS {
            self.burning.fetch_sub(1, Ordering::Relaxed);
        }
        self.ticks = 0;
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        self.rest();
    }
}

struct Sha256Hasher(Sha256);

impl std::hash::Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |word, byte| (word << 8) | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_guest_that_runs_for_long_must_wait_between_its_turns() {
        let burning = Arc::new(AtomicU32::new(0));
        let mut burner = Burner {
            burning: Arc::clone(&burning),
            ticks: 0,
        };
        let waits = |burner: &mut Burner| matches!(burner.tick(), UpdateDeadline::YieldCustom(1, _));
        assert!((0..FREE_TICKS).all(|_| !waits(&mut burner)));
        assert!(waits(&mut burner) && waits(&mut burner));
        assert_eq!(burning.load(Ordering::Relaxed), 1);
        drop(burner);
        assert_eq!(burning.load(Ordering::Relaxed), 0);
    }
}
