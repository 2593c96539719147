//! Which generation of which backend is live. Readers never wait: they take an immutable snapshot.

mod probation;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use async_trait::async_trait;
use keyway_core::gate::Gate;
use keyway_core::model::{Answer, BackendName, Changed, Found, Outcome, PluginStamp, Refusal};
use keyway_core::port::{
    Abilities, Backend, BackendFault, BackendSlot, Backends, BrowseRequest, ChangeRequest, Listing, LookupRequest,
    Step, VerifyRequest,
};
use tokio::sync::{OnceCell, mpsc};

pub(crate) use self::probation::Watch;
use crate::BackendSpec;
use crate::generation::Generation;
use crate::variant::Template;

/// A challenge may be answered for this long, so long is a generation kept that gave one.
pub(crate) const CHALLENGE_LIFE: Duration = Duration::from_mins(2);

/// Before a challenge's state: the generation that gave it. The answer goes to the same one, or nowhere.
const TAG_BYTES: usize = 16;

/// A generation in its place.
pub(crate) struct Live {
    pub(crate) backend: BackendName,
    pub(crate) number: u64,
    pub(crate) generation: Arc<Generation>,
    pub(crate) watch: Watch,
}

impl Live {
    fn stamp(&self) -> PluginStamp {
        PluginStamp {
            digest: self.generation.digest(),
            generation: self.number,
        }
    }

    fn tag(&self) -> &[u8] {
        self.generation.fingerprint.get(..TAG_BYTES).unwrap_or_default()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        tracing::info!(backend = %self.backend, generation = self.number, "a generation has ended its last call and is gone");
    }
}

/// A backend as the token service calls it.
pub(crate) struct LiveBackend {
    live: ArcSwapOption<Live>,
    // Generations that were replaced and may still get answers to their challenges.
    lingering: Mutex<Vec<(Instant, Arc<Live>)>>,
    alarm: mpsc::UnboundedSender<Alarm>,
    /// Whether it is to be loaded: a template is when its first variant is asked for.
    wanted: AtomicBool,
    asked_for: OnceCell<()>,
}

/// A generation on probation has faulted too often.
#[derive(Debug)]
pub(crate) struct Alarm {
    pub(crate) backend: BackendName,
    pub(crate) number: u64,
}

impl LiveBackend {
    pub(crate) fn new(alarm: mpsc::UnboundedSender<Alarm>, is_template: bool) -> Self {
        Self {
            live: ArcSwapOption::empty(),
            lingering: Mutex::default(),
            alarm,
            wanted: AtomicBool::new(!is_template),
            asked_for: OnceCell::new(),
        }
    }

    /// Whether it is to be loaded.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }

    /// Has it loaded by `load`, the first time.
    pub(crate) async fn want(&self, load: impl Future<Output = ()>) {
        self.wanted.store(true, Ordering::SeqCst);
        self.asked_for.get_or_init(|| load).await;
    }

    /// Counts a call for the probation of the generation that it ended on.
    pub(crate) fn observe<T>(&self, live: &Live, result: &Result<T, BackendFault>) {
        if live.watch.count(result.as_ref().err()) {
            let (backend, number) = (live.backend.clone(), live.number);
            // Nobody listens once the runtime is shut down, and then there is nothing to swap back to.
            let _ = self.alarm.send(Alarm { backend, number });
        }
    }

    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.live.load_full()
    }

    /// Puts a generation live. Calls under way end on the one that they began with.
    pub(crate) fn swap(&self, live: Arc<Live>) -> Option<Arc<Live>> {
        let replaced = self.live.swap(Some(live));
        let mut lingering = self.lingering.lock().unwrap_or_else(PoisonError::into_inner);
        lingering.retain(|(until, _)| *until > Instant::now());
        if let Some(replaced) = replaced.as_ref().filter(|live| live.watch.has_challenged()) {
            lingering.push((Instant::now() + CHALLENGE_LIFE, Arc::clone(replaced)));
        }
        replaced
    }

    /// Lets go of generations whose challenges have expired.
    pub(crate) fn sweep(&self) {
        let mut lingering = self.lingering.lock().unwrap_or_else(PoisonError::into_inner);
        lingering.retain(|(until, _)| *until > Instant::now());
    }

    /// The generation that gave the challenge, and the challenge's own state.
    fn challenger(&self, live: &Arc<Live>, state: &[u8]) -> Option<(Arc<Live>, Vec<u8>)> {
        let (tag, state) = state.split_at_checked(TAG_BYTES)?;
        if tag == live.tag() {
            return Some((Arc::clone(live), state.to_vec()));
        }
        let lingering = self.lingering.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lingering
            .iter()
            .find(|(until, kept)| *until > Instant::now() && tag == kept.tag());
        kept.map(|(_, kept)| (Arc::clone(kept), state.to_vec()))
    }
}

#[async_trait]
impl Backend for LiveBackend {
    async fn verify(&self, mut request: VerifyRequest) -> Result<Answer, BackendFault> {
        let mut live = self.live().ok_or(BackendFault::NotLoaded)?;
        if let Step::Answer { state, .. } = &mut request.step {
            let Some((challenger, own_state)) = self.challenger(&live, state) else {
                let outcome = Outcome::Refused(Refusal::Expired);
                let plugin = live.stamp();
                return Ok(Answer { outcome, plugin });
            };
            live = challenger;
            *state = own_state;
        }
        let mut result = live.generation.verify(request).await;
        self.observe(&live, &result);
        if let Ok(Outcome::Challenged(challenge)) = &mut result {
            live.watch.note_challenge();
            challenge.state.splice(..0, live.tag().iter().copied());
        }
        let plugin = live.stamp();
        result.map(|outcome| Answer { outcome, plugin })
    }

    fn stamp(&self) -> Option<PluginStamp> {
        self.live().map(|live| live.stamp())
    }

    fn abilities(&self) -> Abilities {
        // What is not loaded may have been able to say: it is asked, and that is a fault then.
        self.live().map_or(Abilities::ALL, |live| live.generation.abilities())
    }

    async fn lookup(&self, request: LookupRequest) -> Result<Option<Found>, BackendFault> {
        let live = self.live().ok_or(BackendFault::NotLoaded)?;
        let result = live.generation.lookup(request).await;
        self.observe(&live, &result);
        result
    }

    async fn change_password(&self, request: ChangeRequest) -> Result<Option<Changed>, BackendFault> {
        let live = self.live().ok_or(BackendFault::NotLoaded)?;
        let result = live.generation.change_password(request).await;
        self.observe(&live, &result);
        result
    }

    async fn browse(&self, request: BrowseRequest) -> Result<Option<Listing>, BackendFault> {
        let live = self.live().ok_or(BackendFault::NotLoaded)?;
        let result = live.generation.browse(request).await;
        self.observe(&live, &result);
        result
    }
}

/// The backends that are configured now.
pub(crate) struct Registry(ArcSwap<Snapshot>);

#[derive(Default)]
struct Snapshot {
    slots: HashMap<String, BackendSlot>,
    names: Vec<BackendName>,
    templates: HashMap<BackendName, Template>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self(ArcSwap::default())
    }

    /// Puts another set of backends in place. A name beats another backend's alias; of two equal aliases the first stays.
    pub(crate) fn publish<'a>(
        &self,
        all: impl Iterator<Item = (&'a Arc<BackendSpec>, &'a Arc<LiveBackend>, &'a Arc<Gate>)> + Clone,
    ) {
        let mut snapshot = Snapshot::default();
        for (spec, backend, gate) in all.clone().filter(|(spec, _, _)| spec.is_template) {
            let template = Template {
                spec: Arc::clone(spec),
                backend: Arc::clone(backend),
                gate: Arc::clone(gate),
            };
            snapshot.templates.insert(spec.name.clone(), template);
        }
        let backends = all.filter(|(spec, _, _)| !spec.is_template);
        for (spec, backend, gate) in backends.clone() {
            let slot = slot(spec, backend, gate);
            snapshot.slots.insert(spec.name.as_str().to_owned(), slot);
            snapshot.names.push(spec.name.clone());
        }
        for (spec, backend, gate) in backends {
            for alias in &spec.aliases {
                let place = snapshot.slots.entry(alias.as_str().to_owned());
                place.or_insert_with(|| slot(spec, backend, gate));
            }
        }
        snapshot.names.sort();
        self.0.store(Arc::new(snapshot));
    }

    /// What the variants of this name are made of.
    pub(crate) fn find_template(&self, name: &BackendName) -> Option<Template> {
        self.0.load().templates.get(name).cloned()
    }
}

fn slot(spec: &BackendSpec, backend: &Arc<LiveBackend>, gate: &Arc<Gate>) -> BackendSlot {
    BackendSlot {
        name: spec.name.clone(),
        backend: Arc::clone(backend) as Arc<dyn Backend>,
        gate: Arc::clone(gate),
        deadline: spec.limits.deadline,
        acl_ceiling: spec.acl_ceiling.as_deref().map(Arc::from),
        group_policies: Arc::new(spec.group_policies.clone()),
    }
}

impl Backends for Registry {
    fn find(&self, name: &str) -> Option<BackendSlot> {
        self.0.load().slots.get(name).cloned()
    }

    fn names(&self) -> Vec<BackendName> {
        self.0.load().names.clone()
    }
}
