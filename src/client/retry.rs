//! Trying again: how often, and how long after.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};

use crate::context::Context;

/// Lets time pass. Tests let none.
pub type Pause = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// How what failed in passing is tried again: after a random part of a time that doubles ("Exponential Backoff And
/// Jitter", AWS Architecture Blog: full jitter).
#[derive(Clone)]
pub struct RetryPolicy {
    /// How often one request is tried again at most; a download, without a mebibyte of progress between.
    pub retries: u32,
    /// The most that passes before the first retry.
    pub first: Duration,
    /// The most that ever passes, also where the registry asks for more (`Retry-After`).
    pub longest: Duration,
    /// Lets that time pass.
    pub pause: Pause,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 5,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(20),
            pause: Arc::new(|delay| tokio::time::sleep(delay).boxed()),
        }
    }
}

impl RetryPolicy {
    /// Lets time pass before retry number `retry`, from 1: at least `asked`, within what the policy and the call allow.
    pub(super) async fn pause(&self, ctx: &Context, retry: u32, asked: Option<Duration>) {
        let ceiling = self.first.saturating_mul(1 << retry.saturating_sub(1).min(16)).min(self.longest);
        let jittered = ceiling.mul_f64(fastrand::f64());
        let delay = asked.map_or(jittered, |asked| asked.saturating_add(jittered)).min(self.longest);
        // A call whose time is over learns that from the next request.
        let left = ctx.remaining().unwrap_or(Some(Duration::ZERO)).unwrap_or(Duration::MAX);
        (self.pause)(delay.min(left)).await;
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { retries, first, longest, .. } = self;
        f.debug_struct("RetryPolicy").field("retries", retries).field("first", first).field("longest", longest).finish()
    }
}
