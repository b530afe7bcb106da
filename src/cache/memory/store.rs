//! Entries of all scopes, and their tombstones.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use quick_cache::sync::Cache;

use super::{ACCESS_LIFE, CONTENT_LIFE, tombstones::Tombstones};
use crate::{
    cache::{Clock, scope::Scope},
    descriptor::Descriptor,
    digest::Digest,
    distribution::BlobError,
};

/// Whose entry, of what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) scope: Scope,
    pub(super) digest: Digest,
}

/// What the cache can say of a digest.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cache) enum Lookup {
    /// This.
    Known(Descriptor),
    /// It was cleared of late: nobody else's word is to be taken for it.
    Forgotten,
    /// Nothing.
    Unknown,
}

#[derive(Clone)]
struct Entry {
    content: Content,
    since: Duration,
    until: Duration,
}

#[derive(Clone)]
enum Content {
    Blob(Descriptor),
    /// Another name of the content with this canonical digest.
    Name(Digest),
}

pub(super) struct Store {
    entries: Cache<Key, Entry>,
    /// Read while an entry is set and written while one is cleared: a set either comes before a clear, which
    /// removes it, or sees its tombstone.
    tombstones: RwLock<Tombstones>,
    clock: Clock,
}

impl Store {
    pub(super) fn new(capacity: usize, clock: Clock) -> Self {
        let capacity = capacity.max(1);
        Self { entries: Cache::new(capacity), tombstones: RwLock::new(Tombstones::new(capacity)), clock }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    fn content(&self, key: &Key, now: Duration) -> Option<Content> {
        let entry = self.entries.get(key)?;
        // A clock that was set back must not prolong access.
        (entry.since <= now && now < entry.until).then_some(entry.content)
    }

    pub(super) fn lookup(&self, scope: &Scope, digest: &Digest) -> Lookup {
        let now = self.clock.now();
        let mut key = Key { scope: scope.clone(), digest: *digest };
        let mut content = self.content(&key, now);
        if let Some(Content::Name(canonical)) = content {
            key.digest = canonical;
            content = self.content(&key, now);
        }
        match content {
            Some(Content::Blob(descriptor)) => Lookup::Known(descriptor),
            _ if self.tombstones.read().unwrap_or_else(PoisonError::into_inner).stand(&key, now) => Lookup::Forgotten,
            _ => Lookup::Unknown,
        }
    }

    /// Whether it was set: `false` under a tombstone.
    pub(super) fn set(&self, scope: &Scope, digest: &Digest, descriptor: &Descriptor) -> Result<bool, BlobError> {
        let Some(descriptor) = scope.admit(digest, descriptor)? else { return Ok(false) };
        let now = self.clock.now();
        let life = match scope {
            Scope::Global => CONTENT_LIFE,
            Scope::Repository(..) => ACCESS_LIFE,
        };
        let entry = |content| Entry { content, since: now, until: now + life };
        let canonical = Key { scope: scope.clone(), digest: descriptor.digest };
        let name = (*digest != descriptor.digest).then(|| Key { scope: scope.clone(), digest: *digest });

        let tombstones = self.tombstones.read().unwrap_or_else(PoisonError::into_inner);
        if tombstones.refuse(&canonical, now) || name.as_ref().is_some_and(|name| tombstones.refuse(name, now)) {
            return Ok(false);
        }
        if let Some(name) = name {
            self.entries.insert(name, entry(Content::Name(descriptor.digest)));
        }
        self.entries.insert(canonical, entry(Content::Blob(descriptor)));
        Ok(true)
    }

    pub(super) fn clear(&self, scope: &Scope, digest: &Digest) {
        let now = self.clock.now();
        let key = Key { scope: scope.clone(), digest: *digest };
        let mut tombstones = self.tombstones.write().unwrap_or_else(PoisonError::into_inner);
        let removed = self.entries.remove(&key);
        if let Some((_, Entry { content: Content::Name(canonical), .. })) = removed {
            let canonical = Key { scope: scope.clone(), digest: canonical };
            self.entries.remove(&canonical);
            tombstones.place(canonical, now);
        }
        tombstones.place(key, now);
    }
}
