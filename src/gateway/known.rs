//! Blobs that came by this gateway a moment ago.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{descriptor::Descriptor, digest::Digest, name::RepositoryName};

/// How long they count as there: clients look for what they have pushed at once, and what is deleted elsewhere is soon
/// seen to be.
const LIFE: Duration = Duration::from_secs(30);
/// Blobs that are remembered.
const MOST: usize = 1000;

type Entries = HashMap<(RepositoryName, Digest), (Descriptor, Instant)>;

/// What is known of them, so that the registry is not asked what it has just said.
#[derive(Default)]
pub(super) struct Known(Mutex<Entries>);

impl Known {
    pub(super) fn get(&self, name: &RepositoryName, digest: &Digest) -> Option<Descriptor> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (descriptor, since) = entries.get(&(name.clone(), *digest))?;
        (since.elapsed() < LIFE).then(|| descriptor.clone())
    }

    pub(super) fn insert(&self, name: &RepositoryName, digest: Digest, descriptor: Descriptor) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.retain(|_, (_, since)| since.elapsed() < LIFE);
        }
        if entries.len() < MOST {
            entries.insert((name.clone(), digest), (descriptor, Instant::now()));
        }
    }

    pub(super) fn remove(&self, name: &RepositoryName, digest: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(name.clone(), *digest));
    }
}
