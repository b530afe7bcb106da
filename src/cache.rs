//! Descriptor caches: descriptor services that forget. A cache is never the truth.
//!
//! | cache | lies | in front of |
//! |---|---|---|
//! | [`none::NoCache`] | nowhere | |
//! | [`memory::MemoryCache`] | in this process | |
//! | [`dynamodb::DynamoDbCache`] | in a table that all instances share | |
//! | [`breaker::Breaker`] | | a cache that may fail, which it leaves alone for a while when it does |
//! | [`tiered::Tiered`] | in this process | a shared cache |
//!
//! What all of them promise:
//! - **A name is not access.** A provisional digest leads to a canonical one within its own scope, and it is the
//!   canonical entry that grants: once that is cleared, no name of it is answered. A cache may have forgotten where
//!   a name leads; who revokes access clears the canonical digest.
//! - **What was cleared stays cleared** for [`TOMBSTONE_LIFE`]: whatever is set meanwhile is left unset.
//! - **The global scope knows no media types**: those are a repository's own business.
//!
//! One suite (`tests/caches.rs`) is run by each implementation.

pub mod breaker;
pub mod dynamodb;
pub mod memory;
pub mod none;
mod scope;
pub mod tiered;

use std::{sync::Arc, time::Duration};

pub use crate::context::Clock;

use crate::{distribution::BlobDescriptorService, name::RepositoryName};

/// A cache of blob descriptors: one global scope, and one for each link set of each repository. An entry of one
/// scope implies nothing for another.
pub trait DescriptorCache: Send + Sync {
    /// Entries of the blob store: what exists, whoever may see it. Also the map from provisional to canonical digests.
    fn global(&self) -> Arc<dyn BlobDescriptorService>;

    /// Entries of link set `links` of repository `name`: an entry grants access.
    fn scoped(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService>;

    /// The part of [`Self::scoped`] that lies in this process and costs no request. What this process has just
    /// linked is remembered here; the shared part learns of it in one batch, with the manifest that names it.
    fn near(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService>;
}

/// The link sets of a repository, each a view of the same blob store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkSet {
    /// Layers and configurations: `_layers`.
    Layers,
    /// Manifests: `_manifests/revisions`.
    Manifests,
}

impl LinkSet {
    /// The name that keys of a cache have.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Manifests => "manifests",
        }
    }
}

/// How long a tombstone stops an entry from being set: longer than any request lives (AWS Lambda's limit is
/// 15 minutes, "Lambda quotas"), so that no look-up which began before a delete can revive what was deleted.
pub const TOMBSTONE_LIFE: Duration = Duration::from_secs(16 * 60);
