//! Knowing who holds an API key.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use quick_cache::sync::Cache;
use time::OffsetDateTime;

use super::{ApiKey, KeyId, KeyStore, PREFIX};
use crate::{
    auth::{
        Identity,
        proof::{Offer, ProofError, Verifier, now},
    },
    context::{Clock, Context},
    distribution::BackendError,
};

/// How long a process lets in a key without asking storage: as long may a revoked one work.
const FRESH: Duration = Duration::from_secs(30);

/// Keys that a process remembers.
const MOST: usize = 1024;

/// Takes API keys. One that was found is believed for 30 seconds; one that was not is looked up each time.
pub struct KeyVerifier {
    store: Arc<dyn KeyStore>,
    clock: Clock,
    found: Cache<KeyId, (ApiKey, OffsetDateTime)>,
}

impl KeyVerifier {
    /// Knows the keys of `store`.
    pub fn new(store: Arc<dyn KeyStore>, clock: Clock) -> Self {
        Self { store, clock, found: Cache::new(MOST) }
    }

    /// What is known of the key `id`, by storage unless it was found there lately.
    async fn find(&self, ctx: &Context, id: KeyId, now: OffsetDateTime) -> Result<Option<ApiKey>, BackendError> {
        if let Some((key, _)) = self.found.get(&id).filter(|(_, until)| now < *until) {
            return Ok(Some(key));
        }
        let found = self.store.find(ctx, &id).await?;
        match &found {
            Some(key) => self.found.insert(id, (key.clone(), now + FRESH)),
            None => drop(self.found.remove(&id)),
        }
        Ok(found)
    }
}

#[async_trait::async_trait]
impl Verifier for KeyVerifier {
    async fn verify(&self, ctx: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError> {
        let Some(random) = offer.password.strip_prefix(PREFIX) else { return Ok(None) };
        // What cannot be a key costs storage no question.
        let is_key = random.len() == 43 && URL_SAFE_NO_PAD.decode(random).is_ok();
        if !is_key {
            return Err(ProofError::wrong("the API key is not whole; copy it once more"));
        }
        let now = now(&self.clock);
        match self.find(ctx, KeyId::of(offer.password), now).await? {
            None => Err(ProofError::wrong("the API key is unknown here, or was revoked")),
            Some(key) if key.has_expired(now) => {
                Err(ProofError::Wrong(format!("the API key {:?} has expired; make a new one", key.name)))
            }
            Some(key) => Ok(Some(Identity::Key(key.name))),
        }
    }

    fn mark(&self, offer: &Offer<'_>) -> Option<String> {
        Some(KeyId::of(offer.password).to_string())
    }

    async fn holds(&self, ctx: &Context, identity: &Identity, mark: &str) -> Result<bool, BackendError> {
        let (Identity::Key(name), Some(id)) = (identity, KeyId::from_hex(mark)) else { return Ok(false) };
        let now = now(&self.clock);
        let key = self.find(ctx, id, now).await?;
        Ok(key.is_some_and(|key| key.name == *name && !key.has_expired(now)))
    }
}
