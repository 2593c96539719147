//! The reconcile task: takes commands and events one at a time, and carries plans out.

mod undo;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use keyway_core::gate::Gate;
use keyway_core::model::{BackendName, PluginStatus};
use keyway_core::port::Clock;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::Command;
use super::archive::Archive;
use super::bring_up::Workshop;
use super::entry::{Entry, Trouble};
use super::plan::{Plan, Planner, Swap};
use super::record::Record;
use super::watch::FolderWatch;
use crate::generation::Generation;
use crate::registry::{Alarm, Live, LiveBackend, Registry, Watch};
use crate::{BackendSpec, RuntimeSettings};

/// After the last event in the folder, and the longest that a busy folder can put a reload off.
const QUIET: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_secs(2);

/// How often the folder is looked at without an event: events can get lost, and some file systems send none.
const LOOK: Duration = Duration::from_secs(5);

/// How backends stand, for readers that must not wait for a reload.
#[derive(Default)]
pub(crate) struct Board(Mutex<BTreeMap<BackendName, (PluginStatus, Arc<LiveBackend>)>>);

impl Board {
    pub(crate) fn rows(&self) -> Vec<(PluginStatus, Arc<LiveBackend>)> {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.values().cloned().collect()
    }
}

/// The task's own.
pub(crate) struct Reconciler {
    settings: RuntimeSettings,
    workshop: Workshop,
    archive: Arc<Archive>,
    record: Record,
    registry: Arc<Registry>,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    entries: BTreeMap<BackendName, Entry>,
    alarm: mpsc::UnboundedSender<Alarm>,
}

/// What the task listens to.
struct Ears {
    commands: mpsc::Receiver<Command>,
    alarms: mpsc::UnboundedReceiver<Alarm>,
    changed: Arc<Notify>,
    watch: Option<FolderWatch>,
}

impl Reconciler {
    #[expect(clippy::too_many_arguments, reason = "the composition names each part once")]
    pub(crate) fn spawn(
        settings: RuntimeSettings,
        workshop: Workshop,
        archive: Archive,
        record: Record,
        registry: Arc<Registry>,
        board: Arc<Board>,
        clock: Arc<dyn Clock>,
        commands: mpsc::Receiver<Command>,
    ) {
        let (alarm, alarms) = mpsc::unbounded_channel();
        let changed = Arc::new(Notify::new());
        let watch = settings
            .watch
            .then(|| FolderWatch::new(&settings.plugins_dir, Arc::clone(&changed)));
        let ears = Ears {
            commands,
            alarms,
            changed,
            watch,
        };
        let reconciler = Self {
            settings,
            workshop,
            archive: Arc::new(archive),
            record,
            registry,
            board,
            clock,
            entries: BTreeMap::new(),
            alarm,
        };
        tokio::spawn(reconciler.run(ears));
    }

    async fn run(mut self, mut ears: Ears) {
        let mut look = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
        // When to reload because of events: after a quiet while, or at the latest.
        let mut due: Option<(Instant, Instant)> = None;
        loop {
            let wake_at = due.map(|(quiet, latest)| quiet.min(latest));
            tokio::select! {
                command = ears.commands.recv() => match command {
                    None => return,
                    Some(Command::Stop(done)) => {
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                },
                Some(alarm) = ears.alarms.recv() => self.take_back(&alarm).await,
                () = ears.changed.notified(), if self.settings.watch => {
                    let latest = due.map_or_else(|| Instant::now() + BUSY, |(_, latest)| latest);
                    due = Some((Instant::now() + QUIET, latest));
                }
                () = sleep_until(wake_at) => {
                    due = None;
                    if self.reconcile(false).await {
                        due = Some((Instant::now() + QUIET, Instant::now() + BUSY));
                    }
                }
                _ = look.tick() => {
                    if let Some(watch) = &mut ears.watch {
                        watch.renew();
                        self.reconcile(false).await;
                    }
                    self.entries.values().for_each(|entry| entry.backend.sweep());
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        // Who asked may have gone; what was asked for is done all the same.
        match command {
            Command::SetDesired(specs, done) => {
                self.set_desired(specs);
                self.reconcile_settled().await;
                let _ = done.send(self.statuses());
            }
            Command::Reconcile(done) => {
                self.reconcile_settled().await;
                let _ = done.send(self.statuses());
            }
            Command::History(backend, done) => drop(done.send(self.history(&backend))),
            Command::Rollback(backend, done) => drop(done.send(self.rollback(&backend).await)),
            Command::Promote(backend, done) => drop(done.send(self.promote(&backend).await)),
            Command::Stop(done) => drop::<oneshot::Sender<()>>(done),
        }
    }

    fn statuses(&self) -> Vec<PluginStatus> {
        self.entries.values().map(Entry::status).collect()
    }

    fn set_desired(&mut self, specs: Vec<BackendSpec>) {
        let mut before = std::mem::take(&mut self.entries);
        for spec in specs {
            let entry = if let Some(entry) = before.remove(&spec.name) {
                entry.gate.set_limits(spec.limits.gate());
                let spec = Arc::new(spec);
                Entry { spec, ..entry }
            } else {
                let gate = Arc::new(Gate::new(spec.limits.gate()));
                let backend = Arc::new(LiveBackend::new(self.alarm.clone()));
                Entry::new(Arc::new(spec), backend, gate)
            };
            self.entries.insert(entry.spec.name.clone(), entry);
        }
        for name in before.keys() {
            tracing::info!(backend = %name, "the backend is no longer configured");
        }
        let backends = self
            .entries
            .values()
            .map(|entry| (&*entry.spec, &entry.backend, &entry.gate));
        self.registry.publish(backends);
        self.post();
    }

    /// Reconciles until no file is being written, within reason.
    async fn reconcile_settled(&mut self) {
        let mut insist = true;
        for _ in 0..10 {
            if !self.reconcile(insist).await {
                return;
            }
            insist = false;
            tokio::time::sleep(QUIET).await;
        }
    }

    /// Brings what is live to what is desired. Returns whether a file was being written.
    async fn reconcile(&mut self, insist: bool) -> bool {
        let planner = self.planner(insist);
        let plans = self.entries.iter().map(|(name, entry)| {
            let (planner, record) = (&planner, self.record.of(name));
            async move { (name.clone(), planner.plan(entry, record).await) }
        });
        let plans = join_all(plans).await;
        let mut is_waiting = false;
        let mut has_swapped = false;
        for (name, plan) in plans {
            match plan {
                Plan::Wait => is_waiting = true,
                Plan::Keep { seen, trouble } => self.keep(&name, seen, trouble),
                Plan::Swap(swap) => {
                    self.swap(&name, *swap);
                    has_swapped = true;
                }
            }
        }
        self.post();
        if has_swapped {
            self.save().await;
        }
        is_waiting
    }

    fn planner(&self, insist: bool) -> Planner<'_> {
        Planner {
            workshop: &self.workshop,
            archive: &self.archive,
            plugins_dir: &self.settings.plugins_dir,
            max_plugin_bytes: self.settings.max_plugin_bytes,
            insist,
        }
    }

    fn keep(
        &mut self,
        name: &BackendName,
        seen: Option<(super::file::FileStamp, keyway_core::model::PluginDigest)>,
        trouble: Option<Trouble>,
    ) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        if let Some(trouble) = &trouble
            && entry
                .trouble
                .as_ref()
                .is_none_or(|before| before.reason != trouble.reason)
        {
            let serving = entry.backend.live().map(|live| live.number);
            tracing::error!(backend = %name, serving, reason = trouble.reason, "the plugin is not as desired");
        }
        entry.seen = seen;
        entry.trouble = trouble;
    }

    fn swap(&mut self, name: &BackendName, swap: Swap) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        entry.seen = swap.seen;
        entry.trouble = swap.trouble;
        self.go_live(name, Arc::new(swap.generation), swap.remark);
    }

    /// Puts a generation live. The one before is kept for as long as this one is on probation.
    fn go_live(&mut self, name: &BackendName, generation: Arc<Generation>, remark: &str) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        let before = entry.backend.live();
        let described = &generation.described;
        let number = self.record.of_mut(name).went_live(
            generation.digest(),
            &described.version,
            &generation.fingerprint,
            remark,
            self.clock.now(),
            before.is_none(),
        );
        let is_on_probation =
            before.as_ref().is_some_and(|before| before.watch.has_done_well()) && remark == "installed";
        let watch = if is_on_probation {
            Watch::on_probation(self.settings.probation)
        } else {
            Watch::trusted()
        };
        tracing::info!(backend = %name, generation = number, plugin = %generation.digest(), version = described.version, remark, "a generation is live");
        let live = Arc::new(Live {
            backend: name.clone(),
            number,
            generation,
            watch,
        });
        entry.previous = entry.backend.swap(live).filter(|_| is_on_probation);
    }

    /// Shows how backends stand.
    fn post(&mut self) {
        for entry in self.entries.values_mut() {
            let is_over = entry.backend.live().is_none_or(|live| !live.watch.is_on_probation());
            if is_over {
                entry.previous = None;
            }
        }
        let rows = self
            .entries
            .iter()
            .map(|(name, entry)| (name.clone(), (entry.status(), Arc::clone(&entry.backend))));
        *self.board.0.lock().unwrap_or_else(PoisonError::into_inner) = rows.collect();
    }

    /// Writes the record, and removes copies and compiled code that nobody can ask for any more.
    async fn save(&self) {
        let (path, text) = self.record.to_file();
        let written = tokio::task::spawn_blocking(move || Record::write(&path, &text)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::error!("the plugin record cannot be written; a restart will not know about the last change");
            return;
        }
        let archive = Arc::clone(&self.archive);
        let keep = self.record.digests();
        self.workshop.prune(&keep).await;
        let _ = tokio::task::spawn_blocking(move || archive.prune(&keep)).await;
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
