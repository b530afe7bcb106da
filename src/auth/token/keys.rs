//! The keys that sign this registry's tokens: made by the registry on first use, and shared by all instances.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    super::jws::{SigningKey, TokenError, Unverified},
    ticket::{Kind, Ticket},
};
use crate::{
    context::{Clock, Context},
    distribution::BackendError,
    rotation::{Key, Overlap, Shared, Store},
};

/// The longest that any token is good for.
pub(super) const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// The keys, as far as this process knows them: read when they are first needed, and again now and then ([`Shared`]).
pub struct SigningKeys(Shared<SigningKey>);

/// A key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredKey {
    /// The key (PKCS#8), in base64.
    pkcs8: String,
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

impl Key for SigningKey {
    type Stored = StoredKey;

    fn generate() -> Result<StoredKey, &'static str> {
        let pkcs8 = Self::generate().map_err(|_| "the system has no randomness")?;
        Ok(StoredKey { pkcs8: STANDARD.encode(pkcs8) })
    }

    fn read(stored: &StoredKey) -> Result<Self, &'static str> {
        let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(|_| "one is not base64")?;
        Self::read(&pkcs8).map_err(|_| "one is no key for ES256")
    }
}

impl SigningKeys {
    /// The keys that lie in `store`.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self(Shared::new(store, clock, "the keys that sign tokens", LONGEST_LIFE))
    }

    /// The time since 1970-01-01 (UTC), as the keys have it.
    pub(super) fn now(&self) -> Duration {
        self.0.now()
    }

    /// Makes a new key, as [`Shared::rotate`] says; a refresh token lives longest, for a day. Returns its name.
    ///
    /// # Errors
    /// When the keys can neither be read nor written.
    pub async fn rotate(&self, ctx: &Context, overlap: Overlap) -> Result<String, BackendError> {
        let keys = self.0.rotate(ctx, overlap).await?;
        Ok(keys.newest().map(SigningKey::kid).unwrap_or_default().to_owned())
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
        let keys = self.0.keys(ctx).await?;
        let now = self.now();
        let key = keys.signer(now).ok_or_else(|| self.0.unusable("there is none"))?;
        ticket.sign(kind, host, key, now, life.min(LONGEST_LIFE)).map_err(|error| self.0.unusable(error))
    }

    /// What `token`, sent to the registry at `host`, says, if it is of `kind` and one of the keys signed it.
    pub(super) async fn verify(&self, ctx: &Context, token: &str, kind: Kind, host: &str) -> Result<Ticket, Doubt> {
        let unverified = Unverified::parse(token)?;
        if unverified.typ() != Some(kind.typ()) {
            return Err(TokenError::Type.into());
        }
        let kid = unverified.kid().ok_or(TokenError::UnknownKey)?;
        let named = |key: &&SigningKey| key.kid() == kid;
        let mut keys = self.0.keys(ctx).await.map_err(Doubt::Backend)?;
        if keys.good(self.now()).find(named).is_none() {
            keys = self.0.keys_after(ctx).await.map_err(Doubt::Backend)?;
        }
        let now = self.now();
        let key = keys.good(now).find(named).ok_or(TokenError::UnknownKey)?;
        Ok(Ticket::read(kind, host, unverified.verify(key.public())?, now)?)
    }
}
