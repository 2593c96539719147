//! The reconcile task: takes commands and events one at a time, has plans made, and carries them out as they come. It never waits for a
//! plugin, so a plugin that hangs or compiles slowly delays no other backend.

mod change;
mod job;
mod undo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keyway_core::gate::Gate;
use keyway_core::model::{BackendName, PluginStatus};
use keyway_core::port::{Clock, PluginHostError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::job::Done;
use super::archive::Archive;
use super::bring_up::Workshop;
use super::entry::Entry;
use super::plan::Planner;
use super::record::Record;
use super::watch::FolderWatch;
use super::work::Ticket;
use super::{Board, Command};
use crate::registry::{Alarm, LiveBackend, Registry};
use crate::{BackendSpec, RuntimeSettings};

/// After the last event in the folder, and the longest that a busy folder can put a reload off.
const QUIET: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_secs(2);

/// How often the folder is looked at without an event: events can get lost, and some file systems send none.
const LOOK: Duration = Duration::from_secs(5);

/// The task's own.
pub(crate) struct Reconciler {
    settings: RuntimeSettings,
    planner: Planner,
    record: Record,
    registry: Arc<Registry>,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    entries: BTreeMap<BackendName, Entry>,
    alarm: mpsc::UnboundedSender<Alarm>,
    jobs: JoinSet<Done>,
    /// The newest request.
    ticket: Ticket,
    waiters: Vec<Waiter>,
    /// Whether the record has changed since it was written, and whether copies are left that it may no longer name.
    is_unsaved: bool,
    is_unpruned: bool,
}

/// Somebody who gets an answer once a request is answered.
struct Waiter {
    ticket: Ticket,
    asker: Asker,
}

enum Asker {
    /// About every backend.
    All(oneshot::Sender<Vec<PluginStatus>>),
    /// About one backend. Where it must be in order for the answer to be a good one, a reason why it is not is an error.
    One {
        name: BackendName,
        must_serve: bool,
        done: oneshot::Sender<Result<PluginStatus, PluginHostError>>,
    },
    /// Whether what is desired of one backend serves.
    Effect {
        name: BackendName,
        done: oneshot::Sender<Result<(), String>>,
    },
}

/// What the task listens to.
struct Ears {
    commands: mpsc::Receiver<Command>,
    alarms: mpsc::UnboundedReceiver<Alarm>,
    changed: Arc<Notify>,
    watch: Option<FolderWatch>,
}

/// When to look because of events: after a quiet while, or at the latest.
#[derive(Clone, Copy)]
struct Due {
    quiet: Instant,
    latest: Instant,
}

impl Due {
    /// Puts a look off, but not for ever.
    fn after(before: Option<Self>) -> Self {
        let now = Instant::now();
        Self {
            quiet: now + QUIET,
            latest: before.map_or(now + BUSY, |before| before.latest),
        }
    }
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
        let planner = Planner {
            workshop: Arc::new(workshop),
            archive: Arc::new(archive),
            plugins_dir: settings.plugins_dir.clone(),
            max_plugin_bytes: settings.max_plugin_bytes,
        };
        let reconciler = Self {
            settings,
            planner,
            record,
            registry,
            board,
            clock,
            entries: BTreeMap::new(),
            alarm,
            jobs: JoinSet::new(),
            ticket: 0,
            waiters: Vec::new(),
            is_unsaved: false,
            is_unpruned: false,
        };
        tokio::spawn(reconciler.run(ears));
    }

    async fn run(mut self, mut ears: Ears) {
        let mut look = tokio::time::interval_at(Instant::now() + LOOK, LOOK);
        let mut due: Option<Due> = None;
        loop {
            let wake_at = due.map(|due| due.quiet.min(due.latest));
            tokio::select! {
                command = ears.commands.recv() => match command {
                    None => return,
                    Some(Command::Stop(done)) => {
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command),
                },
                Some(alarm) = ears.alarms.recv() => self.take_back(&alarm),
                Some(ended) = self.jobs.join_next_with_id() => {
                    // What has ended together is written down together.
                    let mut is_waiting = self.end(ended);
                    while let Some(ended) = self.jobs.try_join_next_with_id() {
                        is_waiting |= self.end(ended);
                    }
                    if is_waiting && self.settings.watch {
                        due = Some(Due::after(due));
                    }
                }
                () = ears.changed.notified(), if self.settings.watch => due = Some(Due::after(due)),
                () = sleep_until(wake_at) => {
                    due = None;
                    self.ask_all(false);
                }
                _ = look.tick() => {
                    if let Some(watch) = &mut ears.watch {
                        watch.renew();
                        self.ask_all(false);
                    }
                    self.entries.values().for_each(|entry| entry.backend.sweep());
                }
            }
            self.carry_on().await;
        }
    }

    fn obey(&mut self, command: Command) {
        // Who asked may have gone; what was asked for is done all the same.
        match command {
            Command::SetDesired(specs, done) => {
                self.set_desired(specs);
                self.answer_all(done);
            }
            Command::Reconcile(done) => self.answer_all(done),
            Command::Load(name, done) => self.load(name, done),
            Command::Change(spec, done) => self.change(*spec, done),
            Command::TryOut(spec, done) => self.try_out(*spec, done),
            Command::History(backend, done) => drop(done.send(self.history(&backend))),
            Command::Rollback(backend, done) => self.rollback(&backend, done),
            Command::Promote(backend, done) => self.promote(&backend, done),
            Command::Stop(done) => drop::<oneshot::Sender<()>>(done),
        }
    }

    fn set_desired(&mut self, specs: Vec<BackendSpec>) {
        let mut before = std::mem::take(&mut self.entries);
        for spec in specs {
            // A template that becomes a backend, or the other way round, begins anew: it is loaded at another time, and others may call it.
            let is_same = |entry: &Entry| entry.spec.is_template == spec.is_template;
            let entry = if before.get(&spec.name).is_some_and(is_same)
                && let Some(entry) = before.remove(&spec.name)
            {
                self.replace(entry, spec)
            } else {
                let spec = self.fit(spec);
                let gate = Arc::new(Gate::new(spec.limits.gate()));
                let backend = Arc::new(LiveBackend::new(self.alarm.clone(), spec.is_template));
                Entry::new(Arc::new(spec), backend, gate)
            };
            self.entries.insert(entry.spec.name.clone(), entry);
        }
        for (name, mut entry) in before {
            tracing::info!(backend = %name, "the backend is no longer configured");
            entry.work.outdate();
            while let Some(rollback) = entry.work.take_rollback() {
                // Who asked may have gone.
                let _ = rollback
                    .done
                    .send(Err(PluginHostError::UnknownBackend(name.to_string())));
            }
        }
        self.publish();
    }

    /// What is live of a backend stays; what is under way begins anew.
    fn replace(&self, mut entry: Entry, spec: BackendSpec) -> Entry {
        let spec = Arc::new(self.fit(spec));
        entry.gate.set_limits(spec.limits.gate());
        entry.work.outdate();
        Entry { spec, ..entry }
    }

    /// With limits that this host can keep.
    fn fit(&self, mut spec: BackendSpec) -> BackendSpec {
        spec.limits = spec.limits.of_places(self.settings.max_concurrent_calls);
        spec
    }

    fn publish(&self) {
        let backends = self
            .entries
            .values()
            .map(|entry| (&entry.spec, &entry.backend, &entry.gate));
        self.registry.publish(backends);
    }

    /// Asks for a plan for each backend.
    fn ask_all(&mut self, insist: bool) -> Ticket {
        self.ticket += 1;
        for entry in self.entries.values_mut() {
            entry.work.ask(self.ticket, insist);
        }
        self.ticket
    }

    /// Loads one backend, and says how it stands then. Others are not waited for.
    fn load(&mut self, name: BackendName, done: oneshot::Sender<Result<PluginStatus, PluginHostError>>) {
        self.ticket += 1;
        if let Some(entry) = self.entries.get_mut(&name) {
            entry.work.ask(self.ticket, true);
        }
        let asker = Asker::One {
            name,
            must_serve: false,
            done,
        };
        let ticket = self.ticket;
        self.waiters.push(Waiter { ticket, asker });
    }

    /// Tries everything again, and says how it stands then.
    fn answer_all(&mut self, done: oneshot::Sender<Vec<PluginStatus>>) {
        let ticket = self.ask_all(true);
        let asker = Asker::All(done);
        self.waiters.push(Waiter { ticket, asker });
    }

    /// After each event: begins what is to be done, shows how backends stand, writes down what has changed, and answers.
    async fn carry_on(&mut self) {
        self.begin();
        for entry in self.entries.values_mut() {
            let is_over = entry.backend.live().is_none_or(|live| !live.watch.is_on_probation());
            if is_over {
                entry.previous = None;
            }
        }
        self.board.post(&self.entries);
        if std::mem::take(&mut self.is_unsaved) {
            self.save().await;
        }
        self.answer();
        // A plan keeps a copy before the record names it, so nothing is removed while one is under way.
        if self.jobs.is_empty() && std::mem::take(&mut self.is_unpruned) {
            self.prune().await;
        }
    }

    fn answer(&mut self) {
        let waiters = std::mem::take(&mut self.waiters);
        let (answered, waiting) = waiters.into_iter().partition(|waiter| self.has_answered(waiter));
        self.waiters = waiting;
        for Waiter { asker, .. } in answered {
            // Who asked may have gone.
            match asker {
                Asker::All(done) => {
                    let shown = self.entries.values().filter(|entry| entry.backend.is_wanted());
                    drop(done.send(shown.map(Entry::status).collect()));
                }
                Asker::One { name, must_serve, done } => {
                    let status = self.entry(&name).map(Entry::status);
                    let answer = status.and_then(|status| match &status.reason {
                        Some(reason) if must_serve => Err(PluginHostError::NotLoaded(reason.clone())),
                        _ => Ok(status),
                    });
                    drop(done.send(answer));
                }
                Asker::Effect { name, done } => drop(done.send(self.effect(&name))),
            }
        }
    }

    fn has_answered(&self, waiter: &Waiter) -> bool {
        let has_answered = |entry: &Entry| entry.work.has_answered(waiter.ticket);
        match &waiter.asker {
            Asker::All(_) => self.entries.values().all(has_answered),
            Asker::One { name, .. } | Asker::Effect { name, .. } => self.entries.get(name).is_none_or(has_answered),
        }
    }

    /// Writes the record.
    async fn save(&mut self) {
        let (path, text) = self.record.to_file();
        let written = tokio::task::spawn_blocking(move || Record::write(&path, &text)).await;
        if matches!(written, Ok(Ok(()))) {
            self.is_unpruned = true;
        } else {
            tracing::error!("the plugin record cannot be written; a restart will not know about the last change");
        }
    }

    /// Removes copies and compiled code that nobody can ask for any more.
    async fn prune(&self) {
        let archive = Arc::clone(&self.planner.archive);
        let keep = self.record.digests();
        self.planner.workshop.compiler.prune(&keep).await;
        // What is not removed now is removed the next time.
        let _ = tokio::task::spawn_blocking(move || archive.prune(&keep)).await;
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
