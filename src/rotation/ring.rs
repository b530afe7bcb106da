//! Keys, each with the time in which it signs and verifies.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Key, Overlap, RELOAD, RETRY};

/// How long a new key only verifies. Whoever read the keys just before it was there may then read them again.
const ANNOUNCED: Duration = RETRY.saturating_mul(2);

/// How far apart clocks may be.
const LEEWAY: Duration = Duration::from_mins(1);

/// The keys of one time, the newest last.
pub struct Ring<K: Key>(Vec<Held<K>>);

struct Held<K: Key> {
    key: K,
    term: Term<K::Stored>,
}

/// A key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Term<S> {
    #[serde(flatten)]
    key: S,
    /// Since when it signs, in seconds since 1970-01-01 (UTC).
    from: u64,
    /// Until when it verifies.
    until: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct File<S> {
    keys: Vec<Term<S>>,
}

impl<K: Key> Ring<K> {
    /// The keys that `stored` holds. What is wrong with it is said without what it says.
    pub(super) fn read(stored: &[u8]) -> Result<Self, &'static str> {
        let terms = match (serde_json::from_slice::<File<K::Stored>>(stored), K::alone(stored)) {
            (Ok(file), _) => file.keys,
            (Err(_), Some(key)) => vec![Term { key, from: 0, until: None }],
            (Err(_), None) => return Err("they are not as this registry stores them"),
        };
        let keys: Result<Vec<Held<K>>, _> = terms.into_iter().map(Held::of).collect();
        Ok(Self(keys?))
    }

    /// As they are stored.
    pub(super) fn stored(&self) -> Result<Bytes, &'static str> {
        let keys = self.0.iter().map(|held| held.term.clone()).collect();
        serde_json::to_vec(&File::<K::Stored> { keys }).map(Bytes::from).map_err(|_| "they cannot be written")
    }

    /// With a new key, at `now`. What the keys sign is good for as long as `life` at most.
    pub(super) fn rotated(self, now: Duration, overlap: Overlap, life: Duration) -> Result<Self, &'static str> {
        let key = K::generate()?;
        let mut keys = self.0;
        let from = match overlap {
            Overlap::Kept => now + ANNOUNCED,
            Overlap::Dropped => {
                keys.clear();
                now
            }
        };
        // Who does not know of the new one yet signs with those before, until it reads again.
        let over = (from + RELOAD + life + LEEWAY).as_secs();
        keys.retain(|held| held.is_good(now));
        for Held { term, .. } in &mut keys {
            term.until = Some(term.until.map_or(over, |until| until.min(over)));
        }
        keys.push(Held::of(Term { key, from: from.as_secs(), until: None })?);
        Ok(Self(keys))
    }

    /// The key that signs at `now`: the newest whose time has come; where clocks differ, the oldest.
    pub fn signer(&self, now: Duration) -> Option<&K> {
        let has_begun = |held: &&Held<K>| held.term.from <= now.as_secs();
        // Of several that began in one second, the last: the newest.
        let signer = self.0.iter().filter(has_begun).max_by_key(|held| held.term.from);
        signer.or_else(|| self.0.first()).map(|held| &held.key)
    }

    /// The keys that still verify at `now`.
    pub fn good(&self, now: Duration) -> impl Iterator<Item = &K> {
        self.0.iter().filter(move |held| held.is_good(now)).map(|held| &held.key)
    }

    /// The newest.
    pub fn newest(&self) -> Option<&K> {
        self.0.last().map(|held| &held.key)
    }
}

impl<K: Key> Default for Ring<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Key> Held<K> {
    fn of(term: Term<K::Stored>) -> Result<Self, &'static str> {
        Ok(Self { key: K::read(&term.key)?, term })
    }

    fn is_good(&self, now: Duration) -> bool {
        self.term.until.is_none_or(|until| now.as_secs() < until)
    }
}
