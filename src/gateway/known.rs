//! What the registry has said of blobs a moment ago.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{descriptor::Descriptor, digest::Digest, name::RepositoryName};

/// How long a blob counts as there that came by this gateway: clients look for what they have pushed at once, and what is
/// deleted elsewhere is soon seen to be.
const THERE: Duration = Duration::from_secs(30);
/// How long one counts as missing: some clients ask twice before they push. Who has put it there meanwhile spares nobody
/// but the gateway's client the sending, and that to its own machine alone.
const MISSING: Duration = Duration::from_secs(5);
/// Blobs that are remembered.
const MOST: usize = 1000;

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    There(Descriptor),
    Missing,
}

impl Word {
    fn life(&self) -> Duration {
        match self {
            Self::There(_) => THERE,
            Self::Missing => MISSING,
        }
    }
}

type Entries = HashMap<(RepositoryName, Digest), (Word, Instant)>;

/// All of it, so that the registry is not asked what it has just said.
#[derive(Default)]
pub(super) struct Known(Mutex<Entries>);

impl Known {
    pub(super) fn get(&self, name: &RepositoryName, digest: &Digest) -> Option<Word> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, since) = entries.get(&(name.clone(), *digest))?;
        (since.elapsed() < word.life()).then(|| word.clone())
    }

    /// The blob, if it is known to be there.
    pub(super) fn there(&self, name: &RepositoryName, digest: &Digest) -> Option<Descriptor> {
        match self.get(name, digest) {
            Some(Word::There(descriptor)) => Some(descriptor),
            _ => None,
        }
    }

    pub(super) fn insert(&self, name: &RepositoryName, digest: Digest, word: Word) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.retain(|_, (word, since)| since.elapsed() < word.life());
        }
        if entries.len() < MOST {
            entries.insert((name.clone(), digest), (word, Instant::now()));
        } else {
            // What was said before is not true any more.
            entries.remove(&(name.clone(), digest));
        }
    }

    pub(super) fn remove(&self, name: &RepositoryName, digest: &Digest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(name.clone(), *digest));
    }
}
