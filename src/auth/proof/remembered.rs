//! The proofs that this process has checked.

use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;
use time::OffsetDateTime;
use uuid::Uuid;

/// Proofs that are remembered; the ones not used for longest go first.
const MOST: usize = 1024;

/// Stands for a proof, which itself is not kept.
pub(super) type Mark = [u8; 32];

/// Remembers what was found good, each until its own time. What was not good is asked anew.
pub(super) struct Remembered<T> {
    key: [u8; 32],
    known: Cache<Mark, (T, OffsetDateTime)>,
}

impl<T: Clone> Remembered<T> {
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        // Of this process alone: what it remembers helps nobody to guess.
        key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        Self { key, known: Cache::new(MOST) }
    }

    /// What stands for `parts`.
    pub(super) fn mark(&self, parts: &[&str]) -> Mark {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// What is remembered of `mark`, or else what `ask` finds, with the time until which it is good. Of several that
    /// want the same at once one asks.
    pub(super) async fn get_or_ask<E>(
        &self,
        mark: Mark,
        now: OffsetDateTime,
        ask: impl Future<Output = Result<(T, OffsetDateTime), E>>,
    ) -> Result<T, E> {
        if self.known.get(&mark).is_some_and(|(_, until)| until <= now) {
            self.known.remove(&mark);
        }
        self.known.get_or_insert_async(&mark, ask).await.map(|(value, _)| value)
    }
}
