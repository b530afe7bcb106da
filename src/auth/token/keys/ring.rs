//! Keys, each with the time in which it signs and verifies.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{super::super::jws::SigningKey, LONGEST_LIFE, RELOAD, RETRY};

/// What becomes of the keys before, when there is a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// What they signed is good until it is over.
    Kept,
    /// What they signed is good no more: they are in wrong hands.
    Dropped,
}

/// How long a new key only verifies. Whoever read the keys just before it was there may then read them again.
const ANNOUNCED: Duration = RETRY.saturating_mul(2);

/// How far apart clocks may be.
const LEEWAY: Duration = Duration::from_mins(1);

/// The keys of one time.
#[derive(Default)]
pub(super) struct KeyRing(Vec<Held>);

struct Held {
    key: SigningKey,
    stored: Stored,
}

/// A key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    /// The key (PKCS#8), in base64.
    pkcs8: String,
    /// Since when it signs, in seconds since 1970-01-01 (UTC).
    from: u64,
    /// Until when it verifies.
    until: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct File {
    keys: Vec<Stored>,
}

impl KeyRing {
    /// The keys that `stored` holds. What is wrong with it is said without what it says.
    pub(super) fn read(stored: &[u8]) -> Result<Self, &'static str> {
        let file: File = serde_json::from_slice(stored).map_err(|_| "they are not as this registry stores them")?;
        let keys: Result<Vec<Held>, _> = file.keys.into_iter().map(Held::of).collect();
        Ok(Self(keys?))
    }

    /// As they are stored.
    pub(super) fn stored(&self) -> Result<Bytes, &'static str> {
        let keys = self.0.iter().map(|held| held.stored.clone()).collect();
        serde_json::to_vec(&File { keys }).map(Bytes::from).map_err(|_| "they cannot be written")
    }

    /// With a new key, at `now`.
    pub(super) fn rotated(self, now: Duration, overlap: Overlap) -> Result<Self, &'static str> {
        let pkcs8 = SigningKey::generate().map_err(|_| "the system has no randomness")?;
        let mut keys = self.0;
        let from = match overlap {
            Overlap::Kept => now + ANNOUNCED,
            Overlap::Dropped => {
                keys.clear();
                now
            }
        };
        // Who does not know of the new one yet signs with those before, until it reads again.
        let over = (from + RELOAD + LONGEST_LIFE + LEEWAY).as_secs();
        keys.retain(|held| held.is_good(now));
        for Held { stored, .. } in &mut keys {
            stored.until = Some(stored.until.map_or(over, |until| until.min(over)));
        }
        keys.push(Held::of(Stored { pkcs8: STANDARD.encode(pkcs8), from: from.as_secs(), until: None })?);
        Ok(Self(keys))
    }

    /// The key that signs at `now`: the newest whose time has come; where clocks differ, the oldest.
    pub(super) fn signer(&self, now: Duration) -> Option<&SigningKey> {
        let has_begun = |held: &&Held| held.stored.from <= now.as_secs();
        // Of several that began in one second, the last: the newest.
        let signer = self.0.iter().filter(has_begun).max_by_key(|held| held.stored.from);
        signer.or_else(|| self.0.first()).map(|held| &held.key)
    }

    /// The key of the name `kid`, if it still verifies at `now`.
    pub(super) fn get(&self, kid: &str, now: Duration) -> Option<&SigningKey> {
        self.0.iter().find(|held| held.key.kid() == kid && held.is_good(now)).map(|held| &held.key)
    }

    /// The name of the newest.
    pub(super) fn newest(&self) -> Option<&str> {
        self.0.last().map(|held| held.key.kid())
    }
}

impl Held {
    fn of(stored: Stored) -> Result<Self, &'static str> {
        let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(|_| "one is not base64")?;
        let key = SigningKey::read(&pkcs8).map_err(|_| "one is no key for ES256")?;
        Ok(Self { key, stored })
    }

    fn is_good(&self, now: Duration) -> bool {
        self.stored.until.is_none_or(|until| now.as_secs() < until)
    }
}
