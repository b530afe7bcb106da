//! What happens to an instance: it polls, answers, fails, outstays its time, is killed, ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Pool;
use super::slots::Slots;
use crate::lambda::InvokeError;
use crate::lambda::tenant::{Phase, Tenant};

impl Pool {
    /// An instance asks for its next event.
    pub(in crate::lambda) fn polled(self: &Arc<Self>, id: u64, at: Instant) {
        let mut slots = self.slots();
        let slots = &mut *slots;
        let Some(index) = slots.tenants.iter().position(|tenant| tenant.as_ref().is_some_and(|tenant| tenant.id == id))
        else {
            return;
        };
        let Some(tenant) = &mut slots.tenants[index] else { return };
        if let Phase::Starting(invocation) = &mut tenant.phase {
            let invocation = invocation.take();
            let took = at - tenant.spawned;
            tenant.unbilled = took;
            tenant.phase = Phase::Idle { frozen: false };
            slots.failing = false;
            if let Some(start) = slots.start(id) {
                start.first_poll = Some(took);
            }
            if let Some(invocation) = invocation {
                self.hand_over(slots, index, invocation);
            }
        } else {
            let unanswered = InvokeError::Exited("it asked for the next event without answering this one".to_owned());
            let used_up = self.settings.recycle_after.is_some_and(|most| tenant.invocations >= most);
            let concluded = tenant.conclude(unanswered);
            bill(slots, concluded);
            if used_up {
                self.remove(slots, id, InvokeError::Stopped);
            }
        }
        self.pump(slots);
        if self.settings.freeze
            && let Some(tenant) = slots.tenant(id)
            && let Phase::Idle { frozen } = &mut tenant.phase
        {
            *frozen = true;
            tenant.process.freeze();
        }
    }

    /// An instance answers an event, or reports that it cannot. False when it has no such event.
    pub(in crate::lambda) fn answered(&self, id: u64, request: &str, outcome: Result<Bytes, InvokeError>) -> bool {
        let mut slots = self.slots();
        let Some(tenant) = slots.tenant(id) else { return false };
        let Phase::Busy(running) = &mut tenant.phase else { return false };
        let Some(reply) = running.reply.take_if(|_| running.id == request) else { return false };
        let (first, took) = (tenant.invocations == 1, tenant.spawned.elapsed());
        slots.counters.errors += u64::from(outcome.is_err());
        if first && let Some(start) = slots.start(id) {
            start.first_answer = Some(took);
        }
        let _ = reply.send(outcome);
        true
    }

    /// An instance reports that it cannot start.
    pub(in crate::lambda) fn init_failed(self: &Arc<Self>, id: u64, error: String) {
        let mut slots = self.slots();
        if matches!(slots.tenant(id), Some(Tenant { phase: Phase::Starting(_), .. })) {
            self.remove(&mut slots, id, InvokeError::Init(error));
            self.pump(&mut slots);
        }
    }

    pub(super) fn init_overdue(self: &Arc<Self>, id: u64) {
        self.init_failed(id, format!("no poll within {:?}", self.settings.init_timeout));
    }

    /// The time for an event is over.
    pub(super) fn overdue(self: &Arc<Self>, id: u64, request: &str) {
        let mut slots = self.slots();
        let Some(Tenant { phase: Phase::Busy(running), .. }) = slots.tenant(id) else { return };
        if running.id != request {
            return;
        }
        slots.counters.timeouts += 1;
        self.remove(&mut slots, id, InvokeError::TimedOut(self.settings.timeout));
        self.pump(&mut slots);
    }

    /// A process has ended, by itself or killed from here.
    pub(super) fn ended(self: &Arc<Self>, id: u64, how: &str) {
        let mut slots = self.slots();
        let error = match slots.tenant(id) {
            None => return,
            Some(Tenant { phase: Phase::Starting(_), .. }) => InvokeError::Init(how.to_owned()),
            Some(_) => InvokeError::Exited(how.to_owned()),
        };
        self.remove(&mut slots, id, error);
        self.pump(&mut slots);
    }

    /// Kills the instances that `which` picks, whatever they are doing. Returns how many.
    pub(in crate::lambda) fn kill(self: &Arc<Self>, which: impl Fn(&Tenant) -> bool) -> usize {
        let mut slots = self.slots();
        let ids: Vec<_> =
            slots.tenants.iter().flatten().filter(|tenant| which(tenant)).map(|tenant| tenant.id).collect();
        for id in &ids {
            self.remove(&mut slots, *id, InvokeError::Exited("killed on command".to_owned()));
        }
        // Not a failure of the program.
        slots.failing = false;
        self.pump(&mut slots);
        ids.len()
    }

    /// Ends an instance, and what it was doing with `error`.
    fn remove(&self, slots: &mut Slots, id: u64, error: InvokeError) {
        let Some(mut tenant) = slots.take(id) else { return };
        tenant.process.kill();
        slots.failing |= matches!(tenant.phase, Phase::Starting(_));
        bill(slots, tenant.conclude(error));
    }

    /// Kills everything, for good, and waits until it is gone.
    pub(in crate::lambda) fn stop(&self) {
        let mut slots = self.slots();
        slots.stopped = true;
        for invocation in std::mem::take(&mut slots.waiting) {
            let _ = invocation.reply.send(Err(InvokeError::Stopped));
        }
        let mut tenants: Vec<_> = slots.tenants.iter_mut().filter_map(Option::take).collect();
        drop(slots);
        for tenant in &mut tenants {
            tenant.process.kill();
            tenant.conclude(InvokeError::Stopped);
        }
        for tenant in &tenants {
            tenant.process.reap();
        }
    }
}

/// Adds up what an instance's last doing costs and whether it failed.
fn bill(slots: &mut Slots, (time, failed): (Duration, bool)) {
    slots.counters.errors += u64::from(failed);
    slots.counters.billed_ms += u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
}
