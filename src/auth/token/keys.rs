//! The keys that sign this registry's tokens: made by the registry on first use, and shared by all instances.

mod ring;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{
    super::jws::{TokenError, Unverified},
    ticket::{Kind, Ticket},
};
use crate::{
    context::{Clock, Context},
    distribution::{BackendError, BackendErrorKind},
};
use ring::KeyRing;
pub use ring::Overlap;

/// The longest that any token is good for.
pub(super) const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// How long an instance goes on with the keys that it knows, before it asks for them again: so long may a key that was
/// dropped be good here.
const RELOAD: Duration = Duration::from_mins(15);

/// How long after one reading of the keys the next may be for a token of an unknown key, which anybody can make.
const RETRY: Duration = Duration::from_mins(1);

/// Where the keys lie. What is stored is secret, and means nothing to the store.
#[async_trait::async_trait]
pub trait SigningKeyStore: Send + Sync {
    /// What is there, if anything.
    async fn read(&self, ctx: &Context) -> Result<Option<Bytes>, BackendError>;

    /// Stores `keys` if nothing is there; `false` when something is, which is then left as it is.
    async fn create(&self, ctx: &Context, keys: Bytes) -> Result<bool, BackendError>;

    /// Stores `keys` in place of what is there.
    async fn replace(&self, ctx: &Context, keys: Bytes) -> Result<(), BackendError>;
}

/// The keys, as far as this process knows them. They are read once when they are first needed, then every quarter of an
/// hour, and when a token names a key that is not known, though once a minute at most.
pub struct SigningKeys {
    store: Arc<dyn SigningKeyStore>,
    clock: Clock,
    known: RwLock<Option<Known>>,
    /// Held by the one who reads.
    turn: Mutex<()>,
}

#[derive(Clone)]
struct Known {
    keys: Arc<KeyRing>,
    read_at: Duration,
    /// When it was last tried to read them.
    tried_at: Duration,
}

/// Why a token is not taken.
#[derive(Debug)]
pub(super) enum Doubt {
    Token(TokenError),
    /// Its key may be one that cannot be read now.
    Backend(BackendError),
}

impl From<TokenError> for Doubt {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl SigningKeys {
    /// The keys that lie in `store`.
    pub fn new(store: Arc<dyn SigningKeyStore>, clock: Clock) -> Self {
        Self { store, clock, known: RwLock::new(None), turn: Mutex::new(()) }
    }

    /// The time since 1970-01-01 (UTC), as the keys have it.
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Makes a new key that signs from now on. With [`Overlap::Kept`] it does so after two minutes, when every instance
    /// may have read it, and those before it verify what they signed until that is over; with [`Overlap::Dropped`] at
    /// once, and every instance forgets the others within a quarter of an hour. Of two rotations at the same time, one
    /// may be lost. Returns the new key's name.
    ///
    /// # Errors
    /// When the keys can neither be read nor written.
    pub async fn rotate(&self, ctx: &Context, overlap: Overlap) -> Result<String, BackendError> {
        let _turn = self.turn.lock().await;
        let now = self.now();
        let before = match self.store.read(ctx).await? {
            Some(stored) => KeyRing::read(&stored).map_err(unreadable)?,
            None => KeyRing::default(),
        };
        let keys = before.rotated(now, overlap).map_err(unreadable)?;
        self.store.replace(ctx, keys.stored().map_err(unreadable)?).await?;
        let kid = keys.newest().unwrap_or_default().to_owned();
        self.know(keys, now);
        Ok(kid)
    }

    /// A token that says `ticket`, to the registry at `host`, for as long as `life`.
    pub(super) async fn sign(
        &self,
        ctx: &Context,
        ticket: &Ticket,
        kind: Kind,
        host: &str,
        life: Duration,
    ) -> Result<String, BackendError> {
        let keys = self.keys(ctx).await?;
        let now = self.now();
        let key = keys.signer(now).ok_or_else(|| unreadable("there is none"))?;
        ticket.sign(kind, host, key, now, life.min(LONGEST_LIFE)).map_err(unreadable)
    }

    /// What `token`, sent to the registry at `host`, says, if it is of `kind` and one of the keys signed it.
    pub(super) async fn verify(&self, ctx: &Context, token: &str, kind: Kind, host: &str) -> Result<Ticket, Doubt> {
        let unverified = Unverified::parse(token)?;
        if unverified.typ() != Some(kind.typ()) {
            return Err(TokenError::Type.into());
        }
        let kid = unverified.kid().ok_or(TokenError::UnknownKey)?;
        let mut keys = self.keys(ctx).await.map_err(Doubt::Backend)?;
        if keys.get(kid, self.now()).is_none() {
            keys = self.keys_after(ctx).await.map_err(Doubt::Backend)?;
        }
        let now = self.now();
        let key = keys.get(kid, now).ok_or(TokenError::UnknownKey)?;
        Ok(Ticket::read(kind, host, unverified.verify(key.public())?, now)?)
    }

    /// The keys, read now if they were not yet, or long ago.
    async fn keys(&self, ctx: &Context) -> Result<Arc<KeyRing>, BackendError> {
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
                tracing::warn!(%error, "signing keys are those of before");
                Ok(known.keys)
            }
        }
    }

    /// The keys, for who has seen one that is not among those known: read again, if that was not just done.
    async fn keys_after(&self, ctx: &Context) -> Result<Arc<KeyRing>, BackendError> {
        let _turn = self.turn.lock().await;
        match self.known() {
            Some(known) if self.now().saturating_sub(known.tried_at) < RETRY => Ok(known.keys),
            _ => self.read(ctx).await,
        }
    }

    /// Reads the keys; the turn is the caller's. Where there are none, makes one; of several processes that do so at
    /// once, one's is kept and used by all.
    async fn read(&self, ctx: &Context) -> Result<Arc<KeyRing>, BackendError> {
        let now = self.now();
        if let Some(known) = self.known.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.tried_at = now;
        }
        let stored = match self.store.read(ctx).await? {
            Some(stored) => stored,
            None => {
                let fresh = KeyRing::default().rotated(now, Overlap::Dropped).map_err(unreadable)?;
                if self.store.create(ctx, fresh.stored().map_err(unreadable)?).await? {
                    return Ok(self.know(fresh, now));
                }
                self.store.read(ctx).await?.ok_or_else(|| unreadable("they are gone"))?
            }
        };
        Ok(self.know(KeyRing::read(&stored).map_err(unreadable)?, now))
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, keys: KeyRing, now: Duration) -> Arc<KeyRing> {
        let keys = Arc::new(keys);
        let known = Known { keys: keys.clone(), read_at: now, tried_at: now };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        keys
    }
}

fn unreadable(error: impl ToString) -> BackendError {
    let message = format!("the keys that sign tokens cannot be used: {}", error.to_string());
    BackendError::new(BackendErrorKind::Failed, message)
}
