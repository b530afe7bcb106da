//! Keys, as far as one process knows them.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::Mutex;

use super::{Key, Overlap, RELOAD, RETRY, Ring, Store};
use crate::{
    context::{Clock, Context},
    distribution::{BackendError, BackendErrorKind},
};

/// Keys that a process shares with others. They are read once when they are first needed, then every quarter of an hour,
/// and when somebody has seen what none of them signed, though once a minute at most. Where there are none, one is made.
pub struct Shared<K: Key> {
    store: Arc<dyn Store>,
    clock: Clock,
    /// What they are, as in "the keys that sign tokens".
    what: &'static str,
    /// For how long what they sign is good, at most.
    life: Duration,
    known: RwLock<Option<Known<K>>>,
    /// Held by the one who reads.
    turn: Mutex<()>,
}

struct Known<K: Key> {
    keys: Arc<Ring<K>>,
    read_at: Duration,
    /// When it was last tried to read them.
    tried_at: Duration,
}

impl<K: Key> Shared<K> {
    /// The keys that lie in `store`. `what` they are is said in logs; what they sign is good for as long as `life`.
    pub fn new(store: Arc<dyn Store>, clock: Clock, what: &'static str, life: Duration) -> Self {
        Self { store, clock, what, life, known: RwLock::new(None), turn: Mutex::new(()) }
    }

    /// The time since 1970-01-01 (UTC), as the keys have it.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Makes a new key that signs from now on. With [`Overlap::Kept`] it does so after two minutes, when every instance
    /// may have read it, and those before it verify what they signed until that is over; with [`Overlap::Dropped`] at
    /// once, and every instance forgets the others within a quarter of an hour. Of two rotations at the same time, one
    /// may be lost. Returns the keys as they are then.
    ///
    /// # Errors
    /// When the keys can neither be read nor written.
    pub async fn rotate(&self, ctx: &Context, overlap: Overlap) -> Result<Arc<Ring<K>>, BackendError> {
        let _turn = self.turn.lock().await;
        let now = self.now();
        let before = match self.store.read(ctx).await? {
            Some(stored) => Ring::read(&stored).map_err(|error| self.unusable(error))?,
            None => Ring::default(),
        };
        let keys = before.rotated(now, overlap, self.life).map_err(|error| self.unusable(error))?;
        self.store.replace(ctx, keys.stored().map_err(|error| self.unusable(error))?).await?;
        Ok(self.know(keys, now))
    }

    /// The keys, read now if they were not yet, or long ago.
    ///
    /// # Errors
    /// When they were never read, and cannot be.
    pub async fn keys(&self, ctx: &Context) -> Result<Arc<Ring<K>>, BackendError> {
        let Some(known) = self.known() else {
            let _turn = self.turn.lock().await;
            return match self.known() {
                Some(known) => Ok(known.keys),
                None => self.read(ctx).await,
            };
        };
        let now = self.now();
        if now.saturating_sub(known.read_at) < RELOAD || now.saturating_sub(known.tried_at) < RETRY {
            return Ok(known.keys);
        }
        // Whoever comes while another reads goes on with those before.
        let Ok(_turn) = self.turn.try_lock() else { return Ok(known.keys) };
        match self.read(ctx).await {
            Ok(keys) => Ok(keys),
            Err(error) => {
                tracing::warn!(%error, "{} are those of before", self.what);
                Ok(known.keys)
            }
        }
    }

    /// The keys, for who has seen a signature by none of those that are known: read again, if that was not just done.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn keys_after(&self, ctx: &Context) -> Result<Arc<Ring<K>>, BackendError> {
        let _turn = self.turn.lock().await;
        match self.known() {
            Some(known) if self.now().saturating_sub(known.tried_at) < RETRY => Ok(known.keys),
            _ => self.read(ctx).await,
        }
    }

    /// What an error that has to do with the keys themselves is to those who need them.
    pub fn unusable(&self, error: impl ToString) -> BackendError {
        let message = format!("{} cannot be used: {}", self.what, error.to_string());
        BackendError::new(BackendErrorKind::Failed, message)
    }

    /// Reads the keys; the turn is the caller's. Where there are none, makes one; of several processes that do so at
    /// once, one's is kept and used by all.
    async fn read(&self, ctx: &Context) -> Result<Arc<Ring<K>>, BackendError> {
        let now = self.now();
        if let Some(known) = self.known.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.tried_at = now;
        }
        let stored = match self.store.read(ctx).await? {
            Some(stored) => stored,
            None => {
                let fresh = Ring::default().rotated(now, Overlap::Dropped, self.life);
                let fresh: Ring<K> = fresh.map_err(|error| self.unusable(error))?;
                if self.store.create(ctx, fresh.stored().map_err(|error| self.unusable(error))?).await? {
                    return Ok(self.know(fresh, now));
                }
                self.store.read(ctx).await?.ok_or_else(|| self.unusable("they are gone"))?
            }
        };
        Ok(self.know(Ring::read(&stored).map_err(|error| self.unusable(error))?, now))
    }

    fn known(&self) -> Option<Known<K>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(Known::clone)
    }

    fn know(&self, keys: Ring<K>, now: Duration) -> Arc<Ring<K>> {
        let keys = Arc::new(keys);
        let known = Known { keys: keys.clone(), read_at: now, tried_at: now };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        keys
    }
}

/// By hand, because keys need not be cloned for it.
impl<K: Key> Clone for Known<K> {
    fn clone(&self) -> Self {
        Self { keys: self.keys.clone(), ..*self }
    }
}
