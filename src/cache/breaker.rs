//! Leaves a cache alone that keeps failing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{Clock, DescriptorCache, LinkSet};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
    name::RepositoryName,
};

/// Failures in a row after which the cache is left alone.
pub const FAILURES: u32 = 5;

/// How long it is left alone. Then one request tries it, while the others still do without.
pub const PAUSE: Duration = Duration::from_secs(30);

/// A cache over one that may fail. While that one is left alone look-ups know nothing and nothing is set; what is
/// cleared is cleared there in any case, since a cache that is not told would grant what was revoked.
pub struct Breaker {
    cache: Arc<dyn DescriptorCache>,
    switch: Arc<Switch>,
}

impl Breaker {
    /// A breaker before `cache`.
    pub fn new(cache: Arc<dyn DescriptorCache>, clock: Clock) -> Self {
        Self { cache, switch: Arc::new(Switch { clock, state: Mutex::default() }) }
    }

    fn guard(&self, service: Arc<dyn BlobDescriptorService>) -> Arc<dyn BlobDescriptorService> {
        Arc::new(Guarded { service, switch: self.switch.clone() })
    }
}

impl DescriptorCache for Breaker {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        self.guard(self.cache.global())
    }

    fn scoped(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.guard(self.cache.scoped(name, links))
    }

    fn near(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        // No request, no failure.
        self.cache.near(name, links)
    }
}

struct Switch {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In a row.
    failures: u32,
    /// While it is open: when the next request may try.
    trial: Option<Duration>,
}

impl Switch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the cache may be asked. The trial is given to one request, which need not come back.
    fn admits(&self) -> bool {
        let mut state = self.state();
        let Some(trial) = state.trial else { return true };
        let now = self.clock.now();
        // Farther off than it was put means that the clock was set back.
        let due = now >= trial || trial > now + PAUSE;
        if due {
            state.trial = Some(now + PAUSE);
        }
        due
    }

    fn failed(&self, error: &BackendError) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.trial.is_none() && state.failures >= FAILURES {
            state.trial = Some(self.clock.now() + PAUSE);
            tracing::warn!(%error, failures = state.failures, "the descriptor cache keeps failing; doing without it for {PAUSE:?}");
        }
    }

    fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        if state.trial.take().is_some() {
            tracing::info!("the descriptor cache answers again");
        }
    }
}

struct Guarded {
    service: Arc<dyn BlobDescriptorService>,
    switch: Arc<Switch>,
}

impl Guarded {
    /// Notes how the cache did. Whatever is not its own failure is an answer.
    fn note<T>(&self, outcome: Result<T, BlobError>) -> Result<T, BlobError> {
        match &outcome {
            Err(BlobError::Backend(error)) => self.switch.failed(error),
            _ => self.switch.answered(),
        }
        outcome
    }
}

#[async_trait]
impl BlobStatter for Guarded {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        if !self.switch.admits() {
            return Err(BlobError::Unknown(*digest));
        }
        self.note(self.service.stat(ctx, digest).await)
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        if digests.is_empty() || !self.switch.admits() {
            return Ok(vec![None; digests.len()]);
        }
        let outcome = self.service.stat_many(ctx, digests).await;
        match &outcome {
            Err(error) => self.switch.failed(error),
            Ok(_) => self.switch.answered(),
        }
        outcome
    }
}

#[async_trait]
impl BlobDescriptorService for Guarded {
    async fn set_descriptor(&self, ctx: &Context, digest: &Digest, descriptor: &Descriptor) -> Result<(), BlobError> {
        if !self.switch.admits() {
            return Ok(());
        }
        self.note(self.service.set_descriptor(ctx, digest, descriptor).await)
    }

    async fn set_many(&self, ctx: &Context, entries: &[(Digest, Descriptor)]) -> Result<(), BlobError> {
        if entries.is_empty() || !self.switch.admits() {
            return Ok(());
        }
        self.note(self.service.set_many(ctx, entries).await)
    }

    async fn clear(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        self.service.clear(ctx, digest).await
    }
}
