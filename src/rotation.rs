//! Keys that all instances of a registry share: it makes them itself on first use, and a new one follows with an overlap.
//!
//! They lie in one file, each with the time from which it signs and, once another follows it, until when it verifies. An
//! instance reads the file when it first needs a key, and again now and then ([`Shared`]); a new key signs when every
//! instance may know it ([`Ring`]).

mod ring;
mod shared;

use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{context::Context, distribution::BackendError};
pub use ring::Ring;
pub use shared::Shared;

/// How long an instance goes on with the keys that it knows, before it asks for them again: so long may a key that was
/// dropped be good here.
const RELOAD: Duration = Duration::from_mins(15);

/// How long after one reading of the keys the next may be for a signature by an unknown key, which anybody can make.
const RETRY: Duration = Duration::from_mins(1);

/// A key of some kind.
pub trait Key: Sized + Send + Sync {
    /// How one is stored.
    type Stored: Clone + Serialize + DeserializeOwned + Send + Sync;

    /// A new one.
    ///
    /// # Errors
    /// What stands in the way, without secrets.
    fn generate() -> Result<Self::Stored, &'static str>;

    /// The one that is stored as `stored`.
    ///
    /// # Errors
    /// What is wrong with it, without what it says.
    fn read(stored: &Self::Stored) -> Result<Self, &'static str>;

    /// The one that a whole file is, where it is none of several keys.
    fn alone(_file: &[u8]) -> Option<Self::Stored> {
        None
    }
}

/// Where the keys of one kind lie. What is stored is secret, and means nothing to the store.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// What is there, if anything.
    async fn read(&self, ctx: &Context) -> Result<Option<Bytes>, BackendError>;

    /// Stores `keys` if nothing is there; `false` when something is, which is then left as it is.
    async fn create(&self, ctx: &Context, keys: Bytes) -> Result<bool, BackendError>;

    /// Stores `keys` in place of what is there.
    async fn replace(&self, ctx: &Context, keys: Bytes) -> Result<(), BackendError>;
}

/// What becomes of the keys before, when there is a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// What they signed is good until it is over.
    Kept,
    /// What they signed is good no more: they are in wrong hands.
    Dropped,
}
