//! Which instance handles which event.

mod lifecycle;
mod slots;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use self::slots::Slots;
use super::counters::{Counters, InstanceView, Start};
use super::event::{Invocation, Outcome};
use super::logs::{Logs, Stream};
use super::process::Process;
use super::settings::{Scaling, Settings, WhenBusy};
use super::tenant::{Phase, Tenant};
use super::{InvokeError, environment, runtime_api};
use crate::host::listen;

/// The instances of one function, and the events that wait for one.
///
/// Everything that happens to an instance happens under one lock, so that it is never frozen with an event in its hands.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) settings: Settings,
    pub(super) logs: Arc<Logs>,
    /// Where listeners, timers and watchers run.
    handle: Handle,
    slots: Mutex<Slots>,
    changed: watch::Sender<()>,
}

impl Pool {
    pub(super) fn new(settings: Settings, handle: Handle) -> Arc<Self> {
        let pool = Arc::new(Self {
            slots: Mutex::new(Slots::new(settings.instances, settings.seed)),
            logs: Arc::new(Logs::new(settings.echo)),
            changed: watch::Sender::new(()),
            settings,
            handle,
        });
        pool.pump(&mut pool.slots());
        pool
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts an event, or refuses it at once. Whoever drops the receiver does not stop it.
    pub(super) fn submit(self: &Arc<Self>, id: String, payload: Bytes) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        let (size, limit) = (payload.len(), self.settings.event_limit);
        let mut slots = self.slots();
        let refusal = if slots.stopped {
            Some(InvokeError::Stopped)
        } else if size > limit {
            Some(InvokeError::TooLarge { size, limit })
        } else if self.settings.when_busy == WhenBusy::Refuse && !slots.has_room() {
            slots.counters.throttles += 1;
            Some(InvokeError::Throttled)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(refusal));
            return outcome;
        }
        slots.counters.invocations += 1;
        slots.waiting.push_back(Invocation { id, payload, reply });
        self.pump(&mut slots);
        outcome
    }

    /// Gives waiting events to idle instances, and starts those that are called for.
    fn pump(self: &Arc<Self>, slots: &mut Slots) {
        while let Some(invocation) = slots.waiting.pop_front() {
            if let Some(index) = slots.choose(self.settings.scaling) {
                self.hand_over(slots, index, invocation);
            } else if let Some(index) = slots.free() {
                slots.counters.cold_starts += 1;
                self.spawn(slots, index, Some(invocation));
            } else {
                slots.waiting.push_front(invocation);
                break;
            }
        }
        // After a failure to start, only an event is a reason to try again.
        while self.settings.scaling == Scaling::AllAtRandom && !slots.failing && !slots.stopped {
            let Some(index) = slots.free() else { break };
            self.spawn(slots, index, None);
        }
        self.changed.send_replace(());
    }

    fn hand_over(self: &Arc<Self>, slots: &mut Slots, index: usize, invocation: Invocation) {
        let used = slots.tick();
        let Some(tenant) = slots.tenants.get_mut(index).and_then(Option::as_mut) else { return };
        let (id, request) = (tenant.id, invocation.id.clone());
        let timer = self.after(self.settings.timeout, move |pool| pool.overdue(id, &request));
        tenant.used = used;
        tenant.hand_over(invocation, self.settings.timeout, timer);
    }

    fn spawn(self: &Arc<Self>, slots: &mut Slots, index: usize, invocation: Option<Invocation>) {
        slots.counters.starts += 1;
        let id = slots.counters.starts;
        match self.start_process(id) {
            Ok(mut tenant) => {
                slots.record(Start {
                    instance: id,
                    pid: tenant.process.pid(),
                    spawned_at: SystemTime::now() - tenant.spawned.elapsed(),
                    first_poll: None,
                    first_answer: None,
                });
                tenant.phase = Phase::Starting(invocation);
                slots.tenants[index] = Some(tenant);
                self.after(self.settings.init_timeout, move |pool| pool.init_overdue(id));
            }
            Err(error) => {
                slots.failing = true;
                if let Some(invocation) = invocation {
                    slots.counters.errors += 1;
                    let _ = invocation.reply.send(Err(InvokeError::Init(error.to_string())));
                }
            }
        }
    }

    fn start_process(self: &Arc<Self>, id: u64) -> std::io::Result<Tenant> {
        let _context = self.handle.enter();
        let (events, receiver) = mpsc::unbounded_channel();
        let listening = listen(&self.handle, ([127, 0, 0, 1], 0).into(), runtime_api::service(self, id, receiver))?;
        let environment = environment::variables(&self.settings, id, listening.address());
        let folder = self.settings.program.parent().unwrap_or(Path::new("/"));
        let spawned = Instant::now();
        let (process, stdout, stderr) = Process::spawn(&self.settings.program, folder, &environment)?;
        let process = Arc::new(process);
        self.handle.spawn(self.logs.clone().keep(id, Stream::Stdout, stdout));
        self.handle.spawn(self.logs.clone().keep(id, Stream::Stderr, stderr));
        let (pool, watched) = (self.clone(), process.clone());
        self.handle.spawn(async move {
            let end = match watched.exited().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            pool.ended(id, &end);
        });
        let phase = Phase::Starting(None);
        let unbilled = Duration::ZERO;
        Ok(Tenant { id, process, _listening: listening, events, phase, invocations: 0, used: 0, spawned, unbilled })
    }

    fn after(self: &Arc<Self>, delay: Duration, act: impl FnOnce(&Arc<Self>) + Send + 'static) -> AbortHandle {
        let pool = self.clone();
        let timer = self.handle.spawn(async move {
            tokio::time::sleep(delay).await;
            act(&pool);
        });
        timer.abort_handle()
    }

    pub(super) fn views(&self) -> Vec<InstanceView> {
        self.slots().tenants.iter().flatten().map(Tenant::view).collect()
    }

    pub(super) fn counters(&self) -> Counters {
        self.slots().counters
    }

    pub(super) fn starts(&self) -> Vec<Start> {
        self.slots().starts.iter().copied().collect()
    }

    /// Waits until `fact` holds of the instances.
    async fn until(&self, fact: impl Fn(&Slots) -> bool) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if fact(&self.slots()) {
                return;
            }
            // Its sender is a field of this value.
            let _ = changed.changed().await;
        }
    }

    /// Waits until no instance is starting.
    pub(super) async fn started(&self) {
        self.until(Slots::is_started).await;
    }

    /// Waits until no event waits or runs, and every instance asks for the next.
    pub(super) async fn settled(&self) {
        self.until(Slots::is_settled).await;
    }
}
