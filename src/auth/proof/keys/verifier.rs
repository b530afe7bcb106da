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
        let (id, now) = (KeyId::of(offer.password), now(&self.clock));
        let key = match self.found.get(&id).filter(|(_, until)| now < *until) {
            Some((key, _)) => key,
            None => {
                let Some(key) = self.store.find(ctx, &id).await? else {
                    self.found.remove(&id);
                    return Err(ProofError::wrong("the API key is unknown here, or was revoked"));
                };
                self.found.insert(id, (key.clone(), now + FRESH));
                key
            }
        };
        match key.expires {
            Some(expires) if expires <= now => {
                Err(ProofError::Wrong(format!("the API key {:?} has expired; make a new one", key.name)))
            }
            _ => Ok(Some(Identity::Key(key.name))),
        }
    }
}
