//! What the lock of a pool guards.

use std::collections::VecDeque;

use crate::lambda::counters::{Counters, Start};
use crate::lambda::event::Invocation;
use crate::lambda::settings::Scaling;
use crate::lambda::tenant::{Phase, Tenant};

/// Records of starts that are kept; the oldest go first.
const STARTS: usize = 100_000;

#[derive(Debug)]
pub(super) struct Slots {
    /// As many as there may be instances.
    pub(super) tenants: Vec<Option<Tenant>>,
    pub(super) waiting: VecDeque<Invocation>,
    pub(super) counters: Counters,
    pub(super) starts: VecDeque<Start>,
    /// The last process ended before its first poll, or could not be started.
    pub(super) failing: bool,
    pub(super) stopped: bool,
    rng: fastrand::Rng,
    clock: u64,
}

impl Slots {
    pub(super) fn new(size: usize, seed: Option<u64>) -> Self {
        Self {
            tenants: (0..size).map(|_| None).collect(),
            waiting: VecDeque::new(),
            counters: Counters::default(),
            starts: VecDeque::new(),
            failing: false,
            stopped: false,
            rng: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
            clock: 0,
        }
    }

    /// A number larger than all before.
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    pub(super) fn free(&self) -> Option<usize> {
        self.tenants.iter().position(Option::is_none)
    }

    fn idle(&self) -> impl Iterator<Item = (usize, u64)> {
        let tenants = self.tenants.iter().enumerate();
        tenants.filter_map(|(index, tenant)| Some((index, tenant.as_ref().filter(|tenant| tenant.is_idle())?.used)))
    }

    /// The idle instance that gets the next event.
    pub(super) fn choose(&mut self, scaling: Scaling) -> Option<usize> {
        match scaling {
            Scaling::OnDemand => self.idle().max_by_key(|(_, used)| *used).map(|(index, _)| index),
            Scaling::AllAtRandom => {
                let idle: Vec<_> = self.idle().map(|(index, _)| index).collect();
                (!idle.is_empty()).then(|| idle[self.rng.usize(..idle.len())])
            }
        }
    }

    /// Whether an event would find an instance, or one that starts and has no other to wait for.
    pub(super) fn has_room(&self) -> bool {
        let open = |tenant: &Option<Tenant>| match tenant {
            None => true,
            Some(tenant) => matches!(tenant.phase, Phase::Idle { .. } | Phase::Starting(None)),
        };
        self.tenants.iter().filter(|tenant| open(tenant)).count() > self.waiting.len()
    }

    pub(super) fn tenant(&mut self, id: u64) -> Option<&mut Tenant> {
        self.tenants.iter_mut().flatten().find(|tenant| tenant.id == id)
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Tenant> {
        self.tenants.iter_mut().find_map(|tenant| tenant.take_if(|tenant| tenant.id == id))
    }

    pub(super) fn record(&mut self, start: Start) {
        if self.starts.len() == STARTS {
            self.starts.pop_front();
        }
        self.starts.push_back(start);
    }

    /// The record of an instance's start: a recent one, so found from the end.
    pub(super) fn start(&mut self, id: u64) -> Option<&mut Start> {
        self.starts.iter_mut().rev().find(|start| start.instance == id)
    }

    pub(super) fn is_started(&self) -> bool {
        !self.tenants.iter().flatten().any(|tenant| matches!(tenant.phase, Phase::Starting(_)))
    }

    pub(super) fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.tenants.iter().flatten().all(Tenant::is_idle)
    }
}
