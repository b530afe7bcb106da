//! What a client will ask for next: who has read an image's manifest fetches its blobs, one by one. The first of them
//! is looked up together with the others, which with a shared cache is one request instead of one of each.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::{digest::Digest, manifest::Manifest, manifest::ReferenceKind, name::RepositoryName};

/// Blobs of recently read manifests that are kept in mind.
const CAPACITY: usize = 4096;

/// The most blobs that are looked up together: what one batch of DynamoDB takes ("BatchGetItem").
const BATCH: usize = 100;

/// For each blob of a recently read manifest, all of that manifest's blobs.
pub(super) struct LookAhead(Cache<(RepositoryName, Digest), Arc<[Digest]>>);

impl LookAhead {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    /// A client has read `manifest` of repository `name`.
    pub(super) fn expect(&self, name: &RepositoryName, manifest: &Manifest) {
        let blobs = manifest.references().iter().filter(|reference| reference.kind == ReferenceKind::Blob);
        let blobs: Arc<[Digest]> = blobs.map(|reference| reference.digest).take(BATCH).collect();
        let Some(last) = blobs.last() else { return };
        if self.0.get(&(name.clone(), *last)).is_some_and(|known| known == blobs) {
            return;
        }
        for blob in blobs.iter() {
            self.0.insert((name.clone(), *blob), blobs.clone());
        }
    }

    /// What is likely to be asked for with `digest`.
    pub(super) fn with(&self, name: &RepositoryName, digest: &Digest) -> Option<Arc<[Digest]>> {
        self.0.get(&(name.clone(), *digest))
    }
}
