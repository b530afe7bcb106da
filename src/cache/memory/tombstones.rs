//! What was cleared in this process, and how long it stays so.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use super::store::Key;
use crate::cache::TOMBSTONE_LIFE;

/// At most so many tombstones. Where more are placed the oldest goes, and until it would have gone by itself
/// nothing at all may be set: the cache then knows less, but never what was cleared.
pub(super) struct Tombstones {
    until: HashMap<Key, Duration>,
    /// By age; may hold a key twice, whose later time counts.
    order: VecDeque<(Duration, Key)>,
    all_until: Duration,
    capacity: usize,
}

impl Tombstones {
    pub(super) fn new(capacity: usize) -> Self {
        Self { until: HashMap::new(), order: VecDeque::new(), all_until: Duration::ZERO, capacity }
    }

    /// Places one, and removes those that are over.
    pub(super) fn place(&mut self, key: Key, now: Duration) {
        let until = now + TOMBSTONE_LIFE;
        self.until.insert(key.clone(), until);
        self.order.push_back((until, key));
        while self.order.len() > self.capacity || self.order.front().is_some_and(|(until, _)| *until <= now) {
            let Some((until, key)) = self.order.pop_front() else { break };
            // A later one of the same key stands on.
            if self.until.get(&key) == Some(&until) {
                self.until.remove(&key);
                self.all_until = self.all_until.max(until);
            }
        }
    }

    /// Whether `key` was cleared of late.
    pub(super) fn stand(&self, key: &Key, now: Duration) -> bool {
        self.until.get(key).is_some_and(|until| now < *until)
    }

    /// Whether `key` may not be set.
    pub(super) fn refuse(&self, key: &Key, now: Duration) -> bool {
        now < self.all_until || self.stand(key, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cache::scope::Scope, digest::Digest};

    fn key(n: u32) -> Key {
        Key { scope: Scope::Global, digest: Digest::canonical(&n.to_be_bytes()) }
    }

    #[test]
    fn a_tombstone_too_many_keeps_everything_out_until_the_dropped_one_would_be_over() {
        let mut tombstones = Tombstones::new(2);
        let (first, later) = (Duration::from_secs(1000), Duration::from_secs(1060));
        tombstones.place(key(1), first);
        tombstones.place(key(2), later);
        assert!(!tombstones.refuse(&key(9), later));
        tombstones.place(key(3), later);
        assert!(tombstones.refuse(&key(1), later), "its tombstone was dropped, not its meaning");
        assert!(tombstones.refuse(&key(9), later));
        assert!(!tombstones.refuse(&key(9), first + TOMBSTONE_LIFE));
        assert!(tombstones.refuse(&key(3), first + TOMBSTONE_LIFE));
        assert!(tombstones.order.len() <= 2 && tombstones.until.len() <= 2);
    }

    #[test]
    fn clearing_again_prolongs() {
        let mut tombstones = Tombstones::new(8);
        let (first, second) = (Duration::from_secs(1000), Duration::from_secs(1500));
        tombstones.place(key(1), first);
        tombstones.place(key(1), second);
        tombstones.place(key(2), first + TOMBSTONE_LIFE);
        assert!(tombstones.refuse(&key(1), first + TOMBSTONE_LIFE));
        assert!(!tombstones.refuse(&key(1), second + TOMBSTONE_LIFE));
    }

    #[test]
    fn what_is_over_is_removed() {
        let mut tombstones = Tombstones::new(8);
        tombstones.place(key(1), Duration::from_secs(1000));
        tombstones.place(key(2), Duration::from_secs(1000) + TOMBSTONE_LIFE);
        assert_eq!((tombstones.order.len(), tombstones.until.len()), (1, 1));
        assert!(!tombstones.refuse(&key(9), Duration::from_secs(1000) + TOMBSTONE_LIFE));
    }
}
