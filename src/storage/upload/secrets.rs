//! The secrets that sign upload states: one that configuration gives, or those that the registry makes itself.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{session::SESSION_LIFE, state::UploadSecret};
use crate::{
    context::{Clock, Context},
    distribution::BackendError,
    driver::StorageDriver,
    rotation::{Key, Overlap, Shared},
    storage::stored_keys::StoredKeys,
};

/// The secrets of a registry that all its instances share.
pub struct UploadSecrets(Source);

enum Source {
    /// Configuration says which: it follows itself.
    Given(UploadSecret),
    Stored(Shared<UploadSecret>),
}

/// A secret as it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredSecret {
    /// Its bytes, in base64.
    secret: String,
}

/// A secret of fewer bytes could be guessed.
const SHORTEST: usize = 16;

impl Key for UploadSecret {
    type Stored = StoredSecret;

    fn generate() -> Result<StoredSecret, &'static str> {
        // Two random UUIDs: 244 bits from the system's generator.
        let bytes: Vec<u8> = [Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| *id.as_bytes()).collect();
        Ok(StoredSecret { secret: STANDARD.encode(bytes) })
    }

    fn read(stored: &StoredSecret) -> Result<Self, &'static str> {
        let bytes = STANDARD.decode(&stored.secret).map_err(|_| "one is not base64")?;
        if bytes.len() < SHORTEST { Err("one is short enough to be guessed") } else { Ok(Self::new(bytes)) }
    }

    /// Before there were several, a file held the bytes of one as they are. Random ones do not begin as several do.
    fn alone(file: &[u8]) -> Option<StoredSecret> {
        (!file.starts_with(b"{\"keys\":")).then(|| StoredSecret { secret: STANDARD.encode(file) })
    }
}

impl UploadSecrets {
    /// `secret` alone.
    pub fn given(secret: UploadSecret) -> Self {
        Self(Source::Given(secret))
    }

    /// Those that lie in the storage of `driver`; when there are none, the first is made where it is first needed.
    pub fn stored(driver: Arc<dyn StorageDriver>, clock: Clock) -> Self {
        let store = Arc::new(StoredKeys::uploads(driver));
        Self(Source::Stored(Shared::new(store, clock, "the secrets that sign uploads", SESSION_LIFE)))
    }

    /// Makes a new secret, as [`Shared::rotate`] says; an upload lives for a week. Where configuration says what the
    /// secret is, nothing is made.
    ///
    /// # Errors
    /// When the secrets can neither be read nor written.
    pub async fn rotate(&self, ctx: &Context, overlap: Overlap) -> Result<(), BackendError> {
        match &self.0 {
            Source::Given(_) => Ok(()),
            Source::Stored(shared) => shared.rotate(ctx, overlap).await.map(drop),
        }
    }

    /// The secret that signs now.
    pub(super) async fn signer(&self, ctx: &Context) -> Result<UploadSecret, BackendError> {
        match &self.0 {
            Source::Given(secret) => Ok(secret.clone()),
            Source::Stored(shared) => {
                let secrets = shared.keys(ctx).await?;
                secrets.signer(shared.now()).cloned().ok_or_else(|| shared.unusable("there is none"))
            }
        }
    }

    /// Whether `fits` one of the secrets that this process knows. None is read again: that it fits one made since, by
    /// another instance, may be missed.
    pub(super) async fn any(&self, ctx: &Context, fits: impl Fn(&UploadSecret) -> bool) -> Result<bool, BackendError> {
        match &self.0 {
            Source::Given(secret) => Ok(fits(secret)),
            Source::Stored(shared) => Ok(shared.keys(ctx).await?.good(shared.now()).any(fits)),
        }
    }

    /// What `verify` finds by the first of the secrets with which it finds anything. They are read again if there is
    /// none: another instance may have signed with a new one.
    pub(super) async fn verify<T>(
        &self,
        ctx: &Context,
        verify: impl Fn(&UploadSecret) -> Option<T>,
    ) -> Result<Option<T>, BackendError> {
        match &self.0 {
            Source::Given(secret) => Ok(verify(secret)),
            Source::Stored(shared) => match shared.keys(ctx).await?.good(shared.now()).find_map(&verify) {
                Some(found) => Ok(Some(found)),
                None => Ok(shared.keys_after(ctx).await?.good(shared.now()).find_map(&verify)),
            },
        }
    }
}
