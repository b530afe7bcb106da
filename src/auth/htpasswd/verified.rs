//! The logins that this process has checked.

use hmac::{Hmac, KeyInit as _, Mac as _};
use quick_cache::sync::Cache;
use sha2::Sha256;
use uuid::Uuid;

use crate::auth::basic::Basic;

/// Logins that are remembered; the ones not used for longest go first.
const MOST: usize = 1024;

/// Remembers what was found right, without a password in memory.
pub(super) struct Verified {
    key: [u8; 32],
    marks: Cache<Mark, ()>,
}

/// Stands for a name, its password, and the hash that it was right for: a changed hash is checked anew.
pub(super) type Mark = [u8; 32];

impl Verified {
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        // Of this process alone: what it remembers helps nobody to guess.
        key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
        key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
        Self { key, marks: Cache::new(MOST) }
    }

    pub(super) fn mark(&self, basic: &Basic, hash: &str) -> Mark {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        for part in [hash, &basic.name, &basic.password] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    pub(super) fn contains(&self, mark: &Mark) -> bool {
        self.marks.get(mark).is_some()
    }

    pub(super) fn insert(&self, mark: Mark) {
        self.marks.insert(mark, ());
    }
}
