//! One instance, as the pool keeps it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::InvokeError;
use super::counters::{InstanceView, State};
use super::event::{Event, Invocation, Outcome, epoch_millis};
use super::memory::Memory;
use super::process::Process;
use crate::host::Listening;

/// A process with its Runtime API, and what it is doing.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) id: u64,
    pub(super) process: Arc<Process>,
    /// Its Runtime API, closed with it.
    pub(super) _listening: Listening,
    /// To its Runtime API: one event at a time.
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) phase: Phase,
    pub(super) invocations: u64,
    /// Grows with each use, of any instance.
    pub(super) used: u64,
    pub(super) spawned: Instant,
    /// What its start took, until its first invocation is billed.
    pub(super) unbilled: Duration,
}

/// What an instance is doing.
#[derive(Debug)]
pub(super) enum Phase {
    /// It has not polled yet; the event is the one that it was started for.
    Starting(Option<Invocation>),
    /// It waits for an event.
    Idle { frozen: bool },
    /// It has an event.
    Busy(Running),
}

/// An event in an instance's hands.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: String,
    /// None once it is answered.
    pub(super) reply: Option<oneshot::Sender<Outcome>>,
    began: Instant,
    deadline: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.deadline.abort();
    }
}

impl Tenant {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle { .. })
    }

    /// Thaws the instance and gives it an event; `deadline` kills it when `timeout` is over.
    pub(super) fn hand_over(&mut self, invocation: Invocation, timeout: Duration, deadline: AbortHandle) {
        let Invocation { id, payload, reply } = invocation;
        self.invocations += 1;
        if matches!(self.phase, Phase::Idle { frozen: true }) {
            self.process.thaw();
        }
        let event = Event { id: id.clone(), payload, deadline: epoch_millis(SystemTime::now() + timeout) };
        // Its receiver goes with the instance, whose end is then reported by itself.
        let _ = self.events.send(event);
        self.phase = Phase::Busy(Running { id, reply: Some(reply), began: Instant::now(), deadline });
    }

    /// Ends what it was doing: an event that is not answered yet gets `error`. Returns what is to be billed, and whether
    /// an event went without an answer.
    pub(super) fn conclude(&mut self, error: InvokeError) -> (Duration, bool) {
        match std::mem::replace(&mut self.phase, Phase::Idle { frozen: false }) {
            Phase::Starting(invocation) => {
                let failed = invocation.is_some();
                if let Some(invocation) = invocation {
                    let _ = invocation.reply.send(Err(error));
                }
                (self.spawned.elapsed(), failed)
            }
            Phase::Idle { frozen } => {
                self.phase = Phase::Idle { frozen };
                (Duration::ZERO, false)
            }
            Phase::Busy(mut running) => {
                let reply = running.reply.take();
                let failed = reply.is_some();
                if let Some(reply) = reply {
                    let _ = reply.send(Err(error));
                }
                (running.began.elapsed() + std::mem::take(&mut self.unbilled), failed)
            }
        }
    }

    pub(super) fn view(&self) -> InstanceView {
        let Memory { resident, peak } = Memory::of(self.process.pid());
        InstanceView {
            id: self.id,
            pid: self.process.pid(),
            state: match self.phase {
                Phase::Starting(_) => State::Starting,
                Phase::Idle { frozen: false } => State::Idle,
                Phase::Idle { frozen: true } => State::Frozen,
                Phase::Busy(_) => State::Busy,
            },
            invocations: self.invocations,
            resident,
            peak_resident: peak,
        }
    }
}
